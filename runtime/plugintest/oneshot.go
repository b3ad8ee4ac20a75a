package plugintest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// oneShot checks a one-shot optimizer on supernets of several shapes, for which the suite
// itself stands.
func (s *suite) oneShot(ctx context.Context, c wire.Component) {
	if missing := s.needs(c); missing != "" {
		s.skip("its searches", "it needs "+missing+"; give it with --set")
		return
	}
	spaces, docs, err := relaxableSpaces()
	if err != nil {
		s.check("its searches", err)
		return
	}
	for _, of := range spaces {
		on := "of " + docs[of]
		var first course
		var refused *refusal
		err := s.within(ctx, func(ctx context.Context, p *host.Plugin) (err error) {
			first, err = s.shoot(ctx, p, c, of, undisturbed)
			return err
		})
		if errors.As(err, &refused) {
			s.skip("a search "+on, "it cannot relax "+refused.address+": "+refused.why)
			continue
		}
		if !s.check("a search "+on, err) {
			continue
		}
		again := func(what string, crash func(stage, call int) bool) {
			s.check(what+", "+on, s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
				second, err := s.shoot(ctx, p, c, of, crash)
				if err != nil {
					return err
				}
				return first.same(second)
			}))
		}
		again("the same seed gives the same search", undisturbed)
		again("killed in a stage and between two it goes on in the same way", func(stage, call int) bool {
			return stage == 1 && call == 2 || stage == 3 && call == 0
		})
		s.check("a stage that is given up or fails leaves it in order, "+on, s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
			return s.givenUp(ctx, p, c, of, first)
		}))
	}
}

func undisturbed(int, int) bool { return false }

// refusal is that an optimizer cannot relax a decision, which is no breach of the
// contract.
type refusal struct{ address, why string }

func (r *refusal) Error() string { return fmt.Sprintf("it cannot relax %s: %s", r.address, r.why) }

// course is what happened in a search: of each stage the calls, as hashes, and the end.
type course struct {
	calls [][]uint64
	ends  []string
}

// same says where two searches part.
func (a course) same(b course) error {
	for i := range min(len(a.ends), len(b.ends)) {
		for k := range min(len(a.calls[i]), len(b.calls[i])) {
			if a.calls[i][k] != b.calls[i][k] {
				return fmt.Errorf("in stage %d, call %d is another one than before", i, k)
			}
		}
		if len(a.calls[i]) != len(b.calls[i]) {
			return fmt.Errorf("stage %d has %d calls, and had %d before", i, len(b.calls[i]), len(a.calls[i]))
		}
		if a.ends[i] != b.ends[i] {
			return fmt.Errorf("stage %d ends with\n%s\nand did before with\n%s", i, b.ends[i], a.ends[i])
		}
	}
	if len(a.ends) != len(b.ends) {
		return fmt.Errorf("there are %d stages, and were %d before", len(b.ends), len(a.ends))
	}
	return nil
}

// shooting is a one-shot search under way.
type shooting struct {
	optimizer *host.OneShot
	net       *supernet
	course    course
	state     []byte // of the optimizer, after the last stage
	saved     supernet
}

// aim configures the optimizer and makes the supernet.
func (s *suite) aim(ctx context.Context, p *host.Plugin, c wire.Component, of *compiler.Space) (*shooting, error) {
	o, err := p.OneShot(ctx, host.OptimizerConfig{Component: c.Name, Settings: s.settings(c), Seed: 1, Space: of.Space,
		Objectives: []wire.Objective{{Metric: "score", Maximize: true}}, Metrics: []string{"score"}})
	if err != nil {
		return nil, err
	}
	relaxed, diags := of.Relax(o.Relaxation())
	if diags.HasErrors() {
		return nil, errors.Join(diags.Err(), o.Close())
	}
	return &shooting{optimizer: o, net: &supernet{space: of, net: relaxed}, saved: supernet{space: of, net: relaxed}}, nil
}

// begin brings both sides to where the last stage ended.
func (g *shooting) begin(ctx context.Context) error {
	*g.net = g.saved
	return g.optimizer.Begin(ctx, host.Beginning{Supernet: g.net.net, Epochs: supernetEpochs,
		Size: wire.SupernetSize{Steps: supernetSteps, Valid: supernetValid}, State: g.state})
}

