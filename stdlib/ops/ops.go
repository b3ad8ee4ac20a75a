// Package ops implements the standard operations for training with Gorgonia.
//
// Every op has one file, which registers a builder under the op's name. The
// builder turns input nodes and attributes into an output node of a Gorgonia
// graph; the learnable parameters it needs come from the [Params] of the
// [Network], so that every instance of an op has its own. To add an op, declare
// its signature in stdlib/*.nas and write such a file: the builder composes the
// primitives of this package (convolution, batchNorm, relu ...), or defines a
// new one with [Network.apply] over loops from the kernel package.
//
// Gorgonia keeps the graph and differentiates it. The primitives are Gorgonia
// operators with exact symbolic gradients, and work in float32 and in float64,
// in which the tests compare every gradient with finite differences. They run on
// Gorgonia's own machines, and without allocation under ops/plan.
package ops

import (
	"fmt"
	"sort"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Init says how a parameter starts.
type Init struct {
	Std   float64 // standard deviation of a normal distribution around Value
	Value float64
}

// Params makes the trainable parameters and the running statistics of a network.
// Names are unique within the network: "normal[2]/n[1].edge[0]/conv.weight".
type Params interface {
	Learn(name string, init Init, shape ...int) (*gorgonia.Node, error)
	Running(name string, channels int) *Running
}

// Running are the statistics that batch norm gathers in training and uses in
// evaluation (momentum 0.1). They start at mean 0 and variance 1; variances are
// unbiased.
type Running struct {
	Mean, Var []float64
}

// NewRunning returns fresh statistics.
func NewRunning(channels int) *Running {
	r := &Running{Mean: make([]float64, channels), Var: make([]float64, channels)}
	for i := range r.Var {
		r.Var[i] = 1
	}
	return r
}

// Network is what all ops of one network share.
type Network struct {
	Graph   *gorgonia.ExprGraph
	Dtype   tensor.Dtype // gorgonia.Float32 or gorgonia.Float64
	Workers *kernel.Workers
	Params  Params

	// Training makes batch norm use the statistics of the batch. It is read
	// whenever the graph runs.
	Training bool

	ids       uint32
	rectified map[*gorgonia.Node]*gorgonia.Node
}

// Attrs are the bound attributes of an op: int64, float64, bool or string.
type Attrs map[string]any

// Site is one op at one place of a network.
type Site struct {
	*Network
	Address string
	Attrs   Attrs
}

// A Builder adds an op to the network.
type Builder func(s *Site, in []*gorgonia.Node) (*gorgonia.Node, error)

type entry struct {
	inputs int // -1: one or more
	dims   int // of every input, with the batch
	build  Builder
}

var table = map[string]entry{}

const (
	anyNumber = -1
	maps      = 4 // (B,C,H,W)
	vectors   = 2 // (B,F)
)

func register(name string, inputs, dims int, build Builder) {
	table[name] = entry{inputs, dims, build}
}

// Names lists the ops in alphabetical order.
func Names() []string {
	var names []string
	for n := range table {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Known reports whether there is an op of that name.
func Known(name string) bool { _, ok := table[name]; return ok }

// Build adds the op called name to the network. Inputs are (B,C,H,W) maps or
// (B,F) vectors; so is the output. Address names the instance and must be unique.
func (n *Network) Build(address, name string, attrs Attrs, in ...*gorgonia.Node) (out *gorgonia.Node, err error) {
	defer func() {
		if r := recover(); r != nil { // Gorgonia's constructors panic
			out, err = nil, fmt.Errorf("%s: %s: %v", address, name, r)
		}
	}()
	e, ok := table[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("%s: no implementation of the op %q for training", address, name)
	case e.inputs != anyNumber && len(in) != e.inputs, len(in) == 0:
		return nil, fmt.Errorf("%s: %s takes %d inputs, not %d", address, name, max(e.inputs, 1), len(in))
	}
	for _, x := range in {
		if x.Dims() != e.dims {
			return nil, fmt.Errorf("%s: %s takes tensors of %d dimensions, not of shape %v", address, name, e.dims-1, x.Shape()[1:])
		}
	}
	out, err = e.build(&Site{Network: n, Address: address, Attrs: attrs}, in)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", address, name, err)
	}
	return out, nil
}

// Int is an integer attribute of at least one, or its default.
func (s *Site) Int(name string, value int) (int, error) {
	if v, ok := s.Attrs[name]; ok {
		n, ok := v.(int64)
		if !ok || n < 1 {
			return 0, fmt.Errorf("attribute %s is %v, not a positive integer", name, v)
		}
		value = int(n)
	}
	return value, nil
}

// window reads the attributes that windowed ops share, and the output channels.
func (s *Site) window(x *gorgonia.Node) (out, kernel, stride int, err error) {
	if out, err = s.Int("out", x.Shape()[1]); err != nil {
		return
	}
	if kernel, err = s.Int("kernel", 3); err != nil {
		return
	}
	stride, err = s.Int("stride", 1)
	return
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
