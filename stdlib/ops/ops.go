// Package ops implements the standard operations for training with Gorgonia.
//
// Every op has one file, which registers a builder under the op's name, or that of
// its module and its own where two modules have an op of that name ([Key]). The
// builder turns input nodes and attributes into an output node of a Gorgonia
// graph; the learnable parameters it needs come from the [Params] of the
// [Network], so that every instance of an op has its own. To add an op, declare
// its signature in stdlib/*.nas and write such a file: the builder composes the
// primitives of this package (convolution, batchNorm, relu ...), or defines a
// new one with [Network.apply] over loops from the kernel package.
//
// Maps have the shape (B,C,H,W), but lie in memory with the channels last, as the
// kernel package says; parameters lie as their shapes say.
//
// Gorgonia keeps the graph and differentiates it. The primitives are Gorgonia
// operators with exact symbolic gradients, and work in float32 and in float64,
// in which the tests compare every gradient with finite differences. They run on
// Gorgonia's own machines, and without allocation under ops/plan.
package ops

import (
	"fmt"
	"sort"
	"strings"

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

// Network is what all ops of one network share.
type Network struct {
	Graph   *gorgonia.ExprGraph
	Dtype   tensor.Dtype // gorgonia.Float32 or gorgonia.Float64
	Workers *kernel.Workers
	Params  Params

	// Training makes batch norm use the statistics of the batch, and dropout
	// drop. It is read whenever the graph runs, and so are Norm, Step and Progress.
	Training bool
	Norm     Norm

	// Plain leaves out the scale and the shift of the batch norms that are built from
	// now on. Whoever searches weighs what they scale: both would say the same twice.
	Plain bool

	// Seeds derives the seed of a stream of random numbers from its name and a
	// counter, which is Step. Only ops that draw need it.
	Seeds func(name string, counter uint64) uint64
	Step  uint64 // of the training, from its start

	// Progress is the share of the training that is done, from 0 to 1, by which
	// rates grow that are said to grow.
	Progress float64

	ids       uint32
	rectified map[*gorgonia.Node]*gorgonia.Node

	differentiated *Primitive // the one whose gradients are being made
	parts          int        // made for it so far
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
	dims   int // of every input, with the batch; anyDims: any
	build  Builder
}

var table = map[string]entry{}

const (
	anyNumber = -1
	maps      = 4 // (B,C,H,W)
	vectors   = 2 // (B,F)
	anyDims   = 0
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

// Key is the name under which Build knows an op that a module such as "std/vision"
// declares: the op's own, but for a few that share their name with one of another
// module, as "nasbench101.merge" does.
func Key(module, name string) string {
	if key := module[strings.LastIndex(module, "/")+1:] + "." + name; Known(key) {
		return key
	}
	return name
}

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
		if e.dims != anyDims && x.Dims() != e.dims {
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

// Whole is an integer attribute of at least zero, or its default.
func (s *Site) Whole(name string, value int) (int, error) {
	if v, ok := s.Attrs[name]; ok {
		n, ok := v.(int64)
		if !ok || n < 0 {
			return 0, fmt.Errorf("attribute %s is %v, not zero or a positive integer", name, v)
		}
		value = int(n)
	}
	return value, nil
}

// Real is a number of at least zero, or its default.
func (s *Site) Real(name string, value float64) (float64, error) {
	switch v := s.Attrs[name].(type) {
	case nil:
	case int64:
		value = float64(v)
	case float64:
		value = v
	default:
		return 0, fmt.Errorf("attribute %s is %v, not a number", name, v)
	}
	if !(value >= 0) {
		return 0, fmt.Errorf("attribute %s is %v, less than zero", name, value)
	}
	return value, nil
}

// Flag is true or false, or its default.
func (s *Site) Flag(name string, value bool) (bool, error) {
	if v, ok := s.Attrs[name]; ok {
		if value, ok = v.(bool); !ok {
			return false, fmt.Errorf("attribute %s is %v, not true or false", name, v)
		}
	}
	return value, nil
}

// Text is an attribute of letters, or its default.
func (s *Site) Text(name, value string) (string, error) {
	if v, ok := s.Attrs[name]; ok {
		if value, ok = v.(string); !ok {
			return "", fmt.Errorf("attribute %s is %v, not a text", name, v)
		}
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
