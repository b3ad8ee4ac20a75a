package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
	"github.com/nasc-project/nasc/plugins/wire/segment"
)

type opsServer struct {
	nascv1.UnimplementedOpsServer
	*server
}

// Open listens for those who want operations computed.
func (o opsServer) Open(_ context.Context, req *nascv1.OpsOpenRequest) (*nascv1.OpsOpenResponse, error) {
	if len(o.plugin.Ops) == 0 {
		return nil, status.Error(codes.Unimplemented, "this plugin computes no operations")
	}
	if !direct.Supported {
		return nil, status.Error(codes.Unimplemented, "operations are computed over Unix sockets, which this system does not have")
	}
	_, err := o.compute(req.GetSocket(), req.GetSecret(), req.GetFolder(), int(req.GetThreads()))
	return &nascv1.OpsOpenResponse{}, failure(err)
}

// compute listens at a socket, and computes for whoever knows the secret.
func (s *server) compute(socket string, secret []byte, folder string, threads int) (*direct.Listener, error) {
	l, err := direct.ListenAt(socket, secret)
	if err != nil {
		return nil, err
	}
	go l.Serve(direct.Methods{nascv1.Ops_Work_FullMethodName: func(stream grpc.ServerStream) error {
		w := &workshop{server: s, folder: folder, threads: threads, ops: map[uint64]*placed{}}
		defer w.close()
		return w.serve(&grpc.GenericServerStream[nascv1.OpsWorkRequest, nascv1.OpsWorkResponse]{ServerStream: stream})
	}})
	return l, nil
}

// Compute computes the plugin's operations in this process, over a socket in a folder,
// for tests of those who have operations computed. Close ends that.
func (p Plugin) Compute(folder string) (*remote.Operations, io.Closer, error) {
	s, err := newServer(p, Env{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, nil, err
	}
	a := wire.OpsAddress{Plugin: p.Name, Version: p.Version, Socket: filepath.Join(folder, "operations"), Secret: []byte("secret"), Folder: folder}
	l, err := s.compute(a.Socket, a.Secret, folder, 0)
	if err != nil {
		return nil, nil, err
	}
	return remote.At([]wire.OpsAddress{a}), l, nil
}

// workshop is where the operations of one network are computed.
type workshop struct {
	*server
	folder  string
	threads int
	ops     map[uint64]*placed
}

// placed is an operation at its place.
type placed struct {
	Op
	shapes          [][]int // of its tensors
	inputs, weights int
	memory          *segment.Segment // nil until it is attached
	tensors         Tensors
	done            bool // there is something to differentiate
}

// serve answers one request after the other.
func (w *workshop) serve(stream nascv1.Ops_WorkServer) error {
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		resp, err := w.answer(req)
		if err != nil {
			resp = &nascv1.OpsWorkResponse{Response: &nascv1.OpsWorkResponse_Error{Error: wire.FromProblem(problems(err)[0])}}
		}
		if err := stream.Send(resp); err != nil {
			return err
		}
	}
}

var computed = &nascv1.OpsWorkResponse{Response: &nascv1.OpsWorkResponse_Done{Done: &nascv1.ComputedOp{}}}

