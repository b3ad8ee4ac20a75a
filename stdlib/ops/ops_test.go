package ops_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/stdlib"
	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// bench is a network under test: parameters are random, and kept in order.
type bench struct {
	*ops.Network
	rand    *rand.Rand
	params  gorgonia.Nodes
	count   int
	running map[string]*ops.Running
}

func newBench(t testing.TB, dt tensor.Dtype, threads int) *bench {
	ws := kernel.NewWorkers(threads)
	t.Cleanup(ws.Close)
	b := &bench{rand: rand.New(rand.NewPCG(7, 7)), running: map[string]*ops.Running{}}
	b.Network = &ops.Network{Graph: gorgonia.NewGraph(), Dtype: dt, Workers: ws, Params: b, Training: true,
		Seeds: func(name string, counter uint64) uint64 { return uint64(len(name)) + 1000*counter }}
	return b
}

func (b *bench) leaf(name string, shape ...int) *gorgonia.Node {
	v := tensor.New(tensor.Of(b.Dtype), tensor.WithShape(shape...))
	switch d := v.Data().(type) {
	case []float32:
		for i := range d {
			d[i] = float32(b.rand.NormFloat64())
		}
	case []float64:
		for i := range d {
			d[i] = b.rand.NormFloat64()
		}
	}
	return gorgonia.NewTensor(b.Graph, b.Dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name), gorgonia.WithValue(v))
}

func (b *bench) Learn(name string, _ ops.Init, shape ...int) (*gorgonia.Node, error) {
	p := b.leaf(name, shape...)
	b.params = append(b.params, p)
	b.count += p.Shape().TotalSize()
	return p, nil
}

