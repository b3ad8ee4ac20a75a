package search

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/store"
)

// OneShot are the two sides of a one-shot search: an optimizer that owns arch
// parameters, and an evaluator that owns the weights of a supernet.
type OneShot struct {
	Optimizer *host.OneShot
	Trainer   *host.Evaluator
	// Net is the space as the optimizer has it relaxed at first.
	Net *lower.Supernet
	// Supernet is open for it and untrained; nil: the search opens one.
	Supernet *host.Supernet
	// Relax relaxes the space that is searched.
	Relax func(lower.Relaxation) (*lower.Supernet, error)
	// Require are those of the search's requirements that need no evaluation.
	Require []Requirement
	// Work is the folder where the evaluator keeps its side of checkpoints, absolute.
	Work string
}

// open opens a supernet of a search with a budget of epochs and a seed.
func (o *OneShot) open(ctx context.Context, n *lower.Supernet, epochs int, seed uint64) (*host.Supernet, error) {
	return o.Trainer.Supernet(ctx, wire.OpenSupernet{Network: n, Epochs: epochs, Seed: stream.Seed(seed, "supernet", 0)})
}

// Try opens the supernet and tells what the two sides have against it before anything
// is done: the optimizer begins, and whatever it calls for first ends the trial.
func (o *OneShot) Try(ctx context.Context, epochs int, seed uint64) error {
	if err := persist(ctx, func() (err error) {
		o.Supernet, err = o.open(ctx, o.Net, epochs, seed)
		return err
	}); err != nil {
		return err
	}
	return persist(ctx, func() error { return o.begin(ctx, epochs) })
}

// begin begins and ends the first stage.
func (o *OneShot) begin(ctx context.Context, epochs int) error {
	if err := o.Optimizer.Begin(ctx, host.Beginning{Supernet: o.Net, Epochs: epochs, Size: o.Supernet.Size()}); err != nil {
		return err
	}
	enough := errors.New("it begins")
	_, _, err := o.Optimizer.Stage(ctx, func(context.Context, host.Call) (host.Reply, error) { return host.Reply{}, enough })
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

// mostIdle is how many stages in a row may train nothing. Selections take some: one
// for each edge of a cell, or each generation of an evolution.
const mostIdle = 10_000

// shot is a one-shot search under way.
type shot struct {
	*Search
	epochs   int
	net      *lower.Supernet // as it is relaxed now
	supernet *host.Supernet  // nil: it has to be opened
	last     *store.Checkpoint
	reported map[int64]map[string]float64 // what tests of architectures said, by their numbers
	out      Outcome
	idle     int

	steps int64 // of this stage
	begun time.Time
	took  float64 // seconds of the supernet before this stage

	started time.Time
	before  float64 // wall seconds of earlier sessions
}

// stages runs a one-shot search: the optimizer does one stage after another and calls
// for what it needs, and after each both sides are saved together with the trial.
// Whatever ends the search in between, it goes on from there with the same bits.
func (s *Search) stages(ctx context.Context) (*Outcome, error) {
	g := &shot{Search: s, epochs: int(s.Budget.Amount), reported: map[int64]map[string]float64{}, started: time.Now()}
	defer g.leave()
	if err := g.recall(); err != nil {
		return nil, err
	}
	for g.last == nil || !g.last.Done {
		number := g.number()
		if err := persist(ctx, func() error {
			err := g.stage(ctx)
			if err != nil {
				g.leave()
			}
			return err
		}); err != nil {
			return nil, noted(err, "in stage %d of the search", number)
		}
	}
	switch t := g.out.Best; {
	case t.Status == store.Infeasible:
		return nil, fmt.Errorf("%w; that of the last stage: %s", ErrInfeasible, t.Failure)
	case t.Status == store.Failed:
		return nil, fmt.Errorf("the last stage has no architecture: %s", t.Failure)
	}
	return s.conclude(ctx, &g.out, g.reported[g.out.Best.ID])
}

// persist does something again when a plugin dies of it, as often as plugins are
// started anew.
func persist(ctx context.Context, do func() error) error {
	for deaths, hangs := 1, 0; ; deaths++ {
		err := do()
		if err == nil || ctx.Err() != nil || !host.HasDied(err) {
			return err
		}
		if host.HasHung(err) {
			hangs++
		}
		switch {
		case hangs > host.MaxHangs:
			return noted(err, "it has hung %d times in a row", hangs)
		case deaths > host.MaxRestarts:
			return noted(err, "it has died %d times in a row", deaths)
		}
	}
}

// noted adds to an error where it happened.
func noted(err error, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		return fmt.Errorf("%s: %w", text, err)
	}
	c := *d
	c.Notes = append(slices.Clone(d.Notes), diag.Note{Text: text})
	return &c
}

// number is that of the stage to come.
func (g *shot) number() int64 {
	if g.last == nil {
		return 0
	}
	return g.last.Stage + 1
}

// saved is how names of the evaluator's files begin.
const saved = "supernet-"

