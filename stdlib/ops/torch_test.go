package ops_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// asTorch says what an op is in PyTorch, an expression of testdata/torch_ops.py.
type asTorch struct {
	op         string
	attrs      ops.Attrs
	in         []int
	expression string
}

var torchCases = []asTorch{
	{"conv", attrs("out", 6), []int{2, 4, 9, 8}, "conv(x, w['conv.weight'])"},
	{"conv", attrs("out", 16, "kernel", 1), []int{2, 16, 8, 8}, "conv(x, w['conv.weight'])"},
	{"conv", attrs("out", 16, "kernel", 3), []int{3, 16, 8, 8}, "conv(x, w['conv.weight'])"},
	{"conv", attrs("out", 8, "kernel", 5, "stride", 2), []int{2, 3, 11, 9}, "conv(x, w['conv.weight'], stride=2)"},
	{"conv", attrs("out", 4, "kernel", 7), []int{2, 3, 9, 9}, "conv(x, w['conv.weight'])"},
	{"conv", with(attrs("out", 6, "kernel", 3, "groups", 2, "dilation", 2), "bias", true), []int{2, 4, 9, 9},
		"conv(x, w['conv.weight'], dilation=2, groups=2, bias=w['conv.bias'])"},
	{"conv", attrs("groups", 8, "kernel", 5, "dilation", 2), []int{2, 8, 12, 10}, "depthwise(x, w['conv.weight'], dilation=2)"},
	{"conv", attrs("groups", 8, "kernel", 3, "stride", 2), []int{2, 8, 7, 7}, "depthwise(x, w['conv.weight'], 2)"},
	{"conv", with(attrs("out", 4, "kernel", 3), "padding", int64(0)), []int{2, 3, 6, 6}, "F.conv2d(x, w['conv.weight'])"},
	{"relu_conv_bn", attrs("out", 8, "kernel", 3, "stride", 2), []int{3, 4, 8, 8}, "conv_bn(F.relu(x), w, 'conv', 2)"},
	{"relu_conv_bn", attrs("kernel", 3, "dilation", 2), []int{3, 4, 8, 8}, "conv_bn(F.relu(x), w, 'conv', dilation=2)"},
	{"conv_bn", attrs("out", 8, "kernel", 3), []int{3, 3, 8, 8}, "conv_bn(x, w, 'conv')"},
	{"conv_bn_relu", attrs("out", 8, "kernel", 1), []int{3, 4, 8, 8}, "F.relu(conv_bn(x, w, 'conv'))"},
	{"sep_conv", attrs("out", 6, "kernel", 5, "stride", 2), []int{3, 4, 8, 8}, "separable(separable(x, w, 'first', 2), w, 'second')"},
	{"dil_conv", attrs("out", 6, "kernel", 3), []int{3, 4, 8, 8}, "separable(x, w, 'conv', dilation=2)"},
	{"dw_conv", attrs("kernel", 3, "stride", 2), []int{3, 4, 8, 8}, "F.relu(bn(depthwise(x, w['conv.weight'], 2), w, 'conv.bn'))"},
	{"skip", attrs("stride", 2), []int{3, 4, 8, 8}, "reduce(x, w)"},
	{"fit", attrs("out", 6, "height", 4, "width", 4), []int{3, 4, 8, 8}, "reduce(x, w)"},
	{"fit", attrs("out", 6), []int{3, 4, 8, 8}, "conv_bn(F.relu(x), w, 'conv')"},
	{"residual", attrs("out", 8, "stride", 2), []int{3, 4, 8, 8},
		"conv(F.avg_pool2d(x, 2), w['shortcut.weight']) + conv_bn(F.relu(conv_bn(F.relu(x), w, 'first', 2)), w, 'second')"},
	{"max_pool", attrs("kernel", 3), []int{2, 5, 7, 8}, "F.max_pool2d(x, 3, 1, 1)"},
	{"max_pool", attrs("kernel", 3, "stride", 2), []int{2, 5, 7, 8}, "F.max_pool2d(x, 3, 2, 1)"},
	{"avg_pool", attrs("kernel", 3), []int{2, 5, 7, 8}, "F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)"},
	{"avg_pool", attrs("kernel", 3, "stride", 2), []int{2, 5, 7, 8}, "F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)"},
	{"padded_avg_pool", attrs("kernel", 3), []int{2, 5, 7, 8}, "F.avg_pool2d(x, 3, 1, 1)"},
	{"padded_avg_pool", attrs("kernel", 3, "stride", 2), []int{2, 5, 7, 8}, "F.avg_pool2d(x, 3, 2, 1)"},
	{"adaptive_pool", attrs("height", 3, "width", 2), []int{2, 5, 7, 8}, "F.adaptive_avg_pool2d(x, (3, 2))"},
	{"global_pool", attrs(), []int{2, 5, 7, 8}, "x.mean((2, 3))"},
	{"batch_norm", attrs(), []int{2, 5, 7, 8}, "bn(x, w, 'bn')"},
	{"plain_batch_norm", attrs(), []int{2, 5, 7, 8}, "F.batch_norm(x, None, None, training=True)"},
	{"relu", attrs(), []int{2, 5, 7, 8}, "F.relu(x)"},
	{"sigmoid", attrs(), []int{2, 5, 7, 8}, "torch.sigmoid(x)"},
	{"swish", attrs(), []int{2, 5, 7, 8}, "F.silu(x)"},
	{"h_swish", attrs(), []int{2, 5, 7, 8}, "F.hardswish(x)"},
	{"gelu", attrs(), []int{2, 5, 7, 8}, "F.gelu(x)"},
	{"squeeze_excite", attrs("squeeze", 2), []int{2, 6, 4, 5}, "squeeze_excite(x, w, hard_sigmoid)"},
	{"squeeze_excite", with(attrs("squeeze", 3), "gate", "sigmoid"), []int{2, 6, 4, 5}, "squeeze_excite(x, w, torch.sigmoid)"},
	{"channel_shuffle", attrs("groups", 3), []int{2, 6, 4, 5}, "shuffle(x, 3)"},
	{"channel_slice", attrs("first", 1, "out", 3), []int{2, 6, 4, 5}, "x[:, 1:4]"},
	{"linear", attrs("out", 3), []int{4, 7}, "F.linear(x, w['weight'], w['bias'])"},
	{"layer_norm", attrs(), []int{2, 8, 5, 1}, "F.layer_norm(x.permute(0, 2, 3, 1), [8], w['ln.scale'], w['ln.shift']).permute(0, 3, 1, 2)"},
}

