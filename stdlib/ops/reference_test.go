package ops_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// The ops here are computed a second time from the formulas of their papers, one
// number after the other.

// lab is an op built in float64 whose inputs and parameters can be set.
type lab struct {
	*bench
	t    *testing.T
	in   gorgonia.Nodes
	out  *gorgonia.Node
	plan *plan.Plan[float64]
}

func newLab(t *testing.T, op string, a ops.Attrs, in ...[]int) *lab {
	t.Helper()
	b := newBench(t, gorgonia.Float64, 1)
	l := &lab{bench: b, t: t}
	l.in, l.out = b.build(t, op, trial{a, in, 0})
	l.plan = must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, l.out))
	return l
}

// The numbers of maps are written here as PyTorch has them, W fastest; the engine
// has the channels last.

// turned reorders maps: from channels last to W fastest, or back.
func turned(x []float64, shape tensor.Shape, back bool) []float64 {
	y := slices.Clone(x)
	if len(shape) != 4 {
		return y
	}
	c, area := shape[1], shape[2]*shape[3]
	for i := range x {
		last := i/(c*area)*c*area + i%area*c + i/area%c // where number i lies, channels last
		if back {
			y[last] = x[i]
		} else {
			y[i] = x[last]
		}
	}
	return y
}

// set writes an input.
func (l *lab) set(i int, v ...float64) *lab {
	l.t.Helper()
	x := l.in[i].Value().Data().([]float64)
	if len(v) != len(x) {
		l.t.Fatalf("%d numbers for an input of %d", len(v), len(x))
	}
	copy(x, turned(v, l.in[i].Shape(), true))
	return l
}

// run computes the output.
func (l *lab) run() []float64 {
	l.t.Helper()
	if err := l.plan.Run(context.Background()); err != nil {
		l.t.Fatal(err)
	}
	return turned(l.plan.Value(l.out), l.out.Shape(), false)
}

// x are the numbers of an input, w those of the parameter whose name ends so.
func (l *lab) x(i int) []float64 {
	return turned(l.in[i].Value().Data().([]float64), l.in[i].Shape(), false)
}

func (l *lab) w(name string) []float64 {
	l.t.Helper()
	for _, p := range l.params {
		if strings.HasSuffix(p.Name(), "/"+name) {
			return p.Value().Data().([]float64)
		}
	}
	l.t.Fatalf("no parameter %s", name)
	return nil
}

func same(t *testing.T, got []float64, want ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d numbers, want %d", len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= 1e-9*max(1, math.Abs(want[i]))) {
			t.Fatalf("[%d] = %v, want %v", i, got[i], want[i])
		}
	}
}

func numbers(from, to int) []float64 {
	var x []float64
	for i := from; i < to; i++ {
		x = append(x, float64(i))
	}
	return x
}

func TestActivationsAtKnownPlaces(t *testing.T) {
	for op, want := range map[string][]float64{ // at -4, -1, 0, 1, 2, 4
		"sigmoid": {0.01798620996209156, 0.2689414213699951, 0.5, 0.7310585786300049, 0.8807970779778823, 0.9820137900379085},
		"swish":   {-0.07194483984836623, -0.2689414213699951, 0, 0.7310585786300049, 1.7615941559557646, 3.928055160151634},
		"h_swish": {0, -1.0 / 3, 0, 2.0 / 3, 5.0 / 3, 4},
		"gelu":    {-0.00012668496733247, -0.15865525393145707, 0, 0.8413447460685429, 1.9544997361036416, 3.9998733150326675},
	} {
		same(t, newLab(t, op, attrs(), []int{1, 1, 2, 3}).set(0, -4, -1, 0, 1, 2, 4).run(), want...)
	}
}

func TestPaddingOfMeans(t *testing.T) {
	in := []int{1, 1, 2, 2}
	same(t, newLab(t, "avg_pool", attrs("kernel", 3), in).set(0, 1, 2, 3, 4).run(), 2.5, 2.5, 2.5, 2.5)
	same(t, newLab(t, "padded_avg_pool", attrs("kernel", 3), in).set(0, 1, 2, 3, 4).run(), 10.0/9, 10.0/9, 10.0/9, 10.0/9)
	// Five pixels in three windows: 0 and 1, 1 to 3, 3 and 4.
	l := newLab(t, "adaptive_pool", attrs("height", 1, "width", 3), []int{1, 1, 1, 5})
	same(t, l.set(0, 1, 2, 4, 8, 16).run(), 1.5, 14.0/3, 12)
}

