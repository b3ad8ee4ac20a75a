package supernet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// relaxText relaxes a space that takes images [4, 6, 6] and has two classes.
func relaxText(t *testing.T, body string, o lower.Relaxation) *lower.Supernet {
	t.Helper()
	src := "import { zero, skip, relu_conv_bn, conv_bn, sep_conv, max_pool, avg_pool, global_pool, linear } from \"std/vision\"\n" + body
	_, n := relax(t, "s.nas", func(string) ([]byte, error) { return []byte(src), nil }, "s", o)
	return n
}

// pool is max or mean pooling over windows of k by k around every stride-th pixel, of
// what lies inside; pad is how far a window begins before its pixel.
func pool(x []float64, b, h, w, c, k, stride, pad int, mean bool) []float64 {
	var y []float64
	for i := range b {
		for py := 0; py < h; py += stride {
			for px := 0; px < w; px += stride {
				for ch := range c {
					best, sum, n := math.Inf(-1), 0.0, 0.0
					for dy := range k {
						for dx := range k {
							qy, qx := py+dy-pad, px+dx-pad
							if qy < 0 || qx < 0 || qy >= h || qx >= w {
								continue
							}
							v := x[((i*h+qy)*w+qx)*c+ch]
							best, sum, n = max(best, v), sum+v, n+1
						}
					}
					if mean {
						best = sum / n
					}
					y = append(y, best)
				}
			}
		}
	}
	return y
}

// TestPartialChannels computes a mixed operation on half of the channels by hand, with
// stride 1 and 2: the first half through the candidates, the other past them, through
// max pooling over 2 by 2 where there is a stride; then the first channels of both
// halves, then the second ones.
func TestPartialChannels(t *testing.T) {
	const b, h, c = 2, 6, 4
	for stride := 1; stride <= 2; stride++ {
		s := relaxText(t, fmt.Sprintf("space s(x: [4, 6, 6]) -> [2] = x -> (max_pool(stride: %d) | avg_pool(stride: %d) | zero(stride: %d)) -> global_pool -> linear(out: 2)",
			stride, stride, stride), lower.Relaxation{Channels: 2})
		e := newTest[float64](t, s, Options{Batch: b, Seed: 1}, 1)
		images, labels := batch(s, b, b, 2, 4)
		m := Mixture{{0.3, 0.5, 0.2}}
		if err := e.load(images, labels, m); err != nil {
			t.Fatal(err)
		}
		if err := e.scoring.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		var first, rest []float64
		for p := range b * h * h {
			for ch := range c {
				if v := float64(images[p*c+ch]); ch < 2 {
					first = append(first, v)
				} else {
					rest = append(rest, v)
				}
			}
		}
		highest, mean := pool(first, b, h, h, 2, 3, stride, 1, false), pool(first, b, h, h, 2, 3, stride, 1, true)
		if stride == 2 {
			rest = pool(rest, b, h, h, 2, 2, 2, 0, false)
		}
		area := h / stride * h / stride
		w, bias := e.weights.learned[0].Value().Data().([]float64), e.weights.learned[1].Value().Data().([]float64)
		for i := range b {
			var pooled [c]float64
			for p := range area {
				at := (i*area + p) * 2
				for j := range 2 {
					pooled[2*j] += (0.3*highest[at+j] + 0.5*mean[at+j]) / float64(area)
					pooled[2*j+1] += rest[at+j] / float64(area)
				}
			}
			for k := range 2 {
				want := bias[k]
				for ch, v := range pooled {
					want += v * w[k*c+ch]
				}
				if got := e.scoring.Value(e.logits)[i*2+k]; math.Abs(got-want) > 1e-12 {
					t.Errorf("stride %d: logit %d of image %d is %v, by hand %v", stride, k, i, got, want)
				}
			}
		}
	}
}

