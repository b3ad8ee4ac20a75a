package oneshot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// New makes a one-shot optimizer of its parts.
func New(s sdk.Search, p Parts) (sdk.OneShot, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	p.Period = max(p.Period, 1)
	return &driver{Search: &Search{Search: s, parts: p}}, nil
}

// driver does the stages of a search.
type driver struct {
	*Search
	stage    int  // stages that are over
	selected int  // those of them that were the selection's
	stopped  bool // a guard has ended the epochs
	over     bool
}

// Relaxation implements [sdk.OneShot].
func (d *driver) Relaxation() sdk.Relaxation { return d.parts.relaxation() }

// Begin implements [sdk.OneShot].
func (d *driver) Begin(n sdk.SearchedSupernet) error {
	r := n.Relaxed()
	if err := d.parts.handles(r); err != nil {
		return err
	}
	d.net = n
	d.draws = map[string]uint64{}
	d.kept = nil
	for _, x := range r.Decisions {
		all := make([]bool, len(x.Options))
		for k := range all {
			all[k] = true
		}
		d.kept = append(d.kept, all)
	}
	d.arrange()
	if d.epochs() < 1 {
		return sdk.Refuse("select", "takes %d epochs, all of the budget", n.Epochs()-d.epochs())
	}
	p := d.parts.Relaxation.Init(d.layout, d.Rand("init"))
	d.params = make(Params, len(r.Decisions))
	for i, x := range d.layout.Decisions {
		if p != nil && x.Learned {
			d.params[i] = p[i]
		}
	}
	return d.parts.Update.Start(d.layout, d.params)
}

// epochs is how many epochs there are before the selection's own stages.
func (d *driver) epochs() int {
	n := d.net.Epochs()
	if s, ok := d.parts.Selection.(Staged); ok {
		n -= s.Epochs(d.Search)
	}
	return n
}

// Stage implements [sdk.OneShot].
func (d *driver) Stage(ctx context.Context) (sdk.Stage, error) {
	if d.over {
		return sdk.Stage{}, fmt.Errorf("the search is over")
	}
	if d.stopped || d.stage >= d.epochs() {
		return d.selection(ctx)
	}
	return d.epoch(ctx)
}

// epoch does an epoch of the search.
func (d *driver) epoch(ctx context.Context) (sdk.Stage, error) {
	at := Moment{Epoch: d.stage, Epochs: d.epochs(), Steps: d.net.Size().Steps}
	for _, c := range d.parts.all() {
		if p, ok := c.any.(Prologue); ok {
			if err := p.Prologue(ctx, d.Search, at); err != nil {
				return sdk.Stage{}, err
			}
		}
	}
	values, err := d.Train(ctx, at, at.Steps, at.Epoch >= Span(d.parts.WarmUp, at.Epochs))
	if err != nil {
		return sdk.Stage{}, err
	}
	at.Step = at.Steps
	for _, c := range d.parts.all() {
		if e, ok := c.any.(Epilogue); ok {
			if err := e.Epilogue(ctx, d.Search, at); err != nil {
				return sdk.Stage{}, err
			}
		}
		if r, ok := c.any.(Reporter); ok {
			maps.Copy(values, r.Values(at))
		}
	}
	var v Verdict
	if d.parts.Guard != nil {
		if v, err = d.parts.Guard.Watch(ctx, d.Search, at); err != nil {
			return sdk.Stage{}, err
		}
		maps.Copy(values, v.Values)
	}
	choice := v.Choice
	if choice == nil || !v.Stop {
		if choice, err = d.parts.Selection.Derive(ctx, d.Search); err != nil {
			return sdk.Stage{}, err
		}
	}
	d.stage++
	_, staged := d.parts.Selection.(Staged)
	o := Outcome{Choice: choice, Values: values, Text: v.Text}
	switch {
	case v.Stop && (v.Choice != nil || !staged):
		o.Done = true
	case v.Stop:
		d.stopped = true
	case d.stage == d.epochs() && !staged:
		o.Done = true
	}
	return d.finish(ctx, o, 1)
}

// finish makes a stage of its outcome.
func (d *driver) finish(ctx context.Context, o Outcome, epochs float64) (sdk.Stage, error) {
	g, err := Genotype(d.Space, d.Relaxed(), o.Choice)
	if err != nil {
		return sdk.Stage{}, err
	}
	if len(o.Metrics.Values) == 0 && d.parts.ScoreBatches > 0 {
		all, err := d.net.Score(ctx, []sdk.Mixture{OneHot(d.Relaxed(), o.Choice)}, sdk.Score{Batches: d.parts.ScoreBatches})
		if err != nil {
			return sdk.Stage{}, err
		}
		o.Metrics = all[0]
	}
	o.Metrics.Epochs = epochs
	d.over = o.Done
	mean := d.Mean()
	if o.Values == nil {
		o.Values = map[string]float64{}
	}
	o.Values["entropy"] = entropy(d.layout, mean)
	return sdk.Stage{Genotype: g, Metrics: o.Metrics, Mixture: mean, Values: o.Values, Text: o.Text, Done: o.Done}, nil
}

