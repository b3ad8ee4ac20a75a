package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"

	"github.com/nasc-project/nasc/plugins/evaluators/train/dataset"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Plugin offers the evaluator `train`.
var Plugin = sdk.Plugin{
	Name: "nasc/train", Version: "0.1.1",
	Doc: "Trains every architecture on images, with Gorgonia on the processor.",
	Evaluators: []sdk.EvaluatorSpec{sdk.NewEvaluator(sdk.EvaluatorInfo{
		Name: "train", Supernets: true, Operations: true,
		Doc: "Trains an architecture on the training part of a data set, by default with SGD (Nesterov momentum, cosine schedule), " +
			"and reports its accuracy on the validation part; the test part is for the winner.",
		Metrics: []sdk.Metric{
			{Name: "accuracy", Doc: "share of validation examples classified correctly", Unit: "%", HigherIsBetter: true},
			{Name: "loss", Doc: "mean cross-entropy on the validation examples"},
		},
		TestMetrics: []sdk.Metric{
			{Name: "accuracy", Doc: "share of test examples classified correctly", Unit: "%", HigherIsBetter: true},
			{Name: "loss", Doc: "mean cross-entropy on the test examples"},
		},
	}, start)},
}

func start(env sdk.Env, s Settings) (sdk.Evaluator, error) {
	t, err := New(s, env.Threads)
	var p *dataset.Problem
	switch {
	case errors.As(err, &p):
		return nil, sdk.Refuse(p.Option, "%s", p.Message)
	case err != nil:
		return nil, err
	}
	t.With(env.Operations)
	return evaluator{t, env}, nil
}

// evaluator is a Trainer as the host sees it.
type evaluator struct {
	*Trainer
	env sdk.Env
}

func (e evaluator) Evaluate(ctx context.Context, c sdk.Candidate, progress func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	epochs := 0
	m, err := e.Run(ctx, e.job(c, "trial"), func(ep Epoch) {
		epochs = ep.Of
		report(progress, ep)
	})
	if err != nil {
		return sdk.ValidationMetrics{}, problem(err)
	}
	return sdk.ValidationMetrics{Values: m.values(), Epochs: float64(epochs)}, nil
}

func (e evaluator) Test(ctx context.Context, c sdk.Candidate, progress func(sdk.Progress)) (sdk.TestMetrics, error) {
	m, err := e.Trainer.Test(ctx, e.job(c, "test"), func(ep Epoch) { report(progress, ep) })
	if err != nil {
		return sdk.TestMetrics{}, problem(err)
	}
	return sdk.TestMetrics{Values: m.values()}, nil
}

var _ sdk.SupernetTrainer = evaluator{}

// OpenSupernet makes a supernet for a one-shot search.
func (e evaluator) OpenSupernet(_ context.Context, o sdk.OpenSupernet) (sdk.TrainedSupernet, error) {
	s, err := e.Trainer.OpenSupernet(o)
	if err != nil {
		return nil, &sdk.Problem{Path: "supernet", Message: err.Error()}
	}
	return s, nil
}

// job is the training of a candidate. It is kept below the run's folder, if there is
// one, under its purpose and the number of the trial.
func (e evaluator) job(c sdk.Candidate, purpose string) Job {
	j := Job{Graph: c.Graph, Seed: c.Seed, Epochs: c.Epochs}
	if e.env.WorkDir != "" {
		j.File = filepath.Join(e.env.WorkDir, fmt.Sprintf("%s-%d.checkpoint", purpose, c.Number))
		j.Warn = func(err error) { e.env.Log.Warn(err.Error()) }
	}
	return j
}

func (m Metrics) values() map[string]float64 {
	return map[string]float64{"accuracy": m.Accuracy, "loss": m.Loss}
}

func report(progress func(sdk.Progress), e Epoch) {
	values := e.Valid.values()
	values["train_loss"] = e.TrainLoss
	progress(sdk.Progress{
		Fraction: float64(e.Number) / float64(e.Of),
		Text:     fmt.Sprintf("epoch %d: loss %.2f, accuracy %.1f", e.Number, e.TrainLoss, e.Valid.Accuracy),
		Values:   values,
	})
}

// problem is an error about an architecture in the words of the protocol.
func problem(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var p *dataset.Problem
	if errors.As(err, &p) {
		return &sdk.Problem{Path: p.Option, Message: "it " + p.Message}
	}
	return &sdk.Problem{Path: "architecture", Message: err.Error()}
}

// Facts are a copy, since the host may keep them.
func (e evaluator) Facts() map[string]string { return maps.Clone(e.Trainer.Facts()) }
