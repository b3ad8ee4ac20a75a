package graph

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Digest identifies an architecture, see [Graph.Hash].
type Digest [16]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Hash identifies what g computes: it is taken of the live part of g with all
// nested graphs opened, and depends on operations, attributes, shapes of inputs and
// wiring alone. Names, the order of nodes, the order of the inputs of
// commutative operations, and whether a cell is nested or written out do not
// count. Two nodes that compute the same are not one node: they have weights of
// their own.
//
// The hash is an invariant: isomorphic graphs have equal hashes. It is made by
// colour refinement along and against the edges, with the position of each
// input as its colour, so different graphs have different hashes unless
// refinement cannot tell them apart, which takes several nodes that are
// pairwise alike in all that they read and all that reads them; where every
// node differs from every other it is exact (up to collisions of 128 bits).
func (g *Graph) Hash() Digest {
	var f flat
	f.open(g.Live())
	return f.hash()
}

// colour is a 128-bit hash of what is known about a node.
type colour [2]uint64

func scramble(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

// then continues c with d; the order matters.
func (c colour) then(d colour) colour {
	a := scramble(c[0]*0x9e3779b97f4a7c15 ^ d[0])
	b := scramble(bits.RotateLeft64(c[1], 23)*0xc2b2ae3d27d4eb4f + d[1])
	return colour{a + b, b ^ bits.RotateLeft64(a, 32)}
}

// with adds d to a set with repetition; the order does not matter.
func (c colour) with(d colour) colour {
	lo, carry := bits.Add64(c[0], scramble(d[0]^0x165667b19e3779f9), 0)
	hi, _ := bits.Add64(c[1], scramble(d[1]+0x27d4eb2f165667c5), carry)
	return colour{lo, hi}
}

// number and text continue c with a value and its length.
func (c colour) number(n uint64) colour { return c.then(colour{n, n}) }

func (c colour) text(s string) colour {
	c = c.number(uint64(len(s)))
	for len(s) > 0 {
		var word uint64
		n := min(len(s), 8)
		for i := range n {
			word |= uint64(s[i]) << (8 * i)
		}
		c, s = c.number(word), s[n:]
	}
	return c
}

// label is the colour of a node by itself. The shape of its result follows from
// what it reads; of a node that reads nothing it is part of the colour. (What is
// settled from the readers of a node is no part of it, nor is the shape that
// follows from that: it depends on the order of the readers.)
func (n *Node) label() colour {
	c := colour{}.text(n.Module).text(n.Op).number(uint64(len(n.Shape)))
	if len(n.Inputs) == 0 {
		for _, d := range n.Shape {
			c = c.number(uint64(d))
		}
	}
	for _, a := range n.Attrs {
		if a.Open {
			continue
		}
		c = c.text(a.Name)
		switch v := a.Value.(type) {
		case int64:
			c = c.text("int").number(uint64(v))
		case float64:
			c = c.text("real").number(math.Float64bits(v))
		case bool:
			c = c.text("bool").text(strconv.FormatBool(v))
		case string:
			c = c.text("string").text(v)
		default:
			c = c.text(fmt.Sprintf("%T %v", v, v))
		}
	}
	return c
}

// flat is a live graph with its nested graphs opened, in topological order.
type flat struct {
	labels []colour
	starts []int32 // inputs of node i are edges[starts[i]:starts[i+1]]
	edges  []int32
	joins  []bool // commutative
	output int32
	blanks map[string]int32
}

func (f *flat) open(g *Graph) {
	const usual = 128
	f.labels = make([]colour, 0, usual)
	f.starts = append(make([]int32, 0, usual), 0)
	f.edges = make([]int32, 0, 2*usual)
	f.joins = make([]bool, 0, usual)
	inputs := make([]int32, len(g.Inputs))
	for i, in := range g.Inputs {
		n := Node{Op: "input", Shape: in.Shape}
		inputs[i] = f.add(n.label().number(uint64(i)), false)
	}
	f.output = f.nest(g, inputs, map[*Graph][]colour{})
}

func (f *flat) add(label colour, joins bool) int32 {
	f.labels = append(f.labels, label)
	f.joins = append(f.joins, joins)
	f.starts = append(f.starts, int32(len(f.edges)))
	return int32(len(f.labels) - 1)
}

// nest adds one instance of g, which reads the given nodes; labels holds what
// is known of graphs met before.
func (f *flat) nest(g *Graph, inputs []int32, labels map[*Graph][]colour) int32 {
	own, known := labels[g]
	if !known {
		own = make([]colour, len(g.Nodes))
		for i, n := range g.Nodes {
			if n.Body == nil {
				own[i] = n.label()
			}
		}
		labels[g] = own
	}
	place := make([]int32, len(g.Nodes))
	at := func(r Ref) int32 {
		if i, ok := r.IsInput(); ok {
			return inputs[i]
		}
		return place[r]
	}
	for i, n := range g.Nodes {
		switch {
		case n.Body != nil:
			sub := make([]int32, len(n.Inputs))
			for k, r := range n.Inputs {
				sub[k] = at(r)
			}
			place[i] = f.nest(n.Body, sub, labels)
		case n.Absent:
			place[i] = f.blank(n, own[i])
		default:
			for _, r := range n.Inputs {
				f.edges = append(f.edges, at(r))
			}
			place[i] = f.add(own[i], n.Commutative)
		}
	}
	return at(g.Output)
}

// blank is the absent tensor of a shape, which all its readers share.
func (f *flat) blank(n *Node, label colour) int32 {
	key := n.Shape.String()
	if i, ok := f.blanks[key]; ok {
		return i
	}
	if f.blanks == nil {
		f.blanks = map[string]int32{}
	}
	i := f.add(label, false)
	f.blanks[key] = i
	return i
}

// hash refines colours until they tell all nodes apart or stop telling more.
func (f *flat) hash() Digest {
	colours := f.forward(f.labels)
	classes := distinct(colours)
	for classes < len(colours) {
		finer := f.forward(f.backward(colours))
		n := distinct(finer)
		if n == classes {
			break
		}
		colours, classes = finer, n
	}
	if classes < len(colours) { // one look against the edges at least
		colours = f.backward(colours)
	}
	var all colour
	for _, c := range colours {
		all = all.with(c)
	}
	all = all.then(colours[f.output]).number(uint64(len(colours)))
	var d Digest
	binary.BigEndian.PutUint64(d[:8], all[0])
	binary.BigEndian.PutUint64(d[8:], all[1])
	return d
}

var (
	readsOrdered  = colour{}.text("reads in order")
	readsSet      = colour{}.text("reads a set")
	isOutput      = colour{}.text("is the output")
	isReadBySet   = colour{}.text("is in a set")
	isReadInOrder = colour{}.text("is in order")
)

// forward colours every node by itself and the new colours of what it reads.
func (f *flat) forward(own []colour) []colour {
	out := make([]colour, len(own))
	for i := range own {
		in := f.edges[f.starts[i]:f.starts[i+1]]
		if f.joins[i] {
			set := readsSet
			for _, e := range in {
				set = set.with(out[e])
			}
			out[i] = own[i].then(set)
			continue
		}
		c := own[i].then(readsOrdered)
		for _, e := range in {
			c = c.then(out[e])
		}
		out[i] = c
	}
	return out
}

// backward colours every node by itself and the new colours of what reads it,
// and at which position.
func (f *flat) backward(own []colour) []colour {
	readers := make([]colour, len(own))
	readers[f.output] = isOutput
	out := make([]colour, len(own))
	for i := len(own) - 1; i >= 0; i-- {
		out[i] = own[i].then(readers[i])
		for k, e := range f.edges[f.starts[i]:f.starts[i+1]] {
			c := out[i].then(isReadBySet)
			if !f.joins[i] {
				c = out[i].then(isReadInOrder).number(uint64(k))
			}
			readers[e] = readers[e].with(c)
		}
	}
	return out
}

// distinct counts different colours.
func distinct(all []colour) int {
	size := 1 << bits.Len(uint(2*len(all)))
	table := make([]colour, size)
	n := 0
	for _, c := range all {
		if c == (colour{}) {
			c = colour{1}
		}
		i := int(c[0]) & (size - 1)
		for table[i] != (colour{}) && table[i] != c {
			i = (i + 1) & (size - 1)
		}
		if table[i] == (colour{}) {
			table[i] = c
			n++
		}
	}
	return n
}