// enter brings both sides to where the last stage ended.
func (g *shot) enter(ctx context.Context) (err error) {
	var state []byte
	g.net = g.OneShot.Net
	if c := g.last; c != nil {
		state = c.State
		if g.net, err = g.OneShot.Relax(lower.Relaxation(c.Relaxation)); err != nil {
			return err
		}
	} else {
		g.supernet, g.OneShot.Supernet = g.OneShot.Supernet, nil
	}
	if g.supernet == nil {
		if g.supernet, err = g.OneShot.open(ctx, g.net, g.epochs, g.Seed); err != nil {
			return err
		}
	}
	if g.last != nil {
		if err := g.supernet.Load(ctx, filepath.Join(g.OneShot.Work, g.last.File)); err != nil {
			return noted(err, "what the evaluator has kept of stage %d cannot be loaded", g.last.Stage)
		}
	}
	return g.OneShot.Optimizer.Begin(ctx, host.Beginning{Supernet: g.net, Epochs: g.epochs, Size: g.supernet.Size(), State: state})
}

// leave lets go of the supernet; what is not saved is lost.
func (g *shot) leave() {
	if g.supernet != nil {
		g.supernet.Close()
		g.supernet = nil
	}
}

// stage has the optimizer do the next stage, and saves it.
func (g *shot) stage(ctx context.Context) error {
	if g.supernet == nil {
		if err := g.enter(ctx); err != nil {
			return err
		}
	}
	g.steps, g.begun, g.took = 0, time.Now(), g.supernet.Seconds()
	done, state, err := g.OneShot.Optimizer.Stage(ctx, g.answer)
	if err != nil {
		return err
	}
	if g.idle++; g.steps > 0 {
		g.idle = 0
	}
	if g.idle > mostIdle && !done.Done {
		return fmt.Errorf("%s has trained nothing for %d stages", g.OneShot.Optimizer.Source(), mostIdle)
	}
	t, k, err := g.trial(&done)
	if err != nil {
		return err
	}
	st := &store.Stage{Number: t.Number, Mixture: done.Mixture, Weighed: weighed(g.net), Values: done.Values, Text: done.Text}
	note := ""
	if t.Status != store.Failed && g.Report != nil {
		if st.Report, note, err = g.report(ctx, t, done.Genotype); err != nil {
			return err
		}
	}
	if k != nil {
		k.judged()
	}
	c := &store.Checkpoint{Stage: t.Number, State: state, File: fmt.Sprintf("%s%d", saved, t.Number),
		Relaxation: store.Relaxation(g.net.Relaxation()), Steps: g.spent() + g.steps, Done: done.Done}
	if err := g.save(ctx, t, st, c); err != nil {
		return err
	}
	if g.Report != nil {
		g.Observer.Reported(t, st.Report, note)
	}
	g.Observer.Trial(t, false)
	g.out.Trained += g.supernet.Seconds() - g.took
	g.out.Searched += time.Since(g.begun).Seconds()
	return g.count(t)
}

// spent is how many weight steps earlier stages took.
func (g *shot) spent() int64 {
	if g.last == nil {
		return 0
	}
	return g.last.Steps
}

// answer does what the optimizer calls for.
func (g *shot) answer(ctx context.Context, c host.Call) (host.Reply, error) {
	switch c.Kind() {
	case host.CheckCall:
		all := c.Genotypes()
		out := make([]bool, len(all))
		for i, a := range all {
			var err error
			if out[i], err = g.admissible(a); err != nil {
				return host.Reply{}, err
			}
		}
		return host.Checked(out), nil
	case host.RelaxCall:
		net, err := g.net.Relax(c.Relaxation())
		if err != nil {
			return host.Refused(err), nil
		}
		if err := g.supernet.Relax(ctx, net); err != nil {
			return host.Reply{}, err
		}
		g.net = net
		return host.Relaxed(net), nil
	case host.WeightStepCall:
		size := int64(g.supernet.Size().Steps)
		if g.spent()+g.steps >= int64(g.epochs)*size {
			return host.Reply{}, fmt.Errorf("%s wants more weight steps than the %d of its budget of %d epochs", g.OneShot.Optimizer.Source(), int64(g.epochs)*size, g.epochs)
		}
		reply, err := g.supernet.Do(ctx, c)
		if loss, ok := reply.Loss(); err == nil && ok {
			g.steps++
			g.Observer.Progress(g.number(), wire.Progress{Fraction: min(1, float64(g.steps)/float64(size)), Text: fmt.Sprintf("loss %.4g", loss)})
		}
		return reply, err
	}
	return g.supernet.Do(ctx, c)
}

// admissible tells whether an architecture satisfies the constraints of the space and
// the requirements that need no evaluation.
func (g *shot) admissible(a space.Genotype) (bool, error) {
	k, err := g.Catalogue.meet(a)
	if err != nil || k.outside != "" {
		return false, nil
	}
	bound, err := g.Catalogue.space.Bind(a)
	if err != nil {
		return false, nil
	}
	metrics := map[string]float64{}
	if len(g.OneShot.Require) > 0 {
		for name, compute := range Analytic {
			metrics[name] = compute(bound)
		}
	}
	for _, r := range g.OneShot.Require {
		violation, err := r.Violated(metrics)
		if err != nil || violation != "" {
			return false, err
		}
	}
	return true, nil
}
