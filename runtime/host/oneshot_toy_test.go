package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// toyParams say what the toy does wrong, in its third call of the second stage.
type toyParams struct {
	Do    string `default:"" doc:"what to do wrong"`
	Once  string `default:"" doc:"a file; only while it exists, which this removes"`
	Steps int    `default:"2" doc:"of a stage"`
}

// toyShot descends along the gradient, and picks the strongest option.
type toyShot struct {
	sdk.Search
	toyParams
	n      sdk.SearchedSupernet
	x      sdk.Mixture
	stages int
}

func oneShotPlugin() sdk.Plugin {
	start := func(s sdk.Search, p toyParams) (sdk.OneShot, error) {
		if p.Do == "refuse" {
			return nil, sdk.Refuse("do", "must not be %s", p.Do)
		}
		return &toyShot{Search: s, toyParams: p}, nil
	}
	return sdk.Plugin{Name: "test/oneshot", Version: "0.3.0", Optimizers: []sdk.OptimizerSpec{
		sdk.NewOneShot(sdk.OptimizerInfo{Name: "toy"}, start),
		sdk.NewOneShot(sdk.OptimizerInfo{Name: "shared", Shared: true}, start),
		sdk.NewOptimizer(sdk.OptimizerInfo{Name: "usual"}, func(s sdk.Search, p struct{}) (sdk.Optimizer, error) { return nil, nil }),
	}}
}

func (t *toyShot) Relaxation() sdk.Relaxation { return sdk.Relaxation{Channels: 2} }

func (t *toyShot) Begin(n sdk.SearchedSupernet) error {
	t.n = n
	if t.Do == "begin" {
		return &sdk.Problem{Path: "parameters.do", Message: "cannot begin"}
	}
	t.x = ones(n.Relaxed())
	return nil
}

func ones(r *sdk.Relaxed) sdk.Mixture {
	x := make(sdk.Mixture, len(r.Decisions))
	for i, d := range r.Decisions {
		x[i] = slices.Repeat([]float64{1}, len(d.Options))
	}
	return x
}

func (t *toyShot) due() bool { return t.stages == 1 && (t.Once == "" || os.Remove(t.Once) == nil) }

func (t *toyShot) Stage(ctx context.Context) (sdk.Stage, error) {
	loss := 0.0
	for step := range t.Steps {
		if step == t.Steps-1 && t.due() {
			if err := t.wrong(ctx); err != nil {
				return sdk.Stage{}, err
			}
		}
		var err error
		var wait func() (float64, error)
		if t.Do == "ahead" || t.Do == "unheard" {
			wait, err = t.n.(sdk.Ahead).BeginWeightStep(ctx, t.x, sdk.WeightStep{})
		} else {
			loss, err = t.n.WeightStep(ctx, t.x, sdk.WeightStep{})
		}
		if err != nil {
			return sdk.Stage{}, err
		}
		_, grad, err := t.n.ArchGradient(ctx, t.x, sdk.ArchGradient{})
		if err != nil {
			return sdk.Stage{}, err
		}
		if t.Do == "ahead" {
			if loss, err = wait(); err != nil {
				return sdk.Stage{}, err
			}
		}
		for i, g := range grad {
			for k := range g {
				t.x[i][k] -= 0.1 * g[k]
			}
		}
	}
	t.stages++
	g := t.genotype()
	ms, err := t.n.Score(ctx, []sdk.Mixture{t.x}, sdk.Score{Batches: 1})
	if err != nil {
		return sdk.Stage{}, err
	}
	admissible, err := t.n.Check(ctx, []space.Genotype{g, t.Space.Sample(t.Rand("g", 0))})
	if err != nil || len(admissible) != 2 {
		return sdk.Stage{}, fmt.Errorf("%v, %w", admissible, err)
	}
	s := sdk.Stage{Genotype: g, Metrics: ms[0], Mixture: t.x, Done: t.stages == 3, Text: fmt.Sprint("stage ", t.stages),
		Values: map[string]float64{"train_loss": loss, "sum": t.x[0][0]}}
	if t.stages == 2 && (t.Once == "" || os.Remove(t.Once) == nil) {
		switch t.Do {
		case "outside":
			s.Genotype[2] = 77
		case "short genotype":
			s.Genotype = s.Genotype[1:]
		case "short mean":
			s.Mixture = s.Mixture[1:]
		case "nan value":
			s.Values["tau"] = math.NaN()
		case "odd value":
			s.Values["\x1b[31m"] = 1
		case "nan metric":
			s.Metrics.Values["score"] = math.NaN()
		case "other metric":
			s.Metrics.Values["test_score"] = 1
		}
	}
	return s, nil
}

