package graph

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/nasc-project/nasc/compiler/canon"
)

// Digest identifies an architecture, see [Graph.Hash].
type Digest = canon.Digest

// Hash identifies what g computes: it is taken of the live part of g with all
// nested graphs opened, and depends on operations, attributes, wiring and the
// shapes of the inputs, from which all other shapes follow. Names, the order of
// nodes, the order of the inputs of commutative operations, open attributes, and
// whether a cell is nested or written out do not count. Two nodes that compute
// the same are not one node: they have weights of their own.
//
// Two graphs have one hash exactly when they are isomorphic in this sense, up to
// collisions of 128 bits; package canon says how. A graph through one tensor of
// which all paths lead is hashed in segments, and a nested graph that stands
// there is hashed once for all its uses.
func (g *Graph) Hash() Digest {
	h := hashers.Get().(*hasher)
	defer hashers.Put(h)
	return h.hash(g)
}

// hashers keeps the memory of Hash between calls.
var hashers = sync.Pool{New: func() any { return new(hasher) }}

// hasher hashes one graph at a time.
type hasher struct {
	reducer
	canon   canon.Scratch
	flat    canon.Flat
	chain   []canon.Colour
	labels  slab[canon.Colour]
	counts  slab[int32]
	tensors slab[flatTensor]
}

// form is what a hasher knows of a part.
type form struct {
	labels  []canon.Colour // by node: its label, where one is needed
	chained bool
	chain   []canon.Colour // the segments from its only input to its output
}

func (h *hasher) hash(g *Graph) Digest {
	defer h.reset()
	entry := h.labels.take(1)
	entry[0] = canon.Colour{}.Number(uint64(len(g.Inputs)))
	for _, in := range g.Inputs {
		entry[0] = entry[0].Then(blank(in.Shape))
	}
	h.chain = append(h.chain[:0], entry[0])

	p := h.part(g, h.flags.take(len(g.Inputs)))
	switch {
	case p.absent:
		h.chain = append(h.chain, blank(g.Shape(g.Output)))
	case p.sources:
		h.flat.Reset()
		h.place(p, h.entries(p))
		h.chain = h.canon.Series(&h.flat, false, h.chain)
	default:
		h.chain = h.segments(p, h.chain)
	}
	return canon.Chain(h.chain)
}

func (h *hasher) reset() {
	h.reducer.reset()
	h.labels.reset()
	h.counts.reset()
	h.tensors.reset()
}

// entries adds the inputs that a part reads to the flat graph, as rows.
func (h *hasher) entries(p *part) []flatTensor {
	in := h.tensors.take(len(p.used))
	for i, used := range p.used {
		if used {
			in[i].row = h.flat.Add(entered.Number(uint64(i)), false)
		}
	}
	return in
}

// segments appends the segments of a part, which has no sources. A part that
// reads one input is entered there; several inputs begin the first segment.
func (h *hasher) segments(p *part, chain []canon.Colour) []canon.Colour {
	w := series{hasher: h, part: p, pending: h.counts.take(len(p.used) + len(p.fate)), entrance: gone, from: gone}
	w.count()
	for i, used := range p.used {
		if used {
			w.open++
			w.entrance = InputRef(i)
		}
	}
	if w.open > 1 {
		w.entrance = gone
	}
	for i, need := range p.need {
		if !need {
			continue
		}
		w.reads(i, func(r Ref) {
			n := w.readers(r)
			if *n--; *n == 0 {
				w.open--
			}
		})
		w.open++
		if w.nodes++; w.nodes == 1 {
			w.from = Ref(i)
		}
		if w.open == 1 {
			chain = w.close(Ref(i), chain)
			w.entrance, w.nodes = Ref(i), 0
		}
	}
	return chain
}

// series is the way of segments through a part, in which a nested graph is one node.
type series struct {
	*hasher
	*part
	pending  []int32 // by input, then by node: readers to come
	open     int     // tensors with readers to come
	entrance Ref     // the tensor at which the segment is entered
	from     Ref     // its first node
	nodes    int     // how many nodes it has so far
}

func (w *series) readers(r Ref) *int32 {
	if i, ok := r.IsInput(); ok {
		return &w.pending[i]
	}
	return &w.pending[len(w.used)+int(r)]
}

// reads calls f for every present tensor that node i reads.
func (w *series) reads(i int, f func(Ref)) {
	sub := w.sub(i)
	for k, r := range w.graph.Nodes[i].Inputs {
		if t := w.tensor(r); t != gone && (sub == nil || sub.used[k]) {
			f(t)
		}
	}
}

func (w *series) count() {
	for i, need := range w.need {
		if need {
			w.reads(i, func(r Ref) { *w.readers(r)++ })
		}
	}
	*w.readers(w.tensor(w.graph.Output))++
}

