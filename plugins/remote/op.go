package remote

import (
	"errors"
	"fmt"
	"os"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/segment"
)

// Op is an operation at its place.
type Op struct {
	Placed  wire.PlacedOp
	Weights []wire.OpWeight // that it wants

	connection *connection
	id         uint64
	segment    *segment.Segment // nil until it is needed
}

// Tensors are what an operation computes with.
type Tensors struct {
	Inputs, Weights         []segment.Tensor
	Output                  segment.Tensor
	InputGrads, WeightGrads []segment.Tensor
	OutputGrad              segment.Tensor
}

// TensorsOf takes the tensors of an operation with so many operands and weights apart.
func TensorsOf(all []segment.Tensor, inputs, weights int) Tensors {
	take := func(n int) []segment.Tensor {
		out := all[:n:n]
		all = all[n:]
		return out
	}
	var t Tensors
	t.Inputs, t.Weights, t.Output = take(inputs), take(weights), take(1)[0]
	t.InputGrads, t.WeightGrads, t.OutputGrad = take(inputs), take(weights), take(1)[0]
	return t
}

// Tensors are the memory of the operation, which is made when it is first asked for. It
// lasts until the network is closed.
func (o *Op) Tensors() (Tensors, error) {
	if o.segment == nil {
		if err := o.attach(); err != nil {
			return Tensors{}, err
		}
	}
	return TensorsOf(o.segment.Tensors, len(o.Placed.Inputs), len(o.Weights)), nil
}

// attach makes the memory. Its file has no name any more when both sides have it.
func (o *Op) attach() error {
	shapes := o.shapes()
	s, path, err := segment.Create(o.connection.address.Folder, shapes)
	if err != nil {
		return fmt.Errorf("no room for the tensors of %s of the plugin %s, %d MiB: %w", o.Placed.Op, o.connection.address.Source(),
			(segment.Bytes(shapes)+1<<20-1)>>20, err)
	}
	_, err = o.call(&nascv1.OpsWorkRequest{Request: &nascv1.OpsWorkRequest_Attach{Attach: &nascv1.AttachTensors{Id: o.id, File: name(path)}}})
	if err = errors.Join(err, os.Remove(path)); err != nil {
		return errors.Join(err, s.Close())
	}
	o.segment = s
	return nil
}

// Forward computes the result from the operands and the weights.
func (o *Op) Forward(training bool, seed uint64) error {
	return o.compute(&nascv1.OpsWorkRequest{Request: &nascv1.OpsWorkRequest_Forward{Forward: &nascv1.ForwardOp{Id: o.id, Training: training, Seed: seed}}})
}

// Backward computes the gradients of the operands and the weights of the last Forward
// from that of its result.
func (o *Op) Backward() error {
	return o.compute(&nascv1.OpsWorkRequest{Request: &nascv1.OpsWorkRequest_Backward{Backward: &nascv1.BackwardOp{Id: o.id}}})
}

func (o *Op) compute(m *nascv1.OpsWorkRequest) error {
	if _, err := o.Tensors(); err != nil {
		return err
	}
	resp, err := o.call(m)
	if err == nil && resp.GetDone() == nil {
		err = o.wrong("an answer to something else")
	}
	return err
}

func (o *Op) call(m *nascv1.OpsWorkRequest) (*nascv1.OpsWorkResponse, error) {
	return o.connection.ask(o.Placed.Op, m)
}

func (o *Op) wrong(what string) error {
	return fmt.Errorf("the plugin %s gave a wrong answer about %s: %s", o.connection.address.Source(), o.Placed.Op, tidy(what))
}

func (o *Op) bytes() int64 { return segment.Bytes(o.shapes()) }

func (o *Op) free() error {
	if o.segment == nil {
		return nil
	}
	s := o.segment
	o.segment = nil
	return s.Close()
}
