package train

import (
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/stdlib/ops"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// weights makes the parameters of one network. Each starts from a stream of its
// own name, so that it has the same values whatever else the network holds.
type weights struct {
	graph   *gorgonia.ExprGraph
	seed    uint64
	learned gorgonia.Nodes
	running []*ops.Running
	count   int64
}

// Learn adds a trainable parameter.
func (w *weights) Learn(name string, init ops.Init, shape ...int) (*gorgonia.Node, error) {
	v := tensor.New(tensor.Of(gorgonia.Float32), tensor.WithShape(shape...))
	data := v.Data().([]float32)
	r := stream.New(w.seed, "weights/"+name, 0)
	for i := range data {
		data[i] = float32(init.Value)
		if init.Std > 0 {
			data[i] += float32(init.Std * r.NormFloat64())
		}
	}
	n := gorgonia.NewTensor(w.graph, gorgonia.Float32, len(shape), gorgonia.WithShape(shape...),
		gorgonia.WithName(name), gorgonia.WithValue(v))
	w.learned = append(w.learned, n)
	w.count += int64(len(data))
	return n, nil
}

// Running adds the statistics of a batch norm.
func (w *weights) Running(_ string, channels int) *ops.Running {
	r := ops.NewRunning(channels)
	w.running = append(w.running, r)
	return r
}
