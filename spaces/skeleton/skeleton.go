// Package skeleton reads networks the way benchmarks describe them: a chain of
// operations and cells, of which the operations are the same in every architecture.
//
// Only the graph is looked at. Blocks that are a chain themselves are opened, so a
// network of stages of two cells and one of ten cells are the same chain; a nested
// graph that is no chain is a cell, and a step of its own.
package skeleton

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
)

// Step is a node of a chain.
type Step struct {
	*graph.Node
	Path string      // its name, with those of the blocks around it: "stage[1].micro[0]"
	From graph.Shape // of what it reads
}

// Chain lists the nodes of a network in which every node reads the one before and
// nothing else.
func Chain(g *graph.Graph) ([]Step, error) {
	if len(g.Inputs) != 1 {
		return nil, fmt.Errorf("the network has %d inputs, not one", len(g.Inputs))
	}
	if n := broken(g); n != "" {
		return nil, fmt.Errorf("node %s: the network is a chain, but this reads more or else than the node before it", n)
	}
	if len(g.Nodes) == 0 || g.Output != graph.Ref(len(g.Nodes)-1) {
		return nil, fmt.Errorf("the output is not that of the last node")
	}
	return open(nil, "", g), nil
}

// broken is the first node that does not read the one before.
func broken(g *graph.Graph) string {
	for i, n := range g.Nodes {
		if len(n.Inputs) != 1 || n.Inputs[0] != graph.Ref(i-1) { // Ref(-1) is the input
			return n.Name
		}
	}
	return ""
}

// chained reports whether a nested graph is a chain from its input to its output.
func chained(g *graph.Graph) bool {
	return len(g.Inputs) == 1 && len(g.Nodes) > 0 && g.Output == graph.Ref(len(g.Nodes)-1) && broken(g) == ""
}

func open(steps []Step, prefix string, g *graph.Graph) []Step {
	from := g.Inputs[0].Shape
	for _, n := range g.Nodes {
		if n.Body != nil && chained(n.Body) {
			steps = open(steps, prefix+n.Name+".", n.Body)
		} else {
			steps = append(steps, Step{n, prefix + n.Name, from})
		}
		from = n.Shape
	}
	return steps
}

// Op is an operation that a skeleton has at some place: its name, its module and
// integer attributes; attributes that are not listed may be anything.
type Op struct {
	Name   string
	Module string
	Attrs  []Attr
}

// Attr is an attribute and its value.
type Attr struct {
	Name  string
	Value int
}

// Is reports whether a node is the operation.
func (o Op) Is(n *graph.Node) bool {
	if n.Body != nil || n.Op != o.Name || n.Module != o.Module {
		return false
	}
	for _, a := range o.Attrs {
		if v, ok := n.Int(a.Name); !ok || v != a.Value {
			return false
		}
	}
	return true
}

func (o Op) String() string {
	var parts []string
	for _, a := range o.Attrs {
		parts = append(parts, fmt.Sprintf("%s: %d", a.Name, a.Value))
	}
	if parts == nil {
		return "a " + o.Name
	}
	return "a " + o.Name + "(" + strings.Join(parts, ", ") + ")"
}

// Reader goes through the steps of a chain.
type Reader struct {
	steps []Step
	at    int
}

// Read begins with the first step of a network.
func Read(g *graph.Graph) (*Reader, error) {
	steps, err := Chain(g)
	if err != nil {
		return nil, err
	}
	return &Reader{steps: steps}, nil
}

// Op takes the next step, which must be an operation.
func (r *Reader) Op(want Op) (Step, error) {
	s, err := r.next(want.String())
	if err == nil && !want.Is(s.Node) {
		err = r.wrong(s, want.String())
	}
	return s, err
}

// Cell takes the next step, which must be a cell.
func (r *Reader) Cell() (Step, error) {
	s, err := r.next("a cell")
	if err == nil && s.Body == nil {
		err = r.wrong(s, "a cell")
	}
	return s, err
}

// Peek is the next step, if there is one.
func (r *Reader) Peek() (Step, bool) {
	if r.at == len(r.steps) {
		return Step{}, false
	}
	return r.steps[r.at], true
}

// End must be where the chain ends.
func (r *Reader) End() error {
	if s, more := r.Peek(); more {
		return fmt.Errorf("node %s: the network ends before it", s.Path)
	}
	return nil
}

func (r *Reader) next(want string) (Step, error) {
	s, ok := r.Peek()
	if !ok {
		return s, fmt.Errorf("the network ends before %s", want)
	}
	r.at++
	return s, nil
}

func (r *Reader) wrong(s Step, want string) error {
	what := s.Label()
	if s.Body != nil {
		what = fmt.Sprintf("the %s %s", s.Body.Kind, s.Body.Name)
	}
	return fmt.Errorf("node %s: here comes %s, not %s with output %v", s.Path, want, what, s.Shape)
}

// Channels tells that a step has other channels than the benchmark's.
func (s Step) Channels(want int) error {
	if len(s.Shape) == 0 || s.Shape[0] != want {
		return fmt.Errorf("node %s has an output %v, not of %d channels", s.Path, s.Shape, want)
	}
	return nil
}

// Resolution tells that a step divides the resolution by another number than it
// should.
func (s Step) Resolution(stride int) error {
	ok := len(s.From) == 3 && len(s.Shape) == 3
	for i := 1; ok && i < 3; i++ {
		ok = s.Shape[i] == (s.From[i]+stride-1)/stride
	}
	if !ok {
		return fmt.Errorf("node %s makes %v of %v, which is no stride of %d", s.Path, s.Shape, s.From, stride)
	}
	return nil
}
