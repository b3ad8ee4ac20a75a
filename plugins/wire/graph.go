package wire

import (
	"bytes"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/nasc-project/nasc/compiler/graph"
)

// A graph goes as the bytes of the message Graph. They are written and read by hand
// and not by generated code: most of what a first evaluation of an architecture costs
// is its graph on the way, and this takes half of the time. Below are the tags of
// the fields, number and wire type, as plugins/proto declares them.
const (
	asVarint = uint64(protowire.VarintType)
	asFixed  = uint64(protowire.Fixed64Type)
	asBytes  = uint64(protowire.BytesType)

	graphBody = 1<<3 | asBytes

	bodyName   = 1<<3 | asBytes
	bodyKind   = 2<<3 | asBytes
	bodyInput  = 3<<3 | asBytes
	bodyNode   = 4<<3 | asBytes
	bodyOutput = 5<<3 | asVarint

	inputName  = 1<<3 | asBytes
	inputShape = 2 << 3 // of either type: packed or one by one

	nodeName        = 1<<3 | asBytes
	nodeOp          = 2<<3 | asBytes
	nodeAttribute   = 3<<3 | asBytes
	nodeInputs      = 4 << 3
	nodeBody        = 5<<3 | asVarint
	nodeShape       = 6 << 3
	nodeParams      = 7<<3 | asVarint
	nodeMACs        = 8<<3 | asVarint
	nodeAbsent      = 9<<3 | asVarint
	nodeIdentity    = 10<<3 | asVarint
	nodeCommutative = 11<<3 | asVarint
	nodeVertex      = 12<<3 | asBytes
	nodeModule      = 13<<3 | asBytes
	nodeFold        = 14<<3 | asVarint
	nodeSparse      = 15<<3 | asVarint
	nodeCollapses   = 16<<3 | asVarint

	attributeName    = 1<<3 | asBytes
	attributeValue   = 2<<3 | asBytes
	attributeDefault = 3<<3 | asVarint
	attributeOpen    = 4<<3 | asVarint

	valueInt    = 1<<3 | asVarint
	valueReal   = 2<<3 | asFixed
	valueBool   = 3<<3 | asVarint
	valueString = 4<<3 | asBytes
)

// AppendGraph appends g as a message Graph. Bodies that several nodes share are sent
// once, every body before the bodies inside it.
func AppendGraph(b []byte, g *graph.Graph) ([]byte, error) {
	order := bodies(g)
	w := writers.Get().(*writer)
	defer w.leave()
	w.b = b
	for i, body := range order {
		w.index[body] = i
	}
	for _, body := range order {
		at := w.open(graphBody)
		w.body(body)
		w.close(at)
		if w.err != nil {
			return b, fmt.Errorf("graph %s: %w", body.Name, w.err)
		}
	}
	return w.b, nil
}

// bodies lists g and every graph inside it once, parents first.
func bodies(g *graph.Graph) []*graph.Graph {
	var post []*graph.Graph
	seen := map[*graph.Graph]bool{}
	var visit func(g *graph.Graph)
	visit = func(g *graph.Graph) {
		seen[g] = true
		for i := len(g.Nodes) - 1; i >= 0; i-- {
			if b := g.Nodes[i].Body; b != nil && !seen[b] {
				visit(b)
			}
		}
		post = append(post, g)
	}
	visit(g)
	for i, j := 0, len(post)-1; i < j; i, j = i+1, j-1 {
		post[i], post[j] = post[j], post[i]
	}
	return post
}

// writers are those that nobody uses. Graphs of one space share most of their nodes.
var writers = sync.Pool{New: func() any { return &writer{index: map[*graph.Graph]int{}, leaves: map[*graph.Node][]byte{}} }}

// writer appends messages. What is zero is left out, as the encoding says.
type writer struct {
	b     []byte
	index map[*graph.Graph]int // of bodies
	err   error                // the first

	// What was written of nodes without a body, which nobody changes any more.
	leaves map[*graph.Node][]byte
}

// leave gives the writer back, without what belongs to its graph.
func (w *writer) leave() {
	clear(w.index)
	if len(w.leaves) > mostLeaves {
		clear(w.leaves)
	}
	w.b, w.err = nil, nil
	writers.Put(w)
}

