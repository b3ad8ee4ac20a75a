package sdk

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/outbox"
)

// evaluation is the stream of a process's trials.
type evaluation struct {
	stream nascv1.Evaluator_EvaluateServer
	out    *outbox.Outbox[outcome]

	mu   sync.Mutex
	open map[*batch]bool // with trials that have no result yet
}

// batch is the trials that came together for a session.
type batch struct {
	trials []trial
	left   atomic.Int64
}

// outcome is the result of a trial or, when it is set, an event.
type outcome struct {
	id     uint64
	result wire.Validation
	event  *nascv1.EvaluateEvent
}

func newEvaluation(stream nascv1.Evaluator_EvaluateServer) *evaluation {
	w := &evaluation{stream: stream, open: map[*batch]bool{}}
	w.out = outbox.New(maxUnsent, w.send)
	return w
}

// send puts outcomes into messages. All results of a message have the same number of
// metrics.
func (w *evaluation) send(all []outcome) error {
	m := &nascv1.EvaluateResponse{}
	width := 0
	for _, o := range all {
		if o.event != nil {
			m.Events = append(m.Events, o.event)
			continue
		}
		if m.Results == nil {
			width = len(o.result.Values)
			m.Ids = make([]uint64, 0, len(all))
			m.Results = &nascv1.ValidationMetrics{Values: make([]float64, 0, width*len(all))}
		} else if width != len(o.result.Values) {
			if err := w.stream.Send(m); err != nil {
				return err
			}
			width = len(o.result.Values)
			m = &nascv1.EvaluateResponse{Results: &nascv1.ValidationMetrics{}}
		}
		wire.PutValidation(m.Results, len(m.Ids), width, o.result)
		m.Ids = append(m.Ids, o.id)
	}
	return w.stream.Send(m)
}

// close cancels what is under way: the host is gone or waits no more.
func (w *evaluation) close() {
	w.mu.Lock()
	for b := range w.open {
		for i := range b.trials {
			b.trials[i].ctx.cancel()
		}
	}
	w.mu.Unlock()
	w.out.Close()
}

// begin enters trials for a session, and returns those that are to be judged.
func (w *evaluation) begin(s *session, e *evaluator, m *nascv1.Trials) ([]task, error) {
	n := len(m.GetIds())
	if len(m.GetSeeds()) != n || len(m.GetArchitectures()) != n || len(m.GetNumbers()) != n || len(m.GetEpochs()) != n && len(m.GetEpochs()) != 0 {
		return nil, status.Error(codes.InvalidArgument, "the lists of trials differ in length")
	}
	b := &batch{trials: make([]trial, n)}
	b.left.Store(int64(n))
	room := make([]float64, n*len(e.reports))
	for i, id := range m.GetIds() {
		t := &b.trials[i]
		t.id, t.of, t.batch, t.session, t.evaluator = id, w, b, s, e
		t.candidate.Number, t.candidate.Seed, t.architecture = m.GetNumbers()[i], m.GetSeeds()[i], m.GetArchitectures()[i]
		if len(m.GetEpochs()) > 0 {
			t.candidate.Epochs = int(m.GetEpochs()[i])
		}
		t.room = room[i*len(e.reports) : (i+1)*len(e.reports) : (i+1)*len(e.reports)]
		t.ctx.Context = w.stream.Context()
	}
	for _, g := range m.GetGraphs() {
		if g.GetIndex() < 0 || int(g.GetIndex()) >= n {
			return nil, status.Errorf(codes.InvalidArgument, "a graph of trial %d of %d", g.GetIndex(), n)
		}
		b.trials[g.GetIndex()].graph = g.GetGraph()
	}
	w.mu.Lock()
	w.open[b] = true
	w.mu.Unlock()
	todo := make([]task, 0, n)
	for i := range b.trials {
		t := &b.trials[i]
		if e.recogniser != nil && t.architecture != 0 {
			if t.known = e.family.find(t.architecture, t.graph); t.known == nil {
				t.end(outcome{event: &nascv1.EvaluateEvent{Event: &nascv1.EvaluateEvent_Unknown{Unknown: &nascv1.Unknown{}}}})
				t.ran(true)
				continue
			}
			t.graph = nil
		}
		todo = append(todo, t)
	}
	return todo, nil
}

