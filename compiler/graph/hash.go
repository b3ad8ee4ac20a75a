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
	canon  canon.Scratch
	flat   canon.Flat
	blanks []canon.Colour // of absent tensors, see places
	chain  []canon.Colour
	labels slab[canon.Colour]
	counts slab[int32]
}

// form is what a hasher knows of a part.
type form struct {
	labels  []canon.Colour // by node: its label, where it had to be computed
	chained bool
	chain   []canon.Colour // the segments from its only input to its output
}

// places tells of the tensors of one instance of a part which rows of the flat
// graph they are; -1-k is an absent one, of which blanks[k] is there instead.
type places []int32

func (h *hasher) hash(g *Graph) Digest {
	defer h.reset()
	entry := h.labels.take(1)
	entry[0] = canon.Colour{}.Number(uint64(len(g.Inputs)))
	for _, in := range g.Inputs {
		entry[0] = entry[0].Then(blank(in.Shape))
	}
	h.chain = append(h.chain[:0], entry[0])

	p := h.part(partKey{graph: g})
	switch {
	case p.absent:
		h.chain = append(h.chain, blank(g.Shape(g.Output)))
	case p.sources:
		h.flat.Reset()
		at := h.places(p)
		h.enter(p, at)
		h.place(p, at)
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
	h.blanks = h.blanks[:0]
}

// places makes room for the places of the tensors of p.
func (h *hasher) places(p *part) places { return h.counts.take(len(p.tensors)) }

// enter adds the inputs that a part reads to the flat graph, as rows.
func (h *hasher) enter(p *part, at places) {
	for i := range p.inputs {
		if p.used(i) {
			at[p.number(InputRef(i))] = h.flat.Add(entered.Number(uint64(i)), false)
		}
	}
}

// segments appends the segments of a part, which has no sources. A part that
// reads one input is entered there; several inputs begin the first segment.
func (h *hasher) segments(p *part, chain []canon.Colour) []canon.Colour {
	w := series{hasher: h, part: p, entrance: none}
	pending := h.counts.take(len(p.tensors)) // readers to come
	open := 0                                // tensors with readers to come
	for t := range p.tensors {
		pending[t] = p.tensors[t].readers
		if t < p.inputs && p.tensors[t].need {
			open++
			w.entrance = int32(t)
		}
	}
	if open > 1 {
		w.entrance = none
	}
	for i := range p.graph.Nodes {
		if !p.stays(i) {
			continue
		}
		for _, t := range p.operands(i) {
			if t >= 0 {
				if pending[t]--; pending[t] == 0 {
					open--
				}
			}
		}
		open++
		w.nested = w.nested || p.sub(i) != nil
		if w.nodes++; w.nodes == 1 {
			w.from = i
		}
		if open == 1 {
			chain = w.close(i, chain)
			w.entrance, w.nodes, w.nested = p.number(Ref(i)), 0, false
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
	nested   bool  // whether one of them is a nested graph
}

const none = int32(-1)

// close appends the segments from the entrance to node to: those of the graph
// nested in to, when that is all there is between.
func (w *series) close(to int, chain []canon.Colour) []canon.Colour {
	if w.nodes == 1 && w.entrance != none && len(w.operands(to)) == 1 {
		if sub := w.sub(to); sub != nil {
			return append(chain, w.chainOf(sub)...)
		}
		n := w.graph.Nodes[to]
		if n.isKnown() && !n.Commutative {
			return append(chain, n.known.step)
		}
		return append(chain, canon.Step(w.label(w.part, to), n.Commutative))
	}
	w.flat.Reset()
	at := w.places(w.part)
	if w.entrance == none {
		w.enter(w.part, at)
	} else {
		at[w.entrance] = w.flat.AddEntrance()
	}
	for i := w.from; i <= to; i++ {
		if w.stays(i) {
			w.placeNode(w.part, i, at)
		}
	}
	if w.nested {
		return w.canon.Series(&w.flat, w.entrance != none, chain)
	}
	return append(chain, w.canon.Segment(&w.flat, w.entrance != none))
}

// chainOf is the chain of a part that reads one input.
func (h *hasher) chainOf(p *part) []canon.Colour {
	if !p.form.chained {
		p.form.chain, p.form.chained = h.segments(p, h.labels.take(len(p.graph.Nodes) + 1)[:0]), true
	}
	return p.form.chain
}

// place adds one instance of a part to the flat graph, the inputs of which are in
// their places, and returns the place of its output.
func (h *hasher) place(p *part, at places) int32 {
	for i := range p.graph.Nodes {
		if p.stays(i) {
			h.placeNode(p, i, at)
		}
	}
	return at[p.output]
}

// placeNode adds node i of an instance of a part.
func (h *hasher) placeNode(p *part, i int, at places) {
	own := &at[p.inputs+i]
	if sub := p.sub(i); sub != nil {
		inner := h.places(sub)
		for k, t := range p.operands(i) {
			if t != unused {
				inner[sub.number(InputRef(k))] = h.at(p, t, at)
			}
		}
		*own = h.place(sub, inner)
		return
	}
	for _, t := range p.operands(i) {
		if t = h.at(p, t, at); t < 0 {
			h.flat.ReadBlank(h.blanks[-1-t])
		} else {
			h.flat.Read(t)
		}
	}
	*own = h.flat.Add(h.label(p, i), p.graph.Nodes[i].Commutative)
}

// at is the place of what a node of p reads.
func (h *hasher) at(p *part, t int32, at places) int32 {
	if t >= 0 {
		return at[t]
	}
	h.blanks = append(h.blanks, blank(p.graph.Shape(Ref(int(-1-t)-p.inputs))))
	return int32(-len(h.blanks))
}

// label is the label of node i of p.
func (h *hasher) label(p *part, i int) canon.Colour {
	n := p.graph.Nodes[i]
	if n.isKnown() && len(n.Inputs) > 0 {
		return n.known.colour
	}
	if p.form.labels == nil {
		p.form.labels = h.labels.take(len(p.graph.Nodes))
	}
	if p.form.labels[i] == (canon.Colour{}) {
		p.form.labels[i] = n.label()
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
	node       *Node // of which it was made
	op, module string
	attrs      []Attr
	colour     canon.Colour
	step       canon.Colour // what canon.Step makes of it
}

// isKnown reports whether n is prepared, and no copy of a node that is.
func (n *Node) isKnown() bool { return n.known != nil && n.known.node == n }

// of reports whether k was made of a node with the operation and attributes of n.
func (k *known) of(n *Node) bool {
	return k != nil && k.op == n.Op && k.module == n.Module && slices.Equal(k.attrs, n.Attrs)
}

// Prepare makes Hash faster for n, which must then stay as it is, and for nodes that
// are copied from it, whatever becomes of them.
func (n *Node) Prepare() {
	c := n.ownColour()
	n.known = &known{n, n.Op, n.Module, slices.Clone(n.Attrs), c, canon.Step(c, false)}
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