// TestSharing: uses of a cell have decisions and weights of their own or not.
func TestSharing(t *testing.T) {
	const cells = 3 // of three shapes, with n = 2 each twice
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{}, append(slices.Clone(small["nasbench201/nasbench201.nas"][:2]), compiler.Argument{Name: "n", Value: int64(2)})...)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	make := func(o Options) *Supernet {
		o.Batch, o.Seed = 4, 1
		n, err := New(s, ws, o)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	tied, untied, shared := make(Options{}), make(Options{Untied: true}), make(Options{Shared: true})
	if d := tied.Decisions(); len(d) != 6 || d[0].Address != "normal.n[0].edge[0]" || d[0].Sites != 2*cells {
		t.Errorf("%d decisions, the first %v", len(d), d[0])
	}
	if d := untied.Decisions(); len(d) != 6*2*cells || d[6].Address != "normal[1]/normal.n[0].edge[0]" || d[6].Sites != 1 {
		t.Errorf("%d decisions, the seventh %v", len(d), d[6])
	}
	count := func(n *Supernet) (all int) {
		for name := range n.engine.weights.byName {
			if strings.HasPrefix(name, "normal") {
				all++
			}
		}
		return all
	}
	if count(tied) != 2*count(shared) || count(untied) != count(tied) || count(shared) == 0 {
		t.Errorf("weights of cells: %d, %d where untied, %d where shared", count(tied), count(untied), count(shared))
	}
	// The gradient of what is tied is the sum of the gradients of its sites.
	images, labels := batch(s, 4, 4, 10, 1)
	m := random(tied.Decisions(), 1)
	loss, grad, err := tied.ArchGradient(context.Background(), images, labels, m)
	if err != nil {
		t.Fatal(err)
	}
	var each Mixture
	for i := range untied.Decisions() {
		each = append(each, m[i%6])
	}
	again, grads, err := untied.ArchGradient(context.Background(), images, labels, each)
	if err != nil || math.Abs(again-loss) > 1e-5*loss {
		t.Fatalf("losses %v and %v (%v)", loss, again, err)
	}
	for i := range grad {
		for k := range grad[i] {
			var sum float64
			for j := i; j < len(grads); j += 6 {
				sum += grads[j][k]
			}
			if math.Abs(sum-grad[i][k]) > 1e-4*max(1, math.Abs(sum)) {
				t.Errorf("the gradients of %s add up to %v, tied %v", tied.Decisions()[i].Address, sum, grad[i][k])
			}
		}
	}
	// Shared weights learn from all uses.
	if _, err := shared.WeightStep(context.Background(), images, labels, m); err != nil {
		t.Fatal(err)
	}
}

// TestPlain: batch norms of cells have no scale and shift, those around them have.
func TestPlain(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{}, small["nasbench201/nasbench201.nas"]...)
	e := newTest[float64](t, s, Options{Batch: 4, Plain: true}, 2)
	for _, p := range e.params {
		if strings.HasPrefix(p.Name(), "normal") && (strings.HasSuffix(p.Name(), ".scale") || strings.HasSuffix(p.Name(), ".shift")) {
			t.Errorf("there is %s", p.Name())
		}
	}
	if e.weights.byName["conv_bn/conv.bn.scale"] == nil || len(e.weights.running) < 20 {
		t.Errorf("weights %v, %d running statistics", slices.Sorted(maps.Keys(e.weights.byName)), len(e.weights.running))
	}
}

