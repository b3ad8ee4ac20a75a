package plugintest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// evaluator checks an evaluator on the architectures that were given.
func (s *suite) evaluator(ctx context.Context, c wire.Component) {
	if missing := s.needs(c); missing != "" {
		s.skip("its evaluations", "it needs "+missing+"; give it with --set")
		return
	}
	var d wire.Component
	err := s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
		e, err := s.judge(ctx, p, c)
		if err == nil {
			d = e.Component()
			e.Close()
		}
		return err
	})
	if !s.check("it takes its settings", err) {
		return
	}
	if len(s.Graphs) == 0 {
		s.skip("its evaluations", "there are no architectures to judge; name a space with --space")
		return
	}
	first := make([]wire.ValidationMetrics, len(s.Graphs))
	ok := s.check("it reports all metrics that it declares, as finite numbers", s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
		e, err := s.judge(ctx, p, c)
		if err != nil {
			return err
		}
		defer e.Close()
		for i, g := range s.Graphs {
			var wrong error
			first[i], err = e.Evaluate(ctx, s.job(i, g), func(p wire.Progress) {
				if p.Fraction < 0 || p.Fraction > 1 || math.IsNaN(p.Fraction) {
					wrong = fmt.Errorf("it reports a progress of %v, which is not between 0 and 1", p.Fraction)
				}
			})
			if err = errors.Join(err, wrong); err != nil {
				return fmt.Errorf("architecture %d: %w", i, err)
			}
		}
		return nil
	}))
	if ok && d.Deterministic {
		s.check("equal requests give equal results, in another process too", s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
			e, err := s.judge(ctx, p, c)
			if err != nil {
				return err
			}
			defer e.Close()
			for i := len(s.Graphs) - 1; i >= 0; i-- {
				m, err := e.Evaluate(ctx, s.job(i, s.Graphs[i]), nothing)
				if err != nil {
					return err
				}
				for name, v := range first[i].Values {
					if m.Values[name] != v {
						return fmt.Errorf("%s of architecture %d is %v, and was %v", name, i, m.Values[name], v)
					}
				}
			}
			return nil
		}))
	}
	s.check("an architecture that it cannot judge fails alone", s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
		e, err := s.judge(ctx, p, c)
		if err != nil {
			return err
		}
		defer e.Close()
		var failed *wire.Problem
		if _, err := e.Evaluate(ctx, s.job(0, unknown()), nothing); err != nil && !errors.As(err, &failed) {
			return fmt.Errorf("on an operation that does not exist: %w", err)
		}
		if !ok {
			return nil
		}
		_, err = e.Evaluate(ctx, s.job(1, s.Graphs[0]), nothing)
		return err
	}))
	if ok {
		s.check("it stops when it is cancelled, and goes on after that", s.within(ctx, func(ctx context.Context, p *host.Plugin) error { return s.interrupted(ctx, p, c) }))
	}
	if ok && len(d.TestMetrics) > 0 {
		s.check("it tests, and reports all test metrics that it declares", s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
			e, err := s.judge(ctx, p, c)
			if err != nil {
				return err
			}
			defer e.Close()
			_, err = e.Test(ctx, s.job(0, s.Graphs[0]), nothing)
			return err
		}))
	}
}

func nothing(wire.Progress) {}

func (s *suite) judge(ctx context.Context, p *host.Plugin, c wire.Component) (*host.Evaluator, error) {
	return p.Evaluator(ctx, host.EvaluatorConfig{Component: c.Name, Settings: s.settings(c), Seed: 1, Threads: 1})
}

func (s *suite) job(n int, g *graph.Graph) wire.Job {
	return wire.Job{Number: int64(n), Seed: uint64(n) + 1, Graph: wire.OneGraph(g)}
}

// unknown is an architecture with an operation that there is not.
func unknown() *graph.Graph {
	return &graph.Graph{Name: "unknown", Inputs: []graph.Input{{Name: "x", Shape: graph.Shape{3, 32, 32}}},
		Nodes:  []*graph.Node{{Name: "n", Op: "no_such_operation", Inputs: []graph.Ref{graph.InputRef(0)}, Shape: graph.Shape{10}}},
		Output: 0}
}

// interrupted cancels an evaluation that has just begun.
func (s *suite) interrupted(ctx context.Context, p *host.Plugin, c wire.Component) error {
	e, err := s.judge(ctx, p, c)
	if err != nil {
		return err
	}
	defer e.Close()
	short, cancel := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	begun := time.Now()
	_, err = e.Evaluate(short, s.job(0, s.Graphs[0]), nothing)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if took := time.Since(begun); took > 10*time.Second {
		return fmt.Errorf("it went on for %v", took.Round(time.Second))
	}
	_, err = e.Evaluate(ctx, s.job(1, s.Graphs[0]), nothing)
	return err
}
