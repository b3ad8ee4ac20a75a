package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/sdk/oneshot"
)

// toyPlugin is both sides of a one-shot search in small: a supernet whose training is
// arithmetic, and an optimizer that calls for everything that there is to call for.
// Both can be told to die, once, or to do what they must not.
func toyPlugin() sdk.Plugin {
	accuracy := []sdk.Metric{{Name: "accuracy", Unit: "%", HigherIsBetter: true}}
	return sdk.Plugin{Name: "nasc/toy", Version: "1.0.0", Doc: "One-shot search for tests.",
		Evaluators: []sdk.EvaluatorSpec{sdk.NewEvaluator(
			sdk.EvaluatorInfo{Name: "deaf", Doc: "It tests nothing.", Metrics: accuracy, TestMetrics: accuracy},
			func(sdk.Env, struct{}) (sdk.Evaluator, error) { return deaf{}, nil }), sdk.NewEvaluator(
			sdk.EvaluatorInfo{Name: "net", Doc: "A supernet.", Metrics: append(accuracy, sdk.Metric{Name: "loss"}), TestMetrics: accuracy, Deterministic: true, Supernets: true},
			func(e sdk.Env, p toyNet) (sdk.Evaluator, error) { return &toyEvaluator{hashEvaluator{}, e, p}, nil })},
		Optimizers: []sdk.OptimizerSpec{sdk.NewOneShot(
			sdk.OptimizerInfo{Name: "walk", Doc: "A walk through mixtures."},
			func(s sdk.Search, p toyWalk) (sdk.OneShot, error) { return &toyWalker{search: s, p: p}, nil })},
		Signatures: toySignatures, Ops: toyOps(),
	}
}

// deaf refuses every test.
type deaf struct{ hashEvaluator }

func (deaf) Test(context.Context, sdk.Candidate, func(sdk.Progress)) (sdk.TestMetrics, error) {
	return sdk.TestMetrics{}, errors.New("it hears nothing")
}

// toyNet configures the evaluator.
type toyNet struct {
	Steps int    `default:"6" min:"1" doc:"weight steps of an epoch"`
	Sleep int    `default:"0" min:"0" doc:"milliseconds that a weight step takes"`
	File  string `default:"" doc:"appended to: the number of every weight step"`
	Die   int    `default:"-1" doc:"the weight step at which the process kills itself, once; needs file"`
	Fatal int    `default:"-1" doc:"the weight step at which the process always kills itself"`

	Crooked bool `default:"false" doc:"its gradients are too long"`
	Forgets bool `default:"false" doc:"it loads nothing"`
}

type toyEvaluator struct {
	hashEvaluator
	env sdk.Env
	p   toyNet
}

func (e *toyEvaluator) Evaluate(_ context.Context, c sdk.Candidate, _ func(sdk.Progress)) (sdk.ValidationMetrics, error) {
	return sdk.ValidationMetrics{Values: map[string]float64{"accuracy": score(c, 0), "loss": score(c, 4)}, Epochs: 1}, nil
}

// OpenSupernet implements [sdk.SupernetTrainer].
func (e *toyEvaluator) OpenSupernet(_ context.Context, o sdk.OpenSupernet) (sdk.TrainedSupernet, error) {
	n := &toySupernet{of: e, state: toyState{Seed: o.Seed, Weights: map[string]float64{}}}
	n.lay(o.Network)
	return n, nil
}

// toySupernet has a weight for each option. The weight falls with every step that the
// option has a part in, towards what the option is worth.
type toySupernet struct {
	of    *toyEvaluator
	names [][]string // of the options
	state toyState
}

type toyState struct {
	Seed    uint64
	Steps   int
	Valid   int
	Weights map[string]float64
}

func (n *toySupernet) lay(s *lower.Supernet) {
	n.names = nil
	for _, d := range s.Decisions {
		var names []string
		for _, o := range d.Options {
			name := d.Address + " " + o.Label
			if _, ok := n.state.Weights[name]; !ok {
				n.state.Weights[name] = 1
			}
			names = append(names, name)
		}
		n.names = append(n.names, names)
	}
}

// worth is what an option is worth, from 0 to 1; less is better.
func (n *toySupernet) worth(name string) float64 {
	h := fnv.New32a()
	fmt.Fprint(h, name)
	return float64(h.Sum32()%1000) / 1000
}

func (n *toySupernet) loss(m sdk.Mixture) float64 {
	sum := 0.0
	for i, d := range m {
		for k, w := range d {
			sum += w * (n.worth(n.names[i][k]) + n.state.Weights[n.names[i][k]])
		}
	}
	return sum
}

