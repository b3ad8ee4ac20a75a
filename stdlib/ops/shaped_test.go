package ops_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/plan"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// trial is an op to try: attributes, shapes of the inputs, and the number of
// trainable numbers that its PyTorch or TensorFlow original has.
type trial struct {
	attrs  ops.Attrs
	in     [][]int
	params int
}

// with adds an attribute that is no integer.
func with(a ops.Attrs, name string, value any) ops.Attrs {
	b := ops.Attrs{name: value}
	for k, v := range a {
		b[k] = v
	}
	return b
}

func one(shape ...int) [][]int { return [][]int{shape} }

// mapSizes are the maps that an op is tried on, of c channels.
func mapSizes(a ops.Attrs, c, params int) []trial {
	var all []trial
	for _, s := range [][2]int{{4, 4}, {5, 3}, {1, 1}, {8, 17}} {
		all = append(all, trial{a, one(2, c, s[0], s[1]), params})
	}
	return all
}

func join(lists ...[]trial) []trial { return slices.Concat(lists...) }

// shaped is what ops are tried with whose inputs are of special shapes.
var shaped = map[string][]trial{
	"noise":   nil,
	"none":    nil,
	"sigmoid": mapSizes(attrs(), 4, 0),
	"swish":   mapSizes(attrs(), 4, 0),
	"h_swish": mapSizes(attrs(), 4, 0),
	"gelu":    mapSizes(attrs(), 4, 0),
	"softmax": mapSizes(attrs(), 4, 0),

	"conv": join(
		mapSizes(attrs("out", 6, "kernel", 3, "stride", 2), 4, 6*4*9),
		mapSizes(attrs("kernel", 5, "dilation", 2), 4, 4*4*25),
		mapSizes(attrs("out", 6, "kernel", 1, "groups", 2), 4, 12),
		mapSizes(attrs("kernel", 7, "groups", 4, "stride", 2), 4, 4*49),
		mapSizes(with(attrs("kernel", 3, "padding", 3, "dilation", 2), "bias", true), 4, 4*4*9+4),
		[]trial{{attrs("out", 6, "kernel", 2, "padding", 0, "stride", 3), one(2, 4, 7, 9), 6 * 4 * 4}}),
	"shortcut": join(
		mapSizes(attrs(), 4, 0), mapSizes(attrs("out", 6), 4, 6*6), mapSizes(attrs("stride", 2), 4, 4*6),
		mapSizes(attrs("out", 7, "stride", 2), 4, 7*6)),
	"dw_conv":    join(mapSizes(attrs("kernel", 3), 4, 4*11), mapSizes(attrs("kernel", 5, "stride", 2), 4, 4*27)),
	"dw_pw_conv": join(mapSizes(attrs("out", 6), 4, 36+6*6), mapSizes(attrs("kernel", 5, "stride", 2), 4, 4*25+4*6)),
	"basic": join(mapSizes(attrs(), 4, 4*(9*4+9*4+4)), mapSizes(attrs("out", 6), 4, 6*(9*4+9*6+4)+6*6),
		mapSizes(attrs("stride", 2), 4, 4*(9*4+9*4+4)+4*6)),
	"squeeze_excite":   join(mapSizes(attrs(), 8, 2*8*2+8+2), mapSizes(with(attrs("squeeze", 3), "gate", "sigmoid"), 4, 24+7)),
	"plain_batch_norm": mapSizes(attrs(), 4, 0),
	"padded_avg_pool":  join(mapSizes(attrs("kernel", 3), 4, 0), mapSizes(attrs("kernel", 2, "stride", 2), 4, 0)),
	"adaptive_pool":    join(mapSizes(attrs("height", 2), 3, 0), mapSizes(attrs("height", 3, "width", 5), 3, 0)),
	"auxiliary_head": {
		{attrs("out", 3), one(5, 4, 8, 8), 128*6 + 768*514 + 3*769},
		{attrs("out", 2), one(5, 1, 7, 7), 128*3 + 768*514 + 2*769},
	},
	"dropout": append(mapSizes(with(attrs(), "rate", 0.3), 4, 0), trial{attrs(), one(3, 5), 0}),
	"drop_path": join(mapSizes(with(attrs(), "rate", 0.5), 4, 0),
		[]trial{{with(attrs(), "rate", 0.5), one(9, 2, 1, 3), 0}}),
	"channel_slice":   mapSizes(attrs("first", 1, "out", 2), 4, 0),
	"channel_shuffle": join(mapSizes(attrs("groups", 2), 4, 0), mapSizes(attrs("groups", 3), 12, 0)),
	"merge":           {{attrs(), [][]int{{2, 4, 3, 5}, {2, 4, 3, 5}}, 4 * (8 + 2)}, {attrs(), one(3, 4, 2, 2), 4 * 6}},

	"conv_bn_act": join(mapSizes(with(attrs("out", 6), "act", "h_swish"), 4, 6*(36+2)),
		mapSizes(with(attrs("kernel", 1, "stride", 2), "act", "none"), 4, 4*6)),
	"mbconv": join(
		mapSizes(attrs("expand", 3), 4, 12*6+12*11+4*14),
		mapSizes(attrs("expand", 1, "kernel", 5, "stride", 2, "out", 6), 4, 4*27+6*6),
		mapSizes(with(with(with(attrs("kernel", 3), "se", true), "expand", 2.5), "act", "h_swish"), 4, 10*6+10*11+4*12+2*10*8+10+8)),
	"grouped_mbconv": join(
		mapSizes(attrs("expand", 3), 4, 12*6+12*11+4*14),
		mapSizes(attrs("expand", 2, "groups", 2, "out", 6, "stride", 2), 4, 8*4+8*11+6*6)),
	"bypass": join(mapSizes(attrs(), 4, 0), mapSizes(attrs("out", 6, "stride", 2), 4, 6*6)),
	"shuffle": join(mapSizes(attrs("kernel", 5), 4, 2*4+2*27+2*4),
		mapSizes(attrs("stride", 2, "out", 10), 4, 5*6+5*11+6*7+4*11+4*6)),
	"shuffle_xception": join(mapSizes(attrs(), 4, 2*11+2*4+2*11+2*4+2*11+2*4),
		mapSizes(attrs("stride", 2, "out", 10), 4, 4*11+5*6+5*11+5*7+5*11+6*7+4*11+4*6)),
	"linear_act": {
		{with(with(attrs("out", 3), "bias", false), "act", "h_swish"), one(3, 5), 15},
		{attrs("out", 3), one(3, 5), 18},
	},

	"project": mapSizes(attrs("out", 6), 4, 6*6),
	"add":     {{attrs("out", 3), [][]int{{2, 4, 3, 5}, {2, 3, 3, 5}, {2, 6, 3, 5}}, 0}},
	"nasbench101.merge": {
		{attrs("out", 7), [][]int{{2, 4, 3, 5}, {2, 7, 3, 5}, {2, 3, 3, 5}}, 0},
		{attrs("out", 4), [][]int{{2, 4, 3, 5}, {2, 4, 3, 5}}, 0},
	},

	"conv_relu": {
		{attrs(), one(2, 4, 9, 1), 4 * (4*5 + 1)},
		{attrs("kernel", 8, "stride", 2, "out", 6), one(2, 4, 11, 1), 6 * (4*8 + 1)},
		{attrs("kernel", 7, "dilation", 2, "groups", 2), one(2, 4, 17, 1), 4 * (2*7 + 1)},
		{attrs("kernel", 5, "groups", 4), one(2, 4, 1, 1), 4 * 6},
	},
	"frame_linear": {{attrs("out", 6), one(2, 4, 9, 1), 6 * 5}, {with(attrs(), "clipped", false), one(2, 4, 5, 1), 20}},
	"frame_norm":   {{attrs(), one(2, 4, 9, 1), 8}},
	"layer_norm":   {{attrs(), one(2, 4, 9, 1), 8}, {attrs(), one(1, 7, 17, 1), 14}},
	"lstm": {
		{attrs("units", 3), one(2, 4, 5, 1), 12 * (4 + 3 + 1)},
		{attrs("units", 17), one(1, 2, 2, 1), 68 * (2 + 17 + 1)},
		{attrs("units", 2), one(3, 3, 1, 1), 8 * (3 + 2 + 1)},
	},

	"patch_embed": {{attrs("dim", 5, "size", 4), one(2, 3, 8, 12), 5*(3*16+1) + 5 + 5*7}},
	"attention": {
		{attrs("heads", 2, "width", 3), one(2, 4, 5, 1), 3*6*5 + 4*7},
		{attrs("heads", 2, "width", 3, "reach", 1), one(2, 4, 10, 1), 3*6*5 + 4*7 + 4*4*3},
		{attrs("heads", 1, "width", 8, "reach", 14), one(1, 4, 17, 1), 3*8*5 + 4*9 + 4*30*8},
	},
	"feed_forward": {{with(attrs(), "ratio", 3.5), one(2, 3, 7, 1), 10*4 + 3*11}},
	"class_token":  {{attrs(), one(3, 4, 5, 1), 0}},

	"linear_map": join(mapSizes(attrs(), 4, 20), mapSizes(attrs("out", 7), 4, 35)),
	"unfold":     join(mapSizes(attrs("kernel", 3), 3, 0), mapSizes(attrs("kernel", 2), 3, 0)),
	"position":   {{attrs(), one(2, 4, 3, 5), 60}},
	"transpose":  mapSizes(attrs(), 4, 0),
	"untranspose": {
		{attrs("height", 3, "width", 5), one(2, 15, 4, 1), 0},
	},
	"group":  mapSizes(attrs("parts", 2, "part", 1), 4, 0),
	"attend": {{attrs(), [][]int{{2, 4, 3, 2}, {2, 4, 3, 2}, {2, 4, 3, 2}}, 0}, {attrs(), [][]int{{1, 2, 5, 5}, {1, 2, 5, 5}, {1, 2, 5, 5}}, 0}},
}

