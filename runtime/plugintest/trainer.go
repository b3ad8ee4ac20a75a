package plugintest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// trainer checks the supernets of an evaluator on the space that was given.
func (s *suite) trainer(ctx context.Context, c wire.Component) {
	if missing := s.needs(c); missing != "" {
		return // as was said of its evaluations
	}
	if s.Relax == nil {
		s.skip("its supernets", "there is no space to relax; name one with --space")
		return
	}
	relaxed, err := s.Relax(lower.Relaxation{})
	if err != nil {
		s.skip("its supernets", "the space cannot be relaxed: "+err.Error())
		return
	}
	in := func(f func(context.Context, *training) error) error {
		return s.within(ctx, func(ctx context.Context, p *host.Plugin) error {
			e, err := s.judge(ctx, p, c)
			if err != nil {
				return err
			}
			defer e.Close()
			net, err := e.Supernet(ctx, wire.OpenSupernet{Network: relaxed, Epochs: 1, Seed: 1})
			if err != nil {
				return err
			}
			defer net.Close()
			return f(ctx, &training{relaxed: relaxed, net: net})
		})
	}
	var first []float64
	if !s.check("it trains a supernet, with losses and gradients that are finite", in(func(ctx context.Context, t *training) (err error) {
		first, err = t.work(ctx)
		return err
	})) {
		return
	}
	s.check("the same seed gives the same supernet, in another process too", in(func(ctx context.Context, t *training) error {
		again, err := t.work(ctx)
		return alike(first, again, err)
	}))
	s.check("gradients of the mixture are those of finite differences", in(func(ctx context.Context, t *training) error { return t.differentiate(ctx) }))
	folder, err := os.MkdirTemp("", "nasc-plugintest-")
	if err != nil {
		s.check("it goes on from what it has saved, with the same bits", err)
		return
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "supernet")
	var then []float64
	err = in(func(ctx context.Context, t *training) error {
		if _, err := t.work(ctx); err != nil {
			return err
		}
		if err := t.net.Save(ctx, file); err != nil {
			return err
		}
		var err error
		if then, err = t.work(ctx); err != nil {
			return err
		}
		if err := t.net.Load(ctx, file); err != nil {
			return err
		}
		again, err := t.work(ctx)
		return alike(then, again, err)
	})
	if s.check("it goes on from what it has saved, with the same bits", err) {
		s.check("so does another process", in(func(ctx context.Context, t *training) error {
			if err := t.net.Load(ctx, file); err != nil {
				return err
			}
			again, err := t.work(ctx)
			return alike(then, again, err)
		}))
	}
}

// training is a supernet at work.
type training struct {
	relaxed *lower.Supernet
	net     *host.Supernet
}

// mixture gives every candidate about the same weight, and every edge about one.
func (t *training) mixture() wire.Mixture {
	var x wire.Mixture
	for i, d := range t.relaxed.Decisions {
		weights := make([]float64, len(d.Options))
		for k := range weights {
			weights[k] = 1 + 0.1*math.Sin(float64(7*i+k))
			if !d.Edges {
				weights[k] /= float64(len(weights))
			}
		}
		x = append(x, weights)
	}
	return x
}

// do makes a call.
func (t *training) do(ctx context.Context, c host.Call, err error) (host.Reply, float64, error) {
	if err != nil {
		return host.Reply{}, 0, err
	}
	r, err := t.net.Do(ctx, c)
	if err == nil {
		err = r.Err()
	}
	loss, _ := r.Loss()
	return r, loss, err
}

func (t *training) gradient(ctx context.Context, x wire.Mixture, batch wire.BatchChoice) (host.Reply, float64, error) {
	c, err := host.NewArchGradient(t.relaxed, x, wire.ArchGradient{Batch: batch})
	return t.do(ctx, c, err)
}

// work makes weight steps and gradients in turns, and returns all numbers.
func (t *training) work(ctx context.Context) (all []float64, _ error) {
	for range 2 {
		c, err := host.NewWeightStep(t.relaxed, t.mixture(), wire.WeightStep{})
		_, loss, err := t.do(ctx, c, err)
		if err != nil {
			return nil, err
		}
		r, valid, err := t.gradient(ctx, t.mixture(), wire.NextValid)
		if err != nil {
			return nil, err
		}
		all = append(append(all, loss, valid), r.Gradient()...)
	}
	return all, nil
}

// alike demands the same bits.
func alike(a, b []float64, err error) error {
	if err != nil {
		return err
	}
	for i := range min(len(a), len(b)) {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return fmt.Errorf("number %d of what it says is %v, and was %v", i, b[i], a[i])
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("it says %d numbers, and said %d before", len(b), len(a))
	}
	return nil
}

// step is how far mixture weights are moved for finite differences: far enough for
// losses in single precision.
const step = 0.02

// differentiate compares the largest numbers of a gradient with finite differences.
func (t *training) differentiate(ctx context.Context) error {
	if _, err := t.work(ctx); err != nil { // weights that have moved
		return err
	}
	r, _, err := t.gradient(ctx, t.mixture(), wire.NextValid)
	if err != nil {
		return err
	}
	g := r.Gradient()
	order := make([]int, len(g))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(g[b]), math.Abs(g[a])) })
	if len(g) == 0 || g[order[0]] == 0 {
		return errors.New("the gradient is zero")
	}
	most := math.Abs(g[order[0]])
	for _, at := range order[:min(5, len(order))] {
		var losses [2]float64
		for side := range losses {
			x := t.mixture()
			*number(x, at) += step * float64(1-2*side)
			if _, losses[side], err = t.gradient(ctx, x, wire.SameValid); err != nil {
				return err
			}
		}
		if got := (losses[0] - losses[1]) / (2 * step); math.Abs(got-g[at]) > 0.05*most+1e-3 {
			return fmt.Errorf("number %d of the gradient is %v, but the loss changes by %v", at, g[at], got)
		}
	}
	return nil
}

// number is one of a mixture's, counted from the first.
func number(x wire.Mixture, at int) *float64 {
	for i := range x {
		if at < len(x[i]) {
			return &x[i][at]
		}
		at -= len(x[i])
	}
	return nil
}
