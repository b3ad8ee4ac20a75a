package wire

import (
	"fmt"
	"math"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	pb "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

func fromAddresses(all []OpsAddress) (out []*pb.OpsAddress) {
	for _, a := range all {
		out = append(out, &pb.OpsAddress{Plugin: a.Plugin, Version: a.Version, Socket: a.Socket, Secret: a.Secret, Folder: a.Folder,
			Patience: a.Patience.Milliseconds()})
	}
	return out
}

func toAddresses(all []*pb.OpsAddress) (out []OpsAddress) {
	for _, m := range all {
		out = append(out, OpsAddress{m.GetPlugin(), m.GetVersion(), m.GetSocket(), m.GetSecret(), m.GetFolder(),
			time.Duration(m.GetPatience()) * time.Millisecond})
	}
	return out
}

// PlacedOp is an operation at a place of a network.
type PlacedOp struct {
	Op         string
	Attributes []graph.Attr
	Inputs     [][]int // shapes, examples first
	Output     []int
}

// OpWeight is a trainable tensor of an operation. Its numbers start from a normal
// distribution.
type OpWeight struct {
	Name      string
	Shape     []int
	Mean      float64
	Deviation float64
}

// Limits of what an operation may say of its tensors.
const (
	maxTensors    = 4096
	maxDimensions = 16
)

// FromPlacedOp makes a message of an operation, called by a number.
func FromPlacedOp(id uint64, p PlacedOp) (*pb.PlaceOp, error) {
	m := &pb.PlaceOp{Id: id, Op: p.Op}
	for _, a := range p.Attributes {
		v, err := FromValue(a.Value)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", a.Name, err)
		}
		m.Attributes = append(m.Attributes, &pb.Attribute{Name: a.Name, Value: v, Default: a.Default})
	}
	for _, shape := range p.Inputs {
		in, err := fromTensorShape(shape)
		if err != nil {
			return nil, err
		}
		m.Inputs = append(m.Inputs, in)
	}
	var err error
	m.Output, err = fromTensorShape(p.Output)
	return m, err
}

// ToPlacedOp reads an operation.
func ToPlacedOp(m *pb.PlaceOp) (PlacedOp, error) {
	p := PlacedOp{Op: m.GetOp()}
	if len(m.GetInputs()) > maxTensors {
		return p, fmt.Errorf("%d operands", len(m.GetInputs()))
	}
	for _, a := range m.GetAttributes() {
		v, err := ToValue(a.GetValue())
		if err != nil {
			return p, fmt.Errorf("attribute %s: %w", a.GetName(), err)
		}
		p.Attributes = append(p.Attributes, graph.Attr{Name: a.GetName(), Value: v, Default: a.GetDefault()})
	}
	for _, in := range m.GetInputs() {
		shape, err := toTensorShape(in)
		if err != nil {
			return p, err
		}
		p.Inputs = append(p.Inputs, shape)
	}
	var err error
	p.Output, err = toTensorShape(m.GetOutput())
	return p, err
}

// FromOpWeights makes messages of weights.
func FromOpWeights(all []OpWeight) (out []*pb.OpWeight, err error) {
	for _, w := range all {
		shape, err := fromTensorShape(w.Shape)
		if err != nil {
			return nil, fmt.Errorf("the weight %s: %w", w.Name, err)
		}
		out = append(out, &pb.OpWeight{Name: w.Name, Shape: shape, Mean: w.Mean, Deviation: w.Deviation})
	}
	return out, nil
}

// ToOpWeights reads weights, whose names must differ.
func ToOpWeights(all []*pb.OpWeight) (out []OpWeight, err error) {
	if len(all) > maxTensors {
		return nil, fmt.Errorf("%d weights", len(all))
	}
	seen := map[string]bool{}
	for _, m := range all {
		if m.GetName() == "" || seen[m.GetName()] {
			return nil, fmt.Errorf("the weight %q has no name, or that of another one", m.GetName())
		}
		seen[m.GetName()] = true
		shape, err := toTensorShape(m.GetShape())
		if err != nil {
			return nil, fmt.Errorf("the weight %s: %w", m.GetName(), err)
		}
		if math.IsNaN(m.GetMean()) || math.IsInf(m.GetMean(), 0) || !(m.GetDeviation() >= 0) || math.IsInf(m.GetDeviation(), 0) {
			return nil, fmt.Errorf("the weight %s starts from the mean %v with the deviation %v", m.GetName(), m.GetMean(), m.GetDeviation())
		}
		out = append(out, OpWeight{m.GetName(), shape, m.GetMean(), m.GetDeviation()})
	}
	return out, nil
}

func fromTensorShape(shape []int) (*pb.TensorShape, error) {
	m := &pb.TensorShape{}
	for _, d := range shape {
		if d < 1 || d > math.MaxInt32 {
			return nil, fmt.Errorf("a tensor of shape %v", graph.Shape(shape))
		}
		m.Dimensions = append(m.Dimensions, int32(d))
	}
	return m, nil
}

// toTensorShape reads a shape, whose numbers fit into memory as far as int can tell.
func toTensorShape(m *pb.TensorShape) ([]int, error) {
	if n := len(m.GetDimensions()); n < 1 || n > maxDimensions {
		return nil, fmt.Errorf("a tensor of %d dimensions", n)
	}
	var shape []int
	size := int64(1)
	for _, d := range m.GetDimensions() {
		if d < 1 || size > math.MaxInt32/int64(d) {
			return nil, fmt.Errorf("a tensor of shape %v", m.GetDimensions())
		}
		size *= int64(d)
		shape = append(shape, int(d))
	}
	return shape, nil
}