func TestChannels(t *testing.T) {
	in := []int{1, 6, 1, 1}
	same(t, newLab(t, "channel_shuffle", attrs("groups", 2), in).set(0, numbers(0, 6)...).run(), 0, 3, 1, 4, 2, 5)
	same(t, newLab(t, "channel_shuffle", attrs("groups", 3), in).set(0, numbers(0, 6)...).run(), 0, 2, 4, 1, 3, 5)
	same(t, newLab(t, "channel_slice", attrs("first", 2, "out", 3), in).set(0, numbers(0, 6)...).run(), 2, 3, 4)
	same(t, newLab(t, "group", attrs("parts", 3, "part", 2), in).set(0, numbers(0, 6)...).run(), 4, 5)
	// A unit of ShuffleNet V2 hands every other channel on.
	l := newLab(t, "shuffle", attrs("kernel", 3), []int{1, 6, 2, 2}).set(0, numbers(0, 24)...)
	same(t, l.run()[:12], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19)
	// NAS-Bench-101: vertices are joined in their order, the projection is added.
	l = newLab(t, "nasbench101.merge", attrs("out", 3), []int{1, 2, 1, 1}, []int{1, 3, 1, 1}, []int{1, 1, 1, 1})
	same(t, l.set(0, 1, 2).set(1, 10, 20, 30).set(2, 3).run(), 11, 22, 33)
	l = newLab(t, "add", attrs("out", 2), []int{1, 2, 1, 1}, []int{1, 3, 1, 1})
	same(t, l.set(0, 1, 2).set(1, 10, 20, 30).run(), 11, 22)
}

// TestUnfold compares a convolution to its two halves, as einspace writes it.
func TestUnfold(t *testing.T) {
	conv := newLab(t, "conv", with(attrs("out", 5, "kernel", 3), "bias", true), []int{2, 3, 4, 6})
	unfold := newLab(t, "unfold", attrs("kernel", 3), []int{2, 3, 4, 6})
	mapping := newLab(t, "linear_map", attrs("out", 5), []int{2, 27, 4, 6})
	copy(mapping.w("map.weight"), conv.w("conv.weight"))
	copy(mapping.w("map.bias"), conv.w("conv.bias"))
	same(t, mapping.set(0, unfold.set(0, conv.x(0)...).run()...).run(), conv.run()...)
}

func TestTranspose(t *testing.T) {
	l := newLab(t, "transpose", attrs(), []int{1, 2, 1, 3}).set(0, numbers(0, 6)...)
	same(t, l.run(), 0, 3, 1, 4, 2, 5)
	back := newLab(t, "untranspose", attrs("height", 1, "width", 3), []int{1, 3, 2, 1})
	same(t, back.set(0, l.run()...).run(), numbers(0, 6)...)
}

// TestSequenceConvolution follows a convolution over time: 3 frames of padding
// before, since the kernel of 8 has 7 steps.
func TestSequenceConvolution(t *testing.T) {
	l := newLab(t, "conv_relu", attrs("kernel", 8, "stride", 2, "out", 2), []int{1, 3, 9, 1})
	x, w, bias := l.x(0), l.w("conv.weight"), l.w("conv.bias")
	var want []float64
	for k := range 2 {
		for o := range 5 {
			s := bias[k]
			for c := range 3 {
				for i := range 8 {
					if at := 2*o + i - 3; at >= 0 && at < 9 {
						s += w[(k*3+c)*8+i] * x[c*9+at]
					}
				}
			}
			want = append(want, min(max(s, 0), 20))
		}
	}
	same(t, l.run(), want...)
}

func TestNormsByHand(t *testing.T) {
	l := newLab(t, "layer_norm", attrs(), []int{1, 2, 2, 1}).set(0, 1, 10, 3, 10)
	copy(l.w("ln.scale"), []float64{2, 3})
	copy(l.w("ln.shift"), []float64{0.5, -1})
	d := 1 / math.Sqrt(1+1e-5) // the first token is 1 and 3, the second 10 and 10
	same(t, l.run(), -2*d+0.5, 0.5, 3*d-1, -1)
	s := newLab(t, "softmax", attrs(), []int{1, 2, 1, 2}).set(0, 0, 5, math.Log(3), 5)
	same(t, s.run(), 0.25, 0.5, 0.75, 0.5)
}