// answer does what is asked for. A panic in plugin code is an error.
func (w *workshop) answer(req *nascv1.OpsWorkRequest) (resp *nascv1.OpsWorkResponse, err error) {
	defer func() {
		if r := recover(); r != nil {
			w.env.Log.Error("panic in plugin code", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = &Problem{Message: fmt.Sprintf("the plugin's code panicked: %v", r)}
		}
	}()
	switch r := req.GetRequest().(type) {
	case *nascv1.OpsWorkRequest_Place:
		return w.place(r.Place)
	case *nascv1.OpsWorkRequest_Attach:
		return computed, w.attach(r.Attach)
	case *nascv1.OpsWorkRequest_Forward:
		o, err := w.find(r.Forward.GetId(), true)
		if err != nil {
			return nil, err
		}
		t := o.tensors
		t.Training, t.seed = r.Forward.GetTraining(), r.Forward.GetSeed()
		t.InputGrads, t.WeightGrads, t.OutputGrad = nil, nil, Tensor{}
		o.tensors.Training, o.tensors.seed = t.Training, t.seed
		err = o.Forward(&t)
		o.done = err == nil
		return computed, err
	case *nascv1.OpsWorkRequest_Backward:
		o, err := w.find(r.Backward.GetId(), true)
		if err != nil {
			return nil, err
		}
		if !o.done {
			return nil, errors.New("a gradient is asked for before there is a result")
		}
		t := o.tensors
		for _, g := range slices.Concat(t.InputGrads, t.WeightGrads) {
			clear(g.Data)
		}
		return computed, o.Backward(&t)
	}
	return nil, errBadRequest
}

// place starts an operation.
func (w *workshop) place(m *nascv1.PlaceOp) (*nascv1.OpsWorkResponse, error) {
	p, err := wire.ToPlacedOp(m)
	if err != nil {
		return nil, err
	}
	if w.ops[m.GetId()] != nil {
		return nil, fmt.Errorf("there is an operation %d already", m.GetId())
	}
	i := slices.IndexFunc(w.plugin.Ops, func(o OpSpec) bool { return o.name == p.Op })
	if i < 0 {
		return nil, fmt.Errorf("there is no operation %q", p.Op)
	}
	op, err := w.plugin.Ops[i].place(Place{Inputs: p.Inputs, Output: p.Output, Threads: w.threads, Log: w.env.Log}, p.Attributes)
	if err != nil {
		return nil, err
	}
	var all []Weight
	if weighted, ok := op.(Weighted); ok {
		all = weighted.Weights()
	}
	weights, err := wire.FromOpWeights(all)
	if err != nil {
		return nil, err
	}
	made := &placed{Op: op, inputs: len(p.Inputs), weights: len(all)}
	once := slices.Clone(p.Inputs)
	for _, weight := range all {
		once = append(once, weight.Shape)
	}
	once = append(once, p.Output)
	made.shapes = slices.Concat(once, once) // tensors and their gradients
	w.ops[m.GetId()] = made
	return &nascv1.OpsWorkResponse{Response: &nascv1.OpsWorkResponse_Placed{Placed: &nascv1.PlacedOp{Weights: weights}}}, nil
}

// attach maps the tensors of an operation.
func (w *workshop) attach(m *nascv1.AttachTensors) error {
	o, err := w.find(m.GetId(), false)
	if err != nil {
		return err
	}
	if o.memory != nil || filepath.Base(m.GetFile()) != m.GetFile() {
		return fmt.Errorf("the tensors of operation %d are there already, or not in the folder for them", m.GetId())
	}
	s, err := segment.Open(filepath.Join(w.folder, m.GetFile()))
	if err != nil {
		return err
	}
	if !s.Shaped(o.shapes) {
		return errors.Join(fmt.Errorf("the file holds other tensors than those of operation %d", m.GetId()), s.Close())
	}
	o.memory = s
	t := remote.TensorsOf(s.Tensors, o.inputs, o.weights)
	o.tensors = Tensors{Inputs: t.Inputs, Weights: t.Weights, Output: t.Output,
		InputGrads: t.InputGrads, WeightGrads: t.WeightGrads, OutputGrad: t.OutputGrad}
	return nil
}

// find returns an operation, which must have its tensors to compute.
func (w *workshop) find(id uint64, attached bool) (*placed, error) {
	o := w.ops[id]
	if o == nil || attached && o.memory == nil {
		return nil, fmt.Errorf("there is no operation %d, or it has no tensors", id)
	}
	return o, nil
}

// close forgets all operations.
func (w *workshop) close() {
	for _, o := range w.ops {
		err := closeIf(o.Op)
		if o.memory != nil {
			err = errors.Join(err, o.memory.Close())
		}
		if err != nil {
			w.env.Log.Error("an operation was not closed", "error", err)
		}
	}
}
