// Package plugintest is the conformance suite: it runs any plugin as nasc does and
// finds out whether it keeps the contract of plugins. `nasc plugin test` prints what
// it finds.
//
// What is checked is what a search depends on. An optimizer proposes architectures of
// its space, the same ones for the same seed and results, also after its process was
// killed and started anew; it survives failed, infeasible and rejected trials, small
// and huge spaces. One that is one-shot calls for the same things in the same order,
// with the same bits, also when it was killed in the middle of a stage. An evaluator
// reports all metrics that it declares and finite numbers, the same ones if it says so;
// it stops when it is cancelled and outlives an architecture that it cannot judge. One
// that trains supernets gives gradients that finite differences confirm, and goes on from
// what it has saved with the same bits. An operation computes all of its result, the same
// in another process, with the gradients that finite differences say and as many trainable
// numbers as its signature.
package plugintest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// Options say what is tested.
type Options struct {
	Name    string       // of the plugin
	Command host.Command // that starts it
	// Settings tells the values of parameters that are to be given; nil: none.
	Settings func(wire.Parameter) (value any, given bool)
	// Graphs are architectures for evaluators; none: evaluators are only configured.
	Graphs []*graph.Graph
	// Relax relaxes their space, for evaluators that train supernets; nil: there is none.
	Relax func(lower.Relaxation) (*lower.Supernet, error)
	// Patience is how long a call may take; 0: a minute.
	Patience time.Duration
}

// Result is one thing that was checked.
type Result struct {
	Of      string // "optimizer annealing"; empty: the plugin
	Check   string // "the same seed gives the same proposals"
	Failure string // empty: it holds
	Skipped string // why it was not checked
}

// Run checks a plugin and tells every result as soon as it is known. It returns
// whether all hold. An error means that nothing could be checked.
func Run(ctx context.Context, o Options, tell func(Result)) (bool, error) {
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	if o.Settings == nil {
		o.Settings = func(wire.Parameter) (any, bool) { return nil, false }
	}
	s := &suite{Options: o, ok: true, tell: func(r Result) {
		if ctx.Err() == nil { // else what fails does so because it was interrupted
			tell(r)
		}
	}}
	d, err := s.describe(ctx)
	if err != nil || d.Name == "" {
		return false, err
	}
	for _, c := range d.Components {
		s.of = string(c.Kind) + " " + c.Name
		switch {
		case c.OneShot:
			s.oneShot(ctx, c)
		case c.Kind == wire.OptimizerKind:
			s.optimizer(ctx, c)
		case c.Kind == wire.EvaluatorKind:
			s.evaluator(ctx, c)
			if c.Supernets {
				s.trainer(ctx, c)
			}
		}
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
	}
	if s.operations(ctx, d); ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	s.of = ""
	if stray := s.printed.stray(); stray != "" {
		err = fmt.Errorf("it prints %q; what is for people goes to the log, Env.Log", stray)
	}
	s.check("it prints nothing on its standard output", err)
	return s.ok, nil
}

// suite is one run of the checks.
type suite struct {
	Options
	of      string
	ok      bool
	tell    func(Result)
	printed lines
}

// check tells whether something holds.
func (s *suite) check(what string, err error) bool {
	r := Result{Of: s.of, Check: what}
	if err != nil {
		s.ok, r.Failure = false, told(err)
	}
	s.tell(r)
	return err == nil
}

// told is an error with what is noted of it, such as the last words of a process.
func told(err error) string {
	text := err.Error()
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		for _, n := range d.Notes {
			text += "\n" + n.Text
		}
	}
	return text
}

func (s *suite) skip(what, why string) { s.tell(Result{Of: s.of, Check: what, Skipped: why}) }

// host makes a host of its own for a check, so that processes and their ends are those
// of the check.
func (s *suite) host() *host.Host {
	return host.New(host.Options{Commands: map[string]host.Command{s.Name: s.Command}, Log: slog.New(&s.printed), StartTimeout: s.Patience})
}

// within runs a check that must end in time.
func (s *suite) within(ctx context.Context, f func(context.Context, *host.Plugin) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.Patience, fmt.Errorf("it takes longer than %v", s.Patience))
	defer cancel()
	h := s.host()
	defer h.Close()
	p, err := h.Start(ctx, s.Name)
	if err == nil {
		err = f(ctx, p)
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
		return cause
	}
	return err
}

// describe checks what a plugin says of itself, and how it starts and ends.
func (s *suite) describe(ctx context.Context) (wire.Description, error) {
	h := s.host()
	begun := time.Now()
	p, err := h.Start(ctx, s.Name)
	if ctx.Err() != nil {
		h.Close()
		return wire.Description{}, context.Cause(ctx)
	}
	if !s.check(fmt.Sprintf("it starts and describes itself (%d ms)", time.Since(begun).Milliseconds()), err) {
		h.Close()
		return wire.Description{}, nil
	}
	d := p.Description()
	err = nil
	if d.Name != s.Name {
		err = fmt.Errorf("it says that it is %s", d.Name)
	}
	s.check("it has the name that it was started by", err)
	err = nil
	var without []string
	for _, c := range d.Components {
		if c.Doc == "" {
			without = append(without, c.Name)
		}
		for _, q := range c.Parameters {
			if q.Doc == "" {
				without = append(without, c.Name+"."+q.Name)
			}
		}
	}
	if without != nil {
		err = fmt.Errorf("nothing explains %s", strings.Join(without, ", "))
	}
	s.check("its components and their parameters are documented", err)
	begun = time.Now()
	h.Close()
	err = nil
	if took := time.Since(begun); took > 2*time.Second {
		err = fmt.Errorf("it does not answer for %v", took.Round(time.Millisecond))
	}
	s.check("it answers when it is asked to end", err)
	again := s.within(ctx, func(_ context.Context, p *host.Plugin) error {
		if !reflect.DeepEqual(p.Description(), d) {
			return errors.New("the second time, it describes itself in another way")
		}
		return nil
	})
	s.check("it describes itself in the same way each time", again)
	return d, nil
}

// settings are those for a component.
func (s *suite) settings(c wire.Component) wire.Settings {
	out := wire.Settings{}
	for _, p := range c.Parameters {
		if v, ok := s.Settings(p); ok {
			out[p.Name] = v
		}
	}
	return out
}

// needs lists the parameters of a component that must be given and are not.
func (s *suite) needs(c wire.Component) string {
	var missing []string
	for _, p := range c.Parameters {
		if _, given := s.Settings(p); p.Default == nil && !given {
			missing = append(missing, p.Name)
		}
	}
	return strings.Join(missing, ", ")
}

// lines keeps what a plugin prints on its standard output, which the host logs as
// lines without a message of their own.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == host.StdoutKey {
			l.all = append(l.all, r.Message)
		}
		return true
	})
	return nil
}

func (l *lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *lines) WithGroup(string) slog.Handler      { return l }

func (l *lines) stray() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return ""
	}
	return l.all[0]
}