// stage has the optimizer do a stage. before is called before each call is answered.
func (g *shooting) stage(ctx context.Context, before func(call int)) (done bool, err error) {
	var calls []uint64
	stage, state, err := g.optimizer.Stage(ctx, func(_ context.Context, c host.Call) (host.Reply, error) {
		before(len(calls))
		calls = append(calls, hashed(c))
		return g.net.answer(c)
	})
	if err != nil {
		return false, g.refused(err, len(calls))
	}
	g.course.calls = append(g.course.calls, calls)
	g.course.ends = append(g.course.ends, fmt.Sprint(stage.Genotype, stage.Metrics.Values, stage.Mixture, stage.Values, stage.Text, stage.Done))
	g.state, g.saved = slices.Clone(state), *g.net
	return stage.Done, nil
}

// refused tells an error about a decision from others. It must come before anything is
// called for.
func (g *shooting) refused(err error, calls int) error {
	var d *diag.Diagnostic
	if !errors.As(err, &d) {
		return err
	}
	address, ok := strings.CutPrefix(d.Path, "decisions.")
	switch {
	case !ok:
		return err
	case calls > 0 || len(g.course.ends) > 0:
		return fmt.Errorf("it says only in the middle of a search that it cannot relax %s: %s", address, d.Message)
	}
	for _, known := range g.net.net.Decisions {
		if known.Address == address {
			return &refusal{address, d.Message}
		}
	}
	return fmt.Errorf("it cannot relax %q, which is no decision of the space", address)
}

// mostStages is how many stages a search of a few epochs may have.
const mostStages = 200

// shoot runs a search to its end, and kills the optimizer before the calls that crash
// names.
func (s *suite) shoot(ctx context.Context, p *host.Plugin, c wire.Component, of *compiler.Space, crash func(stage, call int) bool) (course, error) {
	g, err := s.aim(ctx, p, c, of)
	if err != nil {
		return course{}, err
	}
	defer g.optimizer.Close()
	killed := map[[2]int]bool{}
	err = g.begin(ctx)
	for done := false; !done && err == nil; {
		at := len(g.course.ends)
		if at == mostStages {
			return course{}, fmt.Errorf("it is not done after %d stages, with a budget of %d epochs", at, supernetEpochs)
		}
		kill := func(call int) {
			if moment := [2]int{at, call}; crash(at, call) && !killed[moment] {
				killed[moment] = true
				p.Crash()
			}
		}
		kill(0)
		done, err = g.stage(ctx, func(call int) {
			if call > 0 {
				kill(call)
			}
		})
		if err != nil && len(killed) > 0 && host.HasDied(err) {
			done, err = false, g.begin(ctx)
		}
	}
	return g.course, err
}

// givenUp cancels a search in the middle of a stage, has a call fail in another, and runs
// a third, which must be as the first was.
func (s *suite) givenUp(ctx context.Context, p *host.Plugin, c wire.Component, of *compiler.Space, first course) error {
	g, err := s.aim(ctx, p, c, of)
	if err != nil {
		return err
	}
	defer g.optimizer.Close()
	enough := errors.New("enough")
	short, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	fresh := g.saved
	anew := func() error {
		g.course, g.state, g.saved = course{}, nil, fresh
		return g.begin(ctx)
	}
	if err := anew(); err != nil {
		return err
	}
	if _, err := g.stage(short, func(int) { cancel(enough) }); err != nil && !errors.Is(err, enough) {
		return fmt.Errorf("given up it says: %w", err)
	}
	if err := anew(); err != nil {
		return err
	}
	diverged := errors.New("the training diverged")
	_, _, err = g.optimizer.Stage(ctx, func(_ context.Context, c host.Call) (host.Reply, error) {
		if c.Kind() == host.WeightStepCall {
			return host.Refused(diverged), nil
		}
		return g.net.answer(c)
	})
	if err != nil && !errors.Is(err, diverged) {
		return fmt.Errorf("after a weight step that failed it says: %w", err)
	}
	if err := anew(); err != nil {
		return err
	}
	if _, err := g.stage(ctx, func(int) {}); err != nil {
		return err
	}
	return course{first.calls[:1], first.ends[:1]}.same(g.course)
}

// hashed is a hash of a call.
func hashed(c host.Call) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, c.Kind(), len(c.Mixtures()))
	for _, x := range c.Mixtures() {
		for _, weights := range x {
			for _, w := range weights {
				_ = binary.Write(h, binary.LittleEndian, math.Float64bits(w)) // a hash takes everything
			}
		}
	}
	switch c.Kind() {
	case host.RelaxCall:
		fmt.Fprint(h, c.Relaxation())
	case host.CheckCall:
		fmt.Fprint(h, c.Genotypes())
	}
	return h.Sum64()
}
