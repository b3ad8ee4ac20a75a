package train

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
)

// losses trains for the epochs of the settings and returns the training losses.
func losses(t *testing.T, s Settings) []float64 {
	t.Helper()
	var all []float64
	job := Job{Graph: nasbench201(4, 1, 10, image, cell(3, conv3, skip, conv3)), Seed: 1}
	if _, err := newTrainer(t, s, 2).Run(context.Background(), job, func(e Epoch) { all = append(all, e.TrainLoss) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSettingsLearn: with every optimizer, schedule and augmentation the loss falls
// well below that of a guess, 2.3.
func TestSettingsLearn(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Settings)
		want   float64 // at most
	}{
		"plain SGD":   {func(s *Settings) { s.Momentum, s.Lr = 0, 0.5 }, 1.7},
		"heavy ball":  {func(s *Settings) { s.Nesterov = false }, 1.7},
		"rmsprop":     {func(s *Settings) { s.Optimizer, s.Lr = "rmsprop", 0.002 }, 1.7},
		"adam":        {func(s *Settings) { s.Optimizer, s.Lr, s.Momentum = "adam", 0.01, 0 }, 1.7},
		"adamw":       {func(s *Settings) { s.Optimizer, s.Lr, s.WeightDecay = "adamw", 0.01, 0.05 }, 1.7},
		"constant":    {func(s *Settings) { s.Schedule, s.Lr = "constant", 0.05 }, 1.7},
		"linear":      {func(s *Settings) { s.Schedule, s.Warmup = "linear", 0.5 }, 1.7},
		"step":        {func(s *Settings) { s.Schedule, s.LrEpochs, s.LrFactor = "step", 2, 0.3 }, 1.7},
		"augmented":   {func(s *Settings) { s.Shift, s.Cutout = 1, 4 }, 2.1},
		"mixup":       {func(s *Settings) { s.Mixup = 0.2 }, 2.1},
		"recalibrate": {func(s *Settings) { s.Recalibrate = 3 }, 1.7},
	} {
		s := quick()
		s.Alpha, s.Beta1, s.Beta2, s.Epsilon = 0.99, 0.9, 0.999, 1e-8
		s.Epochs, s.Train = 6, 500
		c.change(&s)
		all := losses(t, s)
		if last := all[len(all)-1]; !(last < c.want) || last >= all[0] {
			t.Errorf("%s: losses of %v, want the last below %v", name, all, c.want)
		}
	}
}

// TestRules: the settings name the optimizers and schedules that they say.
func TestRules(t *testing.T) {
	s := Settings{Momentum: 0.8, Nesterov: true, Alpha: 0.7, Beta1: 0.6, Beta2: 0.5, Epsilon: 0.4, WeightDecay: 0.3,
		Lr: 1, LrMin: 0.1, LrEpochs: 2, LrFactor: 0.5, Warmup: 0.75}
	for name, want := range map[string]optim.Rule{
		"sgd":     optim.SGD{Momentum: 0.8, Nesterov: true, WeightDecay: 0.3},
		"rmsprop": optim.RMSProp{Alpha: 0.7, Epsilon: 0.4, Momentum: 0.8, WeightDecay: 0.3},
		"adam":    optim.Adam{Beta1: 0.6, Beta2: 0.5, Epsilon: 0.4, WeightDecay: 0.3},
		"adamw":   optim.Adam{Beta1: 0.6, Beta2: 0.5, Epsilon: 0.4, WeightDecay: 0.3, Decoupled: true},
	} {
		if s.Optimizer = name; !reflect.DeepEqual(s.rule(), want) {
			t.Errorf("%s is %+v", name, s.rule())
		}
	}
	for name, shape := range map[string]optim.Shape{"constant": optim.Constant, "cosine": optim.Cosine, "linear": optim.Linear, "step": optim.Stairs} {
		s.Schedule = name
		want := optim.Schedule{Shape: shape, Rate: 1, Last: 0.1, Steps: 50, Warmup: 8, Every: 20, Factor: 0.5}
		if got := s.schedule(5, 10); got != want {
			t.Errorf("%s is %+v", name, got)
		}
	}
}

func TestWrongSettings(t *testing.T) {
	for option, change := range map[string]func(*Settings){
		"momentum": func(s *Settings) { s.Momentum = 1 },
		"beta2":    func(s *Settings) { s.Beta2 = 1 },
		"epsilon":  func(s *Settings) { s.Optimizer = "adam" },
		"shift":    func(s *Settings) { s.Shift = 16 },
	} {
		s := quick()
		change(&s)
		_, err := New(s, 1)
		var p *dataset.Problem
		if !errors.As(err, &p) || p.Option != option {
			t.Errorf("%s: error %v", option, err)
		}
	}
}

// TestAuxiliary: the second classifier is there in training and adds to the loss; the
// measured network is the same, and its first weights have the same values.
func TestAuxiliary(t *testing.T) {
	s := quick()
	s.Lr, s.Clip, s.Auxiliary = 0.1, 0, 0.4
	with := newTrainer(t, s, 2)
	s.Auxiliary = 0
	without := newTrainer(t, s, 2)
	ctx := context.Background()
	g := mixed(10) // of stages with 16, 8 and 4 pixels
	a, b := begin(t, with, Job{Graph: g, Seed: 3}), begin(t, without, Job{Graph: g, Seed: 3})
	if n, k := a.net.weights.count-b.net.weights.count, int64(128*(8+2)+768*(4*128+2)+10*769); n != k {
		t.Errorf("the auxiliary head has %d trainable numbers, want %d", n, k)
	}
	before, err := b.measure(ctx, without.set.Valid)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.measure(ctx, with.set.Valid); err != nil || got != before {
		t.Errorf("measured as %v with an auxiliary head, %v without: %v", got, before, err)
	}
	x, err := a.Step(ctx)
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Step(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d := (x - y) / 0.4; d < 1 || d > 5 {
		t.Errorf("losses %v and %v: the second classifier's is %v, a guess costs 2.3", x, y, d)
	}
	var moved int
	for i, w := range b.net.params {
		if !reflect.DeepEqual(w, a.net.params[i]) {
			moved++
		}
	}
	if moved == 0 {
		t.Error("the gradient of the second loss does not reach the network")
	}
	tiny := newBuilder("tiny", image...).then("conv_bn", "out", 4, "stride", 4).classifier(10)
	_, err = with.Begin(Job{Graph: tiny})
	if err == nil || !strings.Contains(err.Error(), "no square map of at least 6 pixels") {
		t.Errorf("error %v", err)
	}
}

func begin(t *testing.T, tr *Trainer, job Job) *Training {
	t.Helper()
	r, err := tr.Begin(job)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// TestRecalibrate: over all batches, the running mean of the first batch norm after a
// convolution without batch norms before it is the mean of the batches' means, and a
// measurement uses it.
func TestRecalibrate(t *testing.T) {
	s := quick()
	s.Train, s.BatchSize, s.Recalibrate = 64, 16, 100
	tr := newTrainer(t, s, 2)
	r := begin(t, tr, Job{Graph: newBuilder("one", image...).then("batch_norm").then("conv_bn", "out", 4).classifier(10), Seed: 1})
	ctx := context.Background()
	for range 3 {
		if _, err := r.Step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	lagging := r.net.weights.running[0].Mean[0]
	if _, err := r.measure(ctx, tr.set.Valid); err != nil {
		t.Fatal(err)
	}
	var mean float64
	for _, v := range tr.set.Train.Pixels {
		mean += float64(tr.source.values[0][v]) / float64(len(tr.set.Train.Pixels))
	}
	got := r.net.weights.running[0].Mean[0]
	if math.Abs(got-mean) > 1e-5 || math.Abs(lagging-mean) < 1e-5 {
		t.Errorf("the running mean is %v, was %v, want %v", got, lagging, mean)
	}
	if r.net.Norm != 0 {
		t.Error("the network stays in recalibration")
	}
}

// TestCancelInStep: a step that is cancelled moves nothing, whether its batch is there
// already or not.
func TestCancelInStep(t *testing.T) {
	tr := newTrainer(t, quick(), 2)
	r := begin(t, tr, Job{Graph: mixed(10), Seed: 1})
	if _, err := r.Step(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	weights := append([]float32{}, r.net.params[0]...)
	if _, err := r.Step(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if done, _ := r.Steps(); done != 1 || !reflect.DeepEqual(weights, r.net.params[0]) {
		t.Errorf("%d steps are done", done)
	}
	if _, err := r.measure(ctx, tr.set.Valid); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