func (b *bench) Running(name string, channels int) *ops.Running {
	b.running[name] = ops.NewRunning(channels)
	return b.running[name]
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func attrs(kv ...any) ops.Attrs {
	a := ops.Attrs{}
	for i := 0; i < len(kv); i += 2 {
		a[kv[i].(string)] = int64(kv[i+1].(int))
	}
	return a
}

// windows lists the attributes to try for an op of the given attribute names.
func windows(kernels ...int) []ops.Attrs {
	var all []ops.Attrs
	for _, k := range kernels {
		all = append(all, attrs("kernel", k, "stride", 1), attrs("kernel", k, "stride", 2), attrs("kernel", k, "out", 6))
	}
	return all
}

// cases is what every op is tried with; inputs have 4 channels. What has no
// gradient is tested apart.
var cases = map[string][]ops.Attrs{
	"zero":         {},
	"skip":         {attrs("stride", 1), attrs("stride", 2)},
	"relu_conv_bn": append(windows(1, 3, 5), attrs("kernel", 3, "dilation", 2)),
	"conv_bn":      windows(1, 3, 2),
	"conv_bn_relu": windows(3),
	"sep_conv":     windows(3, 5),
	"dil_conv":     windows(3, 5),
	"max_pool":     windows(2, 3),
	"avg_pool":     windows(2, 3),
	"fit":          {attrs("out", 6)}, // and with the halved size below
	"residual":     {attrs(), attrs("out", 8, "stride", 2)},
	"batch_norm":   {attrs()},
	"relu":         {attrs()},
	"global_pool":  {attrs()},
	"linear":       {attrs("out", 3)},
	"sum":          {attrs()},
	"mean":         {attrs()},
	"concat":       {attrs()},
}

// params is what PyTorch's modules of NAS-Bench-201 and DARTS have, for 4 input
// channels.
func params(op string, a ops.Attrs) int {
	get := func(name string, d int) int {
		if v, ok := a[name]; ok {
			return int(v.(int64))
		}
		return d
	}
	const c = 4
	out, k, s := get("out", c), get("kernel", 3), get("stride", 1)
	switch op {
	case "skip":
		if s == 2 {
			return c*c + 2*c
		}
	case "relu_conv_bn", "conv_bn", "conv_bn_relu":
		return out*c*k*k + 2*out
	case "sep_conv":
		return c*k*k + c*c + 2*c + c*k*k + c*out + 2*out
	case "dil_conv":
		return c*k*k + c*out + 2*out
	case "fit":
		return c*out + 2*out
	case "residual":
		n := 9*c*out + 2*out + 9*out*out + 2*out
		if s == 2 {
			n += c * out
		}
		return n
	case "batch_norm":
		return 2 * c
	case "linear":
		return c*out + out
	}
	return 0
}

func TestGradients(t *testing.T) {
	for _, op := range ops.Names() {
		list, ok := cases[op]
		if !ok && len(shaped[op]) == 0 {
			t.Errorf("the op %s has no test case", op)
		}
		for _, a := range list {
			for _, size := range [][2]int{{4, 4}, {5, 3}, {1, 1}, {8, 17}} {
				t.Run(fmt.Sprintf("%s/%v/%v", op, a, size), func(t *testing.T) {
					checkGradients(t, op, trial{a, inputs(op, size[0], size[1]), params(op, a)})
				})
				if op == "fit" {
					half := attrs("out", 6, "height", (size[0]+1)/2, "width", (size[1]+1)/2)
					t.Run(fmt.Sprintf("%s/%v/%v", op, half, size), func(t *testing.T) {
						checkGradients(t, op, trial{half, inputs(op, size[0], size[1]), params(op, half)})
					})
				}
			}
		}
		for _, c := range shaped[op] {
			t.Run(fmt.Sprintf("%s/%v/%v", op, c.attrs, c.in), func(t *testing.T) { checkGradients(t, op, c) })
		}
	}
}

// inputs are the shapes that an op of cases is tried with.
func inputs(op string, h, w int) [][]int {
	x := []int{3, 4, h, w}
	switch op {
	case "linear":
		return [][]int{x[:2]}
	case "sum", "mean", "concat":
		return [][]int{x, x}
	}
	return [][]int{x}
}

// build makes the leaves and the op of a trial.
func (b *bench) build(t *testing.T, op string, c trial) (in gorgonia.Nodes, out *gorgonia.Node) {
	t.Helper()
	for i, shape := range c.in {
		in = append(in, b.leaf(fmt.Sprint("x", i), shape...))
	}
	args := in
	if cases[op] != nil && len(in) == 2 {
		args = append(slices.Clone(in), in[0]) // a set may hold a tensor twice
	}
	return in, must[*gorgonia.Node](t)(b.Build("site", op, c.attrs, args...))
}

func checkGradients(t *testing.T, op string, c trial) {
	b := newBench(t, gorgonia.Float64, 2)
	in, out := b.build(t, op, c)
	if b.count != c.params {
		t.Errorf("%d parameters, want %d", b.count, c.params)
	}
	loss := must[*gorgonia.Node](t)(b.Dot(out, b.leaf("r", out.Shape()...)))
	compare(t, b, loss, append(slices.Clone(in), b.params...))
}

// compare checks the gradients of loss against central differences at up to 20
// places of every leaf.
func compare(t *testing.T, b *bench, loss *gorgonia.Node, leaves gorgonia.Nodes) {
	t.Helper()
	wrt, grads, err := b.Gradients(loss, leaves)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrt) != len(leaves) {
		t.Fatalf("%d of %d leaves have gradients", len(wrt), len(leaves))
	}
	p := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, append(gorgonia.Nodes{loss}, grads...)...))
	forward := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, loss))
	value := func() float64 {
		if err := forward.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return forward.Value(loss)[0]
	}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var want [][]float64
	for _, g := range grads {
		want = append(want, slices.Clone(p.Value(g)))
	}
	const eps = 1e-6
	for i, leaf := range wrt {
		x := p.Value(leaf)
		if len(want[i]) != len(x) {
			t.Fatalf("gradient of %s has %d elements, not %d", leaf.Name(), len(want[i]), len(x))
		}
		for n := range min(20, len(x)) {
			j := n * len(x) / min(20, len(x))
			old := x[j]
			x[j] = old + eps
			up := value()
			x[j] = old - eps
			down := value()
			x[j] = old
			got := (up - down) / (2 * eps)
			if d := math.Abs(got - want[i][j]); d > 1e-5*max(1, math.Abs(got)) {
				t.Errorf("d/d%s[%d] = %v, by differences %v", leaf.Name(), j, want[i][j], got)
			}
		}
	}
}

func TestCrossEntropyGradient(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x, labels := b.leaf("x", 4, 5), b.leaf("labels", 4)
	copy(labels.Value().Data().([]float64), []float64{0, 4, 2, 2})
	loss := must[*gorgonia.Node](t)(b.CrossEntropy(x, labels, 0))
	compare(t, b, loss, gorgonia.Nodes{x})
	copy(x.Value().Data().([]float64), make([]float64, 20))
	p := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, loss))
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := p.Value(loss)[0]; math.Abs(got-math.Log(5)) > 1e-12 {
		t.Errorf("loss of equal logits is %v, want log 5", got)
	}
}

