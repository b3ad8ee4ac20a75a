package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	for deaths := 0; ; deaths++ {
		err := do()
		if err == nil || ctx.Err() != nil || !host.HasDied(err) {
			return err
		}
		if deaths == host.MaxRestarts {
			return noted(err, "it has died %d times in a row", deaths+1)
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

// recall takes what the log holds, and removes files of the evaluator that it does not
// name: a search was killed between writing one and saying so.
func (g *shot) recall() (err error) {
	if !g.Resumed {
		return nil
	}
	if g.last, err = g.Log.Checkpoint(); err != nil {
		return err
	}
	for t, err := range g.Log.Trials() {
		if err != nil {
			return err
		}
		if err := g.count(t); err != nil {
			return err
		}
		g.before = t.Elapsed
		g.Observer.Trial(t, true)
	}
	if int64(g.out.Trials) != g.number() {
		return fmt.Errorf("the log has %d stages, and its checkpoint is after %d", g.out.Trials, g.number())
	}
	for st, err := range g.Log.Stages() {
		if err != nil {
			return err
		}
		if t, err := g.Log.Trial(st.Number); err != nil {
			return err
		} else if t != nil && st.Report != nil {
			g.reported[t.ID] = st.Report
		}
	}
	entries, err := os.ReadDir(g.OneShot.Work)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), saved) && (g.last == nil || e.Name() != g.last.File) {
			err = errors.Join(err, os.Remove(filepath.Join(g.OneShot.Work, e.Name())))
		}
	}
	return err
}

// count books a stage that is in the log. The last one is the winner.
func (g *shot) count(t *store.Trial) (err error) {
	g.out.Trials++
	switch t.Status {
	case store.Failed:
		g.out.Failed++
	case store.Infeasible:
		g.out.Infeasible++
	}
	g.out.Best = t
	g.out.Genotype, err = g.Catalogue.space.Parse(t.Genotype)
	return err
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
	g.steps, g.begun = 0, time.Now()
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

// trial is a stage in the log: the architecture derived then, with the metrics that
// the supernet has for it.
func (g *shot) trial(done *wire.Stage) (*store.Trial, *known, error) {
	now := time.Now()
	t := &store.Trial{Number: g.number(), Status: store.OK, Seconds: now.Sub(g.begun).Seconds(), Elapsed: g.before + now.Sub(g.started).Seconds(),
		Epochs: float64(g.steps) / float64(g.supernet.Size().Steps), Seed: stream.Seed(g.Seed, "trial", uint64(g.number()))}
	k, err := g.Catalogue.meet(done.Genotype)
	if err != nil {
		return nil, nil, fmt.Errorf("the architecture of %s is not in the space: %w", g.OneShot.Optimizer.Source(), err)
	}
	var failure string
	if t.Architecture, failure, err = g.Catalogue.describe(k); err != nil {
		return nil, nil, err
	}
	if failure = cmp.Or(failure, k.outside); failure != "" {
		t.Status, t.Failure = store.Failed, failure
		return t, k, nil
	}
	return t, k, g.measure(t, k, done.Metrics)
}

// measure gives a trial its metrics and tests the requirements. A stage that was not
// measured is held against those that need no evaluation.
func (g *shot) measure(t *store.Trial, k *known, measured wire.ValidationMetrics) error {
	values := map[string]float64{}
	for name, v := range measured.Values {
		values[name] = v
	}
	for name := range Analytic {
		if _, reported := values[name]; !reported {
			v, err := g.Catalogue.computed(k, name)
			if err != nil {
				return err
			}
			values[name] = v
		}
	}
	require := g.OneShot.Require
	if len(measured.Values) > 0 {
		require = g.Require
		t.Metrics.Names = g.Metrics
		for _, name := range g.Metrics {
			t.Metrics.Values = append(t.Metrics.Values, values[name])
		}
	}
	for _, r := range require {
		violation, err := r.Violated(values)
		if err != nil {
			return err
		}
		if violation != "" {
			t.Status, t.Failure = store.Infeasible, violation
			return nil
		}
	}
	return nil
}

// report tests the architecture of a stage with what reports, once however often it is
// derived, or says why there is no result.
func (g *shot) report(ctx context.Context, t *store.Trial, a space.Genotype) (metrics map[string]float64, note string, err error) {
	if known := g.reported[t.ID]; known != nil {
		return known, "", nil
	}
	job, _, err := g.job(t, a)
	if err != nil {
		return nil, "", err
	}
	if metrics, note, err = g.test(ctx, job); err == nil {
		g.reported[t.ID] = metrics
	}
	return metrics, note, err
}

// save puts a stage on the disk: the evaluator's side into a file, then everything
// else with the name of that file into the log, at once. Only then the last file goes.
func (g *shot) save(ctx context.Context, t *store.Trial, st *store.Stage, c *store.Checkpoint) error {
	if err := os.MkdirAll(g.OneShot.Work, 0o755); err != nil {
		return err
	}
	if err := g.supernet.Save(ctx, filepath.Join(g.OneShot.Work, c.File)); err != nil {
		return err
	}
	if err := g.Log.AppendStage(t, st, c); err != nil {
		return err
	}
	old := g.last
	if g.last = c; old != nil {
		return os.Remove(filepath.Join(g.OneShot.Work, old.File))
	}
	return nil
}

// weighed is what the mixtures of a supernet weigh.
func weighed(n *lower.Supernet) []store.Weighed {
	out := make([]store.Weighed, len(n.Decisions))
	for i, d := range n.Decisions {
		out[i] = store.Weighed{Address: d.Address, Edges: d.Edges, Min: d.Min, Max: d.Max}
		for _, o := range d.Options {
			out[i].Options = append(out[i].Options, o.Label)
		}
	}
	return out
}
