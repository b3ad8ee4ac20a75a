package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Test measures one architecture on the held-out test split. A [*wire.Problem]
// is the architecture's own failure, or says that there is no test split.
func (e *Evaluator) Test(ctx context.Context, job wire.Job, progress func(wire.Progress)) (wire.TestMetrics, error) {
	m := &nascv1.TestRequest{Number: job.Number, Seed: job.Seed, Epochs: int32(job.Epochs)}
	if job.Epochs < 0 || job.Epochs > math.MaxInt32 {
		return wire.TestMetrics{}, fmt.Errorf("%d epochs", job.Epochs)
	}
	g, err := job.Graph()
	if err == nil {
		m.Graph, err = wire.AppendGraph(nil, g)
	}
	if err != nil {
		return wire.TestMetrics{}, err
	}
	if err := e.ready(ctx); err != nil {
		return wire.TestMetrics{}, err
	}
	var result wire.TestMetrics
	err = e.session.call(ctx, func(ctx context.Context, at place) (err error) {
		m.Session = at.number
		result, err = e.test(ctx, at, m, progress)
		return err
	})
	if hung := e.heed(); hung != nil {
		err = hung
	}
	return result, err
}

func (e *Evaluator) test(ctx context.Context, at place, m *nascv1.TestRequest, progress func(wire.Progress)) (none wire.TestMetrics, _ error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := e.session.plugin
	events, err := nascv1.NewEvaluatorClient(at.proc.calls).Test(ctx, m)
	if err != nil {
		return none, err
	}
	for {
		m, err := events.Recv()
		if errors.Is(err, io.EOF) {
			return none, p.bad("a test without a result")
		}
		if err != nil {
			return none, err
		}
		at.wait.hear()
		switch ev := m.GetEvent().(type) {
		case *nascv1.TestEvent_Progress:
			if progress != nil {
				w := wire.ToProgress(ev.Progress)
				w.Text = tidy(w.Text, maxProgress)
				progress(w)
			}
		case *nascv1.TestEvent_Failure:
			return none, cleaned(ev.Failure)
		case *nascv1.TestEvent_Result:
			result := wire.ToTest(ev.Result)
			mistake, notFinite := wire.CheckMetrics(result.Values, e.component.TestMetrics)
			if mistake != "" {
				return none, p.bad("%s", tidy(mistake, 200))
			}
			if notFinite != "" {
				return none, &wire.Problem{Path: "architecture", Message: tidy(notFinite, 200) + ", says " + p.Source()}
			}
			return result, nil
		}
	}
}
