package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/supernet"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces"
)

// searching are settings of a small search: 5 weight steps an epoch, 3 batches of the
// validation part.
func searching() Settings {
	s := quick()
	s.Train, s.Valid, s.Color, s.Flip, s.Shift = 90, 56, true, true, 2
	s.SupernetBatch, s.SupernetLr, s.SupernetLrMin, s.SupernetMomentum, s.SupernetNesterov = 16, 0.025, 0.001, 0.9, true
	s.SupernetDecay, s.SupernetClip = 5e-4, 5
	return s
}

// relaxed is a shipped space, small, relaxed.
func relaxed(t testing.TB, file string, o lower.Relaxation, args ...compiler.Argument) *lower.Supernet {
	t.Helper()
	m, diags := compiler.Load(file, spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if args == nil {
		args = []compiler.Argument{{Name: "image", Value: []int64{3, 16, 16}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}}
	}
	s, diags := m.Space("", args)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	n, diags := s.Relax(o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return n
}

const nb201 = "nasbench201/nasbench201.nas"

// open opens a supernet, as a host does.
func open(t testing.TB, tr *Trainer, n *lower.Supernet) *Supernet {
	t.Helper()
	s, err := tr.OpenSupernet(sdk.OpenSupernet{Network: n, Epochs: 3, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// blend is a mixture of positive numbers.
func blend(n *lower.Supernet, seed uint64) sdk.Mixture {
	r := rand.New(rand.NewPCG(seed, 2))
	var m sdk.Mixture
	for _, d := range n.Decisions {
		v := make([]float64, len(d.Options))
		for i := range v {
			v[i] = 0.1 + r.Float64()
		}
		m = append(m, v)
	}
	return m
}

// TestOneShotBatches: the parts that calls work on, by their losses, which tell
// batches apart while no weight moves.
func TestOneShotBatches(t *testing.T) {
	ctx := context.Background()
	tr := newTrainer(t, searching(), 2)
	n := relaxed(t, nb201, lower.Relaxation{})
	s := open(t, tr, n)
	if got := s.Size(); got.Steps != 5 || got.Valid != 3 || got.Memory < 1<<20 {
		t.Errorf("size %+v", got)
	}
	m := blend(n, 1)
	on := func(b sdk.ArchGradient) float64 {
		t.Helper()
		loss, _, err := s.ArchGradient(ctx, m, b)
		if err != nil {
			t.Fatal(err)
		}
		return loss
	}
	if _, _, err := s.ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.SameValid}); err == nil || !strings.Contains(err.Error(), "there was none yet") {
		t.Errorf("the last batch of none: %v", err)
	}
	batchOf := func(l *lessons, number int) supernet.Examples {
		c := newCourse(l)
		defer c.stop()
		if err := c.take(ctx, number); err != nil {
			t.Fatal(err)
		}
		return c.examples()
	}
	// by is the loss on a batch that is made here.
	by := func(l *lessons, number int) float64 {
		x := batchOf(l, number)
		loss, _, err := s.net.ArchGradient(ctx, x.Images, x.Labels, m)
		if err != nil {
			t.Fatal(err)
		}
		return loss
	}
	var training, validation []float64
	for i := range 7 {
		training = append(training, by(newLessons(tr.source, tr.settings, 5, 16), i))
		validation = append(validation, by(&lessons{source: tr.source, part: tr.set.Valid, stream: "valid/", settings: tr.settings, seed: 5, size: 16, steps: 3, epoch: -1}, i))
	}
	for i, a := range append(slices.Clone(training), validation...) {
		if k := slices.Index(append(slices.Clone(training), validation...), a); k != i {
			t.Errorf("batches %d and %d are the same", k, i)
		}
	}
	next, same, ahead := sdk.ArchGradient{Batch: sdk.NextValid}, sdk.ArchGradient{Batch: sdk.SameValid}, sdk.ArchGradient{Batch: sdk.NextTrain}
	var got []float64
	for _, b := range []sdk.ArchGradient{next, same, next, ahead, same, next, ahead, next, next, next, same, next} {
		got = append(got, on(b))
	}
	v, w := validation, training
	if want := []float64{v[0], v[0], v[1], w[0], v[1], v[2], w[0], v[3], v[4], v[5], v[5], v[6]}; !slices.Equal(got, want) {
		t.Errorf("losses %v, want %v", got, want)
	}
	// The batch of the weight step to come is that of the weight step; with a rate of
	// zero and no decay it moves nothing, and the next one has the next batch.
	zero := 0.0
	for i := range 3 {
		before := on(ahead)
		loss, err := s.WeightStep(ctx, m, sdk.WeightStep{Rate: &zero, WeightDecay: &zero})
		if err != nil || math.Abs(loss-training[i]) > 1e-4 || before != training[i] {
			t.Errorf("weight step %d: loss %v, on the batch ahead %v, want %v (%v)", i, loss, before, training[i], err)
		}
	}
}

// TestValidationEpochs: in an epoch of the validation part every example comes once,
// in an order of its own that is not that of the training part.
func TestValidationEpochs(t *testing.T) {
	set := counting(12)
	set.Valid = set.Train
	l := &lessons{source: newSource(set), part: set.Valid, stream: "valid/", seed: 1, size: 3, steps: 4, epoch: -1}
	other := newLessons(newSource(set), Settings{}, 1, 3)
	var orders []string
	for _, l := range []*lessons{l, other} {
		for epoch := range 2 {
			var order []int
			b := &batch{make([]float32, 3*18), make([]float32, 3)}
			for i := range 4 {
				l.fill(b, 4*epoch+i)
				for k := range 3 {
					order = append(order, int(b.images[18*k]-1)/20)
				}
			}
			orders = append(orders, fmt.Sprint(order))
			if slices.Sort(order); !slices.Equal(order, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
				t.Errorf("an epoch has %v", order)
			}
		}
	}
	for i, o := range orders {
		if slices.Index(orders, o) != i {
			t.Errorf("orders %v", orders)
		}
	}
}

// TestOneShotGradient compares gradients with differences of losses, over the
// interface, in float32.
func TestOneShotGradient(t *testing.T) {
	ctx := context.Background()
	tr := newTrainer(t, searching(), 2)
	n := relaxed(t, nb201, lower.Relaxation{})
	s := open(t, tr, n)
	m := blend(n, 1)
	if _, err := s.WeightStep(ctx, m, sdk.WeightStep{}); err != nil {
		t.Fatal(err)
	}
	_, grad, err := s.ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.NextValid})
	if err != nil {
		t.Fatal(err)
	}
	const h = 2e-3
	for i := range m {
		k := 1 + i%4
		m[i][k] += h
		up, _, err := s.ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.SameValid})
		if err != nil {
			t.Fatal(err)
		}
		m[i][k] -= 2 * h
		down, _, err := s.ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.SameValid})
		if err != nil {
			t.Fatal(err)
		}
		m[i][k] += h
		if got := (up - down) / (2 * h); math.Abs(got-grad[i][k]) > 2e-3+0.03*math.Abs(got) {
			t.Errorf("%s: gradient %v, by differences %v", n.Decisions[i].Address, grad[i][k], got)
		}
	}
}