// refuse ends trials that cannot be judged.
func (w *evaluation) refuse(m *nascv1.Trials, err error) {
	why := wire.FromProblem(&Problem{Message: err.Error()})
	for _, id := range m.GetIds() {
		w.out.Put(outcome{event: &nascv1.EvaluateEvent{Id: id, Event: &nascv1.EvaluateEvent_Error{Error: why}}})
	}
	w.out.Post()
}

// cancel ends the context of a trial.
func (w *evaluation) cancel(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for b := range w.open {
		for i := range b.trials {
			if b.trials[i].id == id {
				b.trials[i].ctx.cancel()
			}
		}
	}
}

// trial is an evaluation under way.
type trial struct {
	id           uint64
	of           *evaluation
	batch        *batch
	session      *session
	evaluator    *evaluator
	candidate    Candidate
	architecture uint64
	known        *recognised // the architecture, for a Recogniser
	graph        []byte      // otherwise
	room         []float64   // for its metrics
	ctx          trialContext

	mu   sync.Mutex
	over bool
}

func (t *trial) run() {
	if err := t.ctx.Err(); err != nil {
		t.end(failed(err))
		return
	}
	var end outcome
	err := t.session.guard(func() error {
		if err := t.evaluator.look(&t.candidate, t.known, t.graph); err != nil {
			return err
		}
		result, err := t.evaluator.Evaluate(&t.ctx, t.candidate, t.progress)
		if err != nil {
			return err
		}
		if end.result, err = result.Pack(t.evaluator.reports, t.room); err != nil {
			end.event = &nascv1.EvaluateEvent{Event: &nascv1.EvaluateEvent_Error{Error: wire.FromProblem(problems(err)[0])}}
		}
		return nil
	})
	if err != nil {
		end = failed(err)
	}
	t.end(end)
}

func failed(err error) outcome {
	return outcome{event: &nascv1.EvaluateEvent{Event: &nascv1.EvaluateEvent_Failure{Failure: wire.FromProblem(problems(err)[0])}}}
}

// end puts down how the trial ended.
func (t *trial) end(o outcome) {
	if t.batch.left.Add(-1) == 0 {
		t.of.mu.Lock()
		delete(t.of.open, t.batch)
		t.of.mu.Unlock()
	}
	// Plugin code may report from several goroutines and keep the function.
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	o.id = t.id
	if o.event != nil {
		o.event.Id = t.id
	}
	t.of.out.Put(o)
}

func (t *trial) ran(others bool) {
	if others {
		t.of.out.Post()
	} else {
		_ = t.of.out.Send() // an error is for whoever reads the stream
	}
}

func (t *trial) progress(p Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	t.of.out.Put(outcome{event: &nascv1.EvaluateEvent{Id: t.id, Event: &nascv1.EvaluateEvent_Progress{Progress: wire.FromProgress(p)}}})
	t.of.out.Post()
}

// trialContext is the context of one trial. It costs nothing until plugin code
// looks at it, which a lookup in a table does not.
type trialContext struct {
	context.Context // of the stream, for its values

	mu        sync.Mutex
	done      chan struct{}
	cancelled bool
}

func (c *trialContext) Deadline() (time.Time, bool) { return time.Time{}, false }

func (c *trialContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.cancelled {
			close(c.done)
		}
	}
	return c.done
}

func (c *trialContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancelled {
		return context.Canceled
	}
	return nil
}

func (c *trialContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.cancelled && c.done != nil {
		close(c.done)
	}
	c.cancelled = true
}
