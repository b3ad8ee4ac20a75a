package graph

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
		place := h.tensors.take(len(p.used) + len(p.fate))
		h.entries(p, place)
		h.place(p, place)
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
func (h *hasher) entries(p *part, place []flatTensor) {
	for i, used := range p.used {
		if used {
			place[i].row = h.flat.Add(entered.Number(uint64(i)), false)
		}
	}
}

// segments appends the segments of a part, which has no sources. A part that
// reads one input is entered there; several inputs begin the first segment.
func (h *hasher) segments(p *part, chain []canon.Colour) []canon.Colour {
	inputs := len(p.used)
	pending := h.counts.take(inputs + len(p.fate)) // readers to come
	for _, t := range p.reads {
		if p.present(t) {
			pending[t]++
		}
	}
	pending[p.number(p.tensor(p.graph.Output))]++
	w := series{hasher: h, part: p, entrance: none}
	open := 0 // tensors with readers to come
	for i, used := range p.used {
		if used {
			open++
			w.entrance = int32(i)
		}
	}
	if open > 1 {
		w.entrance = none
	}
	for i, need := range p.need {
		if !need {
			continue
		}
		for _, t := range p.operands(i) {
			if p.present(t) {
				if pending[t]--; pending[t] == 0 {
					open--
				}
			}
		}
		open++
		if w.nodes++; w.nodes == 1 {
			w.from = i
		}
		if open == 1 {
			chain = w.close(i, chain)
			w.entrance, w.nodes = int32(inputs+i), 0
		}
	}
	return chain
}

// series is the way of segments through a part, in which a nested graph is one node.
type series struct {
	*hasher
	*part
	entrance int32 // the tensor at which the segment is entered, or none
	from     int   // its first node
	nodes    int   // how many nodes it has so far
}

const none = int32(-1)

// close appends the segments from the entrance to node to: those of the graph
// nested in to, when that is all there is between.
func (w *series) close(to int, chain []canon.Colour) []canon.Colour {
	if w.nodes == 1 && w.entrance != none && len(w.operands(to)) == 1 {
		if sub := w.sub(to); sub != nil {
			return append(chain, w.chainOf(sub)...)
		}
		return append(chain, canon.Step(w.label(w.part, to), w.graph.Nodes[to].Commutative))
	}
	w.flat.Reset()
	place := w.tensors.take(len(w.used) + len(w.fate))
	if w.entrance == none {
		w.entries(w.part, place)
	} else {
		place[w.entrance].row = w.flat.AddEntrance()
	}
	for i := w.from; i <= to; i++ {
		if w.need[i] {
			w.placeNode(w.part, i, place)
		}
	}
	return w.canon.Series(&w.flat, w.entrance != none, chain)
}

// chainOf is the chain of a part that reads one input.
func (h *hasher) chainOf(p *part) []canon.Colour {
	if !p.form.chained {
		p.form.chain, p.form.chained = h.segments(p, h.labels.take(len(p.fate) + 1)[:0]), true
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

// place adds one instance of a part to the flat graph; its inputs are in place.
func (h *hasher) place(p *part, place []flatTensor) flatTensor {
	for i, need := range p.need {
		if need {
			h.placeNode(p, i, place)
		}
	}
	return place[p.number(p.tensor(p.graph.Output))]
}

func (h *hasher) placeNode(p *part, i int, place []flatTensor) {
	at := func(t int32) flatTensor {
		if t < 0 {
			return flatTensor{absent: true, blank: blank(p.shape(-1 - t))}
		}
		return place[t]
	}
	out := &place[len(p.used)+i]
	if sub := p.sub(i); sub != nil {
		inner := h.tensors.take(len(sub.used) + len(sub.fate))
		for k, t := range p.operands(i) {
			if t != unused {
				inner[k] = at(t)
			}
		}
		*out = h.place(sub, inner)
		return
	}
	for _, t := range p.operands(i) {
		if t := at(t); t.absent {
			h.flat.ReadBlank(t.blank)
		} else {
			h.flat.Read(t.row)
		}
	}
	out.row = h.flat.Add(h.label(p, i), p.graph.Nodes[i].Commutative)
}

// shape is the shape of tensor t.
func (p *part) shape(t int32) Shape {
	if int(t) < len(p.used) {
		return p.graph.Inputs[t].Shape
	}
	return p.graph.Nodes[int(t)-len(p.used)].Shape
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
	module := n.Module
	if strings.HasPrefix(module, ".") || filepath.IsAbs(module) { // the same from every folder
		module = filepath.Base(module)
	}
	c := canon.Colour{}.Text(module).Text(n.Op)
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