// state is all numbers that a supernet holds, as text.
func state(t testing.TB, s *Supernet) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state")
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWeightStepSettings: the rate and the decay of a call take the place of those of
// the settings, for that call.
func TestWeightStepSettings(t *testing.T) {
	ctx := context.Background()
	tr := newTrainer(t, searching(), 2)
	n := relaxed(t, nb201, lower.Relaxation{})
	m := blend(n, 1)
	after := func(o sdk.WeightStep) string {
		s := open(t, tr, n)
		for _, o := range []sdk.WeightStep{o, {}} {
			if _, err := s.WeightStep(ctx, m, o); err != nil {
				t.Fatal(err)
			}
		}
		return state(t, s)
	}
	number := func(v float64) *float64 { return &v }
	usual := after(sdk.WeightStep{})
	if after(sdk.WeightStep{Rate: number(0.025), WeightDecay: number(5e-4)}) != usual {
		t.Error("the rate and the decay of the settings, given, are others")
	}
	if after(sdk.WeightStep{Rate: number(0.02)}) == usual || after(sdk.WeightStep{WeightDecay: number(1e-2)}) == usual {
		t.Error("the rate or the decay changes nothing")
	}
	s := open(t, tr, n)
	for _, o := range []sdk.WeightStep{{Rate: number(-1)}, {Rate: number(math.NaN())}, {WeightDecay: number(math.Inf(1))}} {
		if _, err := s.WeightStep(ctx, m, o); err == nil || !strings.Contains(err.Error(), "a weight step at") {
			t.Errorf("%v", err)
		}
	}
	// The schedule ends with the search and stays there.
	for range 3*5 + 2 {
		if _, err := s.WeightStep(ctx, m, sdk.WeightStep{}); err != nil {
			t.Fatal(err)
		}
	}
	if math.Abs(s.net.Rate()-0.001) > 1e-12 {
		t.Errorf("the rate at the end is %v", s.net.Rate())
	}
}

