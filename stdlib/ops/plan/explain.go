package plan

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// Explain is a table of what a run does when nothing is skipped: equal steps in one
// line, in the order in which they come first, with how many they are, their
// arithmetic, and the memory that they read and write. Steps that the plan made of
// several operations of the graph say so.
func (p *Plan[T]) Explain() string {
	type line struct {
		what        string
		steps       int
		flops       float64
		read, wrote int
	}
	var lines []*line
	by := map[string]*line{}
	var total line
	number := int(unsafe.Sizeof(*new(T)))
	for _, s := range p.program.steps {
		what := fmt.Sprintf("%-26s %s", s.shape(), s.describe())
		l := by[what]
		if l == nil {
			l = &line{what: what}
			by[what] = l
			lines = append(lines, l)
		}
		read, wrote := s.bytes(number)
		for _, l := range []*line{l, &total} {
			l.steps++
			l.flops += s.flops(always)
			l.read += read
			l.wrote += wrote
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d operations of the graph in %d steps, an arena of %s\n\n", p.program.operations, total.steps, size(p.size*number))
	fmt.Fprintf(&b, "%6s %9s %10s %10s  %-26s %s\n", "steps", "GFLOP", "read", "written", "pixels x channels", "what")
	total.what = "in all"
	for _, l := range append(lines, &total) {
		fmt.Fprintf(&b, "%6d %9.3f %10s %10s  %s\n", l.steps, l.flops/1e9, size(l.read), size(l.wrote), l.what)
	}
	return b.String()
}

// size is a number of bytes to read.
func size(bytes int) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d B", bytes)
}

// shape is that of the result, or of the map that gradients of filters are summed
// over.
func (s *step) shape() string {
	v := s.outputs()[0]
	switch k := s.kind.(type) {
	case *gradWeight:
		v = k.dz[0]
	case *sums:
		v = k.dy
	}
	return fmt.Sprintf("%d x %d", v.pixels, v.channels)
}

// bytes are those of the inputs, each once, and of the results.
func (s *step) bytes(number int) (read, wrote int) {
	seen := map[*value]bool{}
	for _, v := range s.inputs() {
		if !seen[v] {
			seen[v] = true
			read += v.size() * number
		}
	}
	for _, v := range s.outputs() {
		wrote += v.size() * number
	}
	return read, wrote
}

// Ran tells what the last run did: how many steps, and their arithmetic as Explain
// counts it, both without what factors of zero leave out.
func (p *Plan[T]) Ran() (steps int, flops float64) {
	runs := func(v *value) bool { return p.views[v.id].Data != nil && !v.zero }
	for _, s := range p.program.steps {
		if !s.skip {
			steps++
			flops += s.flops(runs)
		}
	}
	return steps, flops
}

// always is for all values of a run that leaves nothing out.
func always(*value) bool { return true }

// flops counts the multiplications and additions of convolutions and of the passes
// over nodes, of the values that a run computes.
func (s *step) flops(runs func(*value) bool) float64 {
	conv := func(g kernel.Conv, filters ...*value) float64 {
		n := 0
		for _, w := range filters {
			n += w.size()
		}
		return 2 * float64(n) * float64(g.B*g.OH*g.OW)
	}
	switch k := s.kind.(type) {
	case *convolve:
		var w []*value
		for _, m := range k.members {
			if runs(m.z) {
				w = append(w, m.w)
			}
		}
		return conv(k.g, w...)
	case *gradInput:
		var w []*value
		for i, dz := range k.dz {
			if runs(dz) {
				w = append(w, k.w[i])
			}
		}
		return conv(k.g, w...)
	case *gradWeight:
		var w []*value
		for i, dz := range k.dz {
			if runs(dz) {
				w = append(w, k.dw[i])
			}
		}
		return conv(k.g, w...)
	case *combine:
		return 2 * float64(len(filter(k.terms, func(t term) bool { return runs(t.x) }))*k.outputs()[0].size())
	case *sums:
		return float64((3*len(filter(k.terms, func(t sumTerm) bool { return runs(t.x) })) + 1) * k.dy.size())
	case *spread:
		return 4 * float64(len(filter(k.terms, func(t spreadTerm) bool { return runs(t.out) }))*k.dy.size())
	case *addition:
		return float64((len(k.in) - 1) * k.out.size())
	case *primitive:
		if g, ok := k.op.What().(ops.Convolution); ok {
			return conv(g.Geometry, k.in[1])
		}
		if g, ok := k.op.What().(ops.ConvolutionGradInput); ok {
			return conv(g.Geometry, k.in[0])
		}
		if g, ok := k.op.What().(ops.ConvolutionGradWeight); ok {
			return conv(g.Geometry, k.out)
		}
	}
	return 0
}
