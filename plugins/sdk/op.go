package sdk

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/signatures"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/segment"
)

// Tensor is an array of numbers with its shape, those of the last dimension side by side.
// Of a map the dimensions are examples, channels, height and width.
type Tensor = segment.Tensor

// Weight is a trainable tensor of an operation. Its numbers start from a normal
// distribution. Who trains the network keeps them and moves them.
type Weight = wire.OpWeight

// Op computes an operation at one place of a network. Calls come one at a time. An
// operation that is trained is also [Weighted].
//
// It keeps nothing from one step of a training to the next: the process may die and be
// started anew in between. What Forward computes and Backward needs again it may keep.
type Op interface {
	// Forward computes every number of t.Output from t.Inputs and t.Weights.
	Forward(t *Tensors) error
	// Backward is called after Forward, with the same tensors and the gradient of the
	// output, and computes those of the inputs and the weights. They are zero before.
	Backward(t *Tensors) error
}

// Weighted tells the weights of an operation. Together they have as many numbers as
// `params` of its signature says.
type Weighted interface {
	Weights() []Weight
}

// Tensors are what an operation computes with. They are valid during the call.
type Tensors struct {
	Inputs, Weights []Tensor
	Output          Tensor

	// Of Backward only.
	InputGrads, WeightGrads []Tensor
	OutputGrad              Tensor

	Training bool // and not a measurement
	seed     uint64
}

// NewTensors makes tensors with a seed, for tests of an operation's author.
func NewTensors(seed uint64) *Tensors { return &Tensors{Training: true, seed: seed} }

// Rand returns the random stream of a name, the same in Forward and in Backward. It is
// another one in each step.
func (t *Tensors) Rand(name string) *rand.Rand { return stream.New(t.seed, name, 0) }

// Place is where an operation stands in a network.
type Place struct {
	Inputs  [][]int // shapes, examples first
	Output  []int   // as the signature says
	Threads int     // to keep busy; 0: as it likes
	Log     *slog.Logger
}

// OpSpec is an operation that a plugin computes; NewOp makes one.
type OpSpec struct {
	name       string
	attributes []wire.Parameter
	err        error
	start      func(Place, wire.Settings) (Op, error)
}

// NewOp declares how an `op` of the plugin's Signatures is computed. A is a struct with a
// field for each attribute that matters, called as in [Parameters]; what it may be and
// what it usually is says the signature.
func NewOp[A any](name string, start func(Place, A) (Op, error)) OpSpec {
	attributes, err := Parameters[A]()
	return OpSpec{name: name, attributes: attributes, err: err, start: func(p Place, values wire.Settings) (Op, error) {
		var a A
		if err := Fill(&a, values); err != nil {
			return nil, err
		}
		return start(p, a)
	}}
}

// Start makes the operation in this process, for tests of its author.
func (o OpSpec) Start(p Place, attributes map[string]any) (Op, error) {
	var all []graph.Attr
	for name, v := range attributes {
		all = append(all, graph.Attr{Name: name, Value: v})
	}
	return o.place(p, all)
}

// place starts the operation with the attributes of a node.
func (o OpSpec) place(p Place, attributes []graph.Attr) (Op, error) {
	if o.err != nil {
		return nil, o.err
	}
	values := wire.Settings{}
	for _, declared := range o.attributes {
		i := slices.IndexFunc(attributes, func(a graph.Attr) bool { return a.Name == declared.Name })
		if i < 0 {
			return nil, fmt.Errorf("the attribute %s is missing", declared.Name)
		}
		v, ok := declared.Convert(attributes[i].Value)
		if !ok {
			return nil, fmt.Errorf("the attribute %s is %v, which is no %s", declared.Name, attributes[i].Value, declared.Type)
		}
		values[declared.Name] = v
	}
	return o.start(p, values)
}

// StartOp makes the plugin's operation of a name in this process, for tests.
func (p Plugin) StartOp(name string, at Place, attributes map[string]any) (Op, error) {
	for _, o := range p.Ops {
		if o.name == name {
			return o.Start(at, attributes)
		}
	}
	return nil, fmt.Errorf("%s has no operation %q", p.Name, name)
}

// checkOps compares what the plugin computes with what its signatures declare.
func (p Plugin) checkOps() error {
	if p.Signatures == "" && len(p.Ops) == 0 {
		return nil
	}
	declared, err := signatures.Read(p.Name, p.Signatures)
	if err != nil {
		return err
	}
	computed := signatures.Computed(declared)
	var seen []string
	for _, o := range p.Ops {
		i := slices.IndexFunc(declared, func(s signatures.Signature) bool { return s.Computed && s.Name == o.name })
		switch {
		case o.err != nil:
			return fmt.Errorf("operation %q: %w", o.name, o.err)
		case i < 0:
			return fmt.Errorf("operation %q: its signatures declare no `op` of this name", o.name)
		case slices.Contains(seen, o.name):
			return fmt.Errorf("operation %q: it is there twice", o.name)
		}
		seen = append(seen, o.name)
		for _, a := range o.attributes {
			if !slices.ContainsFunc(declared[i].Attributes, func(d signatures.Attribute) bool { return d.Name == a.Name }) {
				return fmt.Errorf("operation %q: its signature has no attribute %s", o.name, a.Name)
			}
		}
	}
	for _, name := range computed {
		if !slices.Contains(seen, name) {
			return fmt.Errorf("operation %q: nothing computes it; an operation made of others is a `block` (computed are: %s)", name, strings.Join(seen, ", "))
		}
	}
	return nil
}
