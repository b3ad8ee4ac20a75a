package plugintest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// trials is how many proposals a check looks at.
const trials = 60

// optimizer checks an optimizer on spaces of several shapes.
func (s *suite) optimizer(ctx context.Context, c wire.Component) {
	if missing := s.needs(c); missing != "" {
		s.skip("its searches", "it needs "+missing+"; give it with --set")
		return
	}
	for _, of := range shapes() {
		handles := func(k space.Kind) bool { return len(c.DecisionKinds) == 0 || slices.Contains(c.DecisionKinds, k) }
		if slices.ContainsFunc(of.space.Decisions, func(d *space.Decision) bool { return !handles(d.Kind) }) {
			s.skip("a search of "+of.name, "it does not handle all of its decisions")
			continue
		}
		var first []space.Genotype
		err := s.within(ctx, func(ctx context.Context, p *host.Plugin) (err error) {
			first, err = s.search(ctx, p, c, of.space, 1, never)
			return err
		})
		if !s.check("a search of "+of.name, err) {
			continue
		}
		err = s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
			again, err := s.search(ctx, p, c, of.space, 1, never)
			return same(of.space, first, again, err)
		})
		s.check("the same seed gives the same proposals, on "+of.name, err)
		err = s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
			again, err := s.search(ctx, p, c, of.space, 1, func(n int) bool { return n == 7 || n == trials/2 })
			return same(of.space, first, again, err)
		})
		s.check("killed and started anew it goes on in the same way, on "+of.name, err)
	}
	small := shapes()[0].space
	err := s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
		_, err := s.searchBatches(ctx, p, c, small, 10)
		return err
	})
	s.check("asked for ten at a time", err)
	err = s.within(ctx, func(ctx context.Context, p *host.Plugin) error { return s.cancelled(ctx, p, c, small) })
	s.check("a search that is given up leaves it in order", err)
}

func never(int) bool { return false }

// same says where two lists of proposals part.
func same(of *space.Space, a, b []space.Genotype, err error) error {
	if err != nil {
		return err
	}
	for i := range min(len(a), len(b)) {
		for k, d := range of.Decisions {
			if a[i][k] != b[i][k] {
				return fmt.Errorf("proposal %d has %d for the decision %s in the first search and %d in the second", i, a[i][k], d.Address, b[i][k])
			}
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("the first search has %d proposals and the second %d", len(a), len(b))
	}
	return nil
}

// start configures the optimizer for a space.
func (s *suite) start(ctx context.Context, p *host.Plugin, c wire.Component, of *space.Space, seed uint64) (*host.Optimizer, error) {
	return p.Optimizer(ctx, host.OptimizerConfig{Component: c.Name, Settings: s.settings(c), Seed: seed, Space: of,
		Objectives: []wire.Objective{{Metric: "score", Maximize: true}, {Metric: "cost"}}, Metrics: []string{"score", "cost"}})
}

// search runs a search, one proposal at a time, and kills the plugin after the
// proposals that crash names.
func (s *suite) search(ctx context.Context, p *host.Plugin, c wire.Component, of *space.Space, seed uint64, crash func(n int) bool) ([]space.Genotype, error) {
	o, err := s.start(ctx, p, c, of, seed)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	var all []space.Genotype
	var told []wire.Told
	for len(all) < trials && !o.Done() {
		got, err := o.Step(ctx, told, 1)
		if err != nil {
			return nil, err
		}
		told = nil
		for _, g := range got {
			told = append(told, verdict(int64(len(all)), g))
			all = append(all, slices.Clone(g))
		}
		if crash(len(all)) {
			p.Crash()
		}
	}
	return all, nil
}

// searchBatches asks for several proposals at a time.
func (s *suite) searchBatches(ctx context.Context, p *host.Plugin, c wire.Component, of *space.Space, batch int) (int, error) {
	o, err := s.start(ctx, p, c, of, 1)
	if err != nil {
		return 0, err
	}
	defer o.Close()
	n := 0
	var told []wire.Told
	for n < trials && !o.Done() {
		got, err := o.Step(ctx, told, batch)
		if err != nil {
			return n, err
		}
		told = nil
		for _, g := range got {
			told = append(told, verdict(int64(n), g))
			n++
		}
		slices.Reverse(told) // they are finished in any order
	}
	return n, nil
}

// cancelled gives up a search in the middle, and runs another one.
func (s *suite) cancelled(ctx context.Context, p *host.Plugin, c wire.Component, of *space.Space) error {
	o, err := s.start(ctx, p, c, of, 1)
	if err != nil {
		return err
	}
	if _, err := o.Step(ctx, nil, 1); err != nil {
		return err
	}
	o.Close()
	all, err := s.search(ctx, p, c, of, 2, never)
	if err == nil && len(all) == 0 {
		err = errors.New("the next search proposes nothing")
	}
	return err
}

// verdict is the result of a trial: a number that depends on the architecture alone.
// Some fail, some violate a requirement, some are refused by the space.
func verdict(n int64, g space.Genotype) wire.Told {
	h := fnv.New64a()
	for _, v := range g {
		fmt.Fprint(h, v, ",")
	}
	score := float64(h.Sum64()%1000) / 1000
	t := wire.Told{Trial: n, Metrics: wire.Validation{Values: []float64{score, 1 - score}}}
	switch n % 13 {
	case 5:
		t = wire.Told{Trial: n, Failure: "the training diverged"}
	case 8:
		t.Failure, t.Infeasible = "latency is 7 ms, more than 5", true
	case 11:
		t = wire.Told{Trial: n, Failure: "params <= 1000 does not hold", Rejected: true}
	}
	return t
}
