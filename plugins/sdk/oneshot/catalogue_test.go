package oneshot

import (
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// parametersOf are those of the optimizer that a catalogue makes.
func parametersOf(c *Catalogue) (map[string]wire.Parameter, error) {
	d, err := sdk.Plugin{Name: "me/x", Version: "0.0.1", Optimizers: []sdk.OptimizerSpec{c.Optimizer(sdk.OptimizerInfo{Name: "shot"})}}.Description()
	if err != nil {
		return nil, err
	}
	out := map[string]wire.Parameter{}
	for _, p := range d.Components[0].Parameters {
		out[p.Name] = p
	}
	return out, nil
}

// TestStandard: DARTS is what there is without settings, and everything is documented.
func TestStandard(t *testing.T) {
	ps, err := parametersOf(Standard())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{"relax": "softmax", "perturb": "none", "partial": "none", "order": "first", "update": "adam",
		"guard": "none", "select": "argmax", "warmup": 0.0, "weights_first": false, "period": int64(1), "edge_norm": false,
		"arch_decay": 1e-3, "arch_beta1": 0.5, "arch_beta2": 0.999, "k": int64(4), "epsilon": 0.3, "radius": 0.01} {
		if p, ok := ps[name]; !ok || p.Default != value {
			t.Errorf("%s is %v by default, not %v", name, p.Default, value)
		}
	}
	for name, p := range ps {
		if p.Doc == "" || p.Default == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for _, c := range ps["relax"].Choices {
		if !strings.Contains(ps["relax"].Doc, c+": ") {
			t.Errorf("%s is not explained: %s", c, ps["relax"].Doc)
		}
	}
}

// TestSettings: settings reach the components, and those of components that are not
// used do not matter.
func TestSettings(t *testing.T) {
	parts := func(s wire.Settings) Parts {
		all, err := parametersOf(Standard())
		if err != nil {
			t.Fatal(err)
		}
		v := wire.Settings{}
		for name, p := range all {
			v[name] = p.Default
		}
		p, err := Standard().parts(merged(v, s))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := parts(wire.Settings{"relax": "gumbel", "tau_max": 5.0, "tau_delay": 3.0, "arch_lr": 6e-4, "k": int64(2), "partial": "channels", "epsilon": 0.2, "perturb": "adversarial",
		"pgd_steps": int64(3), "warmup": 15.0, "period": int64(2), "weights_first": true, "edge_norm": true, "score_batches": int64(0)})
	if g := p.Relaxation.(noisyRelaxation); g.temperature != (Temperature{Max: 5, Min: 0.1, Delay: 3}) {
		t.Errorf("%+v", g.temperature)
	}
	if a := p.Update.(*Adam); a.Rate != 6e-4 || a.Decay != 1e-3 {
		t.Errorf("%+v", a)
	}
	if a := p.Perturbation.(adversarial); a.radius != (Radius{0.03, 0.2}) || a.steps != 3 {
		t.Errorf("%+v", a)
	}
	if r := p.relaxation(); r != (sdk.Relaxation{Channels: 2, EdgeWeights: true}) {
		t.Errorf("%+v", r)
	}
	if p.WarmUp != 15 || p.Period != 2 || !p.WeightsFirst || !p.EdgeNorm || p.ScoreBatches != 0 || p.Guard != nil {
		t.Errorf("%+v", p)
	}
	// As published, unless told otherwise.
	if g := parts(wire.Settings{"relax": "gumbel"}).Relaxation.(noisyRelaxation); g.temperature != (Temperature{Max: 10, Min: 0.1}) {
		t.Errorf("%+v", g.temperature)
	}
	if g := parts(wire.Settings{"relax": "concrete"}).Relaxation.(noisyRelaxation); g.temperature != (Temperature{Max: 1, Min: 0.03, Open: true}) {
		t.Errorf("%+v", g.temperature)
	}
	if a := parts(nil).Update.(*Adam); a.Rate != 3e-4 {
		t.Errorf("%+v", a)
	}
	if e := parts(wire.Settings{"update": "eg"}).Update.(*ExpGrad); *e != (ExpGrad{Rate: 0.1}) {
		t.Errorf("%+v", e)
	}
}

// TestRefusals: wrong settings are told with their names.
func TestRefusals(t *testing.T) {
	n := newSynthetic(t, cells["all edges"])
	for _, c := range []struct {
		settings wire.Settings
		want     string
	}{
		{wire.Settings{"relax": "soft"}, "parameters.relax: relax must be one of "},
		{wire.Settings{"tau": 1.0}, "parameters.tau: tau is not a parameter"},
		{wire.Settings{"relax": "gumbel", "tau_max": 1.0, "tau_min": 2.0}, "parameters.tau_min: tau_min is 2, more than tau_max, 1"},
		{wire.Settings{"perturb": "random", "epsilon": 0.01}, "parameters.epsilon_min: epsilon_min is 0.03, more than epsilon, 0.01"},
		{wire.Settings{"perturb": "adversarial", "epsilon": 0.01}, "parameters.epsilon_min: epsilon_min is 0.03, more than epsilon, 0.01"},
		{wire.Settings{"k": int64(0)}, "parameters.k: k "},
	} {
		if _, err := catalogued().StartOneShot(n.search(1), c.settings); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v: %v, not %s", c.settings, err, c.want)
		}
	}
}

// TestMistakes in a catalogue are told when the plugin describes itself.
func TestMistakes(t *testing.T) {
	for want, add := range map[string]func(c *Catalogue){
		`relax: softmax is offered twice`: func(c *Catalogue) {
			Add(&c.Relaxations, "softmax", "x", fixed(Softmax))
		},
		`two components declare the parameter kl in different ways`: func(c *Catalogue) {
			Add(&c.Relaxations, "mine", "x", func(struct {
				KL float64 `name:"kl" default:"1" doc:"x"`
			}) (Relaxation, error) {
				return Softmax(), nil
			})
		},
		`two components declare the parameter order in different ways`: func(c *Catalogue) {
			Add(&c.Relaxations, "mine", "x", func(struct {
				Order string `default:"x" doc:"x"`
			}) (Relaxation, error) {
				return Softmax(), nil
			})
		},
		`the parameter rate of a component has no default`: func(c *Catalogue) {
			Add(&c.Relaxations, "mine", "x", func(struct{ Rate float64 }) (Relaxation, error) { return Softmax(), nil })
		},
		`mine: field Rate of`: func(c *Catalogue) {
			Add(&c.Relaxations, "mine", "x", func(struct{ Rate []int }) (Relaxation, error) { return nil, nil })
		},
		`nothing is offered for order`: func(c *Catalogue) { c.Orders = Slot[Order]{} },
	} {
		c := Standard()
		add(c)
		if _, err := parametersOf(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %s", err, want)
		}
	}
}
