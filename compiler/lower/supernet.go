package lower

import (
	"errors"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
)

// Supernet is a space relaxed: one network that holds all of its architectures at
// once. Where the space decides among operations, all of them are there and their
// results are added up, each times a mixture weight; where it decides which edges
// there are, all of them are there, each with a weight (Liu, Simonyan and Yang,
// "DARTS", ICLR 2019). An architecture is the supernet whose weights are ones and
// zeros.
//
// The weights are vectors, one per [Decision]. A decision may have many sites: the
// copies of a cell share its decisions, and nothing else.
type Supernet struct {
	Name      string
	Decisions []*Decision
	Net       *Net

	plan       *Plan // nil: it was received
	relaxation Relaxation
}

// Received is a supernet that came without the plan of its space, as an evaluator in
// another process gets it. It can be built and trained, but neither relaxed in another
// way nor asked for a genotype.
func Received(name string, decisions []*Decision, net *Net, r Relaxation) *Supernet {
	r.Channels = max(r.Channels, 1)
	return &Supernet{Name: name, Decisions: decisions, Net: net, relaxation: r}
}

// errReceived is the answer to what needs the plan.
var errReceived = errors.New("the supernet came without its space")

// Relaxation says how a space is relaxed.
type Relaxation struct {
	// Channels is the K of partial channels (Xu et al., "PC-DARTS", ICLR 2020): the
	// first 1/K of the channels of a mixed operation go through its candidates, the
	// others past them, through max pooling where the operation has a stride. Then
	// the channels are shuffled in K groups. 0 and 1 are all channels.
	Channels int
	// EdgeWeights gives weights also to the terms of each sum of mixed operations
	// that the space does not choose among, as PC-DARTS does.
	EdgeWeights bool
}

// Decision is one relaxed decision: a vector of mixture weights.
type Decision struct {
	Address string
	// Edges: the options are edges, of which an architecture has Min to Max.
	// Otherwise they are the candidates of a mixed operation, and it has one.
	Edges    bool
	Min, Max int
	Options  []Option
	Sites    int // mixtures in the supernet that it weighs

	// On is what it relaxes, a decision of the plan; nil for weights that
	// Relaxation.EdgeWeights adds, and in a supernet that was [Received].
	On *space.Decision
}

// Option is what one mixture weight is for.
type Option struct {
	Label string // as `.nas` text
	// Alternative is its number in the space, or -1 for an absent edge that the
	// supernet weighs and no architecture has, since `k of` keeps none.
	Alternative int
	// Absent: it stands for no edge, so that it adds nothing whatever its weight.
	Absent bool
	// Under are the decisions among candidates that the weight of this edge
	// multiplies, by their places in the supernet, in order.
	Under []int
}

// Net is the inside of a supernet or of one of its cells: a [graph.Graph] with
// mixtures. Uses of a cell for equal shapes share one Net.
type Net struct {
	Name, Kind string
	Inputs     []graph.Input
	Nodes      []*MixedNode // a node reads only inputs and earlier nodes
	Output     graph.Ref
}

// MixedNode is one node of a Net: a mixture if it has Terms, a cell if Net is set,
// else an operation. Names are unique within a Net.
type MixedNode struct {
	graph.Node // Inputs and Body are of operations and cells; an operation whose Shape is nil has none declared
	Net        *Net
	Terms      []Term
}

// Mixed is the Op of mixtures.
const Mixed = "mixture"

// Term is one term of a mixture: a tensor times the product of the weights.
type Term struct {
	Value   graph.Ref
	Weights []Weight
}

// Weight is one number of a mixture: that of an option of a decision, by their
// places in the supernet.
type Weight struct{ Decision, Option int }

// Shape is the shape of the tensor that r names.
func (n *Net) Shape(r graph.Ref) graph.Shape {
	if i, ok := r.IsInput(); ok {
		return n.Inputs[i].Shape
	}
	return n.Nodes[r].Shape
}

// Walk calls visit for every node of a net, of a cell once for each use, with the
// path of the names of the cells around it.
func (n *Net) Walk(visit func(path string, node *MixedNode)) { n.walk("", visit) }

func (n *Net) walk(path string, visit func(string, *MixedNode)) {
	for _, node := range n.Nodes {
		visit(path, node)
		if node.Net != nil {
			node.Net.walk(path+node.Name+"/", visit)
		}
	}
}

// Relax relaxes the same space in another way; as it is, it is the same supernet.
func (s *Supernet) Relax(o Relaxation) (*Supernet, error) {
	o.Channels = max(o.Channels, 1)
	if o == s.Relaxation() {
		return s, nil
	}
	if s.plan == nil {
		return nil, errReceived
	}
	out, diags := s.plan.Relax(o)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// Relaxation is how the space was relaxed.
func (s *Supernet) Relaxation() Relaxation {
	return Relaxation{max(s.relaxation.Channels, 1), s.relaxation.EdgeWeights}
}

// Plan is the plan of the space that was relaxed; nil if the supernet was [Received].
func (s *Supernet) Plan() *Plan { return s.plan }
