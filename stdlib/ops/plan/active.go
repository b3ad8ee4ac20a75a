package plan

import (
	"slices"
	"unsafe"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// What is run depends on the factors of mixtures. A term whose factor is zero is not
// read; what only such terms need is not computed; and what is zero because of such
// a factor, the gradients of the term and whatever is linear in them, is not
// computed either but written as zero, where somebody wants it. So a sampled path
// costs what the path costs.

// findGates lists the factors that terms of mixtures have and the steps that compute
// them.
func (p *Plan[T]) findGates() {
	p.before = map[*value]int{}
	seen := map[factor]bool{}
	gate := func(of *value, n int) {
		for i := range n {
			f := factor{of, i}
			if !seen[f] && (of.leaf || p.isWeights(of)) {
				seen[f] = true
				p.gates = append(p.gates, f)
			}
		}
	}
	for i, s := range p.program.steps {
		switch k := s.kind.(type) {
		case *primitive:
			switch k.op.What().(type) {
			case ops.Weights:
				p.before[k.out] = i
			case ops.Mixed:
				gate(k.in[len(k.in)-1], len(k.in)-1)
			case ops.MixedDots:
				gate(k.in[len(k.in)-2], len(k.in)-2)
			case ops.MixedGrad:
				gate(k.in[1], k.in[1].size())
			}
		case *combine:
			for _, t := range k.terms {
				for _, f := range t.factors {
					gate(f.of, f.of.size())
				}
			}
		case *sums:
			for _, d := range k.dots {
				gate(d.factors, d.factors.size())
			}
		}
	}
}

// isWeights reports whether v is computed from leaves alone, ahead of all else.
func (p *Plan[T]) isWeights(v *value) bool {
	_, ok := v.what().(ops.Weights)
	return ok && !slices.ContainsFunc(v.primitive().in, func(in *value) bool { return !in.leaf })
}

// prepare decides what the next run computes and where it lies.
func (p *Plan[T]) prepare() {
	fresh := p.closed == nil
	if base := unsafe.SliceData(p.arena.data); base != p.base || fresh {
		p.base, fresh = base, true
		p.locate(func(*value) bool { return true })
	}
	if len(p.gates) == 0 {
		if fresh {
			p.closed = []bool{}
			p.activate(func(factor) bool { return false })
		}
		return
	}
	closed := make([]bool, len(p.gates))
	var of *value
	for i, f := range p.gates {
		if f.of != of { // its place may be that of another by the time that it is used
			of = f.of
			p.compute(of)
		}
		closed[i] = p.views[f.of.id].Data[f.index] == 0
	}
	if !fresh && slices.Equal(closed, p.closed) {
		return
	}
	p.closed = closed
	off := map[factor]bool{}
	for i, f := range p.gates {
		off[f] = closed[i]
	}
	p.activate(func(f factor) bool { return off[f] })
}

// compute runs the step of a value that is computed ahead of all else.
func (p *Plan[T]) compute(v *value) {
	if i, ok := p.before[v]; ok {
		p.views[v.id] = p.fixed(v)
		p.runs[i]()
	}
}

// activate marks what is zero and what is needed, and lays the rest out.
func (p *Plan[T]) activate(off func(factor) bool) {
	for _, v := range p.program.values {
		v.zero, v.needed = false, v.wanted
	}
	for _, s := range p.program.steps {
		s.zeros(off)
	}
	for _, s := range slices.Backward(p.program.steps) {
		s.skip, s.clear = true, nil
		for _, v := range s.outputs() {
			switch {
			case !v.needed:
			case v.zero:
				s.clear = append(s.clear, v)
			default:
				s.skip = false
			}
		}
		if !s.skip {
			s.demand(off)
		}
	}
	// Where a gradient takes the place of its map, both have one or none.
	for _, v := range p.program.values {
		if v.wide == nil || v.wide.over == nil {
			continue
		}
		z := v.wide.over.members[slices.Index(v.wide.members, v)]
		if z.needed && !v.needed {
			v.needed, v.zero = true, true
			v.from.clear = append(v.from.clear, v)
		}
	}
	p.locate(func(v *value) bool { return v.needed })
}

// locate sets the views of the results that are in use. Those that share a buffer
// lie side by side in it.
func (p *Plan[T]) locate(used func(*value) bool) {
	total := map[*wide]int{}
	for _, s := range p.program.steps {
		for _, v := range s.outputs() {
			switch {
			case v.wanted:
			case !used(v):
				p.views[v.id] = kernel.Channels[T]{}
			case v.wide == nil:
				p.views[v.id] = p.fixed(v)
			default:
				total[v.wide] = 0
			}
		}
	}
	for w := range total {
		for _, v := range w.members {
			if used(v) {
				total[w] += v.channels
			}
		}
		at := 0
		for _, v := range w.members {
			if used(v) {
				p.views[v.id] = kernel.Channels[T]{Data: p.arena.data[v.home.offset+at:], Pitch: total[w]}
				at += v.channels
			}
		}
	}
}

// fixed is the view of a value that shares its buffer with no other.
func (p *Plan[T]) fixed(v *value) kernel.Channels[T] {
	if v.wanted {
		return kernel.Channels[T]{Data: p.own[v], Pitch: v.channels}
	}
	return kernel.Channels[T]{Data: p.arena.data[v.home.offset:][:v.size()], Pitch: v.channels}
}