// small builds a net with a shared input, a repeated term, an absent edge and a
// dead branch, and returns its loss.
func small(t *testing.T, b *bench) (logits, loss *gorgonia.Node) {
	build := func(address, op string, a ops.Attrs, in ...*gorgonia.Node) *gorgonia.Node {
		return must[*gorgonia.Node](t)(b.Build(address, op, a, in...))
	}
	x := b.leaf("image", 4, 3, 9, 8)
	labels := b.leaf("labels", 4)
	switch d := labels.Value().Data().(type) {
	case []float32:
		copy(d, []float32{0, 1, 2, 1})
	case []float64:
		copy(d, []float64{0, 1, 2, 1})
	}
	s := build("stem", "conv_bn", attrs("out", 4), x)
	z := build("z", "zero", attrs(), s)
	c1 := build("c1", "relu_conv_bn", attrs("kernel", 3), s)
	c2 := build("c2", "sep_conv", attrs("kernel", 3), s)
	n1 := build("n1", "sum", attrs(), c1, c2, z, s, s)
	d := build("dead", "conv_bn", attrs("kernel", 1), n1)
	_ = build("dz", "zero", attrs(), d)
	n2 := build("n2", "concat", attrs(), build("p", "avg_pool", attrs("kernel", 3), n1), build("q", "max_pool", attrs("kernel", 3), n1), c1)
	r := build("r", "residual", attrs("out", 8, "stride", 2), n2)
	k := build("k", "skip", attrs("stride", 2), r)
	logits = build("fc", "linear", attrs("out", 3), build("gp", "global_pool", attrs(), build("relu", "relu", attrs(), build("bn", "batch_norm", attrs(), k))))
	return logits, must[*gorgonia.Node](t)(b.CrossEntropy(logits, labels, 0))
}

func TestNetGradient(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 2)
	_, loss := small(t, b)
	var live gorgonia.Nodes
	for _, p := range b.params {
		if name := p.Name(); len(name) < 4 || name[:4] != "dead" {
			live = append(live, p)
		}
	}
	compare(t, b, loss, live)
	if wrt, _, err := b.Gradients(loss, b.params); err != nil || len(wrt) != len(live) {
		t.Errorf("%d of %d parameters reach the loss (%v)", len(wrt), len(live), err)
	}
}

// TestPlanAgreesWithGorgonia runs one graph with a plan, on different numbers of
// threads, and on Gorgonia's tape machine: the bits must be the same.
func TestPlanAgreesWithGorgonia(t *testing.T) {
	var want []float32
	for _, threads := range []int{1, 2, 3} {
		b := newBench(t, gorgonia.Float32, threads)
		_, loss := small(t, b)
		wrt, grads, err := b.Gradients(loss, b.params)
		if err != nil {
			t.Fatal(err)
		}
		wanted := append(gorgonia.Nodes{loss}, grads...)
		p := must[*plan.Plan[float32]](t)(plan.New(b.Workers, plan.Options[float32]{}, wanted...))
		for range 2 { // the second run finds used buffers
			if err := p.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		var got []float32
		for _, n := range wanted {
			got = append(got, p.Value(n)...)
		}
		if want == nil {
			want = got
			vm := gorgonia.NewTapeMachine(b.Graph, gorgonia.BindDualValues(wrt...))
			defer vm.Close()
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			var vmValues []float32
			for _, n := range wanted {
				vmValues = append(vmValues, n.Value().Data().([]float32)...)
			}
			for i := range want {
				if d := math.Abs(float64(want[i] - vmValues[i])); d > 1e-6*max(1, math.Abs(float64(want[i]))) {
					t.Fatalf("value %d is %v with the plan, %v with Gorgonia's machine", i, want[i], vmValues[i])
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d threads give other bits than 1", threads)
		}
	}
}

func TestPlanReleasesNothingPerRun(t *testing.T) {
	b := newBench(t, gorgonia.Float32, 1)
	_, loss := small(t, b)
	_, grads, err := b.Gradients(loss, b.params)
	if err != nil {
		t.Fatal(err)
	}
	p := must[*plan.Plan[float32]](t)(plan.New(b.Workers, plan.Options[float32]{}, append(gorgonia.Nodes{loss}, grads...)...))
	ctx := context.Background()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	// One closure per kernel, and no buffer.
	if n := testing.AllocsPerRun(3, func() { _ = p.Run(ctx) }); n > 200 {
		t.Errorf("%v allocations per run", n)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := p.Run(cancelled); err != context.Canceled {
		t.Errorf("a cancelled run returns %v", err)
	}
}

// TestRunningStatistics follows two batches by hand: momentum 0.1, the unbiased
// variance, and evaluation with what was gathered.
func TestRunningStatistics(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x := b.leaf("x", 2, 1, 1, 2)
	y := must[*gorgonia.Node](t)(b.Build("bn", "batch_norm", attrs(), x))
	p := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, y))
	scale, shift := p.Value(b.params[0]), p.Value(b.params[1])
	scale[0], shift[0] = 2, 0.5
	run := func(v ...float64) float64 {
		copy(p.Value(x), v)
		if err := p.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return p.Value(y)[0]
	}
	// Mean 2.5, biased variance 1.25, unbiased 5/3.
	if got, want := run(1, 2, 3, 4), 2*(1-2.5)/math.Sqrt(1.25+1e-5)+0.5; math.Abs(got-want) > 1e-12 {
		t.Errorf("in training %v, want %v", got, want)
	}
	run(0, 0, 0, 8) // mean 2, biased 12, unbiased 16
	s := b.running["bn/bn"]
	mean, variance := 0.9*(0.1*2.5)+0.1*2, 0.9*(0.9+0.1*5/3)+0.1*16
	if math.Abs(s.Mean[0]-mean) > 1e-12 || math.Abs(s.Var[0]-variance) > 1e-12 {
		t.Errorf("running statistics %v %v, want %v %v", s.Mean[0], s.Var[0], mean, variance)
	}
	b.Training = false
	if got, want := run(3, 1, 1, 1), 2*(3-mean)/math.Sqrt(variance+1e-5)+0.5; math.Abs(got-want) > 1e-12 {
		t.Errorf("in evaluation %v, want %v", got, want)
	}
	if s.Mean[0] != mean && math.Abs(s.Mean[0]-mean) > 1e-12 {
		t.Error("evaluation moved the running statistics")
	}
}

func TestZeroAndSum(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x := b.leaf("x", 2, 3, 5, 5)
	z := must[*gorgonia.Node](t)(b.Build("z", "zero", attrs("stride", 2), x))
	if !z.Shape().Eq(tensor.Shape{2, 3, 3, 3}) {
		t.Errorf("zero with stride 2 has shape %v", z.Shape())
	}
	all := must[*gorgonia.Node](t)(b.Build("s", "sum", attrs(), z, z))
	p := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, all))
	if err := p.Run(context.Background()); err != nil || slices.Max(p.Value(all)) != 0 {
		t.Errorf("a sum of absent terms is not zero (%v)", err)
	}
}

