package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// EvaluatorConfig starts an evaluator.
type EvaluatorConfig struct {
	Component string        // empty: the plugin's only evaluator
	Settings  wire.Settings // what the user gave; Plugin.Settings completes it
	Seed      uint64
	WorkDir   string
	Threads   int
}

// Evaluator is an evaluator at work in its plugin process. It may be used by many
// goroutines, but judges one architecture at a time; configure several for more.
type Evaluator struct {
	session   *session
	component wire.Component
	settings  wire.Settings
	configure *nascv1.EvaluatorConfigureRequest
	facts     map[string]string
	described bool // the component is as configured
}

// Evaluator configures the plugin's process as an evaluator, which takes the
// process over.
func (p *Plugin) Evaluator(ctx context.Context, cfg EvaluatorConfig) (*Evaluator, error) {
	c, err := p.Component(wire.EvaluatorKind, cfg.Component)
	if err != nil {
		return nil, err
	}
	settings, err := p.Settings(c, cfg.Settings)
	if err != nil {
		return nil, err
	}
	configuration, err := wire.FromConfiguration(wire.Configuration{Component: c.Name, Settings: settings,
		Seed: cfg.Seed, WorkDir: cfg.WorkDir, Threads: cfg.Threads})
	if err != nil {
		return nil, err
	}
	e := &Evaluator{component: c, settings: settings,
		configure: &nascv1.EvaluatorConfigureRequest{Configuration: configuration}}
	if e.session, err = p.open(ctx, func(ctx context.Context, conn *grpc.ClientConn) error {
		return e.prepare(ctx, p, conn)
	}); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Evaluator) prepare(ctx context.Context, p *Plugin, conn *grpc.ClientConn) error {
	resp, err := nascv1.NewEvaluatorClient(conn).Configure(ctx, e.configure)
	if err != nil {
		return err
	}
	if len(resp.GetProblems()) > 0 {
		return p.problems(wire.ToProblems(resp.GetProblems()))
	}
	facts := resp.GetFacts()
	if e.facts != nil && !maps.Equal(facts, e.facts) {
		return p.fault(NotReproducible, "started anew, the plugin reads other data than before")
	}
	if facts == nil {
		facts = map[string]string{}
	}
	e.facts = facts
	if e.component.Varies {
		r, err := wire.ToReports(resp.GetReports())
		if err != nil {
			return p.bad("what it reports with these settings is wrong: %s", tidy(err.Error(), 200))
		}
		c := e.component.With(r)
		if e.described && !reflect.DeepEqual(c, e.component) {
			return p.fault(NotReproducible, "started anew, the plugin reports other metrics than before")
		}
		e.component, e.described = c, true
	}
	return nil
}

// Component describes the evaluator, as it is configured.
func (e *Evaluator) Component() wire.Component { return e.component }

// Settings are all parameters with their values, for the run's manifest.
func (e *Evaluator) Settings() wire.Settings { return e.settings }

// Facts are for the run's manifest: data set and split hashes, table versions.
func (e *Evaluator) Facts() map[string]string { return maps.Clone(e.facts) }

// Source is how diagnostics name the plugin: "nasc/train 0.1.0".
func (e *Evaluator) Source() string { return e.session.plugin.Source() }

// Close ends the process.
func (e *Evaluator) Close() { e.session.close() }

// Evaluate judges one architecture. A [*wire.Problem] is the architecture's own
// failure (its metrics were not finite, or it killed the plugin again and
// again); any other error is the plugin's.
func (e *Evaluator) Evaluate(ctx context.Context, job wire.Job, progress func(wire.Progress)) (wire.ValidationMetrics, error) {
	var result wire.Result
	err := e.EvaluateAll(ctx, []wire.Job{job}, func(ev wire.Event) {
		switch {
		case ev.Result != nil:
			result = *ev.Result
		case progress != nil:
			progress(*ev.Progress)
		}
	})
	if err == nil && result.Failure != nil {
		return wire.ValidationMetrics{}, result.Failure
	}
	return result.Metrics.Unpack(e.names()), err
}

// hopeless is how many architectures in a row an evaluator may die of before
// the evaluator is at fault and not the architectures.
const hopeless = 3

