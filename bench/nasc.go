package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/evaluators/train"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/spaces/nasbench201"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// task is a work that nasc is ready to run.
type task struct {
	run   func() error
	close func()
	// observe has f called after every call of a kernel; nil where that cannot be seen.
	observe func(f func(tasks int, begun time.Time))
}

// prepare makes a work ready.
func prepare(w Work, threads int) (*task, error) {
	switch w.Kind {
	case Training:
		return training(w, threads)
	case Convolution:
		return convolution(w, threads), nil
	}
	return relaxed(w, threads)
}

// training is a training step of one architecture with the settings of peer.py, on
// drawn letters and digits.
func training(w Work, threads int) (*task, error) {
	g, err := architecture(w)
	if err != nil {
		return nil, err
	}
	t, err := train.New(train.Settings{Dataset: "glyphs", Size: w.Image[1], Color: w.Image[0] == 3, Train: 4 * w.Batch, Valid: 10, Test: 10,
		Epochs: 100000, BatchSize: w.Batch, Optimizer: "sgd", Lr: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4, Schedule: "constant"}, threads)
	if err != nil {
		return nil, err
	}
	r, err := t.Begin(train.Job{Graph: g, Seed: 1})
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return &task{
		run: func() error {
			_, err := r.Step(context.Background())
			return err
		},
		close: func() {
			r.Close()
			t.Close()
		},
	}, nil
}

// architecture is the network of a training step.
func architecture(w Work) (*graph.Graph, error) {
	s, err := searchSpace(w)
	if err != nil {
		return nil, err
	}
	var choices []string
	for _, name := range w.Ops {
		for op := nasbench201.None; op <= nasbench201.AvgPool; op++ {
			if op.String() == name {
				choices = append(choices, fmt.Sprint(int(op)))
			}
		}
	}
	genotype, err := s.Parse(strings.Join(choices, ","))
	if err != nil {
		return nil, err
	}
	return s.Bind(genotype)
}

//go:embed spaces/darts.nas
var dartsSpace []byte

// searchSpace compiles the space of a work in its sizes.
func searchSpace(w Work) (*compiler.Space, error) {
	image := make([]int64, len(w.Image))
	for i, n := range w.Image {
		image[i] = int64(n)
	}
	args := []compiler.Argument{{Name: "image", Value: image}, {Name: "c", Value: int64(w.Channels)}}
	path, read := "darts.nas", func(string) ([]byte, error) { return dartsSpace, nil }
	if w.Kind != DARTS {
		path, read = "nasbench201/nasbench201.nas", spaces.Files.ReadFile
		args = append(args, compiler.Argument{Name: "n", Value: int64(w.Cells)})
	}
	m, diags := compiler.Load(path, read)
	if diags.HasErrors() {
		return nil, diags
	}
	s, diags := m.Space("", args)
	if diags.HasErrors() {
		return nil, diags
	}
	return s, nil
}

// convolution is one convolution alone, or both of its gradients.
func convolution(w Work, threads int) *task {
	c, height, width := w.Image[0], w.Image[1], w.Image[2]
	g := kernel.Conv{B: w.Batch, C: c, H: height, W: width, K: c, OH: height, OW: width, Kernel: w.Kernel, Stride: 1, Dilation: 1, Groups: 1, Pad: w.Kernel / 2}
	if w.Depthwise {
		g.Groups = c
	}
	r := stream.New(1, "bench", 0)
	size := w.Batch * c * height * width
	x, y, filters := normal(r, size), normal(r, size), [][]float32{normal(r, g.Weights())}
	dx, dfilters := make([]float32, size), [][]float32{make([]float32, g.Weights())}
	ws := kernel.NewWorkers(threads)
	forward := func() error {
		kernel.ConvForward(ws, g, x, filters, y, nil)
		return nil
	}
	backward := func() error {
		kernel.ConvGradInput(ws, g, filters, y, dx)
		kernel.ConvGradWeight(ws, g, x, y, dfilters)
		return nil
	}
	if w.Direction == "forward" {
		return &task{run: forward, close: ws.Close, observe: ws.Observe}
	}
	return &task{run: backward, close: ws.Close, observe: ws.Observe}
}

// normal draws n numbers.
func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}
