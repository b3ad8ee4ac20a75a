package ops

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Primitive is a Gorgonia operator made of loops over slices. Its result depends
// on its inputs alone but for the statistics of batch norm.
type Primitive struct {
	name    string
	id      uint32 // unique in its network: Gorgonia merges operators of equal hash
	dims    []int  // of the inputs
	shape   tensor.Shape
	loops   loops
	inPlace int // the input that the result may overwrite, or -1
	fixed   bool
	linear  int // the input with which the result is zero, or -1
	what    any
	network *Network
	of      uint32 // the primitive whose gradients it is made for
	part    int    // how many were made for it before
	wrt     []bool
	diff    func(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error)
	failure func() error
}

// loops is one computation for both element types: out from in.
type loops struct {
	f32 func(in [][]float32, out []float32)
	f64 func(in [][]float64, out []float64)
}

// spec describes a primitive to apply. Without diff the result has no gradient.
type spec struct {
	name    string
	shape   tensor.Shape
	loops   loops
	inPlace int    // 1 + the input that the result may overwrite
	wrt     []bool // the inputs with gradients; nil: all, if there is a diff
	fixed   bool   // the result does not depend on the inputs
	linear  int    // 1 + an input in which the result is linear; last: the last one
	what    any    // the description, if there is one
	diff    func(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error)
	failure func() error // why its last run has failed; nil: it cannot fail
}

const last = -1

// apply adds a primitive to the graph.
func (n *Network) apply(s spec, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	n.ids++
	p := &Primitive{name: s.name, id: n.ids, shape: s.shape, loops: s.loops, inPlace: s.inPlace - 1, diff: s.diff, wrt: s.wrt, fixed: s.fixed, what: s.what, linear: s.linear - 1, network: n, failure: s.failure}
	if n.differentiated != nil {
		p.of, p.part = n.differentiated.id, n.parts
		n.parts++
	} else {
		p.of = p.id
	}
	if s.linear == last {
		p.linear = len(in) - 1
	}
	for _, x := range in {
		p.dims = append(p.dims, x.Dims())
	}
	if p.wrt == nil {
		p.wrt = make([]bool, len(in))
		for i := range p.wrt {
			p.wrt[i] = s.diff != nil
		}
	}
	return gorgonia.ApplyOp(p, in...)
}

// Run32 computes out from in.
func (p *Primitive) Run32(in [][]float32, out []float32) { p.loops.f32(in, out) }

// Run64 computes out from in.
func (p *Primitive) Run64(in [][]float64, out []float64) { p.loops.f64(in, out) }

// Err is why the last run has failed, as one can that another process computes.
func (p *Primitive) Err() error {
	if p.failure == nil {
		return nil
	}
	return p.failure()
}

// InPlace is the input whose memory the result may take over, or -1.
func (p *Primitive) InPlace() int { return p.inPlace }

// Linear is an input in which the result is linear, so that it is zero where that
// is, or -1.
func (p *Primitive) Linear() int { return p.linear }

// Place orders the primitives of a network in the same way whatever the order in
// which Gorgonia differentiates: those of a gradient belong to the primitive that it
// is the gradient of.
func (p *Primitive) Place() (of uint32, part int) { return p.of, p.part }

// What is the description of the primitive, or nil.
func (p *Primitive) What() any { return p.what }

// Fixed reports whether the result is the same for all inputs, which then need
// not be computed; Run gets none.
func (p *Primitive) Fixed() bool { return p.fixed }

// Arity is the number of inputs.
func (p *Primitive) Arity() int { return len(p.dims) }

// Type maps tensors of the inputs' dimensions to one of the result's.
func (p *Primitive) Type() hm.Type {
	a := hm.TypeVariable('a')
	var ts []hm.Type
	for _, d := range append(append([]int{}, p.dims...), p.shape.Dims()) {
		ts = append(ts, gorgonia.TensorType{Dims: d, Of: a})
	}
	return hm.NewFnType(ts...)
}

// InferShape is the shape of the result, known from the start.
func (p *Primitive) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return p.shape.Clone(), nil
}

// Do computes into new memory.
func (p *Primitive) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("%s without inputs", p.name)
	}
	return p.UsePreallocDo(tensor.New(tensor.Of(in[0].Dtype()), tensor.WithShape(p.shape...)), in...)
}

// UsePreallocDo computes into given memory.
func (p *Primitive) UsePreallocDo(out gorgonia.Value, in ...gorgonia.Value) (gorgonia.Value, error) {
	switch o := out.Data().(type) {
	case []float32:
		xs, err := slicesOf[float32](in)
		if err != nil {
			return nil, err
		}
		p.loops.f32(xs, o)
	case []float64:
		xs, err := slicesOf[float64](in)
		if err != nil {
			return nil, err
		}
		p.loops.f64(xs, o)
	default:
		return nil, fmt.Errorf("%s cannot compute %T", p.name, o)
	}
	return out, p.Err()
}

func slicesOf[T kernel.Float](in []gorgonia.Value) ([][]T, error) {
	xs := make([][]T, len(in))
	for i, v := range in {
		x, ok := v.Data().([]T)
		if !ok {
			return nil, fmt.Errorf("input %d is %T", i, v.Data())
		}
		xs[i] = x
	}
	return xs, nil
}

// ReturnsPtr is false: the result is no view of an input.
func (p *Primitive) ReturnsPtr() bool { return false }

// CallsExtern is false: there is no cgo.
func (p *Primitive) CallsExtern() bool { return false }

// OverwritesInput tells Gorgonia's machines to give every result its own memory.
func (p *Primitive) OverwritesInput() int { return -1 }

// WriteHash identifies the instance.
func (p *Primitive) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s#%d", p.name, p.id) }

// Hashcode identifies the instance.
func (p *Primitive) Hashcode() uint32 { return p.id }

// String is the name of the primitive.
func (p *Primitive) String() string { return p.name }

// DiffWRT says which inputs have gradients.
func (p *Primitive) DiffWRT(int) []bool { return p.wrt }

// SymDiff builds the gradients of the inputs from that of the result.
func (p *Primitive) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	if p.diff == nil {
		return nil, fmt.Errorf("%s has no gradient", p.name)
	}
	p.network.differentiated, p.network.parts = p, 1
	defer func() { p.network.differentiated = nil }()
	return p.diff(in, out, grad)
}
