package host

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// OptimizerConfig starts an optimizer.
type OptimizerConfig struct {
	Component  string        // empty: the plugin's only optimizer
	Settings   wire.Settings // what the user gave; Plugin.Settings completes it
	Seed       uint64        // derived from the run's
	Space      *space.Space
	Objectives []wire.Objective // in order of importance
	// Metrics name what finished trials are told with, in this order; all
	// objectives are among them.
	Metrics []string
	WorkDir string
	Threads int
}

// Optimizer is an optimizer at work in its plugin process.
//
// Trials are numbered here from 0 in the order in which their architectures are
// proposed; proposals that the space rejects count as well, though the log of a
// run does not hold them. Calls come one at a time.
type Optimizer struct {
	session    *session
	component  wire.Component
	settings   wire.Settings
	space      *space.Space
	configure  *nascv1.OptimizerConfigureRequest
	objectives []int // among the metrics

	mu       sync.Mutex
	steps    []step   // what was called, to be repeated after a crash
	proposed [][]byte // packed genotype by trial
	untold   map[int64]bool
	done     bool
}

// step is one finished call: Tell when told is set, otherwise Ask.
type step struct {
	n    int32  // asked for
	got  int32  // proposed
	done bool   // answered
	told []byte // the request
}

// Optimizer configures the plugin's process as an optimizer, which takes the
// process over.
func (p *Plugin) Optimizer(ctx context.Context, cfg OptimizerConfig) (*Optimizer, error) {
	c, err := p.Component(wire.OptimizerKind, cfg.Component)
	if err != nil {
		return nil, err
	}
	settings, err := p.Settings(c, cfg.Settings)
	if err != nil {
		return nil, err
	}
	if err := p.handles(c, cfg.Space); err != nil {
		return nil, err
	}
	if len(cfg.Objectives) == 0 {
		return nil, fmt.Errorf("an optimizer needs an objective")
	}
	configuration, err := wire.FromConfiguration(wire.Configuration{Component: c.Name, Settings: settings,
		Seed: cfg.Seed, WorkDir: cfg.WorkDir, Threads: cfg.Threads})
	if err != nil {
		return nil, err
	}
	o := &Optimizer{component: c, settings: settings, space: cfg.Space, untold: map[int64]bool{},
		configure: &nascv1.OptimizerConfigureRequest{Configuration: configuration, Space: wire.FromSpace(cfg.Space), Metrics: cfg.Metrics}}
	for _, m := range cfg.Objectives {
		at := slices.Index(cfg.Metrics, m.Metric)
		if at < 0 {
			return nil, fmt.Errorf("the objective %s is not among the metrics", m.Metric)
		}
		o.objectives = append(o.objectives, at)
		o.configure.Objectives = append(o.configure.Objectives, &nascv1.Objective{Metric: m.Metric, Maximize: m.Maximize})
	}
	if o.session, err = p.open(ctx, func(ctx context.Context, conn *grpc.ClientConn) error {
		return o.prepare(ctx, p, conn)
	}); err != nil {
		return nil, err
	}
	return o, nil
}

// Component describes the optimizer.
func (o *Optimizer) Component() wire.Component { return o.component }

// Settings are all parameters with their values, for the run's manifest.
func (o *Optimizer) Settings() wire.Settings { return o.settings }

// Source is how diagnostics name the plugin: "nasc/evolution 0.1.0".
func (o *Optimizer) Source() string { return o.session.plugin.Source() }

// Close ends the process.
func (o *Optimizer) Close() { o.session.close() }

// Done reports whether the optimizer has said that it has nothing more to
// propose.
func (o *Optimizer) Done() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done
}

// Step tells finished trials, each once and in any order, and then asks for up to
// n genotypes; with n = 0 it only tells. A trial that did not fail has a finite
// value of every objective.
//
// All genotypes lie in the space. The first of them is the proposal after those of
// earlier steps, which are numbered from 0. There are none when the optimizer has
// nothing more to propose, which Done tells, or waits for trials that have not been
// told.
func (o *Optimizer) Step(ctx context.Context, told []wire.Told, n int) ([]space.Genotype, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n < 0 || n > math.MaxInt32 {
		return nil, fmt.Errorf("cannot ask for %d architectures", n)
	}
	if len(told) > 0 {
		if err := o.tell(ctx, told); err != nil {
			return nil, err
		}
	}
	if n == 0 || o.done {
		return nil, nil
	}
	return o.ask(ctx, n, int64(len(o.proposed)))
}