func (n *toySupernet) Size() sdk.SupernetSize { return sdk.SupernetSize{Steps: n.of.p.Steps, Valid: 3} }

func (n *toySupernet) WeightStep(ctx context.Context, m sdk.Mixture, _ sdk.WeightStep) (float64, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(time.Duration(n.of.p.Sleep) * time.Millisecond):
	}
	if n.state.Steps == n.of.p.Fatal {
		die()
	}
	if n.of.p.File != "" {
		if err := (hashEvaluator{hashParameters{File: n.of.p.File, Die: n.of.p.Die}}).note(int64(n.state.Steps)); err != nil {
			return 0, err
		}
	}
	loss := n.loss(m)
	for i, d := range m {
		for k, w := range d {
			if w != 0 {
				n.state.Weights[n.names[i][k]] *= 1 - 0.1*math.Abs(math.Sin(w+float64(n.state.Steps)))
			}
		}
	}
	n.state.Steps++
	return loss, nil
}

func (n *toySupernet) ArchGradient(_ context.Context, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	if o.Batch == sdk.NextValid {
		n.state.Valid++
	}
	grad := make(sdk.Mixture, len(m))
	for i, d := range m {
		for k := range d {
			name := n.names[i][k]
			g := n.worth(name) + n.state.Weights[name] + 0.01*math.Cos(float64(n.state.Valid+k))
			if n.of.p.Crooked {
				g *= 1.2
			}
			grad[i] = append(grad[i], g)
		}
	}
	return n.loss(m), grad, nil
}

func (n *toySupernet) Score(_ context.Context, ms []sdk.Mixture, _ sdk.Score) ([]sdk.ValidationMetrics, error) {
	var out []sdk.ValidationMetrics
	for _, m := range ms {
		loss := n.loss(m)
		out = append(out, sdk.ValidationMetrics{Values: map[string]float64{"loss": loss, "accuracy": 100 / (1 + loss/float64(len(m)))}})
	}
	return out, nil
}

func (n *toySupernet) Relax(_ context.Context, s *lower.Supernet) error {
	n.lay(s)
	return nil
}

