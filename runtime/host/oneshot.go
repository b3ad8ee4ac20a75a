package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// OneShot is a one-shot optimizer at work. Calls come one at a time.
//
// Unlike an [Optimizer] it is not brought back when its process dies: what it was doing
// depended on a supernet. [OneShot.Begin] starts it anew from the state of its last
// stage; [HasDied] tells when to.
type OneShot struct {
	session    *session
	component  wire.Component
	settings   wire.Settings
	configure  *nascv1.OptimizerConfigureRequest
	space      int // its decisions
	check      func(wire.Stage) error
	relaxation lower.Relaxation

	mu     sync.Mutex
	search *stages // nil before Begin, and after something went wrong
}

// stages is the stream of stages in a process.
type stages struct {
	at     place
	stream nascv1.OneShot_SearchClient
	end    context.CancelFunc
	widths []int // of the supernet's decisions
}

// OneShot configures the plugin as a one-shot optimizer. The metrics of the
// configuration are those that the evaluator reports of a mixture, in its order.
func (p *Plugin) OneShot(ctx context.Context, cfg OptimizerConfig) (*OneShot, error) {
	c, settings, configure, err := p.toConfigure(cfg)
	if err != nil {
		return nil, err
	}
	if !c.OneShot {
		return nil, p.fault(UnknownComponent, "the optimizer %s is not one-shot", c.Name)
	}
	o := &OneShot{component: c, settings: settings, configure: configure, space: len(cfg.Space.Decisions),
		check: func(s wire.Stage) error { return cfg.Space.Check(s.Genotype) }}
	prepared := false
	o.session = p.session(c, func(ctx context.Context, at place) error {
		req := proto.CloneOf(configure)
		req.Configuration.Session = at.number
		resp, err := nascv1.NewOneShotClient(at.proc.calls).Prepare(ctx, req)
		if err != nil {
			return err
		}
		if len(resp.GetProblems()) > 0 {
			return p.problems(wire.ToProblems(resp.GetProblems()))
		}
		r, err := wire.ToRelaxation(resp.GetRelaxation())
		switch {
		case err != nil:
			return p.bad("it cannot be that %v are relaxed", err)
		case prepared && r != o.relaxation:
			return p.fault(NotReproducible, "started anew, the plugin wants the space relaxed in another way than before")
		}
		o.relaxation, prepared = r, true
		return nil
	})
	if err := o.session.call(ctx, func(context.Context, place) error { return nil }); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// Component describes the optimizer.
func (o *OneShot) Component() wire.Component { return o.component }

// Settings are all parameters with their values, for the run's manifest.
func (o *OneShot) Settings() wire.Settings { return o.settings }

// Source is how diagnostics name the plugin: "nasc/oneshot 0.1.0".
func (o *OneShot) Source() string { return o.session.plugin.Source() }

// Relaxation is how it wants the space relaxed when a search begins.
func (o *OneShot) Relaxation() lower.Relaxation { return o.relaxation }

// Close ends the optimizer, and its process unless that is shared.
func (o *OneShot) Close() error {
	o.mu.Lock()
	o.drop()
	o.mu.Unlock()
	o.session.close()
	return nil
}

// drop ends the stream. The lock is held.
func (o *OneShot) drop() {
	if o.search != nil {
		o.search.end()
		o.search = nil
	}
}

// Beginning is where a search starts from.
type Beginning struct {
	// Supernet is the relaxed space: as [OneShot.Relaxation] says at first, and as it
	// was left, if State is that of a search that relaxed it in another way.
	Supernet *lower.Supernet
	Epochs   int // the budget
	Size     wire.SupernetSize
	State    []byte // what the last stage left; nil: the search is new
}

// Begin hands the optimizer a supernet, and what it remembers of earlier stages. It may
// be called again at any time, and starts the search anew. What the optimizer has against
// it, the next Stage returns.
func (o *OneShot) Begin(ctx context.Context, b Beginning) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget()
	relaxed := wire.RelaxedOf(b.Supernet)
	m := &nascv1.Begin{Relaxed: wire.FromRelaxed(relaxed), Epochs: int32(b.Epochs), Steps: int32(b.Size.Steps), Valid: int32(b.Size.Valid),
		State: b.State, Metrics: o.configure.Metrics}
	return o.session.once(ctx, func(ctx context.Context, at place) error {
		life, end := context.WithCancel(at.proc.life)
		stream, err := nascv1.NewOneShotClient(at.proc.lone(nascv1.OneShot_Search_FullMethodName)).Search(life)
		if err != nil {
			end()
			return err
		}
		o.search = &stages{at: at, stream: stream, end: end, widths: relaxed.Widths()}
		m.Session = at.number
		return o.search.send(&nascv1.OneShotRequest{Request: &nascv1.OneShotRequest_Begin{Begin: m}})
	})
}

// forget ends a search, and the session that it was in. The lock is held.
func (o *OneShot) forget() {
	if s := o.search; s != nil {
		o.drop()
		o.session.abandon(s.at)
	}
}