// flat is a tensor for testdata/torch_ops.py, W fastest.
type flat struct {
	Shape []int     `json:"shape"`
	Data  []float64 `json:"data"`
}

type torchJob struct {
	Inputs     []flat          `json:"inputs"`
	Params     map[string]flat `json:"params"`
	R          flat            `json:"r"`
	Expression string          `json:"expression"`
}

type torchAnswer struct {
	Result []float64            `json:"result"`
	Inputs [][]float64          `json:"inputs"`
	Params map[string][]float64 `json:"params"`
}

// wide is a vector in float64.
func wide[T kernel.Float](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// numbersOf reads a node's value with W fastest.
func numbersOf[T kernel.Float](n *gorgonia.Node, x []T) flat {
	y := wide(x)
	if n.Dims() == 4 && !strings.HasSuffix(n.Name(), ".weight") {
		y = turned(y, n.Shape(), false)
	}
	return flat{n.Shape(), y}
}

// evaluate runs an op forward and backward and returns it as a job and as the answer.
func evaluate[T kernel.Float](t *testing.T, dt tensor.Dtype, c asTorch) (torchJob, torchAnswer) {
	t.Helper()
	b := newBench(t, dt, 2)
	x := b.leaf("x", c.in...)
	out := must[*gorgonia.Node](t)(b.Build("site", c.op, c.attrs, x))
	r := b.leaf("r", out.Shape()...)
	loss := must[*gorgonia.Node](t)(b.Dot(out, r))
	wrt, grads, err := b.Gradients(loss, append(gorgonia.Nodes{x}, b.params...))
	if err != nil {
		t.Fatal(err)
	}
	p := must[*plan.Plan[T]](t)(plan.New(b.Workers, plan.Options[T]{}, append(gorgonia.Nodes{out}, grads...)...))
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	job := torchJob{R: numbersOf(r, p.Value(r)), Params: map[string]flat{}, Expression: c.expression}
	answer := torchAnswer{Result: numbersOf(out, p.Value(out)).Data, Params: map[string][]float64{}}
	for i, n := range wrt {
		value, grad := numbersOf(n, p.Value(n)), numbersOf(n, p.Value(grads[i])).Data
		if n == x {
			job.Inputs, answer.Inputs = append(job.Inputs, value), append(answer.Inputs, grad)
			continue
		}
		name := strings.TrimPrefix(n.Name(), "site/")
		job.Params[name], answer.Params[name] = value, grad
	}
	return job, answer
}

// TestTorch compares every op, its value and all its gradients, with what the op is
// in PyTorch: in float64, where only the definition can make a difference, and in
// float32, which runs through the fast loops.
func TestTorch(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import torch").CombinedOutput(); err != nil {
		t.Skipf("no PyTorch for %s: %v %s", python, err, out)
	}
	var jobs []torchJob
	var double, single []torchAnswer
	for _, c := range torchCases {
		job, answer := evaluate[float64](t, gorgonia.Float64, c)
		jobs, double = append(jobs, job), append(double, answer)
		job, answer = evaluate[float32](t, gorgonia.Float32, c)
		jobs, single = append(jobs, job), append(single, answer)
	}
	in, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	cmd := exec.Command(python, "testdata/torch_ops.py")
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaint.String())
	}
	var want []torchAnswer
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, c := range torchCases {
		t.Run(fmt.Sprint(c.op, c.attrs), func(t *testing.T) {
			near(t, "float64", double[i], want[2*i], 1e-10)
			near(t, "float32", single[i], want[2*i+1], 1e-5)
		})
	}
}

// near compares two answers; limit is for differences relative to the largest number
// of a tensor.
func near(t *testing.T, what string, got, want torchAnswer, limit float64) {
	t.Helper()
	check := func(name string, got, want []float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Errorf("%s: %s has %d numbers, in PyTorch %d", what, name, len(got), len(want))
			return
		}
		size := 1.0
		for _, v := range want {
			size = max(size, math.Abs(v))
		}
		for i := range want {
			if d := math.Abs(got[i] - want[i]); !(d <= limit*size) {
				t.Errorf("%s: %s[%d] is %v, in PyTorch %v", what, name, i, got[i], want[i])
				return
			}
		}
	}
	check("the result", got.Result, want.Result)
	for i := range want.Inputs {
		check(fmt.Sprint("the gradient of input ", i), got.Inputs[i], want.Inputs[i])
	}
	if len(got.Params) != len(want.Params) {
		t.Errorf("%s: %d parameters have gradients, in PyTorch %d", what, len(got.Params), len(want.Params))
	}
	var names []string
	for name := range want.Params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		check("the gradient of "+name, got.Params[name], want.Params[name])
	}
}
