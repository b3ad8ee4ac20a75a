package main

import "fmt"

// Kind is what is done in a work.
type Kind string

// The kinds, by the names that peer.py knows them under.
const (
	Supernet    Kind = "nasbench201" // first-order DARTS step on NAS-Bench-201's supernet
	DARTS       Kind = "darts"       // the same on DARTS' own
	Training    Kind = "training"    // training step of one architecture of NAS-Bench-201
	Convolution Kind = "convolution"
)

// Work is something that both sides do. Its JSON is what the processes are given.
type Work struct {
	Name      string   `json:"name"`
	Kind      Kind     `json:"work"`
	Batch     int      `json:"batch"`
	Image     []int    `json:"image"`              // (C,H,W)
	Channels  int      `json:"channels,omitempty"` // of the first cells
	Cells     int      `json:"cells,omitempty"`    // of a stage; DARTS: in all
	Ops       []string `json:"ops,omitempty"`      // Training: of the six edges
	Kernel    int      `json:"kernel,omitempty"`
	Depthwise bool     `json:"depthwise"`
	Direction string   `json:"direction,omitempty"` // "forward", or "backward": both gradients

	goals goals
}

// goals are what the work should reach; zero: nothing is asked.
type goals struct {
	eager  float64 // times faster than PyTorch as published code runs it
	best   float64 // than its best variant
	gflops float64 // per thread
	memory float64 // share of PyTorch's peak
}

// flops is the number of floating-point operations of a convolution, two for a
// multiply-accumulate; 0 for other work.
func (w Work) flops() float64 {
	if w.Kind != Convolution {
		return 0
	}
	c, h, width := w.Image[0], w.Image[1], w.Image[2]
	n := 2 * float64(w.Batch*h*width) * float64(c*w.Kernel*w.Kernel)
	if !w.Depthwise {
		n *= float64(c)
	}
	if w.Direction == "backward" {
		n *= 2
	}
	return n
}

// Title says what the work is.
func (w Work) Title() string {
	size := fmt.Sprintf("batch %d, %dx%dx%d", w.Batch, w.Image[0], w.Image[1], w.Image[2])
	switch w.Kind {
	case Supernet:
		return fmt.Sprintf("NAS-Bench-201 supernet, C=%d, N=%d, %s: first-order DARTS step", w.Channels, w.Cells, size)
	case DARTS:
		return fmt.Sprintf("DARTS supernet, C=%d, %d cells, %s: first-order DARTS step", w.Channels, w.Cells, size)
	case Training:
		return fmt.Sprintf("all-conv3x3 NAS-Bench-201 network, C=%d, N=%d, %s: training step", w.Channels, w.Cells, size)
	}
	kind := "conv"
	if w.Depthwise {
		kind = "depthwise conv"
	}
	return fmt.Sprintf("%s %dx%d %s, %s", kind, w.Kernel, w.Kernel, w.Direction, size)
}

// works are what there is to run.
var works = func() []Work {
	var all []Work
	cifar := []int{3, 32, 32}
	supernet := goals{eager: 2, best: 1.5, memory: 0.5}
	for _, n := range []int{1, 5} {
		for _, batch := range []int{32, 64} {
			all = append(all, Work{Name: fmt.Sprintf("a-n%d-b%d", n, batch), Kind: Supernet, Batch: batch, Image: cifar, Channels: 16, Cells: n, goals: supernet})
		}
	}
	all = append(all, Work{Name: "b-tiny", Kind: Supernet, Batch: 64, Image: []int{1, 8, 8}, Channels: 8, Cells: 1, goals: goals{best: 3}})
	for _, n := range []int{1, 5} {
		all = append(all, Work{Name: fmt.Sprintf("c-n%d", n), Kind: Training, Batch: 64, Image: cifar, Channels: 16, Cells: n,
			Ops: allConv, goals: goals{eager: 1.2, best: 0.9}})
	}
	all = append(all, Work{Name: "d-darts", Kind: DARTS, Batch: 32, Image: cifar, Channels: 8, Cells: 4, goals: goals{best: 1.5}})
	for _, direction := range []string{"forward", "backward"} {
		for _, f := range []struct {
			name      string
			kernel    int
			depthwise bool
		}{{"3x3", 3, false}, {"1x1", 1, false}, {"dw3x3", 3, true}, {"dw5x5", 5, true}} {
			for c, size := 16, 32; size >= 8; c, size = 2*c, size/2 {
				w := Work{Name: fmt.Sprintf("e-%s-%d-%s", f.name, c, direction), Kind: Convolution, Batch: 64, Image: []int{c, size, size},
					Kernel: f.kernel, Depthwise: f.depthwise, Direction: direction}
				if f.name == "3x3" && direction == "forward" {
					w.goals.gflops = 85
					if c == 16 {
						w.goals.gflops = 60
					}
				}
				all = append(all, w)
			}
		}
	}
	return all
}()

// allConv is the architecture of NAS-Bench-201 with the most arithmetic.
var allConv = []string{"nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3"}