// close appends the segments from the entrance to node to: those of the graph
// nested in to, when that is all there is between.
func (w *series) close(to Ref, chain []canon.Colour) []canon.Colour {
	n := w.graph.Nodes[to]
	if w.nodes == 1 && w.entrance != gone && len(n.Inputs) == 1 {
		if sub := w.sub(int(to)); sub != nil {
			return append(chain, w.chainOf(sub)...)
		}
		return append(chain, canon.Step(w.label(w.part, int(to)), n.Commutative))
	}
	w.flat.Reset()
	in := w.tensors.take(len(w.used))
	place := w.tensors.take(len(w.fate))
	switch i, input := w.entrance.IsInput(); {
	case w.entrance == gone:
		in = w.entries(w.part)
	case input:
		in[i].row = w.flat.AddEntrance()
	default:
		place[w.entrance].row = w.flat.AddEntrance()
	}
	for i := int(w.from); i <= int(to); i++ {
		if w.need[i] {
			w.placeNode(w.part, i, in, place)
		}
	}
	return w.canon.Series(&w.flat, w.entrance != gone, chain)
}

// chainOf is the chain of a part that reads one input.
func (h *hasher) chainOf(p *part) []canon.Colour {
	if !p.form.chained {
		p.form.chain, p.form.chained = h.segments(p, p.form.chain[:0]), true
	}
	return p.form.chain
}

// flatTensor is a row of the flat graph, or what stands there for an absent
// tensor.
type flatTensor struct {
	row    int32
	absent bool
	blank  canon.Colour
}

// place adds one instance of a part, which reads the given tensors, to the flat
// graph.
func (h *hasher) place(p *part, in []flatTensor) flatTensor {
	place := h.tensors.take(len(p.fate))
	for i, need := range p.need {
		if need {
			h.placeNode(p, i, in, place)
		}
	}
	return p.at(p.graph.Output, in, place)
}

// at is where a tensor of p is in the flat graph.
func (p *part) at(r Ref, in, place []flatTensor) flatTensor {
	switch t := p.operand(r, false); {
	case t == gone:
		return flatTensor{absent: true, blank: blank(p.graph.Shape(r))}
	case t < 0:
		i, _ := t.IsInput()
		return in[i]
	default:
		return place[t]
	}
}

func (h *hasher) placeNode(p *part, i int, in, place []flatTensor) {
	n := p.graph.Nodes[i]
	if sub := p.sub(i); sub != nil {
		inner := h.tensors.take(len(n.Inputs))
		for k, r := range n.Inputs {
			if sub.used[k] {
				inner[k] = p.at(r, in, place)
			}
		}
		place[i] = h.place(sub, inner)
		return
	}
	for _, r := range n.Inputs {
		if n.Sparse && p.tensor(r) == gone {
			continue
		}
		if t := p.at(r, in, place); t.absent {
			h.flat.ReadBlank(t.blank)
		} else {
			h.flat.Read(t.row)
		}
	}
	place[i].row = h.flat.Add(h.label(p, i), n.Commutative)
}

// label is the label of node i of p.
func (h *hasher) label(p *part, i int) canon.Colour {
	if p.form.labels == nil {
		p.form.labels = h.labels.take(len(p.fate))
	}
	if p.form.labels[i] == (canon.Colour{}) {
		p.form.labels[i] = p.graph.Nodes[i].label()
	}
	return p.form.labels[i]
}

var (
	entered = canon.Colour{}.Text("an input of the graph")
	isBlank = canon.Colour{}.Text("an absent tensor")
)

// blank is what an absent tensor of a shape is to who cannot leave it out.
func blank(s Shape) canon.Colour {
	c := isBlank.Number(uint64(len(s)))
	for _, d := range s {
		c = c.Number(uint64(d))
	}
	return c
}

// label is the colour of a node by itself. The shape of its result follows from
// what it reads; of a node that reads nothing it is part of the colour. (What is
// settled from the readers of a node is no part of it, nor is the shape that
// follows from that: it depends on the order of the readers.)
func (n *Node) label() canon.Colour {
	var c canon.Colour
	if n.known.of(n) {
		c = n.known.colour
	} else {
		c = n.ownColour()
	}
	if len(n.Inputs) == 0 {
		c = c.Then(blank(n.Shape))
	}
	return c
}

// known is the colour of an operation with its attributes.
type known struct {
	op, module string
	attrs      []Attr
	colour     canon.Colour
}

// of reports whether k was made of a node with the operation and attributes of n.
func (k *known) of(n *Node) bool {
	return k != nil && k.op == n.Op && k.module == n.Module && slices.Equal(k.attrs, n.Attrs)
}

// Prepare makes Hash faster for n and for nodes that are copied from it, whatever
// becomes of them.
func (n *Node) Prepare() {
	n.known = &known{n.Op, n.Module, slices.Clone(n.Attrs), n.ownColour()}
}

// ownColour is the colour of the operation of n with its attributes.
func (n *Node) ownColour() canon.Colour {
	c := canon.Colour{}.Text(n.Module).Text(n.Op)
	for _, a := range n.Attrs {
		if a.Open {
			continue
		}
		c = c.Text(a.Name)
		switch v := a.Value.(type) {
		case int64:
			c = c.Text("int").Number(uint64(v))
		case float64:
			c = c.Text("real").Number(math.Float64bits(v))
		case bool:
			c = c.Text("bool").Text(strconv.FormatBool(v))
		case string:
			c = c.Text("string").Text(v)
		default:
			c = c.Text(fmt.Sprintf("%T %v", v, v))
		}
	}
	return c
}