func TestSqueezeExcite(t *testing.T) {
	l := newLab(t, "squeeze_excite", attrs("squeeze", 2), []int{1, 3, 1, 2})
	x, w1, b1, w2, b2 := l.x(0), l.w("squeeze.weight"), l.w("squeeze.bias"), l.w("excite.weight"), l.w("excite.bias")
	var hidden [2]float64
	for j := range hidden {
		hidden[j] = b1[j]
		for c := range 3 {
			hidden[j] += w1[j*3+c] * (x[2*c] + x[2*c+1]) / 2
		}
		hidden[j] = max(hidden[j], 0)
	}
	var want []float64
	for c := range 3 {
		s := b2[c] + w2[2*c]*hidden[0] + w2[2*c+1]*hidden[1]
		gate := min(max(s+3, 0), 6) / 6
		want = append(want, x[2*c]*gate, x[2*c+1]*gate)
	}
	same(t, l.run(), want...)
}

// TestLSTM follows the equations of a layer with gates in the order input, forget,
// candidate, output.
func TestLSTM(t *testing.T) {
	const b, c, u, n = 2, 3, 2, 4
	l := newLab(t, "lstm", attrs("units", u), []int{b, c, n, 1})
	x, wx, bias, wh := l.x(0), l.w("input.weight"), l.w("input.bias"), l.w("recurrent.weight")
	sigmoid := func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }
	want := make([]float64, b*u*n)
	for i := range b {
		var h, cell [u]float64
		for step := range n {
			var gates [4 * u]float64
			for r := range gates {
				gates[r] = bias[r]
				for f := range c {
					gates[r] += wx[r*c+f] * x[(i*c+f)*n+step]
				}
				for j := range u {
					gates[r] += wh[r*u+j] * h[j]
				}
			}
			for j := range u {
				cell[j] = sigmoid(gates[u+j])*cell[j] + sigmoid(gates[j])*math.Tanh(gates[2*u+j])
				h[j] = sigmoid(gates[3*u+j]) * math.Tanh(cell[j])
				want[(i*u+j)*n+step] = h[j]
			}
		}
	}
	same(t, l.run(), want...)
}

// TestAttention follows AutoFormer's attention with relative positions on a plane
// of 3x3 tokens, clipped at a distance of 1.
func TestAttention(t *testing.T) {
	const c, heads, width, n, side, reach = 4, 2, 3, 10, 3, 1
	l := newLab(t, "attention", attrs("heads", heads, "width", width, "reach", reach), []int{1, c, n, 1})
	linear := func(x []float64, in int, name string, out int) []float64 {
		w, bias, y := l.w(name+".weight"), l.w(name+".bias"), make([]float64, out*n)
		for k := range out {
			for p := range n {
				y[k*n+p] = bias[k]
				for f := range in {
					y[k*n+p] += w[k*in+f] * x[f*n+p]
				}
			}
		}
		return y
	}
	clip := func(d int) int { return min(max(d, -reach), reach) + reach + 1 }
	// The vector that table has for tokens i and j, feature f.
	relative := func(table string, i, j, f int) float64 {
		row, column := 0, 0
		if i > 0 && j > 0 {
			row, column = clip((j-1)/side-(i-1)/side), clip((j-1)%side-(i-1)%side)
		}
		return l.w(table + ".rows")[row*width+f] + l.w(table + ".columns")[column*width+f]
	}
	q, k, v := linear(l.x(0), c, "query", heads*width), linear(l.x(0), c, "key", heads*width), linear(l.x(0), c, "value", heads*width)
	y := make([]float64, heads*width*n)
	for h := range heads {
		at := func(x []float64, f, p int) float64 { return x[(h*width+f)*n+p] }
		for i := range n {
			var scores, total [n]float64
			sum := 0.0
			for j := range n {
				for f := range width {
					scores[j] += at(q, f, i) * (at(k, f, j) + relative("key", i, j, f))
				}
				total[j] = math.Exp(scores[j] / math.Sqrt(width))
				sum += total[j]
			}
			for f := range width {
				for j := range n {
					y[(h*width+f)*n+i] += total[j] / sum * (at(v, f, j) + relative("value", i, j, f))
				}
			}
		}
	}
	same(t, l.run(), linear(y, heads*width, "out", c)...)
}

