package supernet

import (
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// weights makes the parameters of a supernet. Each starts from a stream of its own
// name, so that it has the same values whatever else the network holds. A name that
// comes again is the same parameter again.
type weights[T kernel.Float] struct {
	graph    *gorgonia.ExprGraph
	dtype    tensor.Dtype
	seed     uint64
	room     func(numbers int64) error // asked before numbers are made
	byName   map[string]*gorgonia.Node
	learned  gorgonia.Nodes
	running  map[string]*ops.Running
	averages []*ops.Running // in the order of their making
	count    int64
}

// Learn adds a trainable parameter.
func (w *weights[T]) Learn(name string, init ops.Init, shape ...int) (*gorgonia.Node, error) {
	if n := w.byName[name]; n != nil {
		return n, nil
	}
	size := int64(tensor.Shape(shape).TotalSize())
	if err := w.room(w.count + size); err != nil {
		return nil, err
	}
	w.count += size
	v := tensor.New(tensor.Of(w.dtype), tensor.WithShape(shape...))
	data := v.Data().([]T)
	r := stream.New(w.seed, "weights/"+name, 0)
	for i := range data {
		data[i] = T(init.Value)
		if init.Std > 0 {
			data[i] += T(init.Std * r.NormFloat64())
		}
	}
	n := gorgonia.NewTensor(w.graph, w.dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(v))
	w.byName[name] = n
	w.learned = append(w.learned, n)
	return n, nil
}

// Running adds the statistics of a batch norm.
func (w *weights[T]) Running(name string, channels int) *ops.Running {
	if r := w.running[name]; r != nil {
		return r
	}
	r := ops.NewRunning(channels)
	w.running[name] = r
	w.averages = append(w.averages, r)
	return r
}
