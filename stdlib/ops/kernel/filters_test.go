package kernel

import (
	"fmt"
	"slices"
	"testing"
)

// TestFilters: unpacking brings back what was packed, for whole eights of filters and
// others, of one tensor and of several.
func TestFilters(t *testing.T) {
	const channels, kk, width = 5, 9, 32
	for count := 1; count <= width; count++ {
		w := [][]float32{normals[float32](1, 3*channels*kk), normals[float32](2, width*channels*kk)}
		packed := make([]float32, width*channels*kk)
		packFilters(packed, width, w, 2, count, channels, kk)
		for k := range count {
			for c := range channels {
				for tap := range kk {
					if got, want := packed[(tap*channels+c)*width+k], filter(w, 2+k, channels*kk)[c*kk+tap]; got != want {
						t.Fatalf("%d filters: weight %d of channel %d of filter %d is %v, want %v", count, tap, c, k, got, want)
					}
				}
			}
		}
		back := [][]float32{slices.Clone(w[0]), slices.Clone(w[1])}
		for k := range count {
			clear(filter(back, 2+k, channels*kk))
		}
		unpackFilters(packed, width, back, 2, count, channels, kk)
		if !slices.Equal(back[0], w[0]) || !slices.Equal(back[1], w[1]) {
			t.Fatalf("%d filters are others after packing and unpacking", count)
		}
	}
}

// BenchmarkFilters packs filters for a pass forward and one backward, and unpacks
// gradients.
func BenchmarkFilters(b *testing.B) {
	for _, shape := range [][2]int{{32, 1}, {8, 9}, {32, 9}} {
		channels, kk := shape[0], shape[1]
		n := channels * channels * kk
		w, packed := [][]float32{normals[float32](1, n)}, make([]float32, n)
		var taps []tap
		for t := range kk {
			taps = append(taps, tap{index: kk - 1 - t})
		}
		width := min(channels, wide)
		for name, f := range map[string]func(){
			"pack": func() {
				for k := 0; k < channels; k += width {
					packFilters(packed[k*channels*kk:], width, w, k, width, channels, kk)
				}
			},
			"unpack": func() {
				for k := 0; k < channels; k += width {
					unpackFilters(packed[k*channels*kk:], width, w, k, width, channels, kk)
				}
			},
			"turned": func() {
				for c := 0; c < channels; c += width {
					packTurned(packed[c*kk*channels:], width, w, 0, channels, c, width, channels, kk, taps)
				}
			},
		} {
			b.Run(fmt.Sprintf("%d/%d/%s", channels, kk, name), func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*n), "ns/weight")
			})
		}
	}
}
