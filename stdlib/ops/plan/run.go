package plan

import (
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// runner is the function that runs a step, on wherever its values are at that time.
func (p *Plan[T]) runner(k kind) func() {
	switch k := k.(type) {
	case *primitive:
		f, in := loops[T](k.op), make([][]T, len(k.in))
		return func() {
			for i, v := range k.in {
				in[i] = p.views[v.id].Data
			}
			f(in, p.views[k.out.id].Data)
		}
	case *addition:
		var in [][]T
		return func() {
			in = in[:0]
			for _, v := range k.in {
				if x := p.views[v.id].Data; x != nil && !v.zero {
					in = append(in, x)
				}
			}
			kernel.Sum(p.ws, in, p.views[k.out.id].Data)
		}
	case *combine:
		return p.combine(k)
	case *sums:
		return p.sums(k)
	case *spread:
		return p.spread(k)
	case *convolve:
		return p.convolve(k)
	case *gradInput:
		return p.gradInput(k)
	case *gradWeight:
		return p.gradWeight(k)
	}
	panic("a step of no kind")
}

func loops[T kernel.Float](op *ops.Primitive) func([][]T, []T) {
	var zero T
	if _, ok := any(zero).(float32); ok {
		return any(op.Run32).(func([][]T, []T))
	}
	return any(op.Run64).(func([][]T, []T))
}

// scratch is n rows of c numbers.
func scratch[T kernel.Float](n, c int) [][]T {
	all := make([]T, n*c)
	rows := make([][]T, n)
	for i := range rows {
		rows[i] = all[i*c:][:c]
	}
	return rows
}

// number is the product of factors. Those that are not computed are zero for all
// who have them.
func (p *Plan[T]) number(fs []factor) T {
	f := T(1)
	for _, x := range fs {
		data := p.views[x.of.id].Data
		if data == nil {
			return 0
		}
		f *= data[x.index]
	}
	return f
}

// view is where a value lies, nowhere if it is nil.
func (p *Plan[T]) view(v *value) kernel.Channels[T] {
	if v == nil {
		return kernel.Channels[T]{}
	}
	return p.views[v.id]
}

// constants of a normalisation: what it multiplies by, its mean, inverse deviation,
// scale and shift.
type constants[T kernel.Float] struct{ mean, inv, scale, shift []T }

func (p *Plan[T]) constants(n *norm) constants[T] {
	stats := p.views[n.stats.id].Data
	c := len(stats) / 2
	k := constants[T]{mean: stats[:c], inv: stats[c:]}
	if n.scale != nil {
		k.scale, k.shift = p.views[n.scale.id].Data, p.views[n.shift.id].Data
	}
	return k
}

func (k constants[T]) scaled(i int) T {
	if k.scale == nil {
		return k.inv[i]
	}
	return k.scale[i] * k.inv[i]
}

func (p *Plan[T]) combine(k *combine) func() {
	out := k.outputs()[0]
	c := out.channels
	factors, constant := scratch[T](len(k.terms), c), make([]T, c)
	g := &kernel.Combination[T]{N: out.pixels, C: c, Constant: constant}
	return func() {
		g.Terms = g.Terms[:0]
		clear(constant)
		for j, t := range k.terms {
			x, f := p.views[t.x.id], p.number(t.factors)
			if x.Data == nil || f == 0 || t.x.zero && t.norm == nil {
				continue
			}
			a := factors[j]
			for i := range a {
				a[i] = f
			}
			if t.norm != nil {
				n := p.constants(t.norm)
				for i := range a {
					a[i] = f * n.scaled(i)
					constant[i] -= a[i] * n.mean[i]
					if n.shift != nil {
						constant[i] += f * n.shift[i]
					}
				}
			}
			g.Terms = append(g.Terms, kernel.Term[T]{X: x, Factor: a, Masked: t.masked})
		}
		g.Mask, g.Y, g.Rectified = p.view(k.mask), p.view(k.y), p.view(k.rectified)
		kernel.Combine(p.ws, g)
	}
}

func (p *Plan[T]) sums(k *sums) func() {
	n, c := k.dy.pixels, k.dy.channels
	zeros := make([]T, c)
	var xs []kernel.Channels[T]
	var means [][]T
	at := make([]int, len(k.terms)) // the row of each term's sums, 0: none
	return func() {
		xs, means = xs[:0], means[:0]
		for j, t := range k.terms {
			at[j] = 0
			if x := p.views[t.x.id]; x.Data != nil && p.summed(k, j) {
				xs = append(xs, x)
				at[j] = len(xs)
				if t.norm == nil {
					means = append(means, zeros)
				} else {
					means = append(means, p.constants(t.norm).mean)
				}
			}
		}
		totals := kernel.ProductSums(p.ws, n, c, p.views[k.dy.id], xs, means)
		for j, t := range k.terms {
			if t.out == nil || at[j] == 0 || p.views[t.out.id].Data == nil {
				continue
			}
			out, f, norm := p.views[t.out.id].Data, p.number(t.factors), p.constants(t.norm)
			for i := range c {
				out[i] = f * T(totals[i])
				out[c+i] = f * T(totals[at[j]*c+i]) * norm.inv[i]
			}
		}
		for _, d := range k.dots {
			out := p.views[d.out.id].Data
			if out == nil {
				continue
			}
			for i, j := range d.of {
				out[i] = 0
				if at[j] == 0 || p.views[d.factors.id].Data[i] == 0 {
					continue
				}
				var s float64
				products, t := totals[at[j]*c:][:c], k.terms[j]
				if t.norm == nil {
					for _, v := range products {
						s += v
					}
				} else {
					norm := p.constants(t.norm)
					for i, v := range products {
						s += float64(norm.scaled(i)) * v
						if norm.shift != nil {
							s += float64(norm.shift[i]) * totals[i]
						}
					}
				}
				out[i] = T(s)
			}
		}
	}
}

// summed reports whether the sums of term j are needed in this run.
func (p *Plan[T]) summed(k *sums, j int) bool {
	if t := k.terms[j]; t.out != nil && !t.out.zero && p.views[t.out.id].Data != nil {
		return true
	}
	for _, d := range k.dots {
		if p.views[d.out.id].Data == nil {
			continue
		}
		for i, of := range d.of {
			if of == j && p.views[d.factors.id].Data[i] != 0 {
				return true
			}
		}
	}
	return false
}

func (p *Plan[T]) spread(k *spread) func() {
	pixels, c := k.dy.pixels, k.dy.channels
	rows := scratch[T](3*len(k.terms), c)
	var all []kernel.Spread[T]
	return func() {
		all = all[:0]
		for j, t := range k.terms {
			out := p.views[t.out.id]
			if out.Data == nil || t.out.zero {
				continue
			}
			s := kernel.Spread[T]{X: p.views[t.x.id], Y: out, P: rows[3*j], Q: rows[3*j+1], R: rows[3*j+2]}
			n, f, g, m := p.constants(t.norm), p.number(t.factors), p.views[t.sums.id].Data, T(pixels)
			for i := range c {
				a := n.scaled(i)
				s.P[i] = f * a
				s.Q[i] = -a * n.inv[i] * g[c+i] / m
				s.R[i] = -a*g[i]/m - s.Q[i]*n.mean[i]
			}
			all = append(all, s)
		}
		kernel.SpreadOut(p.ws, pixels, c, p.views[k.dy.id], all)
	}
}

func (p *Plan[T]) convolve(k *convolve) func() {
	var w [][]T
	moments := scratch[T](2, k.g.K)
	return func() {
		g, measured := k.g, false
		w, g.K = w[:0], 0
		var y kernel.Channels[T]
		for _, m := range k.members {
			z := p.views[m.z.id]
			if z.Data == nil {
				continue
			}
			if len(w) == 0 {
				y = z
			}
			w = append(w, p.views[m.w.id].Data)
			g.K += m.z.channels
			measured = measured || m.norm != nil && m.norm.OfBatch()
		}
		g.YPitch = y.Pitch
		var to *kernel.Moments[T]
		if measured {
			to = &kernel.Moments[T]{Mean: moments[0][:g.K], Variance: moments[1][:g.K]}
		}
		kernel.ConvForward(p.ws, g, p.views[k.x.id].Data, w, y.Data, to)
		at := 0
		for _, m := range k.members {
			if p.views[m.z.id].Data == nil {
				continue
			}
			if m.norm != nil {
				stats, c := p.views[m.stats.id].Data, m.z.channels
				if measured {
					copy(stats[:c], moments[0][at:])
					copy(stats[c:], moments[1][at:])
				}
				ops.Settle(m.norm, stats)
			}
			at += m.z.channels
		}
	}
}

// joined lists the filters, or their gradients, of the convolutions that run, and
// gives the gradients of their maps as one map of so many channels.
func (p *Plan[T]) joined(dz, filters []*value, to [][]T) (w [][]T, dy kernel.Channels[T], channels int) {
	w = to[:0]
	for i, v := range dz {
		view := p.views[v.id]
		if view.Data == nil {
			continue
		}
		if len(w) == 0 {
			dy = view
		}
		w = append(w, p.views[filters[i].id].Data)
		channels += v.channels
	}
	return w, dy, channels
}

func (p *Plan[T]) gradInput(k *gradInput) func() {
	var w [][]T
	return func() {
		g := k.g
		var dy kernel.Channels[T]
		w, dy, g.K = p.joined(k.dz, k.w, w)
		g.YPitch = dy.Pitch
		kernel.ConvGradInput(p.ws, g, w, dy.Data, p.views[k.dx.id].Data)
	}
}

func (p *Plan[T]) gradWeight(k *gradWeight) func() {
	var dw [][]T
	return func() {
		g := k.g
		var dy kernel.Channels[T]
		dw, dy, g.K = p.joined(k.dz, k.dw, dw)
		g.YPitch = dy.Pitch
		kernel.ConvGradWeight(p.ws, g, p.views[k.x.id].Data, dy.Data, dw)
	}
}
