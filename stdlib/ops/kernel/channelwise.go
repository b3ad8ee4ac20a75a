package kernel

// Loops in which every channel is on its own: depthwise convolution and pooling.
// They are sweeps whose inner loops go over the taps of a vector of channels.

// weigh computes, for every pixel and channel, the sum over the taps of the source
// times the weight; w is packed as blocks of taps of channels.
func weigh[T Float](s *sweep, in, w, out []T, g *grid) {
	tiles := len(g.at) / s.loops.tile
	for _, b := range s.blocks {
		in, out, w := in[b.first:], out[b.first:], w[b.at:][:b.width*len(s.taps)]
		switch {
		case !single[T]() || !haveAVX2:
			for p, at := range g.at[:g.pixels] {
				var sums [wide]T
				for t, o := range s.segments {
					q := w[t*b.width:][:b.count]
					for c, v := range in[at+o:][:b.count] {
						sums[c] += v * q[c]
					}
				}
				copy(out[g.to[p]:][:b.count], sums[:])
			}
		case b.width == wide && haveAVX512:
			weigh16AVX512(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(w), ptr(out), &g.to[0], b.count)
		case b.width == wide:
			weigh16AVX2(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(w), ptr(out), &g.to[0], b.count)
		case haveAVX512:
			weigh8AVX512(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(w), ptr(out), &g.to[0], b.count)
		default:
			weigh8AVX2(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(w), ptr(out), &g.to[0], b.count)
		}
	}
}

// total computes, for every pixel and channel, the sum over the taps of the source,
// times the factor of the pixel; there are as many as g.at is long.
func total[T Float](s *sweep, in, factors, out []T, g *grid) {
	tiles := len(g.at) / s.loops.tile
	for _, b := range s.blocks {
		in, out := in[b.first:], out[b.first:]
		switch {
		case !single[T]() || !haveAVX2:
			for p, at := range g.at[:g.pixels] {
				var sums [wide]T
				for _, o := range s.segments {
					for c, v := range in[at+o:][:b.count] {
						sums[c] += v
					}
				}
				to := out[g.to[p]:]
				for c, v := range sums[:b.count] {
					to[c] = v * factors[p]
				}
			}
		case b.width == wide && haveAVX512:
			total16AVX512(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(factors), ptr(out), &g.to[0], b.count)
		case b.width == wide:
			total16AVX2(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(factors), ptr(out), &g.to[0], b.count)
		case haveAVX512:
			total8AVX512(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(factors), ptr(out), &g.to[0], b.count)
		default:
			total8AVX2(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), ptr(factors), ptr(out), &g.to[0], b.count)
		}
	}
}

// highest computes, for every pixel and channel, the maximum over the taps, NaN if
// one is.
func highest[T Float](s *sweep, in, out []T, g *grid) {
	tiles := len(g.at) / s.loops.tile
	for _, b := range s.blocks {
		in, out := in[b.first:], out[b.first:]
		switch {
		case !single[T]() || !haveAVX2:
			for p, at := range g.at[:g.pixels] {
				to := out[g.to[p]:][:b.count]
				copy(to, in[at+s.segments[0]:])
				for _, o := range s.segments[1:] {
					for c, v := range in[at+o:][:b.count] {
						to[c] = max(to[c], v)
					}
				}
			}
		case b.width == wide && haveAVX512:
			highest16AVX512(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), nil, ptr(out), &g.to[0], b.count)
		case b.width == wide:
			highest16AVX2(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), nil, ptr(out), &g.to[0], b.count)
		case haveAVX512:
			highest8AVX512(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), nil, ptr(out), &g.to[0], b.count)
		default:
			highest8AVX2(tiles, ptr(in), &g.at[0], &s.segments[0], len(s.segments), nil, ptr(out), &g.to[0], b.count)
		}
	}
}

// award adds the gradient of every pixel and channel to sums, which lies as in does,
// at the first tap where the source is the maximum, top.
func award[T Float](s *sweep, in, sums, top, gradient []T, g *grid) {
	pitch := s.dstPitch
	for _, b := range s.blocks {
		in, sums, top, gradient := in[b.first:], sums[b.first:], top[b.first:], gradient[b.first:]
		if single[T]() && haveAVX512 {
			award16AVX512(g.pixels, ptr(in), ptr(sums), &g.at[0], &s.segments[0], len(s.segments), ptr(top), ptr(gradient), pitch, b.count)
			continue
		}
		if single[T]() && haveAVX2 {
			if b.count == wide {
				award16AVX2(g.pixels, ptr(in), ptr(sums), &g.at[0], &s.segments[0], len(s.segments), ptr(top), ptr(gradient), pitch, nil)
				continue
			}
			for c := 0; c < b.count; c += slim {
				award8AVX2(g.pixels, ptr(in[c:]), ptr(sums[c:]), &g.at[0], &s.segments[0], len(s.segments),
					ptr(top[c:]), ptr(gradient[c:]), pitch, &masks[max(slim-(b.count-c), 0)])
			}
			continue
		}
		for p, at := range g.at[:g.pixels] {
			for k, d := range gradient[p*pitch:][:b.count] {
				for _, o := range s.segments {
					if in[at+o+k] == top[p*pitch+k] {
						sums[at+o+k] += d
						break
					}
				}
			}
		}
	}
}

// correlateTaps adds to the sums of every tap and channel of a block the sum over
// the pixels at of the source at the tap times dy.
func correlateTaps[T Float](b panel, taps []int, src []T, at []int, dy []T, pitch int, sums []T) {
	if single[T]() && haveAVX2 {
		n := len(taps) / nine
		switch {
		case b.width == wide:
			correlateTaps16AVX512(n, &taps[0], len(at), ptr(src), &at[0], ptr(dy), pitch, ptr(sums), b.count)
		case haveAVX512:
			correlateTaps8AVX512(n, &taps[0], len(at), ptr(src), &at[0], ptr(dy), pitch, ptr(sums), b.count)
		default:
			correlateTaps8AVX2(n, &taps[0], len(at), ptr(src), &at[0], ptr(dy), pitch, ptr(sums), &masks[slim-b.count])
		}
		return
	}
	for t, o := range taps {
		var s [wide]T
		for p, first := range at {
			x := src[first+o:][:b.count]
			for c, d := range dy[p*pitch:][:b.count] {
				s[c] += x[c] * d
			}
		}
		for c, v := range s[:b.count] {
			sums[t*b.width+c] += v
		}
	}
}