// entropy is the mean over learned decisions of the entropy of their weights, as
// shares of one, in nats.
func entropy(l *Layout, m sdk.Mixture) float64 {
	sum, n := 0.0, 0
	for i, d := range l.Decisions {
		if d.Edges && !d.Learned {
			continue
		}
		total, h := 0.0, 0.0
		for _, w := range m[i] {
			total += w
		}
		for _, w := range m[i] {
			if w > 0 && total > 0 {
				h -= w / total * math.Log(w/total)
			}
		}
		sum += h
		n++
	}
	return sum / float64(max(n, 1))
}

// Train makes weight steps and, with arch, arch steps in turns, as in an epoch at the
// moment at. It returns the mean losses, "train_loss" of the weight steps and
// "valid_loss" of the arch steps, unless those are on the training part.
func (s *Search) Train(ctx context.Context, at Moment, steps int, arch bool) (map[string]float64, error) {
	var valid mean
	train := walk{net: s.net}
	_, single := s.parts.Order.(SingleLevel)
	weights := func(m sdk.Mixture) (err error) {
		if m == nil {
			m, _ = s.Draw(s.params, at, s.Rand("draw"))
		}
		if s.parts.Perturbation != nil {
			if m, err = s.parts.Perturbation.Perturb(ctx, s, cloned(m), at); err != nil {
				return err
			}
		}
		return train.step(ctx, m, sdk.WeightStep{WeightDecay: s.weightDecay})
	}
	for step := range steps {
		at.Step = step
		due := arch && step%s.parts.Period == 0
		if s.parts.WeightsFirst && !single {
			if err := weights(nil); err != nil {
				return nil, err
			}
		}
		var shared sdk.Mixture
		if due {
			m, loss, err := s.archStep(ctx, at)
			if err != nil {
				return nil, cmp.Or(train.settle(), err)
			}
			valid.add(loss)
			if single {
				shared = m
			}
		}
		if !s.parts.WeightsFirst || single {
			if err := weights(shared); err != nil {
				return nil, err
			}
		}
	}
	if err := train.settle(); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	train.losses.put(values, "train_loss")
	if !single {
		valid.put(values, "valid_loss")
	}
	return values, nil
}

// archStep moves the arch parameters once, and returns the mixture and the loss
// under it. Where nothing is learned so it does nothing.
func (s *Search) archStep(ctx context.Context, at Moment) (sdk.Mixture, float64, error) {
	m, back := s.Draw(s.params, at, s.Rand("draw"))
	if back == nil {
		return nil, math.NaN(), nil
	}
	loss, grad, err := s.parts.Order.Gradient(ctx, s, m)
	if err != nil {
		return nil, 0, err
	}
	g := back(grad)
	if r, ok := s.parts.Relaxation.(Regulariser); ok {
		_, extra := r.Penalty(s.layout, s.layout.gather(s.params), at)
		for i, v := range s.layout.scatter(extra, s.params) {
			for k := range v {
				g[i][k] += v[k]
			}
		}
	}
	s.parts.Update.Step(s.params, g)
	for i, v := range s.params {
		for k := range v {
			if math.IsNaN(v[k]) || math.IsInf(v[k], 0) {
				d := s.Relaxed().Decisions[i]
				return nil, 0, fmt.Errorf("the search diverged: the arch parameter of `%s` at %s is %v", d.Options[k].Label, d.Address, v[k])
			}
		}
	}
	return m, loss, nil
}

// selection does a stage of the selection.
func (d *driver) selection(ctx context.Context) (sdk.Stage, error) {
	o, err := d.parts.Selection.(Staged).Stage(ctx, d.Search, d.selected)
	if err != nil {
		return sdk.Stage{}, err
	}
	d.stage++
	d.selected++
	return d.finish(ctx, o, o.Epochs)
}

// mean adds up numbers.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float64) {
	if !math.IsNaN(v) {
		m.sum += v
		m.n++
	}
}

func (m mean) put(values map[string]float64, name string) {
	if m.n > 0 {
		values[name] = m.sum / float64(m.n)
	}
}