func (o *Optimizer) ask(ctx context.Context, n int, first int64) ([]space.Genotype, error) {
	var resp *nascv1.AskResponse
	err := o.session.call(ctx, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = nascv1.NewOptimizerClient(conn).Ask(ctx, &nascv1.AskRequest{N: int32(n), FirstTrial: first})
		return err
	})
	if err != nil {
		return nil, err
	}
	genotypes, err := o.check(resp, n)
	if err != nil {
		return nil, err
	}
	for _, g := range genotypes {
		o.untold[int64(len(o.proposed))] = true
		o.proposed = append(o.proposed, o.space.Pack(g))
	}
	o.done = resp.GetDone() && len(genotypes) == 0
	o.steps = append(o.steps, step{n: int32(n), got: int32(len(genotypes)), done: o.done})
	return genotypes, nil
}

// check tests an answer to Ask(n).
func (o *Optimizer) check(resp *nascv1.AskResponse, n int) ([]space.Genotype, error) {
	p := o.session.plugin
	got := len(resp.GetGenotypes())
	if got > n {
		return nil, p.bad("%d architectures where at most %d were asked for", got, n)
	}
	if got == 0 && !resp.GetDone() && len(o.untold) == 0 {
		return nil, p.bad("no architecture although it was told all results")
	}
	all := make([]space.Genotype, got)
	for i, m := range resp.GetGenotypes() {
		all[i] = wire.ToGenotype(m)
		if err := o.space.Check(all[i]); err != nil {
			return nil, p.bad("an architecture outside of the space: %s", tidy(err.Error(), 500))
		}
	}
	return all, nil
}

func (o *Optimizer) tell(ctx context.Context, trials []wire.Told) error {
	req, err := o.request(trials)
	if err != nil {
		return err
	}
	told, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return err
	}
	err = o.session.call(ctx, func(ctx context.Context, conn *grpc.ClientConn) error {
		_, err := nascv1.NewOptimizerClient(conn).Tell(ctx, req)
		return err
	})
	if err != nil {
		return err
	}
	o.steps = append(o.steps, step{told: told})
	for _, t := range trials {
		delete(o.untold, t.Trial)
	}
	return nil
}

func (o *Optimizer) request(trials []wire.Told) (*nascv1.TellRequest, error) {
	sorted := slices.Clone(trials)
	slices.SortFunc(sorted, func(a, b wire.Told) int { return int(a.Trial - b.Trial) })
	req := &nascv1.TellRequest{}
	for i, t := range sorted {
		if !o.untold[t.Trial] || i > 0 && sorted[i-1].Trial == t.Trial {
			return nil, fmt.Errorf("trial %d was never proposed or is already told", t.Trial)
		}
		if t.Failure != "" && !t.Infeasible {
			t.Metrics = wire.Validation{}
		} else if got, want := len(t.Metrics.Values), len(o.configure.Metrics); got != want {
			return nil, fmt.Errorf("trial %d has %d metrics, not %d", t.Trial, got, want)
		}
		for i, at := range o.objectives {
			if t.Failure != "" {
				break
			}
			if v := t.Metrics.Values[at]; math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("trial %d has no value of %s", t.Trial, o.configure.Objectives[i].Metric)
			}
		}
		req.Trials = append(req.Trials, wire.FromTold(t))
	}
	return req, nil
}

// prepare configures a process and repeats every call made so far. The answers
// must be the ones that it gave before.
func (o *Optimizer) prepare(ctx context.Context, p *Plugin, conn *grpc.ClientConn) error {
	client := nascv1.NewOptimizerClient(conn)
	resp, err := client.Configure(ctx, o.configure)
	if err != nil {
		return err
	}
	if len(resp.GetProblems()) > 0 {
		return p.problems(wire.ToProblems(resp.GetProblems()))
	}
	next := 0
	for _, s := range o.steps {
		if s.told != nil {
			req := &nascv1.TellRequest{}
			if err := proto.Unmarshal(s.told, req); err != nil {
				return err
			}
			if _, err := client.Tell(ctx, req); err != nil {
				return err
			}
			continue
		}
		resp, err := client.Ask(ctx, &nascv1.AskRequest{N: s.n, FirstTrial: int64(next)})
		if err != nil {
			return err
		}
		same := len(resp.GetGenotypes()) == int(s.got) && (resp.GetDone() && s.got == 0) == s.done
		for i := 0; same && i < int(s.got); i++ {
			g := wire.ToGenotype(resp.Genotypes[i])
			same = o.space.Check(g) == nil && slices.Equal(o.space.Pack(g), o.proposed[next+i])
		}
		if !same {
			return p.fault(NotReproducible,
				"started anew with the same seed, the plugin proposes something else than before (trial %d)", next)
		}
		next += int(s.got)
	}
	return nil
}