// TestMemoryLimit: a supernet that would need more than it may says how much.
func TestMemoryLimit(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{}, small["nasbench201/nasbench201.nas"]...)
	ws := kernel.NewWorkers(1)
	defer ws.Close()
	n, err := New(s, ws, Options{Batch: 8})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(s, ws, Options{Batch: 8, MemoryLimit: n.Memory()}); err != nil {
		t.Error(err)
	}
	for _, limit := range []int64{n.Memory() - 1, n.Memory() / 3, 5000, 100} {
		_, err := New(s, ws, Options{Batch: 8, MemoryLimit: limit})
		tooLarge, ok := err.(*MemoryError)
		if !ok || tooLarge.Limit != limit || tooLarge.Needed <= limit || limit > 5000 && tooLarge.Needed > n.Memory() {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	// A large one is refused before anything of it is there: its batch alone is too much.
	_, s = load(t, "nasbench201/nasbench201.nas", lower.Relaxation{}, compiler.Argument{Name: "image", Value: []int64{3, 4096, 4096}})
	_, err = New(s, ws, Options{Batch: 256, MemoryLimit: 1 << 30})
	if err == nil || err.Error() != "the supernet needs 49152 MiB of memory, and the limit is 1024 MiB; a smaller batch, fewer channels or partial channels need less" {
		t.Error(err)
	}
}

// patience is a context that is cancelled when it has been asked n times.
type patience struct {
	context.Context
	n int
}

func (p *patience) Err() error {
	if p.n--; p.n < 0 {
		return context.Canceled
	}
	return nil
}

// TestFailures: what goes wrong says so and moves no weight.
func TestFailures(t *testing.T) {
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{}, small["nasbench201/nasbench201.nas"]...)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	n, err := New(s, ws, Options{Batch: 4, Seed: 1, Schedule: optim.Schedule{Rate: 1e20}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	images, labels := batch(s, 4, 4, 10, 1)
	m := n.Uniform()
	before := slices.Clone(n.tensors[3])
	still := func(what string) {
		t.Helper()
		if !slices.Equal(before, n.tensors[3]) || n.Steps() != 0 {
			t.Errorf("%s: the weights moved", what)
		}
	}
	for _, asked := range []int{0, 20, 100} {
		if _, err := n.WeightStep(&patience{ctx, asked}, images, labels, m); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d steps of the plan: %v", asked, err)
		}
		if _, _, err := n.ArchGradient(&patience{ctx, asked}, images, labels, m); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d steps of the plan: %v", asked, err)
		}
		still("cancelled")
	}
	bad := n.Uniform()
	bad[2][1] = math.NaN()
	for _, c := range []struct {
		images []float32
		labels []int
		m      Mixture
		want   string
	}{
		{images[1:], labels, m, "a batch of 767 numbers, the supernet takes (4, 3, 8, 8)"},
		{images, labels[1:], m, "3 labels of a batch with 4 places"},
		{images, []int{1, 2, 10, 3}, m, "label 10 of 10 classes"},
		{images, labels, m[1:], "a mixture of 5 decisions, the supernet has 6"},
		{images, labels, append(slices.Clone(m[:5]), []float64{1}), "normal.n[2].edge[2]: 1 mixture weights of 5 options"},
		{images, labels, bad, "normal.n[1].edge[1]: the mixture weight of `skip` is NaN"},
	} {
		if _, err := n.WeightStep(ctx, c.images, c.labels, c.m); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
		still(c.want)
	}
	sick := slices.Clone(images)
	sick[5] = float32(math.NaN())
	var diverged *DivergedError
	if _, err := n.WeightStep(ctx, sick, labels, m); !errors.As(err, &diverged) || err.Error() != "training diverged: the loss is NaN in step 1" {
		t.Errorf("images with NaN: %v", err)
	}
	still("NaN")
	for range 3 {
		if _, err = n.WeightStep(ctx, images, labels, m); err != nil {
			break
		}
	}
	if !errors.As(err, &diverged) || diverged.Step < 2 {
		t.Errorf("a rate of 1e20: %v", err)
	}
	if _, err := New(s, ws, Options{}); err == nil {
		t.Error("a batch of nothing")
	}
}

