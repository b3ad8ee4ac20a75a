package main

import (
	"context"
	"math"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/plugins/evaluators/train/supernet"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// relaxed is a first-order DARTS step: one of the arch parameters on one batch, then
// one of the weights on another, with the settings of peer.py.
func relaxed(w Work, threads int) (*task, error) {
	s, err := searchSpace(w)
	if err != nil {
		return nil, err
	}
	relaxed, diags := s.Relax(lower.Relaxation{})
	if diags.HasErrors() {
		return nil, diags
	}
	ws := kernel.NewWorkers(threads)
	net, err := supernet.New(relaxed, ws, supernet.Options{Batch: w.Batch, Seed: 1, Clip: 5,
		Rule: optim.SGD{Momentum: 0.9, WeightDecay: 3e-4}, Schedule: optim.Schedule{Shape: optim.Constant, Rate: 0.025}})
	if err != nil {
		ws.Close()
		return nil, err
	}
	a := newArch(ws, net)
	train, valid := newBatch(w, "train"), newBatch(w, "valid")
	run := func() error {
		_, grad, err := net.ArchGradient(context.Background(), valid.images, valid.labels, a.mixture)
		if err != nil {
			return err
		}
		a.step(grad)
		_, err = net.WeightStep(context.Background(), train.images, train.labels, a.mixture)
		return err
	}
	return &task{run: run, close: ws.Close, observe: ws.Observe}, nil
}

// batch is a batch of random images, channels last.
type batch struct {
	images []float32
	labels []int
}

func newBatch(w Work, name string) batch {
	r := stream.New(1, "bench/"+name, 0)
	b := batch{images: normal(r, w.Batch*w.Image[0]*w.Image[1]*w.Image[2])}
	for range w.Batch {
		b.labels = append(b.labels, r.IntN(10))
	}
	return b
}

// arch are the arch parameters: a mixture is their softmax, decision by decision.
type arch struct {
	ws      *kernel.Workers
	alpha   [][]float32
	grads   [][]float32
	adam    *optim.Optimizer
	mixture supernet.Mixture
}

func newArch(ws *kernel.Workers, net *supernet.Supernet) *arch {
	a := &arch{ws: ws}
	for _, d := range net.Decisions() {
		a.alpha = append(a.alpha, make([]float32, len(d.Options)))
		a.grads = append(a.grads, make([]float32, len(d.Options)))
		a.mixture = append(a.mixture, make([]float64, len(d.Options)))
	}
	a.adam = optim.New(optim.Adam{Beta1: 0.5, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-3}, a.alpha)
	a.mix()
	return a
}

// mix computes the mixture.
func (a *arch) mix() {
	for i, alpha := range a.alpha {
		var sum float64
		for k, v := range alpha {
			a.mixture[i][k] = math.Exp(float64(v))
			sum += a.mixture[i][k]
		}
		for k := range alpha {
			a.mixture[i][k] /= sum
		}
	}
}

// step moves the parameters along the gradient of the mixture.
func (a *arch) step(grad supernet.Mixture) {
	for i, m := range a.mixture {
		var mean float64
		for k, g := range grad[i] {
			mean += m[k] * g
		}
		for k, g := range grad[i] {
			a.grads[i][k] = float32(m[k] * (g - mean))
		}
	}
	a.adam.Step(a.ws, a.grads, 3e-4)
	a.mix()
}
