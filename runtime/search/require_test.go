package search

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/builtin"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

// inProcess is a built-in optimizer without its process.
type inProcess struct {
	sdk.Optimizer
	proposed []space.Genotype
	told     []sdk.Trial
	done     bool
	t        *testing.T
}

func newInProcess(t *testing.T, name string, s sdk.Search) *inProcess {
	t.Helper()
	p, _ := builtin.Plugin(name)
	o, err := p.Optimizers[0].Start(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &inProcess{Optimizer: o, t: t}
}

func (o *inProcess) Step(_ context.Context, told []wire.Told, n int) ([]space.Genotype, error) {
	var trials []sdk.Trial
	for _, t := range told {
		trials = append(trials, sdk.Trial{Trial: t.Trial, Genotype: o.proposed[t.Trial], Metrics: wire.Validation{Values: t.Metrics.Values[:min(1, len(t.Metrics.Values))]}.Unpack([]string{"score"}),
			Failure: t.Failure, Infeasible: t.Infeasible, Rejected: t.Rejected})
	}
	o.told = append(o.told, trials...)
	if len(trials) > 0 {
		if err := o.Tell(trials); err != nil {
			return nil, err
		}
	}
	if n == 0 {
		return nil, nil
	}
	all, err := o.Optimizer.Ask(n)
	if errors.Is(err, sdk.ErrDone) {
		o.done, err = true, nil
	}
	o.proposed = append(o.proposed, all...)
	return all, err
}

func (o *inProcess) Done() bool { return o.done }

// TestRejected: proposals outside of the space are asked for again by every
// optimizer, cost nothing, are in no log, and a resumed search meets them again.
func TestRejected(t *testing.T) {
	sp := newSmall(t)
	even := func(g space.Genotype) error {
		if n, err := sp.Rank(g); err != nil || n.Bit(0) == 1 {
			return errors.New("an odd one")
		}
		return nil
	}
	search := func(t *testing.T, name, dir string, workers, trials int) (*inProcess, *judge, *Outcome, string) {
		log, resumed := open(t, dir)
		defer log.Folder.Close()
		objective := store.Objective{Metric: "score", Maximize: true}
		o := newInProcess(t, name, sdk.Search{Env: sdk.Env{Seed: 5}, Space: sp.Space, Objectives: []wire.Objective{wire.Objective(objective)}})
		j := &judge{}
		s := &Search{Catalogue: NewCatalogue(sp, even, log.Folder), Optimizer: o, Log: log, Resumed: resumed,
			Budget: evaluations(float64(trials)), Batch: workers, Observer: quiet{},
			Objectives: []store.Objective{objective}, Metrics: []string{"score"}}
		for range workers {
			s.Evaluators = append(s.Evaluators, j)
		}
		out, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o, j, out, logged(t, log)
	}
	for _, name := range []string{"random", "evolution", "local"} {
		for _, workers := range []int{1, 3} {
			t.Run(fmt.Sprint(name, workers), func(t *testing.T) {
				trials := 40
				if name == "local" {
					trials = 8 // all that there are
				}
				dir := filepath.Join(t.TempDir(), "r")
				o, j, out, want := search(t, name, dir, workers, trials)
				rejected := 0
				for _, told := range o.told {
					outside := even(told.Genotype) != nil
					if outside != told.Rejected || outside != (told.Failure != "") || outside && told.Metrics.Values != nil {
						t.Errorf("told %+v", told)
					}
					if outside {
						rejected++
					}
				}
				if rejected == 0 || out.Trials != trials || len(j.seen) != trials || strings.Contains(want, "odd") {
					t.Errorf("%d rejected, %d trials, %d evaluated\n%s", rejected, out.Trials, len(j.seen), want)
				}
				again, j, _, got := search(t, name, dir, workers, trials)
				if got != want || len(j.seen) != 0 || len(again.told) != len(o.told) {
					t.Errorf("resumed: %d evaluated, %d told, before %d\n%swant:\n%s", len(j.seen), len(again.told), len(o.told), got, want)
				}
			})
		}
	}
}

// TestNothingAdmitted: an optimizer that never gets into the space ends the search.
func TestNothingAdmitted(t *testing.T) {
	sp := newSmall(t)
	log, _ := open(t, filepath.Join(t.TempDir(), "r"))
	defer log.Folder.Close()
	s := &Search{Log: log, Budget: evaluations(3), Observer: quiet{}, Evaluators: []Evaluator{&judge{}},
		Catalogue: NewCatalogue(sp, func(space.Genotype) error { return errors.New("too large") }, log.Folder),
		Optimizer: newInProcess(t, "random", sdk.Search{Space: sp.Space,
			Objectives: []wire.Objective{{Metric: "score"}}})}
	if _, err := s.Run(t.Context()); !errors.Is(err, ErrRejected) || !strings.HasSuffix(err.Error(), "the last: too large") {
		t.Errorf("got %v", err)
	}
}

// below requires a metric to be less than a bound.
type below struct {
	metric string
	bound  float64
}

func (b below) Violated(metrics map[string]float64) (string, error) {
	if v := metrics[b.metric]; v >= b.bound {
		return fmt.Sprintf("%s is %v", b.metric, v), nil
	}
	return "", nil
}

// TestInfeasible: a trial that violates a requirement stays in the log with its
// metrics and counts, but is no winner, and the optimizer knows.
func TestInfeasible(t *testing.T) {
	run := func(dir string, bound float64) (*inProcess, *Outcome, []*store.Trial, error) {
		sp := newSmall(t)
		log, _ := open(t, filepath.Join(t.TempDir(), dir), "depth")
		defer log.Folder.Close()
		objective := store.Objective{Metric: "score", Maximize: true}
		o := newInProcess(t, "evolution", sdk.Search{Env: sdk.Env{Seed: 2}, Space: sp.Space, Objectives: []wire.Objective{wire.Objective(objective)}})
		s := &Search{Catalogue: NewCatalogue(sp, nil, log.Folder), Optimizer: o, Log: log, Budget: evaluations(50), Observer: quiet{}, Evaluators: []Evaluator{&judge{}},
			Objectives: []store.Objective{objective}, Metrics: []string{"score", "depth"}, Require: []Requirement{below{"score", bound}}, Analytic: []string{"depth"}, Reuse: ReuseGenotype}
		out, err := s.Run(t.Context())
		if e := log.Folder.Sync(); e != nil {
			t.Fatal(e)
		}
		var trials []*store.Trial
		for x, e := range log.Trials() {
			if e != nil {
				t.Fatal(e)
			}
			trials = append(trials, x)
		}
		return o, out, trials, err
	}
	o, out, trials, err := run("some", 5)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Best.Metrics.Get("score"); out.Trials != 50 || got != 4 || out.Best.Metrics.Get("depth") != 2 {
		t.Errorf("the best of %d trials has %v", out.Trials, out.Best.Metrics.Map())
	}
	infeasible := 0
	for i, trial := range trials {
		bad := trial.Metrics.Get("score") >= 5
		told := o.told[i]
		if bad != (trial.Status == store.Infeasible) || bad != told.Infeasible || bad != (told.Failure != "") || told.Metrics.Values["score"] != trial.Metrics.Get("score") {
			t.Errorf("trial %+v, told %+v", trial, told)
		}
		if bad {
			infeasible++
		}
	}
	if infeasible == 0 || infeasible != out.Infeasible || out.Failed != 0 || out.Reused < 30 {
		t.Errorf("%d infeasible, the outcome is %+v", infeasible, out)
	}
	if _, _, _, err := run("all", -1); !errors.Is(err, ErrInfeasible) || !strings.Contains(err.Error(), "the first: score is ") {
		t.Errorf("nothing is feasible: %v", err)
	}
}
