package plan

import (
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops"
)

// joinSame computes once what several steps compute of the same inputs: the pooling
// of a node for all its edges, for instance.
func (p *program) joinSame() {
	type call struct {
		what any
		in   [4]*value
	}
	seen := map[call]*value{}
	p.order()
	gone := map[*step]bool{}
	now := map[*value]*value{} // what those that come later read in place of a value
	for _, s := range p.steps {
		s.read(now)
		k, ok := s.kind.(*primitive)
		if !ok || k.op.What() == nil || len(k.in) > 4 {
			continue
		}
		c := call{what: k.op.What()}
		copy(c.in[:], k.in)
		first := seen[c]
		if first == nil {
			seen[c] = k.out
			continue
		}
		if k.out.wanted {
			continue
		}
		gone[s] = true
		now[k.out] = first
	}
	p.drop(gone)
}

// joinPools makes one gradient of a mean pooling of several that are added up: it is
// linear, so that theirs can be added before.
func (p *program) joinPools() {
	readers := p.readers()
	for _, s := range slices.Clone(p.steps) {
		sum, ok := s.kind.(*addition)
		if !ok {
			continue
		}
		var order []ops.MeanPoolGrad
		pools := map[ops.MeanPoolGrad][]*value{}
		for _, v := range sum.in {
			if w, ok := v.what().(ops.MeanPoolGrad); ok && !v.wanted && len(readers[v]) == 1 {
				if pools[w] == nil {
					order = append(order, w)
				}
				pools[w] = append(pools[w], v)
			}
		}
		for _, w := range order {
			all := pools[w]
			if len(all) < 2 {
				continue
			}
			g := w.Geometry
			before := p.value([]int{g.B, g.C, g.OH, g.OW})
			a := &addition{out: before}
			gone := map[*step]bool{}
			for _, v := range all {
				a.in = append(a.in, v.primitive().in[0])
				gone[v.from] = true
			}
			first := all[0]
			p.drop(gone)
			p.do(a)
			p.do(&primitive{op: first.primitive().op, in: []*value{before}, out: first})
			sum.in = slices.DeleteFunc(sum.in, func(v *value) bool { return v != first && slices.Contains(all, v) })
			if len(sum.in) == 1 {
				p.drop(map[*step]bool{s: true})
				if sum.out.wanted {
					p.do(sum)
				} else {
					p.replace(sum.out, first)
				}
			}
		}
	}
}