// maxBatch is how many bytes of architectures are sent in one message.
const maxBatch = wire.MaxMessage / 4

// EvaluateAll judges architectures, whose numbers differ, and calls observe one
// event at a time, in the order in which things happen. On an error the jobs
// without a result are unfinished.
func (e *Evaluator) EvaluateAll(ctx context.Context, jobs []wire.Job, observe func(wire.Event)) error {
	var batch []*nascv1.Trial
	size := 0
	seen := map[int64]bool{}
	flush := func() error {
		err := e.evaluate(ctx, batch, observe)
		batch, size = nil, 0
		return err
	}
	for _, j := range jobs {
		if seen[j.Number] {
			return fmt.Errorf("two jobs have the number %d", j.Number)
		}
		seen[j.Number] = true
		m, err := wire.FromJob(j)
		if err != nil {
			return err
		}
		n := proto.Size(m)
		if size > 0 && size+n > maxBatch {
			if err := flush(); err != nil {
				return err
			}
		}
		batch, size = append(batch, m), size+n
	}
	if len(batch) == 0 {
		return nil
	}
	return flush()
}

// evaluate judges one message of trials. When the process dies, those without a
// result are sent again, one by one, so that an architecture that kills the
// plugin each time fails alone.
func (e *Evaluator) evaluate(ctx context.Context, open []*nascv1.Trial, observe func(wire.Event)) error {
	deaths := map[int64]int{}
	for len(open) > 0 {
		now := open
		if len(deaths) > 0 {
			now = open[:1]
		}
		finished := map[int64]bool{}
		proc, died, err := e.session.attempt(ctx, func(ctx context.Context, conn *grpc.ClientConn) error {
			return e.stream(ctx, conn, now, finished, observe)
		})
		if err != nil {
			return err
		}
		if died {
			if err := e.session.giveUp(proc, hopeless*(MaxRestarts+1)-1); err != nil {
				return err
			}
			number := int64(-1)
			for _, m := range now {
				if !finished[m.Number] {
					number = m.Number
					break
				}
			}
			deaths[number]++
			if number >= 0 && deaths[number] > MaxRestarts {
				finished[number] = true
				observe(wire.Event{Number: number, Result: &wire.Result{Failure: &wire.Problem{Path: "architecture",
					Message: fmt.Sprintf("the evaluator %s died %d times on it", e.Source(), deaths[number])}}})
			}
		}
		var rest []*nascv1.Trial
		for _, m := range open {
			if !finished[m.Number] {
				rest = append(rest, m)
			}
		}
		open = rest
	}
	return nil
}

// stream sends trials and reads events until each has its result.
func (e *Evaluator) stream(ctx context.Context, conn *grpc.ClientConn, trials []*nascv1.Trial, finished map[int64]bool, observe func(wire.Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := e.session.plugin
	sent := map[int64]bool{}
	for _, m := range trials {
		sent[m.Number] = true
	}
	events, err := nascv1.NewEvaluatorClient(conn).Evaluate(ctx, &nascv1.EvaluateRequest{Trials: trials})
	if err != nil {
		return err
	}
	for {
		m, err := events.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		n := m.GetNumber()
		switch {
		case !sent[n]:
			return p.bad("an event of trial %d, which it was not given", n)
		case finished[n]:
			return p.bad("an event of trial %d after its result", n)
		}
		var result wire.Result
		switch ev := m.GetEvent().(type) {
		case *nascv1.EvaluateEvent_Progress:
			progress := wire.ToProgress(ev.Progress)
			progress.Text = tidy(progress.Text, 500)
			observe(wire.Event{Number: n, Progress: &progress})
			continue
		case *nascv1.EvaluateEvent_Result:
			if result, err = e.result(ev.Result); err != nil {
				return err
			}
		case *nascv1.EvaluateEvent_Failure:
			result.Failure = cleaned(ev.Failure)
		default:
			continue // of a later protocol
		}
		finished[n] = true
		observe(wire.Event{Number: n, Result: &result})
	}
	if len(finished) < len(sent) {
		return p.bad("only %d of %d trials have a result", len(finished), len(sent))
	}
	return nil
}

func (e *Evaluator) result(m *nascv1.ValidationMetrics) (wire.Result, error) {
	p := e.session.plugin
	v := wire.ToValidation(m)
	if got, want := len(v.Values), len(e.component.Metrics); got != want {
		return wire.Result{}, p.bad("a result of %d metrics, not %d", got, want)
	}
	for i, x := range v.Values {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return wire.Result{Failure: &wire.Problem{Path: "architecture",
				Message: fmt.Sprintf("the metric %s is %v, says %s", tidy(e.component.Metrics[i].Name, 200), x, p.Source())}}, nil
		}
	}
	if !(v.SimulatedSeconds >= 0 && v.SimulatedSeconds < 1e300) || !(v.Epochs >= 0 && v.Epochs < 1e300) {
		return wire.Result{}, p.bad("an evaluation of %v s and %v epochs", v.SimulatedSeconds, v.Epochs)
	}
	return wire.Result{Metrics: v}, nil
}

