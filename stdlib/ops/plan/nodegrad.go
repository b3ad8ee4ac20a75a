package plan

import (
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops"
)

// The backward pass of a node takes two passes over memory: sums reads the gradient
// of the node and what came into the normalisations, once, and adds up per channel
// all there is to know; spread reads them again and writes the gradients of all that
// came in.

// sums gathers the gradients of scales, shifts and mixture weights of a node.
type sums struct {
	dy    *value
	terms []sumTerm
	dots  []dot
}

// sumTerm is a map to be multiplied with the gradient; out, if not nil, are the
// gradients of shift and scale of its normalisation.
type sumTerm struct {
	x       *value
	norm    *norm // nil: as it is
	factors []factor
	out     *value
}

// dot is the gradient of the factors of a mixture: term i of it is terms[of[i]].
type dot struct {
	factors *value
	of      []int
	out     *value
}

func (k *sums) inputs() []*value {
	in := []*value{k.dy}
	for _, t := range k.terms {
		in = append(append(in, t.x), t.norm.inputs()...)
		for _, f := range t.factors {
			in = append(in, f.of)
		}
	}
	for _, d := range k.dots {
		in = append(in, d.factors)
	}
	return in
}

func (k *sums) outputs() []*value {
	var out []*value
	for _, t := range k.terms {
		if t.out != nil {
			out = append(out, t.out)
		}
	}
	for _, d := range k.dots {
		out = append(out, d.out)
	}
	return out
}

func (k *sums) zeros(off func(factor) bool) {
	for _, t := range k.terms {
		if t.out != nil {
			t.out.zero = k.dy.zero || dead(t.factors, off)
		}
	}
	for _, d := range k.dots {
		d.out.zero = k.dy.zero
	}
}

// active marks the terms whose sums are needed.
func (k *sums) active(off func(factor) bool) []bool {
	a := make([]bool, len(k.terms))
	for i, t := range k.terms {
		a[i] = t.out != nil && t.out.needed && !t.out.zero
	}
	for _, d := range k.dots {
		if !d.out.needed || d.out.zero {
			continue
		}
		for i, t := range d.of {
			if !off(factor{d.factors, i}) {
				a[t] = true
			}
		}
	}
	return a
}

func (k *sums) demand(off func(factor) bool) {
	k.dy.needed = true
	for i, on := range k.active(off) {
		if !on {
			continue
		}
		t := k.terms[i]
		t.x.needed = true
		for _, v := range t.norm.inputs() {
			v.needed = true
		}
		for _, f := range t.factors {
			f.of.needed = true
		}
	}
	for _, d := range k.dots {
		d.factors.needed = true
	}
}

func (k *sums) describe() string {
	n, weights := 0, 0
	for _, t := range k.terms {
		if t.norm != nil {
			n++
		}
	}
	for _, d := range k.dots {
		weights += len(d.of)
	}
	return fmt.Sprintf("sums for gradients: %d normalised, %d mixture weights", n, weights)
}

// spread makes the gradients of maps that are normalised from that of the node.
type spread struct {
	dy    *value
	terms []spreadTerm
}

type spreadTerm struct {
	x, sums, out *value
	norm         *norm
	factors      []factor
}

func (k *spread) inputs() []*value {
	in := []*value{k.dy}
	for _, t := range k.terms {
		in = append(append(in, t.x, t.sums), t.norm.inputs()...)
		for _, f := range t.factors {
			in = append(in, f.of)
		}
	}
	return in
}

func (k *spread) outputs() []*value {
	var out []*value
	for _, t := range k.terms {
		out = append(out, t.out)
	}
	return out
}

func (k *spread) zeros(off func(factor) bool) {
	for _, t := range k.terms {
		t.out.zero = k.dy.zero || dead(t.factors, off)
	}
}

func (k *spread) demand(func(factor) bool) {
	k.dy.needed = true
	for _, t := range k.terms {
		if t.out.needed && !t.out.zero {
			t.x.needed, t.sums.needed = true, true
			for _, v := range t.norm.inputs() {
				v.needed = true
			}
			for _, f := range t.factors {
				f.of.needed = true
			}
		}
	}
}

func (k *spread) describe() string {
	return fmt.Sprintf("gradients of %d normalised", len(k.terms))
}

// spreadNodes replaces the gradients of the normalisations and mixtures of a node by
// one step for the sums and one for the maps.
func (p *program) spreadNodes(norms map[*value]*norm) {
	readers := p.readers()
	// The gradient of a term is a factor times that of the node.
	weighed := func(g *value) (*value, []factor) {
		var fs []factor
		for {
			w, ok := g.what().(ops.MixedGrad)
			if !ok || g.wanted {
				return g, fs
			}
			for _, r := range readers[g] {
				k, ok := r.kind.(*primitive)
				if !ok {
					return g, fs
				}
				switch k.op.What().(type) {
				case ops.NormalizedSums, ops.NormalizedGrad, ops.MixedGrad:
				default:
					return g, fs
				}
			}
			in := g.primitive().in
			g, fs = in[0], append(fs, factor{in[1], w.Term})
		}
	}
	of := map[*value]*norm{} // by the statistics
	for _, n := range norms {
		of[n.stats] = n
	}
	gone := map[*step]bool{}
	gathered, written := map[*value]*sums{}, map[*value]*spread{}
	var order []*value
	about := func(dy *value) *sums {
		if gathered[dy] == nil {
			gathered[dy] = &sums{dy: dy}
			order = append(order, dy)
		}
		return gathered[dy]
	}
	for _, s := range p.steps {
		k, ok := s.kind.(*primitive)
		if !ok {
			continue
		}
		switch k.op.What().(type) {
		case ops.NormalizedSums:
			n := of[k.in[1]]
			if n == nil || n.x != k.in[0] {
				continue
			}
			dy, fs := weighed(k.in[2])
			g := about(dy)
			g.terms = append(g.terms, sumTerm{x: n.x, norm: n, factors: fs, out: k.out})
			gone[s] = true
		case ops.NormalizedGrad:
			n := of[k.in[1]]
			if n == nil || n.x != k.in[0] {
				continue
			}
			dy, fs := weighed(k.in[3])
			if written[dy] == nil {
				written[dy] = &spread{dy: dy}
			}
			written[dy].terms = append(written[dy].terms, spreadTerm{x: n.x, sums: k.in[2], out: k.out, norm: n, factors: fs})
			about(dy)
			gone[s] = true
		}
	}
	for _, s := range p.steps {
		k, ok := s.kind.(*primitive)
		if !ok || k.op.What() != any(ops.MixedDots{}) {
			continue
		}
		terms := len(k.in) - 2
		g := about(k.in[terms+1])
		d := dot{factors: k.in[terms], out: k.out}
		for _, x := range k.in[:terms] {
			n := norms[x]
			if n != nil {
				x = n.x
			}
			at := slices.IndexFunc(g.terms, func(t sumTerm) bool { return t.x == x && t.norm == n })
			if at < 0 {
				at = len(g.terms)
				g.terms = append(g.terms, sumTerm{x: x, norm: n})
			}
			d.of = append(d.of, at)
		}
		g.dots = append(g.dots, d)
		gone[s] = true
	}
	p.drop(gone)
	for _, dy := range order {
		if g := gathered[dy]; len(g.terms) > 0 {
			p.do(g)
		}
		if w := written[dy]; w != nil {
			p.do(w)
		}
	}
}