// TestSampled: a sampled path costs what the path costs, forward and backward, in
// steps of the plan and in arithmetic, and nothing of the others is read: their
// weights may be anything.
func TestSampled(t *testing.T) {
	ctx := context.Background()
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{}, small["nasbench201/nasbench201.nas"]...)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	for _, unfused := range []bool{true, false} {
		o := Options{Batch: 4, Unfused: unfused}
		n, err := New(s, ws, o)
		if err != nil {
			t.Fatal(err)
		}
		images, labels := batch(s, 4, 4, 10, 1)
		for k := range 4 { // skip, 1x1, 3x3, pooling
			var c lower.Choice
			for range s.Decisions {
				c = append(c, []int{1 + k})
			}
			alone, err := New(lower.Received(s.Name, nil, single(s.Net, c, map[*lower.Net]*lower.Net{}), lower.Relaxation{}), ws, o)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := n.ArchGradient(ctx, images, labels, n.Uniform()); err != nil {
				t.Fatal(err)
			}
			_, whole := n.engine.arching.Ran()
			if _, _, err := n.ArchGradient(ctx, images, labels, hot(n.Decisions(), c)); err != nil {
				t.Fatal(err)
			}
			_, sampled := n.engine.arching.Ran()
			if _, err := n.WeightStep(ctx, images, labels, hot(n.Decisions(), c)); err != nil {
				t.Fatal(err)
			}
			steps, one := n.engine.weighing.Ran()
			if sick := poison(t, n, alone); sick == 0 {
				t.Error("nothing is poisoned")
			}
			if _, err := n.WeightStep(ctx, images, labels, hot(n.Decisions(), c)); err != nil {
				t.Errorf("candidate %d with the others poisoned: %v", k, err)
			}
			if n, err = New(s, ws, o); err != nil {
				t.Fatal(err)
			}
			if _, err := alone.WeightStep(ctx, images, labels, nil); err != nil {
				t.Fatal(err)
			}
			least, want := alone.engine.weighing.Ran()
			t.Logf("unfused %v, candidate %d: %d steps and %.0f flops, alone %d and %.0f; arch step %.0f of %.0f", unfused, k, steps, one, least, want, sampled, whole)
			if one > 1.1*want || one < want {
				t.Errorf("candidate %d: a sampled path takes %.0f floating point operations, the architecture alone %.0f", k, one, want)
			}
			if limit := []float64{0.3, 0.4, 0.95, 0.3}[k]; sampled > limit*whole { // most of the whole is 3x3
				t.Errorf("candidate %d: the arch step of a path takes %.0f floating point operations of %.0f", k, sampled, whole)
			}
		}
	}
}

// poison makes the weights that only n has no numbers, and returns how many.
func poison(t *testing.T, n, alone *Supernet) (sick int) {
	t.Helper()
	kept := map[string]bool{}
	for _, p := range alone.engine.params {
		kept[p.Name()] = true
	}
	for i, p := range n.engine.params {
		if !kept[p.Name()] {
			sick++
			for k := range n.tensors[i] {
				n.tensors[i][k] = float32(math.NaN())
			}
		}
	}
	return sick
}

// TestRecalibrate: after recalibration under a mixture on one batch, the running
// statistics are those of the batch but for the unbiased variance, so that both kinds
// of score agree nearly; without it they do not.
func TestRecalibrate(t *testing.T) {
	ctx := context.Background()
	_, s := load(t, "nasbench201/nasbench201.nas", lower.Relaxation{}, small["nasbench201/nasbench201.nas"]...)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	n, err := New(s, ws, Options{Batch: 64, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	images, labels := batch(s, 64, 64, 10, 1)
	m := n.Uniform()
	for range 2 {
		if _, err := n.WeightStep(ctx, images, labels, m); err != nil {
			t.Fatal(err)
		}
	}
	diff := func() float64 {
		a, _, err := n.Score(ctx, images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := n.ScoreRunning(ctx, images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		return math.Abs(a - b)
	}
	before := diff()
	if err := n.Recalibrate(ctx, func(yield func([]float32, error) bool) { yield(images, nil) }, m); err != nil {
		t.Fatal(err)
	}
	if after := diff(); after > 2e-3 || before < 10*after {
		t.Errorf("the kinds of score differ by %v, before recalibration by %v", after, before)
	}
}
