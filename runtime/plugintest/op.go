package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/plugins/gradient"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/signatures"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
	"github.com/nasc-project/nasc/plugins/wire/segment"
	"github.com/nasc-project/nasc/runtime/host"
)

// examples is how many an operation is tried on at once.
const examples = 3

// operations checks what the plugin offers to spaces.
func (s *suite) operations(ctx context.Context, d wire.Description) {
	if d.Signatures == "" {
		return
	}
	all, err := signatures.Read(d.Name, d.Signatures)
	if !s.check("its signatures can be read", err) {
		return
	}
	for _, one := range all {
		s.of = "op " + one.Name
		if one.Doc == "" {
			err = errors.New("a comment before it, `/// …`, would")
		} else {
			err = nil
		}
		s.check("something explains it", err)
		s.operation(ctx, d, one)
	}
}

// operation checks one on tensors of some shape that it takes.
func (s *suite) operation(ctx context.Context, d wire.Description, one signatures.Signature) {
	if missing := s.lacks(one); missing != "" {
		s.skip("what it computes", "it needs "+missing+"; give it with --set")
		return
	}
	node, inputs, err := s.sample(d, one)
	if !s.check("a space can make use of it", err) || !one.Computed {
		return
	}
	if !direct.Supported {
		s.skip("what it computes", "operations are computed over Unix sockets, which this system does not have")
		return
	}
	p := wire.PlacedOp{Op: one.Name, Attributes: node.Attrs, Output: append([]int{examples}, node.Shape...)}
	for _, in := range inputs {
		p.Inputs = append(p.Inputs, append([]int{examples}, in...))
	}
	var weights int64
	var first []float32
	ok := s.check(fmt.Sprintf("it computes every number of a result of shape %v", node.Shape), s.placed(ctx, d.Name, p, func(op *remote.Op) error {
		for _, w := range op.Weights {
			weights += int64(segment.Size(w.Shape))
		}
		first, err = result(op, 1)
		return err
	}))
	if !ok {
		return
	}
	err = nil
	if weights != node.Params {
		err = fmt.Errorf("its weights have %d numbers, and `params` of its signature says %d", weights, node.Params)
	}
	s.check("it has as many trainable numbers as its signature says", err)
	s.check("equal tensors give equal results, in another process too", s.placed(ctx, d.Name, p, func(op *remote.Op) error {
		if _, err := result(op, 2); err != nil { // whatever it has computed before
			return err
		}
		again, err := result(op, 1)
		if err == nil && !slices.Equal(again, first) {
			err = errors.New("they differ; draw random numbers from the stream that Forward is handed, and keep nothing")
		}
		return err
	}))
	s.check("its gradients are those that differences of its results say", s.placed(ctx, d.Name, p, func(op *remote.Op) error {
		if _, err := result(op, 1); err != nil { // from where weights start
			return err
		}
		t, err := op.Tensors()
		if err != nil {
			return err
		}
		return gradient.Check(gradient.Op{Inputs: data(t.Inputs), Weights: data(t.Weights), InputGrads: data(t.InputGrads), WeightGrads: data(t.WeightGrads),
			Output: t.Output.Data, OutputGrad: t.OutputGrad.Data,
			Forward: func() error { return op.Forward(true, 1) }, Backward: op.Backward})
	}))
	s.check("what makes no sense is refused, and it goes on after that", s.within(ctx, func(ctx context.Context, plugin *host.Plugin) error {
		return senseless(ctx, plugin, p)
	}))
}

// lacks says which attributes have to be given and are not.
func (s *suite) lacks(one signatures.Signature) string {
	var missing []string
	for _, a := range one.Attributes {
		if _, given := s.Settings(wire.Parameter{Name: a.Name, Type: wire.Type(a.Type)}); a.Required && !given {
			missing = append(missing, a.Name)
		}
	}
	return strings.Join(missing, ", ")
}

// sizes are what the dimensions of operands may be: first what tells height from width.
var sizes = [][]int{{4, 6, 5}, {4, 8, 8}, {8, 8, 8}, {16, 16, 16}, {3, 32, 32}, {12, 1, 9}}

