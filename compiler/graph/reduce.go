package graph

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/canon"
)

// part is a graph seen from its output, where some of its inputs are absent:
// which of its nodes stay, by the rules of canon.Algebra, and what becomes of the
// others. Live builds the graphs that parts describe; Hash takes their digests.
type part struct {
	partKey
	*wiring

	other *part // of the same graph, made before

	live *Graph // what Live makes of it
	form form   // what Hash makes of it
}

// wiring is what a part is by its operands and algebra alone, whatever its
// operations are. Parts of graphs that are alike share it.
type wiring struct {
	inputs int
	absent bool  // no path leads to the output
	pass   int   // the input that is handed on to the output, or -1
	output int32 // the output after the reduction, or gone

	tensors []tensor // by number: inputs from the last to the first, then nodes
	reads   []int32  // what the nodes that stay read, see operands
	subs    []*part  // by node: the part of a nested graph

	sources bool // an operation without operands stays, perhaps in a nested graph
}

// tensor is what becomes of an input or of the result of a node.
type tensor struct {
	fate     int32 // which one it is after the reduction, or gone
	readers  int32 // how often it is read, and once more for the output
	from, to int32 // of a node: where in reads its operands are
	need     bool  // it is an input that is read or a node that stays
}

// gone is the fate of an absent tensor.
const gone = int32(-1)

// unused is what a nested graph reads for an input that it does not use.
const unused = int32(-1 << 31)

// partKey is what tells parts apart.
type partKey struct {
	graph *Graph
	low   uint64 // the first 64 inputs that are absent, as bits
	high  string // the others, as bytes, up to the last that is
}

// without is the key where input i is absent as well, and none after it.
func (k partKey) without(i int) partKey {
	if i < 64 {
		k.low |= 1 << i
		return k
	}
	high := make([]byte, i-63)
	copy(high, k.high)
	high[i-64] = 1
	k.high = string(high)
	return k
}

// lacks reports whether input i is absent.
func (k *partKey) lacks(i int) bool {
	if i < 64 {
		return k.low>>i&1 == 1
	}
	return i-64 < len(k.high) && k.high[i-64] == 1
}

// reducer makes parts, each one once.
type reducer struct {
	known   map[*Graph]*part // the last part of each graph
	parts   slab[part]
	wirings slab[wiring]
	tensors slab[tensor]
	subs    slab[*part]
	ints    slab[int32]
	last    *part   // that was asked for last
	made    []*part // in the order of their making
}

// reset forgets all graphs.
func (d *reducer) reset() {
	clear(d.known)
	d.parts.reset()
	d.wirings.reset()
	d.tensors.reset()
	d.subs.reset()
	d.ints.reset()
	d.last = nil
	clear(d.made)
	d.made = d.made[:0]
}

// part is the part that a key tells.
func (d *reducer) part(key partKey) *part {
	if d.last != nil && d.last.partKey == key {
		return d.last
	}
	first := d.known[key.graph]
	p := first
	for p != nil && p.partKey != key {
		p = p.other
	}
	if p == nil {
		p = &d.parts.take(1)[0]
		p.partKey = key
		if p.wiring = d.alike(p); p.wiring == nil {
			p.wiring = &d.wirings.take(1)[0]
			d.reduce(p)
		}
		if d.known == nil {
			d.known = map[*Graph]*part{}
		}
		p.other, d.known[key.graph] = first, p
		d.made = append(d.made, p)
	}
	d.last = p
	return p
}

// maxAlike is among how many parts one of the same wiring is looked for.
const maxAlike = 4

// alike is the wiring of a part of a graph that is like that of p, or nil.
func (d *reducer) alike(p *part) *wiring {
	for _, q := range slices.Backward(d.made[max(0, len(d.made)-maxAlike):]) {
		if q.low == p.low && q.high == p.high && alike(q.graph, p.graph) {
			return q.wiring
		}
	}
	return nil
}

// alike reports whether two graphs differ in nothing that a wiring depends on.
func alike(a, b *Graph) bool {
	if len(a.Nodes) != len(b.Nodes) || len(a.Inputs) != len(b.Inputs) || a.Output != b.Output {
		return false
	}
	for i, n := range a.Nodes {
		m := b.Nodes[i]
		if n != m && (n.Body != m.Body || n.algebra() != m.algebra() || !slices.Equal(n.Inputs, m.Inputs)) {
			return false
		}
	}
	return true
}

