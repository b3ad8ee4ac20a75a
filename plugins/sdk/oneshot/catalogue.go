package oneshot

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Catalogue offers components by name. The first of a slot is its default.
type Catalogue struct {
	Relaxations   Slot[Relaxation]
	Perturbations Slot[Perturbation]
	Channels      Slot[Channels]
	Orders        Slot[Order]
	Updates       Slot[Update]
	Guards        Slot[Guard]
	Selections    Slot[Selection]
}

// Slot lists the components that may take one place of a method; [Add] adds one.
type Slot[T any] struct{ offers []offer[T] }

type offer[T any] struct {
	name, doc  string
	parameters []wire.Parameter
	err        error
	start      func(wire.Settings) (T, error)
}

// Add offers a component under a name. P is a struct whose fields are its parameters,
// see [sdk.Parameters]; all have defaults. Components may share a parameter if they
// declare it alike. The parameters of a component that is not used do not count.
func Add[T, P any](s *Slot[T], name, doc string, start func(P) (T, error)) {
	parameters, err := sdk.Parameters[P]()
	s.offers = append(s.offers, offer[T]{name, doc, parameters, err, func(v wire.Settings) (T, error) {
		var p P
		if err := sdk.Fill(&p, v); err != nil {
			var none T
			return none, err
		}
		return start(p)
	}})
}

// none offers that nothing takes the place.
func none[T any](s *Slot[T], doc string) {
	Add(s, "none", doc, func(struct{}) (T, error) {
		var nothing T
		return nothing, nil
	})
}

// Steps are the parameters of a method that are of no component.
type Steps struct {
	Warmup       float64 `default:"0" min:"0" doc:"epochs without arch steps, in the beginning; below 1: a share of them all"`
	WeightsFirst bool    `default:"false" doc:"the weight step before the arch step, not after it"`
	Period       int     `default:"1" min:"1" doc:"weight steps for one arch step"`
	EdgeNorm     bool    `default:"false" doc:"edges have learned weights too (PC-DARTS)"`
	ScoreBatches int     `default:"4" min:"0" doc:"batches of the validation part, the first ones, on which the supernet measures the derived architecture after each epoch; 0: it does not"`
}

// Optimizer declares a one-shot optimizer whose parameters are the slots, those of
// [Steps] and those of all components.
// A mistake in the catalogue is an error of the plugin, told when it is served.
func (c *Catalogue) Optimizer(info sdk.OptimizerInfo) sdk.OptimizerSpec {
	parameters, err := c.parameters()
	return sdk.NewOneShotOf(info, parameters, err, func(s sdk.Search, v wire.Settings) (sdk.OneShot, error) {
		p, err := c.parts(v)
		if err != nil {
			return nil, err
		}
		return New(s, p)
	})
}

// parts makes the components that settings name.
func (c *Catalogue) parts(v wire.Settings) (p Parts, err error) {
	var steps Steps
	if err := sdk.Fill(&steps, v); err != nil {
		return p, err
	}
	p = Parts{WarmUp: steps.Warmup, WeightsFirst: steps.WeightsFirst, Period: steps.Period, EdgeNorm: steps.EdgeNorm, ScoreBatches: steps.ScoreBatches,
		names: map[string]string{}}
	for _, name := range slotNames {
		p.names[name] = v[name].(string)
	}
	if p.Relaxation, err = c.Relaxations.take(v, "relax"); err != nil {
		return p, err
	}
	if p.Perturbation, err = c.Perturbations.take(v, "perturb"); err != nil {
		return p, err
	}
	if p.Channels, err = c.Channels.take(v, "partial"); err != nil {
		return p, err
	}
	if p.Order, err = c.Orders.take(v, "order"); err != nil {
		return p, err
	}
	if p.Update, err = c.Updates.take(v, "update"); err != nil {
		return p, err
	}
	if p.Guard, err = c.Guards.take(v, "guard"); err != nil {
		return p, err
	}
	p.Selection, err = c.Selections.take(v, "select")
	return p, err
}

var slotNames = []string{"relax", "perturb", "partial", "order", "update", "guard", "select"}

// parameters are those of everything.
func (c *Catalogue) parameters() ([]wire.Parameter, error) {
	var all []wire.Parameter
	var own []wire.Parameter // of components
	var err error
	add := func(name, doc string, names, docs []string, ps []wire.Parameter, e error) {
		for i, d := range docs {
			doc += fmt.Sprintf("; %s: %s", names[i], d)
		}
		if len(names) == 0 && e == nil {
			e = fmt.Errorf("nothing is offered for %s", name)
		}
		if err == nil {
			err = e
		}
		if err != nil {
			return
		}
		all = append(all, wire.Parameter{Name: name, Doc: doc, Type: wire.String, Default: names[0], Choices: names})
		own = append(own, ps...)
	}
	list(&c.Relaxations, "relax", "how arch parameters become a mixture", add)
	list(&c.Perturbations, "perturb", "what is done to the mixture of a weight step", add)
	list(&c.Channels, "partial", "how many channels go through mixed operations", add)
	list(&c.Orders, "order", "of the gradient of an arch step", add)
	list(&c.Updates, "update", "how arch parameters move", add)
	list(&c.Guards, "guard", "what watches the search", add)
	list(&c.Selections, "select", "how the architecture is derived", add)
	if err != nil {
		return nil, err
	}
	steps, err := sdk.Parameters[Steps]()
	if err != nil {
		return nil, err
	}
	for _, p := range append(steps, own...) {
		i := slices.IndexFunc(all, func(q wire.Parameter) bool { return q.Name == p.Name })
		switch {
		case p.Default == nil:
			return nil, fmt.Errorf("the parameter %s of a component has no default", p.Name)
		case i < 0:
			all = append(all, p)
		case !reflect.DeepEqual(all[i], p):
			return nil, fmt.Errorf("two components declare the parameter %s in different ways", p.Name)
		}
	}
	return all, nil
}

// list tells what a slot offers.
func list[T any](s *Slot[T], name, doc string, add func(name, doc string, names, docs []string, ps []wire.Parameter, err error)) {
	var names, docs []string
	var all []wire.Parameter
	var err error
	for _, o := range s.offers {
		if slices.Contains(names, o.name) {
			err = fmt.Errorf("%s: %s is offered twice", name, o.name)
		}
		if o.err != nil {
			err = fmt.Errorf("%s: %w", o.name, o.err)
		}
		names, docs, all = append(names, o.name), append(docs, o.doc), append(all, o.parameters...)
	}
	add(name, doc, names, docs, all, err)
}

// take makes the component that settings name.
func (s *Slot[T]) take(v wire.Settings, slot string) (T, error) {
	for _, o := range s.offers {
		if o.name == v[slot] {
			return o.start(v)
		}
	}
	var none T
	return none, sdk.Refuse(slot, "cannot be %v", v[slot])
}
