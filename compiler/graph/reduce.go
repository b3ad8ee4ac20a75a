package graph

import (
	"github.com/nasc-project/nasc/compiler/canon"
)

// part is a graph seen from its output, where some of its inputs are absent:
// which of its nodes stay, by the rules of canon.Algebra, and what becomes of the
// others. Live builds the graphs that parts describe; Hash takes their digests.
type part struct {
	graph  *Graph
	absent bool    // no path leads to the output
	pass   int     // the input that is handed on to the output, or -1
	fate   []Ref   // by node: the tensor that it is after the reduction, or gone
	need   []bool  // by node: whether it stays
	used   []bool  // by input: whether it is read
	subs   []*part // by node: the part of a nested graph
	gone   []bool  // by input: whether it is absent

	// What the nodes that stay read: node i reads[starts[i]:starts[i+1]], of a
	// nested graph one for each input. A tensor is the number of an input or, after
	// those, of a node; -1-t is the blank of tensor t, which is absent.
	starts []int32
	reads  []int32

	sources bool // an operation without operands stays, perhaps in a nested graph

	live *Graph // what Live makes of it
	form form   // what Hash makes of it
}

// gone is the fate of an absent tensor.
const gone = Ref(-1 << 31)

// partKey is what tells parts apart.
type partKey struct {
	graph *Graph
	low   uint64 // the first 64 inputs that are absent, as bits
	high  string // the others
}

// reducer makes parts, each one once.
type reducer struct {
	known map[partKey]*part
	parts slab[part]
	refs  slab[Ref]
	flags slab[bool]
	subs  slab[*part]
	ints  slab[int32]
	last  struct { // the part that was asked for last
		key  partKey
		part *part
	}
}

// reset forgets all graphs.
func (d *reducer) reset() {
	clear(d.known)
	d.parts.reset()
	d.refs.reset()
	d.flags.reset()
	d.subs.reset()
	d.ints.reset()
	d.last.key, d.last.part = partKey{}, nil
}

// part is the part of g where the given inputs are absent.
func (d *reducer) part(g *Graph, absent []bool) *part {
	key := partKey{graph: g}
	for i, a := range absent[:min(len(absent), 64)] {
		if a {
			key.low |= 1 << i
		}
	}
	if len(absent) > 64 {
		high := make([]byte, len(absent)-64)
		for i, a := range absent[64:] {
			if a {
				high[i] = 1
			}
		}
		key.high = string(high)
	}
	if d.last.part != nil && d.last.key == key {
		return d.last.part
	}
	p, ok := d.known[key]
	if !ok {
		if d.known == nil {
			d.known = map[partKey]*part{}
		}
		p = d.reduce(g, absent)
		d.known[key] = p
	}
	d.last.key, d.last.part = key, p
	return p
}

// reduce decides the fate of every node, and walks back from the output to find
// which are needed.
func (d *reducer) reduce(g *Graph, absent []bool) *part {
	p := &d.parts.take(1)[0]
	p.graph, p.pass = g, -1
	p.fate = d.refs.take(len(g.Nodes))
	p.need = d.flags.take(len(g.Nodes))
	p.used = d.flags.take(len(g.Inputs))
	p.gone = d.flags.take(len(g.Inputs))
	copy(p.gone, absent)
	for i, n := range g.Nodes {
		if n.Body != nil && !n.Absent {
			if p.subs == nil {
				p.subs = d.subs.take(len(g.Nodes))
			}
			p.subs[i] = d.nested(p, n)
		}
		p.fate[i] = p.fateOf(i, n)
	}
	out := p.tensor(g.Output)
	if out == gone {
		p.absent = true
		return p
	}
	if i, ok := out.IsInput(); ok {
		p.pass = i
	}
	p.mark(out)
	operands := 0
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if !p.need[i] {
			continue
		}
		n := g.Nodes[i]
		sub := p.sub(i)
		operands += len(n.Inputs)
		for k, r := range n.Inputs {
			if sub == nil || sub.used[k] {
				p.mark(p.operand(r, n.Sparse && sub == nil))
			}
		}
		p.sources = p.sources || len(n.Inputs) == 0 && sub == nil || sub != nil && sub.sources
	}
	p.starts, p.reads = d.ints.take(len(g.Nodes)+1), d.ints.take(operands)[:0]
	for i, n := range g.Nodes {
		if p.need[i] {
			p.resolve(n, p.sub(i))
		}
		p.starts[i+1] = int32(len(p.reads))
	}
	return p
}