// sample is the operation as a space has it, and the shapes of its operands, the first
// that it takes.
func (s *suite) sample(d wire.Description, one signatures.Signature) (*graph.Node, [][]int, error) {
	var why error
	for _, size := range sizes {
		var shapes [][]int
		var params, args []string
		for i, t := range one.Tensors {
			shape := slices.Clone(size)
			if t.Dimensions != nil {
				if len(t.Dimensions) > len(size) {
					return nil, nil, fmt.Errorf("%s has %d dimensions; networks have maps and vectors", t.Name, len(t.Dimensions))
				}
				shape = shape[:len(t.Dimensions)]
				for k, n := range t.Dimensions {
					if n > 0 {
						shape[k] = n
					}
				}
			}
			x := fmt.Sprintf("x%d", i)
			shapes = append(shapes, shape)
			params = append(params, fmt.Sprintf("%s: %v", x, graph.Shape(shape)))
			if t.Set {
				x = "[" + x + ", " + x + "]"
				shapes = append(shapes, shape)
			}
			args = append(args, x)
		}
		for _, a := range one.Attributes {
			if v, given := s.Settings(wire.Parameter{Name: a.Name, Type: wire.Type(a.Type)}); given {
				args = append(args, a.Name+": "+graph.FormatValue(v))
			}
		}
		text := fmt.Sprintf("import plugin %q as tested\nspace s(%s) = tested.%s(%s)\n", d.Name, strings.Join(params, ", "), one.Name, strings.Join(args, ", "))
		g, err := bind(d, text)
		if err != nil {
			why = err
			continue
		}
		return g.Nodes[g.Output], shapes, nil
	}
	return nil, nil, why
}

// bind compiles the only architecture of a space that makes use of the plugin.
func bind(d wire.Description, text string) (*graph.Graph, error) {
	m, diags := compiler.Load("test.nas", func(name string) ([]byte, error) {
		switch name {
		case "test.nas":
			return []byte(text), nil
		case resolve.PluginOps(d.Name):
			return []byte(d.Signatures), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	})
	if err := diags.Err(); err != nil {
		return nil, err
	}
	space, diags := m.Space("", nil)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	for g := range space.All() {
		return space.Bind(g)
	}
	return nil, errors.New("the space has no architecture")
}

// placed has an operation placed by a process of its own.
func (s *suite) placed(ctx context.Context, name string, p wire.PlacedOp, f func(*remote.Op) error) error {
	return s.within(ctx, func(ctx context.Context, plugin *host.Plugin) error {
		c, err := plugin.Computer(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		n := c.Operations().Network()
		defer context.AfterFunc(ctx, n.Abort)()
		op, err := n.Place(name, p)
		if err == nil {
			err = f(op)
		}
		return errors.Join(err, n.Close())
	})
}

// result computes the result of operands that follow from a number. Before, the result
// is no number anywhere, so that what is not computed shows.
func result(op *remote.Op, seed int) ([]float32, error) {
	t, err := op.Tensors()
	if err != nil {
		return nil, err
	}
	for _, x := range t.Inputs {
		for i := range x.Data {
			x.Data[i] = float32(math.Sin(float64(seed*1000 + 7*i)))
		}
	}
	for k, w := range op.Weights {
		for i := range t.Weights[k].Data {
			t.Weights[k].Data[i] = float32(w.Mean + w.Deviation*math.Cos(float64(i)))
		}
	}
	for i := range t.Output.Data {
		t.Output.Data[i] = float32(math.NaN())
	}
	if err := op.Forward(true, uint64(seed)); err != nil {
		return nil, err
	}
	for i, y := range t.Output.Data {
		if v := float64(y); math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("number %d of the result is %v, or was not computed", i, y)
		}
	}
	return slices.Clone(t.Output.Data), nil
}

func data(all []segment.Tensor) [][]float32 {
	var out [][]float32
	for _, t := range all {
		out = append(out, t.Data)
	}
	return out
}

// senseless asks for things that there are not. Each is refused, and the process lives.
func senseless(ctx context.Context, plugin *host.Plugin, p wire.PlacedOp) error {
	c, err := plugin.Computer(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	n := c.Operations().Network()
	defer context.AfterFunc(ctx, n.Abort)()
	name := plugin.Description().Name
	unknown := p
	unknown.Op = "no_such_operation"
	if _, err := n.Place(name, unknown); err == nil {
		return errors.New("an operation that there is not is placed")
	}
	op, err := n.Place(name, p)
	if err != nil {
		return err
	}
	if _, err := op.Tensors(); err != nil {
		return err
	}
	if err := op.Backward(); err == nil {
		return errors.New("there is a gradient of a result that was never computed")
	}
	if _, err := result(op, 1); err != nil {
		return err
	}
	return n.Close()
}