// reduce decides the fate of every node, and walks back from the output to find
// which are needed and what those read.
func (d *reducer) reduce(p *part) {
	g := p.graph
	p.inputs, p.pass = len(g.Inputs), -1
	p.tensors = d.tensors.take(len(g.Inputs) + len(g.Nodes))
	for i := range g.Inputs {
		t := p.number(InputRef(i))
		p.tensors[t].fate = t
		if p.lacks(i) {
			p.tensors[t].fate = gone
		}
	}
	operands := 0
	for i, n := range g.Nodes {
		operands += len(n.Inputs)
		if n.Body != nil && !n.Absent {
			if p.subs == nil {
				p.subs = d.subs.take(len(g.Nodes))
			}
			p.subs[i] = d.nested(p, n)
		}
		p.tensors[p.inputs+i].fate = p.fateOf(i, n)
	}
	if p.output = p.fate(g.Output); p.output == gone {
		p.absent = true
		return
	}
	if int(p.output) < p.inputs {
		p.pass = p.inputs - 1 - int(p.output)
	}
	p.reads = d.ints.take(operands)[:0]
	p.isRead(p.output)
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		t := &p.tensors[p.inputs+i]
		if !t.need {
			continue
		}
		n, sub := g.Nodes[i], p.sub(i)
		t.from = int32(len(p.reads))
		if sub != nil {
			p.readNested(n, sub)
			p.sources = p.sources || sub.sources
		} else {
			p.read(n)
			p.sources = p.sources || len(n.Inputs) == 0
		}
		t.to = int32(len(p.reads))
	}
}

// read lists what an operation reads.
func (p *part) read(n *Node) {
	for _, r := range n.Inputs {
		p.readTensor(p.number(r), n.Sparse)
	}
}

// readNested lists what a nested graph reads.
func (p *part) readNested(n *Node, sub *part) {
	for k, r := range n.Inputs {
		if sub.used(k) {
			p.readTensor(p.number(r), false)
		} else {
			p.reads = append(p.reads, unused)
		}
	}
}

// readTensor lists a tensor that is read.
func (p *part) readTensor(t int32, sparse bool) {
	switch to := p.operand(t, sparse); {
	case to != gone:
		p.reads = append(p.reads, to)
		p.isRead(to)
	case !sparse:
		p.reads = append(p.reads, -1-t)
	}
}

// isRead notes a reader of a tensor.
func (w *wiring) isRead(t int32) {
	w.tensors[t].need = true
	w.tensors[t].readers++
}

// number is the number of the tensor that r names.
func (w *wiring) number(r Ref) int32 { return int32(w.inputs + int(r)) }

// fate is the tensor that r is after the reduction, or gone.
func (w *wiring) fate(r Ref) int32 { return w.tensors[w.number(r)].fate }

// used reports whether input i is read.
func (w *wiring) used(i int) bool { return w.tensors[w.inputs-1-i].need }

// stays reports whether node i stays.
func (w *wiring) stays(i int) bool { return w.tensors[w.inputs+i].need }

// operands are the tensors that node i reads after the reduction, of a nested graph
// one for each input. -1-t is the blank of tensor t, which is absent.
func (w *wiring) operands(i int) []int32 {
	t := &w.tensors[w.inputs+i]
	return w.reads[t.from:t.to]
}

// nested is the part of the graph nested in n, a node of p.
func (d *reducer) nested(p *part, n *Node) *part {
	key := partKey{graph: n.Body}
	for k, r := range n.Inputs {
		if p.fate(r) == gone {
			key = key.without(k)
		}
	}
	return d.part(key)
}

// fateOf is the tensor that node i is after the reduction.
func (p *part) fateOf(i int, n *Node) int32 {
	own := int32(p.inputs + i)
	if sub := p.sub(i); sub != nil {
		switch {
		case sub.absent:
			return gone
		case sub.pass >= 0:
			return p.fate(n.Inputs[sub.pass])
		}
		return own
	}
	live, last := 0, gone
	for _, r := range n.Inputs {
		if t := p.fate(r); t != gone {
			live, last = live+1, t
		}
	}
	switch n.algebra().Fate(len(n.Inputs), live) {
	case canon.Vanishes:
		return gone
	case canon.Passes:
		return last
	}
	return own
}

// sub is the part of the graph nested in node i, or nil.
func (w *wiring) sub(i int) *part {
	if w.subs == nil {
		return nil
	}
	return w.subs[i]
}

// operand is what a node reads for tensor t: an absent input is an operand too,
// which is the blank of whoever gives it, unless it is left out.
func (w *wiring) operand(t int32, sparse bool) int32 {
	to := w.tensors[t].fate
	if to == gone && int(t) < w.inputs && !sparse {
		return t
	}
	return to
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
