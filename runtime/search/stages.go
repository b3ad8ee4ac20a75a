package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

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
	return mark(t, require, values)
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