func (t *toyShot) genotype() space.Genotype {
	g := make(space.Genotype, len(t.Space.Decisions))
	for i, d := range t.n.Relaxed().Decisions {
		best := 0
		for k, v := range t.x[i] {
			if v > t.x[i][best] {
				best = k
			}
		}
		g[d.Decision] = int64(d.Options[best].Alternative)
	}
	return g
}

// wrong does what the parameter says, in the middle of a stage.
func (t *toyShot) wrong(ctx context.Context) error {
	switch t.Do {
	case "die":
		die()
	case "hang":
		time.Sleep(time.Hour)
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	case "panic":
		panic("in Stage")
	case "error":
		return errors.New("no idea")
	case "nan":
		t.x[0][1] = math.NaN()
	case "long":
		t.x[0] = append(t.x[0], 1)
	case "rate":
		rate := -1.0
		_, err := t.n.WeightStep(ctx, t.x, sdk.WeightStep{Rate: &rate})
		return err
	case "late":
		go func() {
			time.Sleep(50 * time.Millisecond)
			t.n.WeightStep(context.Background(), t.x, sdk.WeightStep{})
		}()
	case "relax":
		if err := t.n.Relax(ctx, sdk.Relaxation{Channels: 1}); err != nil {
			return err
		}
	case "check":
		_, err := t.n.Check(ctx, []space.Genotype{{1, 2}})
		return err
	case "again": // a failure that it can live with
		for {
			if _, err := t.n.WeightStep(ctx, t.x, sdk.WeightStep{}); err == nil {
				return nil
			}
		}
	}
	return nil
}

func (t *toyShot) Save() ([]byte, error) {
	b := binary.LittleEndian.AppendUint64(nil, uint64(t.stages))
	for _, v := range t.x {
		for _, w := range v {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(w))
		}
	}
	return b, nil
}

func (t *toyShot) Load(b []byte) error {
	if len(b) < 8 {
		return errors.New("the state is cut")
	}
	t.stages = int(binary.LittleEndian.Uint64(b))
	b = b[8:]
	for _, v := range t.x {
		for k := range v {
			v[k], b = math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:]
		}
	}
	return nil
}

type toyTrainerParams struct {
	Do   string `default:"" doc:"what to do wrong"`
	At   int    `default:"3" doc:"in which weight step"`
	Once string `default:"" doc:"a file; only while it exists, which this removes"`
}

// toyTrainer is an evaluator whose supernet has one weight. The loss is half the sum of
// the squares of the mixture less a target that the weight shifts.
type toyTrainer struct {
	toyTrainerParams
	sdk.Evaluator
}

type toyNet struct {
	toyTrainerParams
	widths []int
	weight float64
	steps  int
}

func trainerPlugin() sdk.Plugin {
	metric := func(n string) []sdk.Metric { return []sdk.Metric{{Name: n, HigherIsBetter: true}, {Name: "loss"}} }
	return sdk.Plugin{Name: "test/trainer", Version: "0.4.0", Evaluators: []sdk.EvaluatorSpec{
		sdk.NewEvaluator(sdk.EvaluatorInfo{Name: "toy", Metrics: metric("score"), TestMetrics: metric("test_score"), Supernets: true},
			func(_ sdk.Env, p toyTrainerParams) (sdk.Evaluator, error) {
				return &toyTrainer{toyTrainerParams: p}, nil
			}),
		sdk.NewEvaluator(sdk.EvaluatorInfo{Name: "liar", Metrics: metric("score"), Supernets: true},
			func(_ sdk.Env, p struct{}) (sdk.Evaluator, error) { return &evaluator{}, nil }),
		sdk.NewEvaluator(sdk.EvaluatorInfo{Name: "usual", Metrics: metric("score")},
			func(_ sdk.Env, p struct{}) (sdk.Evaluator, error) { return &evaluator{}, nil }),
	}}
}

