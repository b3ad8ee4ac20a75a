package export

import (
	"fmt"
	"slices"
)

// What a picture of a space holds at most. A space may be far larger than a page;
// its picture then says where it was cut.
const (
	maxLevels = 40   // of the skeleton
	tailEnd   = 8    // of these, at its end
	maxPanels = 30   // cells and lists
	maxThings = 1200 // that the layout of one cell places
)

// limit cuts the picture of a space down to what can be read.
func (f *figure) limit() {
	if n := len(f.skeleton); n > maxLevels {
		from, to := maxLevels-tailEnd, n-tailEnd
		cut := level{label: fmt.Sprintf("… %d more", to-from), times: once, shape: f.skeleton[to-1].shape}
		f.skeleton = slices.Replace(f.skeleton, from, to, cut)
		gone := to - from - 1
		moved := func(i int) int {
			if i >= to {
				return i - gone
			}
			return i
		}
		cutOff := func(a, b int) bool { return a < to && b >= from }
		f.frames = slices.DeleteFunc(f.frames, func(x frame) bool { return cutOff(x.first, x.last) })
		f.arcs = slices.DeleteFunc(f.arcs, func(a [2]int) bool { return cutOff(a[0], a[1]) })
		for i, x := range f.frames {
			f.frames[i].first, f.frames[i].last = moved(x.first), moved(x.last)
		}
		for i, a := range f.arcs {
			f.arcs[i] = [2]int{moved(a[0]), moved(a[1])}
		}
	}
	if n := len(f.panels); n > maxPanels {
		f.panels = append(f.panels[:maxPanels:maxPanels], &panel{title: fmt.Sprintf("… %d more", n-maxPanels),
			body: &diagram{}, list: []candidate{}, index: maxPanels})
	}
	for _, p := range f.panels {
		p.model.limit()
	}
}

// limit keeps the first vertices of a model that is too dense to be placed.
func (m *model) limit() {
	if len(m.vertices) <= maxThings && extent(*m) <= maxThings {
		return
	}
	keep := func(n int) model {
		out := model{vertices: slices.Clone(m.vertices[:n])}
		for _, e := range m.edges {
			if e.from < n && e.to < n {
				out.edges = append(out.edges, e)
			}
		}
		return out
	}
	n := min(len(m.vertices)-1, maxThings/2)
	for ; n > 2 && extent(keep(n)) > maxThings; n-- {
	}
	out := keep(n)
	out.vertices = append(out.vertices, vertex{label: fmt.Sprintf("… %d more", len(m.vertices)-n), output: true})
	out.edges = append(out.edges, edge{from: n - 1, to: n, maybe: true})
	*m = out
}
