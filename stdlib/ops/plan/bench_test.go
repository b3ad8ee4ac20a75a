package plan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

// nasbench201 is the relaxed network of NAS-Bench-201, or with alone the one whose
// edges all have that candidate, for 10 classes.
func nasbench201(t testing.TB, ws *kernel.Workers, c, cells, b, side, channels int, alone string) *cell {
	n := &cell{rand: rand.New(rand.NewPCG(1, 5))}
	n.Network = &ops.Network{Graph: gorgonia.NewGraph(), Dtype: gorgonia.Float32, Workers: ws, Params: n, Training: true}
	for i := range 6 {
		n.vectors = append(n.vectors, n.leaf(fmt.Sprint("v", i), 1, 5))
	}
	conv := func(at string, x *gorgonia.Node, kernel int) *gorgonia.Node {
		if alone != "" {
			return n.build(t, at, "relu_conv_bn", map[string]int{"kernel": kernel}, x)
		}
		y := n.build(t, at+".conv", "conv", map[string]int{"kernel": kernel}, n.build(t, at+".relu", "relu", nil, x))
		return n.build(t, at+".bn", "plain_batch_norm", nil, y)
	}
	x := n.build(t, "stem", "conv_bn", map[string]int{"out": c}, n.leaf("image", 1, b, channels, side, side))
	for stage := range 3 {
		if stage > 0 {
			c *= 2
			x = n.build(t, fmt.Sprint("down", stage), "residual", map[string]int{"out": c, "stride": 2}, x)
		}
		for k := range cells {
			states := gorgonia.Nodes{x}
			edge := 0
			for to := 1; to < 4; to++ {
				var terms gorgonia.Nodes
				var weights [][]ops.Weight
				for from := range to {
					at := fmt.Sprintf("%d.%d.%d-%d", stage, k, from, to)
					if alone != "" {
						terms = append(terms, conv(at, states[from], 3))
						continue
					}
					terms = append(terms, n.build(t, at+".none", "zero", nil, states[from]), states[from],
						conv(at+".1", states[from], 1), conv(at+".3", states[from], 3), n.build(t, at+".pool", "avg_pool", nil, states[from]))
					for i := range 5 {
						weights = append(weights, []ops.Weight{{Vector: edge, Index: i}})
					}
					edge++
				}
				if alone != "" {
					states = append(states, n.build(t, fmt.Sprintf("%d.%d.%d", stage, k, to), "sum", nil, terms...))
					continue
				}
				y, err := n.Mixture(terms, weights, n.vectors)
				if err != nil {
					t.Fatal(err)
				}
				states = append(states, y)
			}
			x = states[3]
		}
	}
	x = n.build(t, "relu", "relu", nil, n.build(t, "norm", "batch_norm", nil, x))
	logits := n.build(t, "fc", "linear", map[string]int{"out": 10}, n.build(t, "pool", "global_pool", nil, x))
	labels := n.leaf("labels", 0, b)
	var err error
	if n.loss, err = n.CrossEntropy(logits, labels, 0); err != nil {
		t.Fatal(err)
	}
	return n
}

// steps plans the gradients of the weights and, if there are any, those of the
// mixture weights, in one arena.
func (c *cell) steps(t testing.TB, unfused bool) []*Plan[float32] {
	vectors := map[*gorgonia.Node]bool{}
	for _, v := range c.vectors {
		vectors[v] = true
	}
	wrt, wanted := c.gradients(t, all(c))
	parts := [2]gorgonia.Nodes{{c.loss}, {c.loss}}
	for i, n := range wrt {
		part := 0
		if vectors[n] {
			part = 1
		}
		parts[part] = append(parts[part], wanted[i+1])
	}
	arena := NewArena[float32]()
	var plans []*Plan[float32]
	for _, part := range parts {
		if len(part) > 1 {
			plans = append(plans, newPlan(t, c.Workers, Options[float32]{Unfused: unfused, Arena: arena}, part...))
		}
	}
	return plans
}

// BenchmarkStep runs the step of a training and those of a search, without
// optimizer, on one thread and on two.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name                            string
		c, cells, batch, side, channels int
		alone                           string
	}{
		{"training", 16, 1, 64, 32, 3, "conv3x3"},
		{"supernet", 16, 1, 32, 32, 3, ""},
		{"tiny", 8, 1, 64, 8, 1, ""},
	} {
		for _, threads := range []int{1, 2} {
			for _, unfused := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/threads=%d/unfused=%v", c.name, threads, unfused), func(b *testing.B) {
					ws := kernel.NewWorkers(threads)
					defer ws.Close()
					net := nasbench201(b, ws, c.c, c.cells, c.batch, c.side, c.channels, c.alone)
					plans := net.steps(b, unfused)
					b.ReportAllocs()
					for b.Loop() {
						for _, p := range plans {
							if err := p.Run(context.Background()); err != nil {
								b.Fatal(err)
							}
						}
					}
					size := 0
					for _, p := range plans {
						size = max(size, p.Memory())
					}
					b.ReportMetric(float64(size)/(1<<20), "MiB")
				})
			}
		}
	}
}