// names are those of the metrics.
func (e *Evaluator) names() []string {
	out := make([]string, len(e.component.Metrics))
	for i, m := range e.component.Metrics {
		out[i] = m.Name
	}
	return out
}

func cleaned(m *nascv1.Problem) *wire.Problem {
	w := wire.ToProblem(m)
	return &wire.Problem{Path: tidy(w.Path, 200), Message: tidy(w.Message, 2000), Help: tidy(w.Help, 2000)}
}

// Test measures one architecture on the held-out test split. A [*wire.Problem]
// is the architecture's own failure, or says that there is no test split.
func (e *Evaluator) Test(ctx context.Context, job wire.Job, progress func(wire.Progress)) (wire.TestMetrics, error) {
	p := e.session.plugin
	m, err := wire.FromJob(job)
	if err != nil {
		return wire.TestMetrics{}, err
	}
	var result wire.TestMetrics
	err = e.session.call(ctx, func(ctx context.Context, conn *grpc.ClientConn) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		events, err := nascv1.NewEvaluatorClient(conn).Test(ctx, &nascv1.TestRequest{Trial: m})
		if err != nil {
			return err
		}
		for {
			m, err := events.Recv()
			if errors.Is(err, io.EOF) {
				return p.bad("a test without a result")
			}
			if err != nil {
				return err
			}
			switch ev := m.GetEvent().(type) {
			case *nascv1.TestEvent_Progress:
				if progress != nil {
					w := wire.ToProgress(ev.Progress)
					w.Text = tidy(w.Text, 500)
					progress(w)
				}
			case *nascv1.TestEvent_Failure:
				return cleaned(ev.Failure)
			case *nascv1.TestEvent_Result:
				result = wire.ToTest(ev.Result)
				mistake, notFinite := wire.CheckMetrics(result.Values, e.component.TestMetrics)
				if mistake != "" {
					return p.bad("%s", tidy(mistake, 200))
				}
				if notFinite != "" {
					return &wire.Problem{Path: "architecture", Message: tidy(notFinite, 200) + ", says " + p.Source()}
				}
				return nil
			}
		}
	})
	if err != nil {
		return wire.TestMetrics{}, err
	}
	return result, nil
}

// Resolve reads an architecture in the evaluator's own notation, such as a
// benchmark's string, as a genotype of s. It is not recognised when the
// evaluator does not know the notation.
func (e *Evaluator) Resolve(ctx context.Context, architecture string, s *space.Space) (g space.Genotype, recognised bool, err error) {
	p := e.session.plugin
	var resp *nascv1.ResolveResponse
	err = e.session.call(ctx, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = nascv1.NewEvaluatorClient(conn).Resolve(ctx,
			&nascv1.ResolveRequest{Architecture: architecture, Decisions: wire.FromChoices(s)})
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if len(resp.GetProblems()) > 0 {
		return nil, true, p.problems(wire.ToProblems(resp.GetProblems()))
	}
	if !resp.GetRecognised() {
		return nil, false, nil
	}
	if g, err = s.FromLabels(resp.GetLabels()); err != nil {
		return nil, true, p.bad("labels that are not in the space: %s", tidy(err.Error(), 500))
	}
	return g, true, nil
}
