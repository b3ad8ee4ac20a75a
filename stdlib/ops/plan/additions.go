package plan

import (
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops"
)

// joinAdditions makes one pass of each sum of gradients and what is done to its
// terms on the way: the gradient of a ReLU, itself perhaps of a sum, and the weights
// of a mixture.
func (p *program) joinAdditions() {
	readers := p.readers()
	gone := map[*step]bool{}
	single := func(v *value) bool { return !v.wanted && len(readers[v]) == 1 }
	// weighed takes the weights of mixtures off a gradient.
	weighed := func(v *value, masked bool) term {
		t := term{x: v, masked: masked}
		for {
			w, ok := t.x.what().(ops.MixedGrad)
			if !ok || !single(t.x) {
				return t
			}
			gone[t.x.from] = true
			in := t.x.primitive().in
			t.x, t.factors = in[0], append(t.factors, factor{in[1], w.Term})
		}
	}
	var made []*combine
	// rectified adds what comes through the gradient of a ReLU.
	rectified := func(c *combine, k *primitive) {
		c.mask = k.in[0]
		g := k.in[1]
		if single(g) && g.from != nil {
			if a, ok := g.from.kind.(*addition); ok {
				gone[g.from] = true
				for _, v := range a.in {
					c.terms = append(c.terms, weighed(v, true))
				}
				return
			}
		}
		c.terms = append(c.terms, weighed(g, true))
	}
	p.order()
	for _, s := range slices.Backward(p.steps) {
		if gone[s] {
			continue
		}
		switch k := s.kind.(type) {
		case *addition:
			c := &combine{y: k.out}
			for _, v := range k.in {
				if v.what() == any(ops.RectifiedGrad{}) && single(v) && (c.mask == nil || c.mask == v.primitive().in[0]) {
					gone[v.from] = true
					rectified(c, v.primitive())
					continue
				}
				c.terms = append(c.terms, weighed(v, false))
			}
			gone[s] = true
			made = append(made, c)
		case *primitive:
			if k.op.What() != any(ops.RectifiedGrad{}) {
				continue
			}
			c := &combine{y: k.out}
			if rectified(c, k); len(c.terms) > 1 || len(c.terms[0].factors) > 0 {
				gone[s] = true
				made = append(made, c)
			}
		}
	}
	p.drop(gone)
	for _, c := range made {
		p.do(c)
	}
}