func (w *writer) body(g *graph.Graph) {
	w.text(bodyName, g.Name)
	w.text(bodyKind, g.Kind)
	for _, in := range g.Inputs {
		at := w.open(bodyInput)
		w.text(inputName, in.Name)
		w.shape(inputShape|asBytes, in.Shape)
		w.close(at)
	}
	for _, n := range g.Nodes {
		if known := w.leaves[n]; known != nil {
			w.b = append(w.b, known...)
			continue
		}
		from := len(w.b)
		at := w.open(bodyNode)
		w.node(n)
		w.close(at)
		if w.err != nil {
			w.err = fmt.Errorf("node %s: %w", n.Name, w.err)
			return
		}
		if n.Body == nil && len(w.b)-from <= longLeaf {
			w.leaves[n] = bytes.Clone(w.b[from:])
		}
	}
	w.number(bodyOutput, protowire.EncodeZigZag(int64(g.Output)))
}

func (w *writer) node(n *graph.Node) {
	w.text(nodeName, n.Name)
	w.text(nodeOp, n.Op)
	for _, a := range n.Attrs {
		at := w.open(nodeAttribute)
		w.attribute(a)
		w.close(at)
	}
	if len(n.Inputs) > 0 {
		at := w.open(nodeInputs | asBytes)
		for _, r := range n.Inputs {
			w.b = protowire.AppendVarint(w.b, protowire.EncodeZigZag(int64(r)))
		}
		w.close(at)
	}
	if n.Body != nil {
		w.number(nodeBody, uint64(w.index[n.Body]))
	}
	w.shape(nodeShape|asBytes, n.Shape)
	w.number(nodeParams, uint64(n.Params))
	w.number(nodeMACs, uint64(n.MACs))
	w.bool(nodeAbsent, n.Absent)
	w.bool(nodeIdentity, n.Identity)
	w.bool(nodeCommutative, n.Commutative)
	w.text(nodeVertex, n.Vertex)
	w.text(nodeModule, n.Module)
	w.bool(nodeFold, n.Fold)
	w.bool(nodeSparse, n.Sparse)
	w.bool(nodeCollapses, n.Collapses)
}

func (w *writer) attribute(a graph.Attr) {
	w.text(attributeName, a.Name)
	at := w.open(attributeValue)
	switch v := a.Value.(type) { // here zero is a value as well
	case int64:
		w.b = protowire.AppendVarint(protowire.AppendVarint(w.b, valueInt), uint64(v))
	case float64:
		w.b = protowire.AppendFixed64(protowire.AppendVarint(w.b, valueReal), math.Float64bits(v))
	case bool:
		w.b = protowire.AppendVarint(protowire.AppendVarint(w.b, valueBool), protowire.EncodeBool(v))
	case string:
		w.valid(v)
		w.b = protowire.AppendString(protowire.AppendVarint(w.b, valueString), v)
	default:
		w.fail("attribute %s: a value is an int64, float64, bool or string, not a %T", a.Name, v)
	}
	w.close(at)
	w.bool(attributeDefault, a.Default)
	w.bool(attributeOpen, a.Open)
}

func (w *writer) shape(tag uint64, s graph.Shape) {
	if len(s) == 0 {
		return
	}
	at := w.open(tag)
	for _, d := range s {
		if d < 0 || d > math.MaxInt32 {
			w.fail("shape %s is too large", s)
		}
		w.b = protowire.AppendVarint(w.b, uint64(d))
	}
	w.close(at)
}

func (w *writer) text(tag uint64, s string) {
	if s != "" {
		w.valid(s)
		w.b = protowire.AppendString(protowire.AppendVarint(w.b, tag), s)
	}
}

func (w *writer) number(tag, v uint64) {
	if v != 0 {
		w.b = protowire.AppendVarint(protowire.AppendVarint(w.b, tag), v)
	}
}

func (w *writer) bool(tag uint64, v bool) { w.number(tag, protowire.EncodeBool(v)) }

// open begins a field whose length close will know.
func (w *writer) open(tag uint64) (at int) {
	w.b = append(protowire.AppendVarint(w.b, tag), 0)
	return len(w.b) - 1
}

// close writes the length of the field that was opened at this place.
func (w *writer) close(at int) {
	n := len(w.b) - at - 1
	if more := protowire.SizeVarint(uint64(n)) - 1; more > 0 {
		w.b = append(w.b, make([]byte, more)...)
		copy(w.b[at+1+more:], w.b[at+1:at+1+n])
	}
	protowire.AppendVarint(w.b[:at], uint64(n))
}

// valid refuses what is no text, which other languages could not read.
func (w *writer) valid(s string) {
	if !utf8.ValidString(s) {
		w.fail("%q is not valid UTF-8", s)
	}
}

func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}