func TestClassToken(t *testing.T) {
	l := newLab(t, "patch_embed", attrs("dim", 1, "size", 2), []int{1, 1, 2, 4}).set(0, numbers(0, 8)...)
	copy(l.w("embed.weight"), []float64{1, 10, 100, 1000})
	copy(l.w("embed.bias"), []float64{0.5})
	copy(l.w("class"), []float64{7})
	copy(l.w("position"), []float64{0, 0, 2})
	same(t, l.run(), 7, 0+10+400+5000+0.5, 2+30+600+7000+0.5+2)
	first := newLab(t, "class_token", attrs(), []int{1, 2, 3, 1}).set(0, numbers(0, 6)...)
	same(t, first.run(), 0, 3)
}

func TestLabelSmoothing(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x, labels := b.leaf("x", 1, 3, 2, 1), b.leaf("labels", 2)
	copy(labels.Value().Data().([]float64), []float64{0, 2})
	loss := must[*gorgonia.Node](t)(b.CrossEntropy(x, labels, 0.1))
	compare(t, b, loss, gorgonia.Nodes{x})
	copy(x.Value().Data().([]float64), turned([]float64{2, 0, 0, 0, 0, 0}, x.Shape(), true)) // first position: 2, 0, 0
	p := must[*plan.Plan[float64]](t)(plan.New(b.Workers, plan.Options[float64]{}, loss))
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	first := math.Log(math.Exp(2)+2) - 0.9*2 - 0.1/3*2
	same(t, p.Value(loss), (first+math.Log(3))/2)
}

// TestDrop follows what is dropped over steps, in training and in evaluation.
func TestDrop(t *testing.T) {
	ones := slices.Repeat([]float64{1}, 1000*4*5)
	in := []int{1000, 4, 5, 1}
	l := newLab(t, "dropout", with(attrs(), "rate", 0.2), in).set(0, ones...)
	l.Step = 1
	first := slices.Clone(l.run())
	dropped := 0
	for _, v := range first {
		switch v {
		case 0:
			dropped++
		case 1.25:
		default:
			t.Fatalf("a one becomes %v", v)
		}
	}
	if share := float64(dropped) / float64(len(ones)); math.Abs(share-0.2) > 0.01 {
		t.Errorf("%v of the numbers are dropped, want 0.2", share)
	}
	same(t, l.run(), first...)
	l.Step = 2
	if slices.Equal(l.run(), first) {
		t.Error("two steps drop the same")
	}
	l.Training = false
	same(t, l.run(), ones...)

	path := newLab(t, "drop_path", with(attrs(), "rate", 0.5), in).set(0, ones...)
	kept := 0
	y := path.run()
	for i := 0; i < len(y); i += 20 {
		if same := slices.Repeat([]float64{y[i]}, 20); !slices.Equal(y[i:i+20], same) || y[i] != 0 && y[i] != 2 {
			t.Fatalf("example %d becomes %v", i/20, y[i:i+20])
		}
		if y[i] > 0 {
			kept++
		}
	}
	if kept < 450 || kept > 550 {
		t.Errorf("%d of 1000 examples are kept, want half", kept)
	}
	grows := newLab(t, "drop_path", with(with(attrs(), "rate", 0.5), "grows", true), in).set(0, ones...)
	same(t, grows.run(), ones...)
	grows.Progress = 0.5
	if top := slices.Max(grows.run()); top != 1/0.75 {
		t.Errorf("half-way through the training a one becomes %v, want 4/3", top)
	}
}

func TestNoise(t *testing.T) {
	y := newLab(t, "noise", attrs("stride", 2), []int{10, 4, 41, 41}).run()
	var sum, squares float64
	for _, v := range y {
		sum += v
		squares += v * v
	}
	n := float64(len(y))
	if mean, variance := sum/n, squares/n; n != 10*4*21*21 || math.Abs(mean) > 0.03 || math.Abs(variance-1) > 0.05 {
		t.Errorf("%v numbers of mean %v and variance %v", n, mean, variance)
	}
}

// TestNorms follows the statistics of batch norm in evaluation.
func TestNorms(t *testing.T) {
	l := newLab(t, "plain_batch_norm", attrs(), []int{1, 1, 1, 2})
	s := l.running["site/bn"]
	l.Training, l.Norm = false, ops.BatchNorm
	d := 1 / math.Sqrt(1+1e-5)
	same(t, l.set(0, 1, 3).run(), -d, d)
	same(t, append(slices.Clone(s.Mean), s.Var...), 0, 1) // as they were
	l.Norm = ops.RecalibrateNorm
	s.Mean[0], s.Var[0] = 7, 7
	s.Reset()
	l.set(0, 1, 3).run() // mean 2, unbiased variance 2
	l.set(0, 0, 8).run() // 4, 32
	same(t, append(slices.Clone(s.Mean), s.Var...), 3, 17)
	l.Norm = ops.UsualNorm
	same(t, l.set(0, 3, 4).run(), 0, 1/math.Sqrt(17+1e-5))
}

