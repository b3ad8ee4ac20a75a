package ops

import (
	"errors"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// External is an operation at its place that is computed elsewhere, as by the process of
// a plugin. Its trainable parameters are the network's: it is handed them with each call.
type External interface {
	// Buffers are where it reads and writes. They are asked for before each call, first
	// when the network runs, and stay the same.
	Buffers() (Buffers, error)
	// Forward computes the result from the inputs and the parameters.
	Forward(training bool, seed uint64) error
	// Backward computes the gradients of what was last computed.
	Backward() error
}

// Buffers are the tensors of an external operation. The numbers of a map lie as its shape
// (B,C,H,W) says.
type Buffers struct {
	Inputs, Params, InputGrads, ParamGrads [][]float32
	Output, OutputGrad                     []float32
}

// Parameter is a trainable tensor of an external operation.
type Parameter struct {
	Name  string
	Init  Init
	Shape []int
}

// External adds an operation that is computed elsewhere. It has gradients for all inputs
// and parameters. When it fails, so does the run of the network.
func (n *Network) External(address, name string, x External, params []Parameter, shape tensor.Shape, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(in) == 0 {
		return nil, errors.New("an operation without inputs")
	}
	e := &external{External: x, network: n, stream: address + "/" + name, inputs: len(in), shape: shape}
	all := append(gorgonia.Nodes{}, in...)
	for _, p := range params {
		w, err := n.Params.Learn(address+"/"+p.Name, p.Init, p.Shape...)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return n.apply(spec{name: name, shape: shape, loops: loops{externalForward[float32](e, all), externalForward[float64](e, all)},
		failure: e.failure, diff: e.diff}, all...)
}

// external is one in a network.
type external struct {
	External
	network *Network
	stream  string // of its random numbers
	inputs  int
	shape   tensor.Shape
	err     error // of the last call
}

func (e *external) failure() error { return e.err }

// diff adds the gradients: one primitive has them computed, one for each fetches it. The
// first reads the result as well, so that it comes after it.
func (e *external) diff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	n := e.network
	done, err := n.apply(spec{name: "external/gradients", linear: 1, shape: tensor.Shape{1}, failure: e.failure,
		loops: loops{externalBackward[float32](e), externalBackward[float64](e)}}, grad, out)
	if err != nil {
		return nil, err
	}
	grads := make(gorgonia.Nodes, len(in))
	for i, x := range in {
		if grads[i], err = n.apply(spec{name: "external/d", linear: 1, shape: x.Shape(), failure: e.failure,
			loops: loops{externalGrad[float32](e, i, x.Shape()), externalGrad[float64](e, i, x.Shape())}}, done); err != nil {
			return nil, err
		}
	}
	return grads, nil
}

func externalForward[T kernel.Float](e *external, all gorgonia.Nodes) func([][]T, []T) {
	shapes := make([]tensor.Shape, len(all))
	for i, x := range all {
		shapes[i] = x.Shape()
	}
	return func(in [][]T, y []T) {
		n := e.network
		var b Buffers
		if b, e.err = e.Buffers(); e.err != nil {
			return
		}
		for i, x := range in {
			if i < e.inputs {
				export(n.Workers, shapes[i], x, b.Inputs[i])
			} else {
				convert(x, b.Params[i-e.inputs])
			}
		}
		seed := uint64(0)
		if n.Seeds != nil {
			seed = n.Seeds(e.stream, n.Step)
		}
		if e.err = e.Forward(n.Training, seed); e.err == nil {
			fetch(n.Workers, e.shape, b.Output, y)
		}
	}
}

func externalBackward[T kernel.Float](e *external) func([][]T, []T) {
	return func(in [][]T, done []T) {
		var b Buffers
		if b, e.err = e.Buffers(); e.err != nil {
			return
		}
		export(e.network.Workers, e.shape, in[0], b.OutputGrad)
		e.err = e.Backward()
		done[0] = 1
	}
}

func externalGrad[T kernel.Float](e *external, i int, shape tensor.Shape) func([][]T, []T) {
	return func(_ [][]T, dx []T) {
		var b Buffers
		if b, e.err = e.Buffers(); e.err != nil {
			return
		}
		if i < e.inputs {
			fetch(e.network.Workers, shape, b.InputGrads[i], dx)
		} else {
			convert(b.ParamGrads[i-e.inputs], dx)
		}
	}
}

// export writes a tensor of the network, in which the channels of a map lie last, as its
// shape says.
func export[T kernel.Float](ws *kernel.Workers, shape tensor.Shape, x []T, to []float32) {
	turn(ws, shape, x, to, func(b, channels, pixels int) (int, int, int) { return b, pixels, channels })
}

// fetch is the inverse of export.
func fetch[T kernel.Float](ws *kernel.Workers, shape tensor.Shape, x []float32, to []T) {
	turn(ws, shape, x, to, func(b, channels, pixels int) (int, int, int) { return b, channels, pixels })
}

// turn writes the transposes of the matrices that the examples of a map are.
func turn[A, B kernel.Float](ws *kernel.Workers, shape tensor.Shape, x []A, y []B, matrices func(b, channels, pixels int) (n, height, width int)) {
	if len(shape) != maps {
		convert(x, y)
		return
	}
	n, height, width := matrices(shape[0], shape[1], shape[2]*shape[3])
	if same, ok := any(y).([]A); ok {
		kernel.Transpose(ws, n, height, width, x, same)
		return
	}
	turned := make([]A, len(y))
	kernel.Transpose(ws, n, height, width, x, turned)
	convert(turned, y)
}

func convert[A, B kernel.Float](x []A, y []B) {
	if same, ok := any(y).([]A); ok {
		copy(same, x)
		return
	}
	for i := range y {
		y[i] = B(x[i])
	}
}
