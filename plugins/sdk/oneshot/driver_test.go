package oneshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// cells are synthetic cells of all shapes.
var cells = map[string]cellOptions{
	"all edges":    {nodes: 3, inputs: 1, noise: 0.05},
	"two of edges": {nodes: 3, inputs: 2, choose: 2, noise: 0.05},
	"edge norm":    {nodes: 3, inputs: 2, choose: 2, noise: 0.05, edgeNorm: true},
	"all weighed":  {nodes: 3, inputs: 1, noise: 0.05, edgeNorm: true},
}

// shot starts a method of the catalogue.
func shot(t testing.TB, n *synthetic, settings wire.Settings) sdk.OneShot {
	t.Helper()
	o, err := catalogued().StartOneShot(n.search(1), settings)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// merged adds settings to others.
func merged(s wire.Settings, more wire.Settings) wire.Settings {
	s = maps.Clone(s)
	maps.Copy(s, more)
	return s
}

// TestPlanted: the candidate that alone reaches the targets is found on every edge, by
// each relaxation, perturbation, order and update.
func TestPlanted(t *testing.T) {
	base := wire.Settings{"arch_lr": 0.02}
	for name, c := range map[string]struct {
		settings wire.Settings
		epochs   int
	}{
		"darts":            {base, 30},
		"darts2":           {merged(base, wire.Settings{"order": "second"}), 30},
		"gdas":             {merged(base, wire.Settings{"relax": "gumbel", "weights_first": true}), 60},
		"snas":             {merged(base, wire.Settings{"relax": "concrete", "order": "single"}), 60},
		"drnas":            {merged(base, wire.Settings{"relax": "dirichlet"}), 60},
		"drnas, kl":        {merged(base, wire.Settings{"relax": "dirichlet", "kl": 1e-3, "arch_decay": 0.0}), 60},
		"fair, no penalty": {merged(base, wire.Settings{"relax": "sigmoid", "zero_one": 0.0}), 30},
		"sdarts_rs":        {merged(base, wire.Settings{"perturb": "random"}), 30},
		"sdarts_adv":       {merged(base, wire.Settings{"perturb": "adversarial"}), 30},
		"gaea":             {wire.Settings{"update": "eg"}, 30},
		"gaea_gdas":        {wire.Settings{"update": "eg", "relax": "gumbel", "eg_clamp": "after", "arch_lr": 0.01, "eg_entropy": 0.01}, 60},
		"pc_darts":         {merged(base, wire.Settings{"partial": "channels"}), 30},
	} {
		for cell, o := range cells {
			t.Run(name+"/"+cell, func(t *testing.T) {
				o.allReach = true
				n := newSynthetic(t, o)
				n.epochs, n.steps = c.epochs, 20
				all := run(t, shot(t, n, merged(c.settings, wire.Settings{"edge_norm": o.edgeNorm})), n)
				last := all[len(all)-1]
				if got := n.planted(last.Genotype, "conv3"); len(all) != c.epochs || got != 1 {
					t.Errorf("%d stages; the planted candidate is %v of %s; %v", len(all), got, n.space.Format(last.Genotype), last.Mixture)
				}
				if last.Mixture == nil || len(last.Metrics.Values) != 2 || last.Metrics.Epochs != 1 {
					t.Errorf("the last stage: %+v", last)
				}
			})
		}
	}
}

// combinations are settings in which every component occurs.
var combinations = []wire.Settings{
	{},
	{"relax": "gumbel", "weights_first": true, "warmup": int64(1)},
	{"relax": "concrete", "order": "single", "perturb": "adversarial"},
	{"relax": "dirichlet", "kl": 0.01, "partial": "channels", "period": int64(3)},
	{"relax": "sigmoid", "perturb": "random"},
	{"relax": "uniform"},
	{"update": "eg", "order": "second"},
	{"update": "eg", "relax": "gumbel", "perturb": "random", "eg_clamp": "after", "eg_entropy": 0.01},
}

// TestResumes: a search that is killed after any stage goes on with the same bits.
func TestResumes(t *testing.T) {
	for name, c := range cells {
		for _, settings := range combinations {
			t.Run(fmt.Sprint(name, settings), func(t *testing.T) {
				resumes(t, func() (sdk.OneShot, *synthetic) {
					n := newSynthetic(t, c)
					n.epochs = 4
					return shot(t, n, merged(settings, wire.Settings{"edge_norm": c.edgeNorm})), n
				})
			})
		}
	}
}

// TestProduct: every relaxation works with every perturbation, order, update and kind of
// channels, on every cell.
func TestProduct(t *testing.T) {
	slot := func(name string) []string {
		d, err := sdk.Plugin{Name: "me/x", Version: "0.0.1", Optimizers: []sdk.OptimizerSpec{catalogued()}}.Description()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Components[0].Parameters {
			if p.Name == name {
				return p.Choices
			}
		}
		t.Fatal(name)
		return nil
	}
	done := 0
	for _, relax := range slot("relax") {
		for _, perturb := range slot("perturb") {
			for _, order := range slot("order") {
				for _, update := range slot("update") {
					if relax == "sigmoid" && update == "eg" {
						continue // TestExpGradNeedsProbabilities
					}
					for _, c := range cells {
						n := newSynthetic(t, c)
						n.epochs, n.steps = 2, 2
						run(t, shot(t, n, wire.Settings{"relax": relax, "perturb": perturb, "order": order, "update": update, "edge_norm": c.edgeNorm,
							"controller_steps": int64(1), "samples": int64(2), "lstm_units": int64(4)}), n)
						done++
					}
				}
			}
		}
	}
	if done < 4*(6*3*3*2-9) {
		t.Errorf("only %d combinations", done)
	}
}

// TestKinds: what a component cannot handle is told with the decision, if it has
// parameters.
func TestKinds(t *testing.T) {
	n := newSynthetic(t, cells["two of edges"])
	n.relaxed.Decisions[2].Min = 1 // any number of edges
	address := n.relaxed.Decisions[2].Address
	for relax, refused := range map[string]bool{"softmax": false, "gumbel": true, "concrete": true, "dirichlet": false, "sigmoid": false, "uniform": false} {
		if err := shot(t, n, wire.Settings{"relax": relax}).Begin(n); err != nil {
			t.Errorf("%s without edge normalisation: %v", relax, err)
		}
		err := shot(t, n, wire.Settings{"relax": relax, "edge_norm": true}).Begin(n)
		var p *sdk.Problem
		if !refused && err != nil {
			t.Errorf("%s: %v", relax, err)
		}
		if refused && (!errors.As(err, &p) || p.Path != "decisions."+address || p.Message != "`"+relax+"` cannot relax a choice of any number of edges") {
			t.Errorf("%s: %v", relax, err)
		}
	}
}

// TestErrors: a supernet that fails ends the stage, and parameters that are no numbers
// any more are told.
func TestErrors(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	o := shot(t, n, wire.Settings{})
	if err := o.Begin(failing{n}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Stage(t.Context()); err == nil || err.Error() != "the evaluator has crashed" {
		t.Error(err)
	}
	o = shot(t, n, wire.Settings{})
	if err := o.Begin(diverged{n}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Stage(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "the search diverged: the arch parameter of `zero` at n[0].edge[0] is ") {
		t.Error(err)
	}
	for _, parts := range []Parts{{}, {Relaxation: Softmax(), Order: FirstOrder(), Update: &Adam{}}} {
		if _, err := New(n.search(1), parts); err == nil {
			t.Errorf("%+v is accepted", parts)
		}
	}
	n.epochs = 1
	o = shot(t, n, wire.Settings{})
	run(t, o, n)
	if _, err := o.Stage(t.Context()); err == nil {
		t.Error("there is a stage after the last")
	}
}

type failing struct{ *synthetic }

func (failing) WeightStep(context.Context, sdk.Mixture, sdk.WeightStep) (float64, error) {
	return 0, errors.New("the evaluator has crashed")
}

type diverged struct{ *synthetic }

func (d diverged) ArchGradient(ctx context.Context, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	loss, g, err := d.synthetic.ArchGradient(ctx, m, o)
	g[0][0] = math.Inf(1)
	return loss, g, err
}

// TestLoadErrors: the state of another supernet or method is refused.
func TestLoadErrors(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	start := func(n *synthetic, s wire.Settings) sdk.OneShot {
		o := shot(t, n, s)
		if err := o.Begin(n); err != nil {
			t.Fatal(err)
		}
		return o
	}
	state, err := start(n, wire.Settings{}).Save()
	if err != nil {
		t.Fatal(err)
	}
	other := newSynthetic(t, cells["two of edges"])
	for want, err := range map[string]error{
		"the state is of another supernet than the one that is searched": start(other, wire.Settings{}).Load(state),
		"the state is of another method: of `eg` it has something":       start(n, wire.Settings{"update": "eg"}).Load(state),
		"the state of a one-shot search: unexpected end of JSON input":   start(n, wire.Settings{}).Load(state[:30]),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("%v, not %s", err, want)
		}
	}
}

// TestSeeds: another seed begins and draws otherwise; the same one does not.
func TestSeeds(t *testing.T) {
	at := func(seed uint64) string {
		n := newSynthetic(t, cells["all edges"])
		n.epochs = 2
		o, err := catalogued().StartOneShot(n.search(seed), wire.Settings{"relax": "concrete"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(run(t, o, n))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first, again, other := at(1), at(1), at(2)
	if first != again || first == other {
		t.Errorf("seed 1: %s\nagain: %s\nseed 2: %s", first, again, other)
	}
}

// TestKeep: what is not left has no weight, whatever draws the mixture, and is not
// selected; an operation with one candidate is decided.
func TestKeep(t *testing.T) {
	for _, relax := range []Relaxation{Softmax(), Gumbel(Temperature{Max: 1, Min: 1}), Concrete(Temperature{Max: 1, Min: 1}), Dirichlet(0), Sigmoid(1), Uniform()} {
		n := newSynthetic(t, cells["all edges"])
		s := begun(t, n, Parts{Relaxation: relax})
		for _, o := range [][]int{{0, 1, 2}, {1, 2}, {2}} {
			if err := s.Keep(1, o); err != nil {
				t.Fatal(err)
			}
			for range 10 {
				m, _ := s.Draw(s.Params(), Moment{}, s.Rand("x"))
				for k, v := range m[1] {
					if !slices.Contains(o, k) && v != 0 || len(o) == 1 && k == o[0] && v != 1 && s.parts.Relaxation != relax {
						t.Errorf("%T: %v is left of %v", relax, o, m[1])
					}
				}
			}
			if c := s.Strongest(s.Mean()); !slices.Contains(o, c[1][0]) {
				t.Errorf("%T: %v is left and %v selected", relax, o, c[1])
			}
		}
		for _, o := range [][]int{{}, {0}, {9}} {
			if err := s.Keep(1, o); err == nil {
				t.Errorf("%v is kept of {2}", o)
			}
		}
	}
}