func (n *toySupernet) Save(path string) error {
	text, err := json.Marshal(n.state)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (n *toySupernet) Load(path string) error {
	if n.of.p.Forgets {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var s toyState
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	n.state = s
	return nil
}

func (n *toySupernet) Close() error { return nil }

// toyWalk configures the optimizer.
type toyWalk struct {
	Lr      float64 `default:"0.5" min:"0" doc:"of the logits"`
	Noise   float64 `default:"0.1" min:"0" doc:"added to them at random"`
	Slot    string  `default:"plain" choices:"plain,partial" doc:"how it has the space relaxed"`
	K       int     `default:"1" min:"1" doc:"of partial channels"`
	Relax   int     `default:"-1" doc:"the stage that relaxes the space in another way"`
	Extra   int     `default:"0" min:"0" doc:"stages without training, at the end"`
	Skip    bool    `default:"false" doc:"nothing is measured"`
	Greedy  bool    `default:"false" doc:"it takes more steps than it may"`
	Endless bool    `default:"false" doc:"it never says that it is done"`
	Drunk   bool    `default:"false" doc:"it draws from where nobody knows the seed"`
	Refuse  string  `default:"" doc:"the address of a decision that it cannot relax"`
	Die     int     `default:"-1" doc:"the stage in which the process kills itself, once; needs file"`
	Stop    bool    `default:"false" doc:"it stops there and does not kill itself"`
	File    string  `default:"" doc:"whose end in .died says that it has"`
}

// toyWalker moves logits along the gradient, with noise.
type toyWalker struct {
	search sdk.Search
	p      toyWalk
	net    sdk.SearchedSupernet
	state  toyPosition
}

type toyPosition struct {
	Logits map[string][]float64 // by address
	Stage  int
	Draws  uint64
}

func (w *toyWalker) Relaxation() sdk.Relaxation {
	return sdk.Relaxation{Channels: w.p.K, EdgeWeights: w.p.Slot == "partial"}
}

func (w *toyWalker) Begin(n sdk.SearchedSupernet) error {
	for _, d := range n.Relaxed().Decisions {
		if d.Address == w.p.Refuse {
			return sdk.RefuseDecision(d.Address, "a walk cannot pass it")
		}
	}
	w.net, w.state = n, toyPosition{Logits: map[string][]float64{}}
	return nil
}

func (w *toyWalker) mixture() sdk.Mixture {
	var m sdk.Mixture
	for _, d := range w.net.Relaxed().Decisions {
		logits := w.state.Logits[d.Address]
		if logits == nil {
			logits = make([]float64, len(d.Options))
			w.state.Logits[d.Address] = logits
		}
		weights, sum := make([]float64, len(logits)), 0.0
		for k, x := range logits {
			weights[k] = math.Exp(x)
			sum += weights[k]
		}
		for k := range weights {
			weights[k] /= sum
		}
		m = append(m, weights)
	}
	return m
}

func (w *toyWalker) Stage(ctx context.Context) (sdk.Stage, error) {
	if w.state.Stage == w.p.Die {
		if died := w.p.File + ".died"; !exists(died) {
			if err := os.WriteFile(died, nil, 0o644); err != nil {
				return sdk.Stage{}, err
			}
			if w.p.Stop {
				stop()
			}
			die()
		}
	}
	if w.state.Stage == w.p.Relax {
		if err := w.net.Relax(ctx, sdk.Relaxation{Channels: 2, EdgeWeights: true}); err != nil {
			return sdk.Stage{}, err
		}
	}
	steps := w.net.Size().Steps
	if w.state.Stage >= w.net.Epochs() && !w.p.Greedy {
		steps = 0
	}
	for range steps {
		m := w.mixture()
		_, grad, err := w.net.ArchGradient(ctx, m, sdk.ArchGradient{})
		if err != nil {
			return sdk.Stage{}, err
		}
		rng := w.search.Rand("walk", w.state.Draws)
		if w.p.Drunk {
			rng = rand.New(rand.NewPCG(rand.Uint64(), 0))
		}
		w.state.Draws++
		for i, d := range w.net.Relaxed().Decisions {
			for k := range d.Options {
				w.state.Logits[d.Address][k] += -w.p.Lr*grad[i][k] + w.p.Noise*rng.NormFloat64()
			}
		}
		if _, err := w.net.WeightStep(ctx, w.mixture(), sdk.WeightStep{}); err != nil {
			return sdk.Stage{}, err
		}
	}
	return w.end(ctx)
}

// end derives the architecture and measures it.
func (w *toyWalker) end(ctx context.Context) (sdk.Stage, error) {
	m := w.mixture()
	var choice oneshot.Choice
	best := make(sdk.Mixture, len(m))
	for i, d := range w.net.Relaxed().Decisions {
		order := make([]int, 0, len(d.Options))
		for k, o := range d.Options {
			if o.Alternative >= 0 {
				order = append(order, k)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int {
			if m[i][a] > m[i][b] {
				return -1
			}
			return 1
		})
		take := order[:max(1, d.Min)]
		best[i] = make([]float64, len(d.Options))
		for _, k := range take {
			best[i][k] = 1
		}
		choice = append(choice, take)
	}
	g, err := oneshot.Genotype(w.search.Space, w.net.Relaxed(), choice)
	if err != nil {
		return sdk.Stage{}, err
	}
	// Of the architecture and of some at random it asks which are admissible.
	rng := w.search.Rand("check", w.state.Draws)
	all := []space.Genotype{g}
	for range 20 {
		all = append(all, w.search.Space.Sample(rng))
	}
	admissible, err := w.net.Check(ctx, all)
	if err != nil {
		return sdk.Stage{}, err
	}
	n := 0
	for _, yes := range admissible {
		if yes {
			n++
		}
	}
	s := sdk.Stage{Genotype: g, Mixture: m, Values: map[string]float64{"admissible": float64(n)}, Text: fmt.Sprintf("stage %d", w.state.Stage)}
	if !w.p.Skip {
		scores, err := w.net.Score(ctx, []sdk.Mixture{best}, sdk.Score{})
		if err != nil {
			return sdk.Stage{}, err
		}
		s.Metrics = scores[0]
	}
	w.state.Stage++
	s.Done = w.state.Stage >= w.net.Epochs()+w.p.Extra && !w.p.Endless && !w.p.Greedy
	return s, nil
}

func (w *toyWalker) Save() ([]byte, error) { return json.Marshal(w.state) }

func (w *toyWalker) Load(state []byte) error { return json.Unmarshal(state, &w.state) }

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// die ends the process as a crash would.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}

var (
	_ sdk.SupernetTrainer = (*toyEvaluator)(nil)
	_ sdk.OneShot         = (*toyWalker)(nil)
)