// unused is what a nested graph reads for an input that it does not use.
const unused = int32(-1 << 31)

// resolve lists what a node reads.
func (p *part) resolve(n *Node, sub *part) {
	for k, r := range n.Inputs {
		switch t := p.operand(r, n.Sparse && sub == nil); {
		case sub != nil && !sub.used[k]:
			p.reads = append(p.reads, unused)
		case t != gone:
			p.reads = append(p.reads, p.number(t))
		case sub != nil || !n.Sparse:
			p.reads = append(p.reads, -1-p.number(r))
		}
	}
}

// number is the number of a tensor.
func (p *part) number(r Ref) int32 {
	if i, ok := r.IsInput(); ok {
		return int32(i)
	}
	return int32(len(p.used) + int(r))
}

// present reports whether t is a tensor, and none that is absent.
func (p *part) present(t int32) bool {
	return t >= 0 && (int(t) >= len(p.gone) || !p.gone[t])
}

// operands are what node i reads.
func (p *part) operands(i int) []int32 { return p.reads[p.starts[i]:p.starts[i+1]] }

// nested is the part of the graph nested in n, a node of p.
func (d *reducer) nested(p *part, n *Node) *part {
	absent := d.flags.take(len(n.Inputs))
	for k, r := range n.Inputs {
		absent[k] = p.tensor(r) == gone
	}
	return d.part(n.Body, absent)
}

// fateOf is the tensor that node i is after the reduction.
func (p *part) fateOf(i int, n *Node) Ref {
	if sub := p.sub(i); sub != nil {
		switch {
		case sub.absent:
			return gone
		case sub.pass >= 0:
			return p.tensor(n.Inputs[sub.pass])
		}
		return Ref(i)
	}
	live, last := 0, gone
	for _, r := range n.Inputs {
		if t := p.tensor(r); t != gone {
			live, last = live+1, t
		}
	}
	switch n.algebra().Fate(len(n.Inputs), live) {
	case canon.Vanishes:
		return gone
	case canon.Passes:
		return last
	}
	return Ref(i)
}

// sub is the part of the graph nested in node i, or nil.
func (p *part) sub(i int) *part {
	if p.subs == nil {
		return nil
	}
	return p.subs[i]
}

// tensor is what r is after the reduction.
func (p *part) tensor(r Ref) Ref {
	if i, ok := r.IsInput(); ok {
		if p.gone[i] {
			return gone
		}
		return r
	}
	return p.fate[r]
}

// operand is what a node reads for r: an absent input is an operand too, which
// is the blank of whoever gives it, unless it is left out.
func (p *part) operand(r Ref, sparse bool) Ref {
	t := p.tensor(r)
	if _, input := r.IsInput(); t == gone && input && !sparse {
		return r
	}
	return t
}

// mark notes that a tensor is needed.
func (p *part) mark(t Ref) {
	if t == gone {
		return
	}
	if i, ok := t.IsInput(); ok {
		p.used[i] = true
		return
	}
	p.need[t] = true
}

// algebra is the set of rules that n obeys.
func (n *Node) algebra() canon.Algebra {
	var a canon.Algebra
	if n.Absent {
		a |= canon.Absent
	}
	if n.Identity {
		a |= canon.Identity
	}
	if n.Commutative {
		a |= canon.Commutative
	}
	if n.Sparse {
		a |= canon.Sparse
	}
	if n.Collapses {
		a |= canon.Collapses
	}
	return a
}

// slab hands out pieces of one block, all of which are given back at once.
type slab[T any] struct {
	block []T
	used  int
}

// take returns n zeros.
func (s *slab[T]) take(n int) []T {
	if len(s.block)-s.used < n {
		s.block, s.used = make([]T, 2*(len(s.block)+n)), 0
	}
	s.used += n
	return s.block[s.used-n : s.used : s.used]
}

func (s *slab[T]) reset() {
	clear(s.block[:s.used])
	s.used = 0
}