func TestBuildErrors(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x, y, v := b.leaf("x", 2, 3, 4, 4), b.leaf("y", 2, 3, 2, 2), b.leaf("v", 2, 3)
	for _, c := range []struct {
		op   string
		a    ops.Attrs
		in   []*gorgonia.Node
		want string
	}{
		{"sepconv", attrs(), gorgonia.Nodes{x}, `at: no implementation of the op "sepconv" for training`},
		{"relu", attrs(), nil, "at: relu takes 1 inputs, not 0"},
		{"relu", attrs(), gorgonia.Nodes{v}, "at: relu takes tensors of 3 dimensions, not of shape (3)"},
		{"sum", attrs(), gorgonia.Nodes{x, y}, "at: sum: terms of shapes (3, 4, 4) and (3, 2, 2)"},
		{"concat", attrs(), gorgonia.Nodes{x, y}, "at: concat: maps of shapes (3, 4, 4) and (3, 2, 2)"},
		{"skip", attrs("stride", 3), gorgonia.Nodes{x}, "at: skip: stride 3: only 1 and 2 are defined"},
		{"conv_bn", attrs("out", 0), gorgonia.Nodes{x}, "at: conv_bn: attribute out is 0, not a positive integer"},
		{"fit", attrs("out", 4, "height", 3, "width", 3), gorgonia.Nodes{x}, "at: fit: cannot fit a map of 4x4 into 3x3"},
		{"residual", attrs("out", 5), gorgonia.Nodes{x}, "at: residual: with stride 1 a block of 3 channels cannot have 5"},
		{"linear", attrs(), gorgonia.Nodes{v}, "at: linear: attribute out is missing"},
	} {
		_, err := b.Build("at", c.op, c.a, c.in...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.op, err, c.want)
		}
	}
}

// TestEveryDeclaredOpIsImplemented reads the op declarations of the standard
// modules: each has a builder, a builder belongs to one declaration, and every
// builder has one.
func TestEveryDeclaredOpIsImplemented(t *testing.T) {
	declared := map[string]string{}
	for _, module := range stdlib.Modules() {
		source, ok := stdlib.Source(module)
		if !ok {
			t.Fatalf("no source of %s", module)
		}
		for _, m := range regexp.MustCompile(`(?m)^op (\w+)`).FindAllSubmatch(source, -1) {
			name := ops.Key(module, string(m[1]))
			switch {
			case !ops.Known(name):
				t.Errorf("%s declares %s, which cannot be trained", module, name)
			case declared[name] != "":
				t.Errorf("%s and %s both declare %s", declared[name], module, name)
			}
			declared[name] = module
		}
	}
	for _, name := range ops.Names() {
		if declared[name] == "" {
			t.Errorf("no module declares %s", name)
		}
	}
}