func init() {
	// What has no gradient needs no case.
	cases["noise"], cases["none"] = []ops.Attrs{}, []ops.Attrs{}
}

// TestSinglePrecision compares every op in float32, with its fast loops, to the
// same in float64: the result, and the gradients of inputs and parameters. Bits do
// not depend on the number of threads.
func TestSinglePrecision(t *testing.T) {
	for _, op := range ops.Names() {
		trials := shaped[op]
		for _, a := range cases[op] {
			trials = append(trials, trial{a, inputs(op, 5, 3), 0}, trial{a, inputs(op, 8, 17), 0})
		}
		for _, c := range trials {
			t.Run(fmt.Sprintf("%s/%v/%v", op, c.attrs, c.in), func(t *testing.T) {
				if x := c.in[0]; len(x) == 4 && x[2]*x[3] == 1 && normalizes(t, op, c) {
					t.Skip("the variance of two numbers loses its digits")
				}
				want := results[float64](t, gorgonia.Float64, 1, op, c)
				got := results[float32](t, gorgonia.Float32, 1, op, c)
				threads := results[float32](t, gorgonia.Float32, 3, op, c)
				if !slices.EqualFunc(got, threads, slices.Equal[[]float32]) {
					t.Error("three threads give other bits than one")
				}
				for i := range want {
					var size float64 = 1
					for _, v := range want[i] {
						size = max(size, math.Abs(v))
					}
					for j, v := range want[i] {
						if d := math.Abs(float64(got[i][j]) - v); !(d <= 1e-4*size) {
							t.Fatalf("value %d of result %d is %v, in float64 %v", j, i, got[i][j], v)
						}
					}
				}
			})
		}
	}
}

// normalizes reports whether an op has batch norm inside.
func normalizes(t *testing.T, op string, c trial) bool {
	b := newBench(t, gorgonia.Float32, 1)
	b.build(t, op, c)
	return len(b.running) > 0
}

// results are the output of an op and all gradients.
func results[T float32 | float64](t *testing.T, dt tensor.Dtype, threads int, op string, c trial) [][]T {
	b := newBench(t, dt, threads)
	in, out := b.build(t, op, c)
	loss := must[*gorgonia.Node](t)(b.Dot(out, b.leaf("r", out.Shape()...)))
	_, grads, err := b.Gradients(loss, append(slices.Clone(in), b.params...))
	if err != nil {
		t.Fatal(err)
	}
	wanted := append(gorgonia.Nodes{out}, grads...)
	p := must[*plan.Plan[T]](t)(plan.New(b.Workers, plan.Options[T]{}, wanted...))
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	var all [][]T
	for _, n := range wanted {
		all = append(all, slices.Clone(p.Value(n)))
	}
	return all
}