// TestOneShotScore: scores are means over the asked batches in a circle, in per cent
// and nats, of each mixture by itself, and leave nothing behind.
func TestOneShotScore(t *testing.T) {
	ctx := context.Background()
	tr := newTrainer(t, searching(), 2)
	n := relaxed(t, nb201, lower.Relaxation{})
	s := open(t, tr, n)
	var ms []sdk.Mixture
	for k := range 4 {
		m := blend(n, uint64(k))
		if k > 0 { // one-hot
			for i := range m {
				clear(m[i])
				m[i][1+(i+k)%4] = 1
			}
		}
		ms = append(ms, m)
	}
	for range 3 {
		if _, err := s.WeightStep(ctx, ms[0], sdk.WeightStep{}); err != nil {
			t.Fatal(err)
		}
	}
	before := state(t, s)
	score := func(ms []sdk.Mixture, o sdk.Score) []Metrics {
		t.Helper()
		got, err := s.Score(ctx, ms, o)
		if err != nil || len(got) != len(ms) {
			t.Fatal(len(got), err)
		}
		var out []Metrics
		for _, m := range got {
			if len(m.Values) != 2 {
				t.Errorf("metrics %v", m.Values)
			}
			out = append(out, Metrics{m.Values["accuracy"], m.Values["loss"]})
		}
		return out
	}
	for _, r := range []int{0, 2, 99} {
		whole := score(ms, sdk.Score{Recalibrate: r})
		mean := make([]Metrics, len(ms))
		for i := range 3 {
			one := score(ms, sdk.Score{First: i, Batches: 1, Recalibrate: r})
			for k := range ms {
				mean[k].Accuracy += one[k].Accuracy / 3
				mean[k].Loss += one[k].Loss / 3
				if math.Mod(one[k].Accuracy*16/100, 1) != 0 {
					t.Errorf("accuracy %v of 16 examples", one[k].Accuracy)
				}
			}
		}
		round := score(ms, sdk.Score{First: 2, Batches: 3, Recalibrate: r})
		for k := range ms {
			for _, other := range []Metrics{mean[k], round[k]} {
				if math.Abs(whole[k].Loss-other.Loss) > 1e-6 || math.Abs(whole[k].Accuracy-other.Accuracy) > 1e-9 {
					t.Errorf("statistics of %d: mixture %d: %v, want %v", r, k, whole[k], other)
				}
			}
			if alone := score(ms[k:k+1], sdk.Score{Recalibrate: r}); alone[0] != whole[k] {
				t.Errorf("statistics of %d: mixture %d alone: %v, among others %v", r, k, alone[0], whole[k])
			}
		}
		if slices.Equal(score(ms, sdk.Score{First: 1, Batches: 1, Recalibrate: r}), score(ms, sdk.Score{First: 2, Batches: 1, Recalibrate: r})) {
			t.Error("all batches are alike")
		}
	}
	if slices.Equal(score(ms, sdk.Score{}), score(ms, sdk.Score{Recalibrate: 2})) {
		t.Error("recalibration changes nothing")
	}
	if state(t, s) != before {
		t.Error("a score has left something behind")
	}
	// On plain batches, by the engine itself.
	x := batch{make([]float32, 16*3*16*16), make([]float32, 16)}
	tr.source.plain(&x, tr.set.Valid, 16, 16)
	labels := make([]int, 16)
	for i := range labels {
		labels[i] = int(tr.set.Valid.Labels[16+i])
	}
	loss, share, err := s.net.Score(ctx, x.images, labels, ms[1])
	if got := score(ms[1:2], sdk.Score{First: 1, Batches: 1})[0]; err != nil || got != (Metrics{100 * share, loss}) {
		t.Errorf("the second batch: %v, want %v %v (%v)", got, share, loss, err)
	}
	if _, err := s.Score(ctx, ms, sdk.Score{First: -1}); err == nil {
		t.Error("batch -1")
	}
}
