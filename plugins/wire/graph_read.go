package wire

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/nasc-project/nasc/compiler/graph"
)

// ReadGraph reads a message Graph: every reference is to an input or an earlier node
// of its graph, every nested graph comes after the one it is in, takes as many inputs
// as it is given and has the output shape that its node tells.
func ReadGraph(b []byte) (*graph.Graph, error) {
	var bodies [][]byte
	c := cursor{rest: b}
	for c.next() {
		if c.tag == graphBody {
			bodies = append(bodies, c.bytes)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	if len(bodies) == 0 {
		return nil, errors.New("the graph is empty")
	}
	r := readers.Get().(*reader)
	defer r.leave()
	r.all = make([]*graph.Graph, len(bodies))
	for i := len(bodies) - 1; i >= 0; i-- {
		g, err := r.body(bodies[i], i)
		if err != nil {
			return nil, fmt.Errorf("graph %s: %w", g.Name, err)
		}
		r.all[i] = g
	}
	return r.all[0], r.all[0].Validate()
}

// readers are those that nobody uses. The graphs of a space consist of the same words
// and, for most of them, of the same operations.
var readers = sync.Pool{New: func() any { return &reader{words: map[string]string{}, leaves: map[string]*graph.Node{}} }}

// What a reader keeps for the next graph: so many words and operations, of at most so
// many bytes.
const (
	mostWords  = 4096
	longWord   = 256
	mostLeaves = 1024
	longLeaf   = 1024
)

// leave gives the reader back, without what belongs to its graph.
func (r *reader) leave() {
	clear(r.nodes[:cap(r.nodes)])
	clear(r.attrs[:cap(r.attrs)])
	kept := reader{nodes: r.nodes[:0], attrs: r.attrs[:0], words: r.words, leaves: r.leaves}
	if len(kept.words) > mostWords {
		clear(kept.words)
	}
	if len(kept.leaves) > mostLeaves {
		clear(kept.leaves)
	}
	*r = kept
	readers.Put(r)
}

// reader reads bodies, the inner ones first.
type reader struct {
	all   []*graph.Graph
	nodes [][]byte          // of the body that is read
	attrs []graph.Attr      // of the node that is read
	words map[string]string // each once, unless it is long

	// Nodes without a body by their bytes; graphs share them.
	leaves map[string]*graph.Node

	// Room of which lists are cut.
	extentRoom []int
	refRoom    []graph.Ref
	attrRoom   []graph.Attr
}

// cut takes an empty list with a capacity of n from room, which it renews.
func cut[T any](room *[]T, n int) []T {
	const several = 64
	if cap(*room)-len(*room) < n {
		*room = make([]T, 0, max(n, several))
	}
	at := len(*room)
	*room = (*room)[:at+n]
	return (*room)[at : at : at+n]
}

// body reads the graph with this place in the message. On an error it has its name.
func (r *reader) body(b []byte, at int) (*graph.Graph, error) {
	g := &graph.Graph{}
	r.nodes = r.nodes[:0]
	c := cursor{rest: b}
	for c.next() {
		switch c.tag {
		case bodyName:
			g.Name = r.word(&c)
		case bodyKind:
			g.Kind = r.word(&c)
		case bodyInput:
			in, err := r.input(c.bytes)
			if err != nil {
				return g, err
			}
			g.Inputs = append(g.Inputs, in)
		case bodyNode:
			r.nodes = append(r.nodes, c.bytes)
		case bodyOutput:
			g.Output = ref(c.bits)
		}
	}
	if c.err != nil {
		return g, c.err
	}
	if len(r.nodes) > 0 {
		g.Nodes = make([]*graph.Node, len(r.nodes))
		for i := range r.nodes {
			if err := r.place(i, at, g); err != nil {
				return g, fmt.Errorf("node %s: %w", g.Nodes[i].Name, err)
			}
		}
	}
	if !refers(g, g.Output, len(g.Nodes)) {
		return g, fmt.Errorf("its output refers to %d, which is not there", g.Output)
	}
	return g, nil
}

// place makes node i of g, the body with this place in the message, or takes a node
// that another graph has and that is the same.
func (r *reader) place(i, at int, g *graph.Graph) error {
	b := r.nodes[i]
	n := r.leaves[string(b)]
	if n == nil {
		n = &graph.Node{}
		g.Nodes[i] = n
		body, err := r.node(b, n)
		if err != nil {
			return err
		}
		if body != 0 {
			if body <= at || body >= len(r.all) {
				return fmt.Errorf("its body is %d, which is not a later one", body)
			}
			n.Body = r.all[body]
		} else if len(b) <= longLeaf {
			r.leaves[string(b)] = n
		}
	}
	g.Nodes[i] = n
	for _, from := range n.Inputs {
		if !refers(g, from, i) {
			return fmt.Errorf("it reads %d, which is not an input or an earlier node", from)
		}
	}
	if n.Body == nil {
		return nil
	}
	return fits(n, g)
}

func (r *reader) input(b []byte) (graph.Input, error) {
	in := graph.Input{Shape: graph.Shape{}}
	c := cursor{rest: b}
	for c.next() {
		switch c.tag {
		case inputName:
			in.Name = r.word(&c)
		case inputShape | asVarint, inputShape | asBytes:
			in.Shape = r.extents(&c, in.Shape)
		}
	}
	if c.err == nil {
		c.err = known(in.Shape)
	}
	if c.err != nil {
		return in, fmt.Errorf("input %s: %w", in.Name, c.err)
	}
	return in, nil
}

// node reads a node and the place of its body; 0: it has none.
func (r *reader) node(b []byte, n *graph.Node) (body int, err error) {
	n.Shape, r.attrs = graph.Shape{}, r.attrs[:0]
	c := cursor{rest: b}
	for c.next() {
		switch c.tag {
		case nodeName:
			n.Name = r.word(&c)
		case nodeOp:
			n.Op = r.word(&c)
		case nodeAttribute:
			a, err := r.attribute(c.bytes)
			if err != nil {
				return 0, fmt.Errorf("attribute %s: %w", a.Name, err)
			}
			r.attrs = append(r.attrs, a)
		case nodeInputs | asVarint, nodeInputs | asBytes:
			if n.Inputs == nil {
				n.Inputs = cut(&r.refRoom, c.numbers())
			}
			c.each(func(v uint64) { n.Inputs = append(n.Inputs, ref(v)) })
		case nodeBody:
			body = int(int32(c.bits))
		case nodeShape | asVarint, nodeShape | asBytes:
			n.Shape = r.extents(&c, n.Shape)
		case nodeParams:
			n.Params = int64(c.bits)
		case nodeMACs:
			n.MACs = int64(c.bits)
		case nodeAbsent:
			n.Absent = c.bits != 0
		case nodeIdentity:
			n.Identity = c.bits != 0
		case nodeCommutative:
			n.Commutative = c.bits != 0
		case nodeVertex:
			n.Vertex = r.word(&c)
		case nodeModule:
			n.Module = r.word(&c)
		case nodeFold:
			n.Fold = c.bits != 0
		case nodeSparse:
			n.Sparse = c.bits != 0
		case nodeCollapses:
			n.Collapses = c.bits != 0
		}
	}
	if c.err == nil {
		c.err = known(n.Shape)
	}
	if c.err != nil {
		return 0, c.err
	}
	if len(r.attrs) > 0 {
		n.Attrs = append(cut(&r.attrRoom, len(r.attrs)), r.attrs...)
	}
	if n.Params < 0 || n.MACs < 0 {
		return 0, errors.New("its cost is negative")
	}
	return body, nil
}

// fits checks a nested graph against the node that it is the body of.
func fits(n *graph.Node, g *graph.Graph) error {
	if len(n.Inputs) != len(n.Body.Inputs) {
		return fmt.Errorf("its body takes %d inputs and is given %d", len(n.Body.Inputs), len(n.Inputs))
	}
	for j, from := range n.Inputs {
		if takes, given := n.Body.Inputs[j].Shape, g.Shape(from); !takes.Equal(given) {
			return fmt.Errorf("its body takes %s and is given %s", takes, given)
		}
	}
	if out := n.Body.Shape(n.Body.Output); !out.Equal(n.Shape) {
		return fmt.Errorf("its shape is %s and its body's %s", n.Shape, out)
	}
	return nil
}

func (r *reader) attribute(b []byte) (a graph.Attr, err error) {
	c := cursor{rest: b}
	for c.next() {
		switch c.tag {
		case attributeName:
			a.Name = r.word(&c)
		case attributeValue:
			v := cursor{rest: c.bytes}
			for v.next() {
				switch v.tag {
				case valueInt:
					a.Value = int64(v.bits)
				case valueReal:
					a.Value = math.Float64frombits(v.bits)
				case valueBool:
					a.Value = v.bits != 0
				case valueString:
					a.Value = r.word(&v)
				}
			}
			if v.err != nil {
				return a, v.err
			}
		case attributeDefault:
			a.Default = c.bits != 0
		case attributeOpen:
			a.Open = c.bits != 0
		}
	}
	if c.err == nil && a.Value == nil {
		c.err = errors.New("a value is empty or of an unknown kind")
	}
	return a, c.err
}

// word is the text of a field, the same for the same bytes unless they are many.
func (r *reader) word(c *cursor) string {
	if s, ok := r.words[string(c.bytes)]; ok {
		return s
	}
	s := string(c.bytes)
	if !utf8.ValidString(s) {
		c.err = fmt.Errorf("%q is not valid UTF-8", s)
		return s
	}
	if len(s) <= longWord {
		r.words[s] = s
	}
	return s
}

// refers reports whether r is an input of g or one of its first n nodes.
func refers(g *graph.Graph, r graph.Ref, n int) bool {
	if i, ok := r.IsInput(); ok {
		return i < len(g.Inputs)
	}
	return int(r) < n
}

// ref is a sint32.
func ref(v uint64) graph.Ref {
	return graph.Ref(protowire.DecodeZigZag(v & math.MaxUint32))
}

// extents appends to a shape.
func (r *reader) extents(c *cursor, s graph.Shape) graph.Shape {
	if len(s) == 0 {
		s = cut(&r.extentRoom, c.numbers())
	}
	c.each(func(v uint64) { s = append(s, int(int32(v))) })
	return s
}

// known refuses a shape whose extents are not numbers of something.
func known(s graph.Shape) error {
	for _, d := range s {
		if d < 0 {
			return fmt.Errorf("its shape has the extent %d", d)
		}
	}
	return nil
}

// cursor goes over the fields of a message. Fields that nobody asks for are of a
// later protocol.
type cursor struct {
	rest  []byte
	tag   uint64 // number and wire type
	bits  uint64 // of a number
	bytes []byte // of a text, a message or packed numbers
	err   error
}

// next reads a field, and reports whether there was one.
func (c *cursor) next() bool {
	if len(c.rest) == 0 || c.err != nil {
		return false
	}
	var number protowire.Number
	var kind protowire.Type
	n := 1
	if b := c.rest[0]; b >= 1<<3 && b < 0x80 { // as nearly all tags are
		number, kind = protowire.Number(b>>3), protowire.Type(b&7)
	} else if number, kind, n = protowire.ConsumeTag(c.rest); n < 0 {
		return c.stop(n)
	}
	c.rest = c.rest[n:]
	c.tag, c.bits, c.bytes = uint64(number)<<3|uint64(kind), 0, nil
	switch kind {
	case protowire.VarintType:
		if len(c.rest) > 0 && c.rest[0] < 0x80 {
			c.bits, n = uint64(c.rest[0]), 1
		} else {
			c.bits, n = protowire.ConsumeVarint(c.rest)
		}
	case protowire.Fixed64Type:
		c.bits, n = protowire.ConsumeFixed64(c.rest)
	case protowire.BytesType:
		if len(c.rest) > 0 && int(c.rest[0]) < min(0x80, len(c.rest)) {
			n = 1 + int(c.rest[0])
			c.bytes = c.rest[1:n:n]
		} else {
			c.bytes, n = protowire.ConsumeBytes(c.rest)
		}
	default:
		n = protowire.ConsumeFieldValue(number, kind, c.rest)
	}
	if n < 0 {
		return c.stop(n)
	}
	c.rest = c.rest[n:]
	return true
}

func (c *cursor) stop(n int) bool {
	c.err = fmt.Errorf("it is cut or garbled: %w", protowire.ParseError(n))
	return false
}

// numbers is how many numbers a field holds.
func (c *cursor) numbers() int {
	if c.bytes == nil {
		return 1
	}
	n := 0
	for _, b := range c.bytes {
		if b < 0x80 { // the last byte of a number
			n++
		}
	}
	return n
}

// each calls f with the numbers of a field, packed or single.
func (c *cursor) each(f func(uint64)) {
	if c.bytes == nil {
		f(c.bits)
		return
	}
	for b := c.bytes; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			c.stop(n)
			return
		}
		f(v)
		b = b[n:]
	}
}