func TestNewBuildErrors(t *testing.T) {
	b := newBench(t, gorgonia.Float64, 1)
	x, y, v := b.leaf("x", 2, 4, 6, 5), b.leaf("y", 2, 4, 2, 2), b.leaf("v", 2, 3)
	text := func(name, value string) ops.Attrs { return ops.Attrs{name: value} }
	for _, c := range []struct {
		op   string
		a    ops.Attrs
		in   []*gorgonia.Node
		want string
	}{
		{"conv", attrs("groups", 3), gorgonia.Nodes{x}, "4 channels to 4 cannot be divided into 3 groups"},
		{"conv", attrs("kernel", 5, "padding", 0), gorgonia.Nodes{y}, "no window of 5 pixels fits into a map of 2x2"},
		{"conv", attrs("padding", -1), gorgonia.Nodes{x}, "attribute padding is -1, not zero or a positive integer"},
		{"conv", text("bias", "yes"), gorgonia.Nodes{x}, "attribute bias is yes, not true or false"},
		{"conv_bn_act", text("act", "selu"), gorgonia.Nodes{x}, `unknown activation "selu"`},
		{"conv_bn_act", attrs("act", 1), gorgonia.Nodes{x}, "attribute act is 1, not a text"},
		{"conv_relu", attrs(), gorgonia.Nodes{x}, "a map of 6x5 is no sequence"},
		{"lstm", attrs("units", 2), gorgonia.Nodes{x}, "a map of 6x5 is no sequence"},
		{"lstm", attrs(), gorgonia.Nodes{x}, "attribute units is missing"},
		{"mbconv", text("expand", "six"), gorgonia.Nodes{x}, "attribute expand is six, not a number"},
		{"mbconv", ops.Attrs{"expand": -1.0}, gorgonia.Nodes{x}, "attribute expand is -1, less than zero"},
		{"dropout", ops.Attrs{"rate": 1.0}, gorgonia.Nodes{v}, "attribute rate is 1, not less than 1"},
		{"channel_slice", attrs("first", 2, "out", 3), gorgonia.Nodes{x}, "no 3 channels from 2 on among 4"},
		{"channel_shuffle", attrs("groups", 3), gorgonia.Nodes{x}, "4 channels cannot be divided into 3 groups"},
		{"group", attrs("parts", 2, "part", 2), gorgonia.Nodes{x}, "no part 2 of 4 channels in 2 parts"},
		{"add", attrs("out", 5), gorgonia.Nodes{x}, "a map of 4 channels has no first 5"},
		{"attend", attrs(), gorgonia.Nodes{x, x, y}, "maps of shapes (4, 6, 5) and (4, 2, 2)"},
		{"attention", attrs("reach", 2), gorgonia.Nodes{x}, "30 tokens are not one and those of a square"},
		{"patch_embed", attrs("dim", 2, "size", 4), gorgonia.Nodes{x}, "an image of 6x5 cannot be cut into squares of 4"},
		{"untranspose", attrs("height", 2, "width", 2), gorgonia.Nodes{x}, "a map of shape (4, 6, 5) is not the transpose of one of 2x2 pixels"},
		{"shuffle", attrs("out", 5), gorgonia.Nodes{x}, "with stride 1 a unit of 4 channels cannot have 5"},
		{"shuffle", attrs("out", 4, "stride", 2), gorgonia.Nodes{x}, "a unit with stride 2 of 4 channels cannot have 4"},
		{"auxiliary_head", attrs("out", 3), gorgonia.Nodes{x}, "takes squares of at least 6 pixels, not maps of 6x5"},
		{"shortcut", attrs("stride", 3), gorgonia.Nodes{x}, "stride 3: only 1 and 2 are defined"},
	} {
		_, err := b.Build("at", c.op, c.a, c.in...)
		if want := "at: " + c.op + ": " + c.want; err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", c.op, err, want)
		}
	}
	b.Seeds = nil
	if _, err := b.Build("at", "dropout", attrs(), x); err == nil || err.Error() != "at: dropout: this network has no random numbers" {
		t.Errorf("without seeds: %v", err)
	}
}