// Stage has the optimizer do its next stage, and returns what that has led to and what
// the stage after it depends on. Answer does what the optimizer calls for; its error
// ends the stage and is returned. After any error Begin has to be called.
func (o *OneShot) Stage(ctx context.Context, answer func(context.Context, Call) (Reply, error)) (wire.Stage, []byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.search == nil {
		return wire.Stage{}, nil, errors.New("the search has not begun")
	}
	var stage wire.Stage
	var state []byte
	s := o.search
	err := o.session.within(ctx, s.at, func(ctx context.Context) (err error) {
		stop := context.AfterFunc(ctx, s.end)
		defer stop()
		stage, state, err = o.stage(ctx, s, answer)
		return err
	})
	if err != nil {
		o.forget()
		return wire.Stage{}, nil, err
	}
	return stage, state, nil
}

// stage asks for a stage, and answers calls until it is over.
func (o *OneShot) stage(ctx context.Context, s *stages, answer func(context.Context, Call) (Reply, error)) (wire.Stage, []byte, error) {
	p := o.session.plugin
	if err := s.send(&nascv1.OneShotRequest{Request: &nascv1.OneShotRequest_Stage{Stage: &nascv1.Continue{}}}); err != nil {
		return wire.Stage{}, nil, err
	}
	// Of the last two calls the one that was refused: the optimizer may have made the last
	// before it heard of the other.
	var refused, last error
	for {
		m, err := s.stream.Recv()
		if err != nil {
			return wire.Stage{}, nil, s.at.proc.broken(err)
		}
		switch r := m.GetResponse().(type) {
		case *nascv1.OneShotResponse_Call:
			if err := wire.CheckCall(r.Call, s.widths, o.space); err != nil {
				return wire.Stage{}, nil, p.bad("%s", tidy(err.Error(), 500))
			}
			c := Call{m: r.Call, widths: s.widths, decisions: o.space}
			s.at.wait.end()
			reply, err := answer(ctx, c)
			s.at.wait.begin()
			if err != nil {
				return wire.Stage{}, nil, &answerError{err}
			}
			if !reply.answers(c) {
				return wire.Stage{}, nil, fmt.Errorf("a call of kind %d has the answer %T", c.Kind(), reply.m.GetReply())
			}
			refused, last = cmp.Or(reply.failure, last), reply.failure
			if reply.relaxed != nil {
				s.widths = wire.RelaxedOf(reply.relaxed).Widths()
			}
			if err := s.send(&nascv1.OneShotRequest{Request: &nascv1.OneShotRequest_Reply{Reply: reply.m}}); err != nil {
				return wire.Stage{}, nil, err
			}
		case *nascv1.OneShotResponse_Stage:
			stage, err := o.finished(r.Stage, s.widths)
			return stage, r.Stage.GetState(), err
		case *nascv1.OneShotResponse_Error:
			if refused != nil {
				return wire.Stage{}, nil, &answerError{refused}
			}
			return wire.Stage{}, nil, p.problem(wire.ToProblem(r.Error))
		default:
			return wire.Stage{}, nil, p.bad("neither a call nor a stage")
		}
	}
}

// finished checks a stage.
func (o *OneShot) finished(m *nascv1.Stage, widths []int) (wire.Stage, error) {
	p := o.session.plugin
	stage, err := wire.ToStage(m, o.configure.Metrics, widths)
	if err != nil {
		return wire.Stage{}, p.bad("a stage: %s", tidy(err.Error(), 500))
	}
	if err := o.check(stage); err != nil {
		return wire.Stage{}, p.bad("an architecture outside of the space: %s", tidy(err.Error(), 500))
	}
	if len(stage.Values) > maxValues {
		return wire.Stage{}, p.bad("a stage with %d values", len(stage.Values))
	}
	for name := range stage.Values {
		if name == "" || tidy(name, 100) != name {
			return wire.Stage{}, p.bad("a stage with a value called %q", tidy(name, 100))
		}
	}
	stage.Text = tidy(stage.Text, 500)
	return stage, nil
}

// maxValues is how many curves a one-shot optimizer may have drawn.
const maxValues = 1000

// send sends a message; why that failed, the stream tells.
func (s *stages) send(m *nascv1.OneShotRequest) error {
	err := s.stream.Send(m)
	if errors.Is(err, io.EOF) {
		_, err = s.stream.Recv()
		if err == nil {
			err = io.EOF
		}
	}
	if err != nil {
		return s.at.proc.broken(err)
	}
	return nil
}

// answerError is an error of whoever answers calls, which has nothing to do with the
// optimizer.
type answerError struct{ error }

func (a *answerError) Unwrap() error { return a.error }

// HasDied reports whether a call of a [OneShot] or a [Supernet] failed because the
// plugin's process died, or hung. It can be begun, or opened, again.
func HasDied(err error) bool {
	var d *diag.Diagnostic
	return errors.As(err, &d) && (d.Code == Crashed || d.Code == Hung)
}

// HasHung reports whether it hung.
func HasHung(err error) bool {
	var d *diag.Diagnostic
	return errors.As(err, &d) && d.Code == Hung
}
