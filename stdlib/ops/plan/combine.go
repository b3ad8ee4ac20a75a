package plan

import (
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops"
)

// combine is a node in one pass over memory: the sum of its terms, each normalised
// and weighed as it comes in, as it is or rectified or both. The sums of gradients
// are of the same kind; there some terms count only where a map is positive.
type combine struct {
	terms        []term
	mask         *value
	y, rectified *value // one may be nil
}

// term is one addend.
type term struct {
	x       *value
	norm    *norm // nil: as it is
	factors []factor
	masked  bool
}

// norm is a normalisation: statistics, and a scale and a shift or nil.
type norm struct{ x, stats, scale, shift *value }

func (n *norm) inputs() []*value {
	if n == nil {
		return nil
	}
	if n.scale == nil {
		return []*value{n.stats}
	}
	return []*value{n.stats, n.scale, n.shift}
}

// dead reports whether a factor is zero.
func dead(fs []factor, off func(factor) bool) bool { return slices.ContainsFunc(fs, off) }

func (k *combine) inputs() []*value {
	var in []*value
	for _, t := range k.terms {
		in = append(in, t.x)
	}
	for _, t := range k.terms {
		in = append(in, t.norm.inputs()...)
		for _, f := range t.factors {
			in = append(in, f.of)
		}
	}
	if k.mask != nil {
		in = append(in, k.mask)
	}
	return in
}

func (k *combine) outputs() []*value {
	var out []*value
	for _, v := range []*value{k.y, k.rectified} {
		if v != nil {
			out = append(out, v)
		}
	}
	return out
}

func (k *combine) zeros(off func(factor) bool) {
	zero := true
	for _, t := range k.terms {
		if !t.x.zero && !dead(t.factors, off) || t.norm != nil && !dead(t.factors, off) {
			zero = false
		}
	}
	for _, v := range k.outputs() {
		v.zero = zero
	}
}

func (k *combine) demand(off func(factor) bool) {
	masked := false
	for _, t := range k.terms {
		if dead(t.factors, off) {
			continue
		}
		if t.norm == nil && t.x.zero {
			continue
		}
		masked = masked || t.masked
		t.x.needed = true
		for _, v := range t.norm.inputs() {
			v.needed = true
		}
		for _, f := range t.factors {
			f.of.needed = true
		}
	}
	if masked {
		k.mask.needed = true
	}
}

func (k *combine) describe() string {
	var norms, weighed, masked int
	for _, t := range k.terms {
		if t.norm != nil {
			norms++
		}
		if len(t.factors) > 0 {
			weighed++
		}
		if t.masked {
			masked++
		}
	}
	s := fmt.Sprintf("sum of %d", len(k.terms))
	if norms > 0 {
		s += fmt.Sprintf(", %d normalised", norms)
	}
	if weighed > 0 {
		s += fmt.Sprintf(", %d weighed", weighed)
	}
	if masked > 0 {
		s += fmt.Sprintf(", %d through the gradient of ReLU", masked)
	}
	if k.rectified != nil {
		s += ", ReLU"
	}
	return s
}

// combineNodes replaces the sums, mixtures, normalisations and ReLUs of a node of a
// cell by one step. It returns the normalisations by their results.
func (p *program) combineNodes() map[*value]*norm {
	norms := map[*value]*norm{}
	for _, s := range p.steps {
		if k, ok := s.kind.(*primitive); ok && k.op.What() == any(ops.Normalized{}) {
			n := &norm{x: k.in[0], stats: k.in[1]}
			if len(k.in) == 4 {
				n.scale, n.shift = k.in[2], k.in[3]
			}
			norms[k.out] = n
		}
	}
	readers := p.readers()
	// The products of a mixture's gradient with normalised terms come out of other
	// sums, and read them no more.
	reads := func(v *value) int {
		n := 0
		for _, s := range readers[v] {
			if k, ok := s.kind.(*primitive); !ok || norms[v] == nil || k.op.What() != any(ops.MixedDots{}) {
				n++
			}
		}
		return n
	}
	gone := map[*step]bool{}
	var expand func(v *value, root bool, factors []factor) []term
	expand = func(v *value, root bool, factors []factor) []term {
		var all []term
		if root || !v.wanted && reads(v) == 1 {
			switch v.what().(type) {
			case ops.Normalized:
				gone[v.from] = true
				return []term{{x: norms[v].x, norm: norms[v], factors: factors}}
			case ops.Total:
				gone[v.from] = true
				for _, x := range v.primitive().in {
					all = append(all, expand(x, false, factors)...)
				}
				return all
			case ops.Mixed:
				gone[v.from] = true
				in := v.primitive().in
				of := in[len(in)-1]
				for i, x := range in[:len(in)-1] {
					all = append(all, expand(x, false, append(slices.Clone(factors), factor{of, i}))...)
				}
				return all
			}
		}
		return []term{{x: v, factors: factors}}
	}
	var made []*combine
	p.order() // so that a sum is met before its terms when going backwards
	for _, s := range slices.Backward(p.steps) {
		k, ok := s.kind.(*primitive)
		if !ok || gone[s] {
			continue
		}
		switch k.op.What().(type) {
		case ops.Normalized, ops.Total, ops.Mixed:
		default:
			continue
		}
		c := &combine{y: k.out}
		count := reads(k.out)
		for _, r := range readers[k.out] {
			if q, ok := r.kind.(*primitive); ok && q.op.What() == any(ops.Rectified{}) && c.rectified == nil {
				c.rectified = q.out
				gone[r] = true
				count--
			}
		}
		if c.rectified != nil && count == 0 && !k.out.wanted {
			c.y = nil
		}
		c.terms = expand(k.out, true, nil)
		made = append(made, c)
	}
	p.drop(gone)
	for _, c := range made {
		p.do(c)
	}
	return norms
}