func (t *toyTrainer) OpenSupernet(_ context.Context, o sdk.OpenSupernet) (sdk.TrainedSupernet, error) {
	if t.Do == "open" {
		return nil, &sdk.Problem{Path: "parameters.batch", Message: "no room", Help: "take less"}
	}
	n := &toyNet{toyTrainerParams: t.toyTrainerParams, weight: float64(o.Seed)}
	return n, n.Relax(context.Background(), o.Network)
}

func (n *toyNet) Size() sdk.SupernetSize { return sdk.SupernetSize{Steps: 2, Valid: 3, Memory: 1000} }

func (n *toyNet) due() bool { return n.steps == n.At && (n.Once == "" || os.Remove(n.Once) == nil) }

func (n *toyNet) loss(x sdk.Mixture) (loss float64, grad sdk.Mixture) {
	for i, v := range x {
		g := make([]float64, len(v))
		for k, w := range v {
			g[k] = w - math.Sin(float64(7*i+3*k)) - n.weight/10
			loss += g[k] * g[k] / 2
		}
		grad = append(grad, g)
	}
	return loss, grad
}

func (n *toyNet) WeightStep(ctx context.Context, x sdk.Mixture, _ sdk.WeightStep) (float64, error) {
	n.steps++
	if n.due() {
		switch n.Do {
		case "die":
			die()
		case "hang":
			time.Sleep(time.Hour)
		case "wait":
			<-ctx.Done()
			return 0, ctx.Err()
		case "panic":
			panic("in WeightStep")
		case "diverge":
			return 0, errors.New("training diverged")
		case "nan":
			return math.NaN(), nil
		}
	}
	loss, _ := n.loss(x)
	n.weight += loss / 100
	return loss, nil
}

func (n *toyNet) ArchGradient(_ context.Context, x sdk.Mixture, _ sdk.ArchGradient) (float64, sdk.Mixture, error) {
	loss, grad := n.loss(x)
	if n.due() {
		switch n.Do {
		case "short gradient":
			grad = grad[1:]
		case "nan gradient":
			grad[1][1] = math.Inf(1)
		}
	}
	return loss, grad, nil
}

func (n *toyNet) Score(_ context.Context, xs []sdk.Mixture, _ sdk.Score) ([]sdk.ValidationMetrics, error) {
	var all []sdk.ValidationMetrics
	for _, x := range xs {
		loss, _ := n.loss(x)
		m := sdk.ValidationMetrics{Values: map[string]float64{"score": 100 - loss, "loss": loss}}
		switch n.Do {
		case "few metrics":
			delete(m.Values, "loss")
		case "nan score":
			m.Values["score"] = math.NaN()
		}
		all = append(all, m)
	}
	return all, nil
}

func (n *toyNet) Relax(_ context.Context, s *lower.Supernet) error {
	if again, err := s.Relax(s.Relaxation()); again != s || err != nil {
		return fmt.Errorf("what was received is relaxed again: %w", err)
	}
	n.widths = wire.RelaxedOf(s).Widths()
	return nil
}

func (n *toyNet) Save(path string) error {
	return os.WriteFile(path, fmt.Appendf(nil, "%d %g", n.steps, n.weight), 0o600)
}

func (n *toyNet) Load(path string) error {
	b, err := os.ReadFile(path)
	if err == nil {
		_, err = fmt.Sscanf(string(b), "%d %g", &n.steps, &n.weight)
	}
	return err
}

func (n *toyNet) Close() error { return nil }

// ------------------------------------------------------------------- searches
