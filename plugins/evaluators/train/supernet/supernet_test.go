package supernet

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// load compiles and relaxes a shipped space.
func load(t testing.TB, file string, o lower.Relaxation, args ...compiler.Argument) (*compiler.Space, *lower.Supernet) {
	t.Helper()
	return relax(t, file, spaces.Files.ReadFile, "", o, args...)
}

// relax compiles and relaxes the space of that name, or the only one, of a file.
func relax(t testing.TB, file string, read func(string) ([]byte, error), name string, o lower.Relaxation, args ...compiler.Argument) (*compiler.Space, *lower.Supernet) {
	t.Helper()
	m, diags := compiler.Load(file, read)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space(name, args)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	n, diags := s.Relax(o)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s, n
}

// small are the arguments that make the shipped spaces tiny.
var small = map[string][]compiler.Argument{
	"nasbench201/nasbench201.nas":   {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}},
	"darts/darts.nas":               {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}},
	"robustdarts/s1.nas":            {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}},
	"robustdarts/s2.nas":            {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}},
	"robustdarts/s3.nas":            {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}},
	"robustdarts/s4.nas":            {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}},
	"nasbench1shot1/space1.nas":     {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(8)}},
	"nasbench1shot1/space2.nas":     {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(8)}},
	"nasbench1shot1/space3.nas":     {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(8)}},
	"transnasbench101/micro.nas":    {{Name: "image", Value: []int64{3, 32, 32}}, {Name: "c", Value: int64(4)}},
	"hierarchical/hierarchical.nas": {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(2)}},
	"nasbenchasr/nasbenchasr.nas":   {{Name: "frames", Value: int64(8)}, {Name: "c", Value: int64(100)}},
	"fbnet/fbnet.nas":               {{Name: "image", Value: []int64{3, 64, 64}}},
	"spos/spos.nas":                 {{Name: "image", Value: []int64{3, 32, 32}}},
	"einspace/einspace.nas":         {{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "fuel", Value: int64(1)}},
}

// short leaves spaces out of short tests: those that are like others, and those that
// take long to build.
func short(t *testing.T, file string) {
	t.Helper()
	quick := map[string]bool{"nasbench201/nasbench201.nas": true, "robustdarts/s4.nas": true, "nasbench1shot1/space3.nas": true,
		"transnasbench101/micro.nas": true, "einspace/einspace.nas": true, "spos/spos.nas": true}
	if testing.Short() && !quick[file] {
		t.Skip("not in a short test")
	}
}

// batch draws a batch.
func batch(s *lower.Supernet, n, places, classes int, seed uint64) (images []float32, labels []int) {
	r := rand.New(rand.NewPCG(seed, 1))
	size := n
	for _, d := range s.Net.Inputs[0].Shape {
		size *= d
	}
	for range size {
		images = append(images, float32(r.NormFloat64()))
	}
	for range places {
		labels = append(labels, r.IntN(classes))
	}
	return images, labels
}

// random is a mixture of positive numbers.
func random(ds []Decision, seed uint64) Mixture {
	r := rand.New(rand.NewPCG(seed, 2))
	var m Mixture
	for _, d := range ds {
		v := make([]float64, len(d.Options))
		for i := range v {
			v[i] = 0.1 + r.Float64()
		}
		m = append(m, v)
	}
	return m
}

func newTest[T kernel.Float](t testing.TB, s *lower.Supernet, o Options, threads int) *engine[T] {
	t.Helper()
	ws := kernel.NewWorkers(threads)
	t.Cleanup(ws.Close)
	e, err := newEngine[T](s, ws, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestGradients compares the gradients of mixtures and of weights through whole
// supernets with central differences in float64.
func TestGradients(t *testing.T) {
	for _, c := range []struct {
		file string
		o    lower.Relaxation
	}{
		{"nasbench201/nasbench201.nas", lower.Relaxation{}},
		{"nasbench201/nasbench201.nas", lower.Relaxation{Channels: 2, EdgeWeights: true}},
		{"darts/darts.nas", lower.Relaxation{}},
		{"nasbench1shot1/space3.nas", lower.Relaxation{}},
	} {
		t.Run(fmt.Sprint(c.file, c.o), func(t *testing.T) {
			_, s := load(t, c.file, c.o, small[c.file]...)
			e := newTest[float64](t, s, Options{Batch: 3, Seed: 5}, 2)
			images, labels := batch(s, 3, e.places(), e.classes(), 1)
			m := random(e.decisions, 3)
			value := func() float64 {
				if err := e.load(images, labels, m); err != nil {
					t.Fatal(err)
				}
				loss, err := e.run(context.Background(), e.arching, 1)
				if err != nil {
					t.Fatal(err)
				}
				return loss
			}
			loss := value()
			grad, err := e.gradient(1)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := e.run(context.Background(), e.weighing, 1); err != nil || math.Abs(again-loss) > 1e-9*loss {
				t.Errorf("losses %v and %v of the two plans (%v)", loss, again, err)
			}
			const eps = 1e-6
			near := func(what string, g, got float64) {
				if math.Abs(g-got) > 2e-5*max(1, math.Abs(got)) {
					t.Errorf("%s: gradient %v, by differences %v", what, g, got)
				}
			}
			for i := range m {
				k := i % len(m[i])
				old := m[i][k]
				m[i][k] = old + eps
				up := value()
				m[i][k] = old - eps
				got := (up - value()) / (2 * eps)
				m[i][k] = old
				near(e.decisions[i].Address+" "+e.decisions[i].Options[k].Label, grad[i][k], got)
			}
			var grads [][]float64
			for _, g := range e.grads {
				grads = append(grads, slices.Clone(e.weighing.Value(g)))
			}
			for i := 0; i < len(e.params); i += 1 + len(e.params)/60 {
				w := e.weighing.Value(e.params[i])
				k := i % len(w)
				old := w[k]
				w[k] = old + eps
				up := value()
				w[k] = old - eps
				got := (up - value()) / (2 * eps)
				w[k] = old
				near(e.params[i].Name(), grads[i][k], got)
			}
		})
	}
}

// single is what a choice leaves of a net: sums in place of mixtures.
func single(n *lower.Net, c lower.Choice, done map[*lower.Net]*lower.Net) *lower.Net {
	if out := done[n]; out != nil {
		return out
	}
	out := *n
	out.Nodes = nil
	done[n] = &out
	for _, node := range n.Nodes {
		m := *node
		switch {
		case m.Net != nil:
			m.Net = single(m.Net, c, done)
		case m.Op == lower.Mixed:
			m.Terms = nil
			for _, t := range node.Terms {
				if !slices.ContainsFunc(t.Weights, func(w lower.Weight) bool { return !slices.Contains(c[w.Decision], w.Option) }) {
					m.Inputs = append(m.Inputs, t.Value)
				}
			}
			if len(m.Inputs) > 0 {
				m.Op, m.Module = "sum", "std/core"
			} else {
				m.Inputs = append(m.Inputs, -1)
			}
		}
		out.Nodes = append(out.Nodes, &m)
	}
	return &out
}

// hot is the mixture of ones and zeros of a choice.
func hot(ds []Decision, c lower.Choice) Mixture {
	var m Mixture
	for i, d := range ds {
		v := make([]float64, len(d.Options))
		for _, k := range c[i] {
			v[k] = 1
		}
		m = append(m, v)
	}
	return m
}

// draw draws what an architecture takes.
func draw(s *lower.Supernet, r *rand.Rand) lower.Choice {
	var c lower.Choice
	for _, d := range s.Decisions {
		n := 1
		if d.Edges {
			n = d.Min + r.IntN(d.Max-d.Min+1)
		}
		var take []int
		for _, k := range r.Perm(len(d.Options)) {
			if len(take) < n && d.Options[k].Alternative >= 0 {
				take = append(take, k)
			}
		}
		c = append(c, take)
	}
	return c
}

// TestOneHot compares a supernet under the mixture of one architecture with that
// architecture alone, in float64: the loss, the gradients of all of its weights and the
// statistics of batch norm are the same to rounding; nothing else has a gradient, and
// moves in a step. (That what a choice leaves of a supernet is the bound architecture,
// package spaces tests.)
func TestOneHot(t *testing.T) {
	ctx := context.Background()
	for _, file := range []string{"nasbench201/nasbench201.nas", "darts/darts.nas",
		"nasbench1shot1/space1.nas", "nasbench1shot1/space2.nas", "nasbench1shot1/space3.nas"} {
		t.Run(file, func(t *testing.T) {
			_, s := load(t, file, lower.Relaxation{}, small[file]...)
			r := rand.New(rand.NewPCG(8, 8))
			trials := 2
			if testing.Short() {
				trials = 1
			}
			for trial := range trials {
				c := draw(s, r)
				if _, err := s.Genotype(c); err != nil {
					t.Fatal(err)
				}
				o := Options{Batch: 6, Seed: uint64(trial)}
				left := lower.Received(s.Name, nil, single(s.Net, c, map[*lower.Net]*lower.Net{}), lower.Relaxation{})
				whole, alone := newTest[float64](t, s, o, 2), newTest[float64](t, left, o, 2)
				m := hot(whole.decisions, c)
				images, labels := batch(s, 6, whole.places(), whole.classes(), uint64(trial))
				run := func(e *engine[float64], m Mixture) float64 {
					if err := e.load(images, labels, m); err != nil {
						t.Fatal(err)
					}
					loss, err := e.run(ctx, e.weighing, 1)
					if err != nil {
						t.Fatal(err)
					}
					return loss
				}
				near := func(what string, got, want []float64) {
					for k := range want {
						if math.Abs(got[k]-want[k]) > 1e-8*max(1, math.Abs(want[k])) {
							t.Errorf("%s[%d] is %v, alone %v", what, k, got[k], want[k])
							return
						}
					}
				}
				near("loss", []float64{run(whole, m)}, []float64{run(alone, nil)})
				of := map[string]int{}
				for i, p := range alone.params {
					of[p.Name()] = i
				}
				others := 0
				for i, p := range whole.params {
					if k, ok := of[p.Name()]; ok {
						near(p.Name(), whole.weighing.Value(whole.grads[i]), alone.weighing.Value(alone.grads[k]))
						delete(of, p.Name())
					} else if others++; !whole.weighing.Zero(whole.grads[i]) {
						t.Errorf("%s has a gradient, and is in no path", p.Name())
					}
				}
				if others == 0 || len(of) != 0 || len(alone.params) < 5 {
					t.Errorf("%d weights of the architecture, %v not in the supernet, %d others", len(alone.params), of, others)
				}
				for name, now := range alone.weights.running {
					near("running mean "+name, whole.weights.running[name].Mean, now.Mean)
					near("running variance "+name, whole.weights.running[name].Var, now.Var)
				}
				moving(t, s, o, m, images, labels, alone)
			}
		})
	}
}

// moving checks that a step moves the weights of an architecture and no others.
func moving(t *testing.T, s *lower.Supernet, o Options, m Mixture, images []float32, labels []int, alone *engine[float64]) {
	t.Helper()
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	n, err := New(s, ws, o)
	if err != nil {
		t.Fatal(err)
	}
	var before [][]float32
	for _, w := range n.tensors {
		before = append(before, slices.Clone(w))
	}
	if _, err := n.WeightStep(context.Background(), images, labels, m); err != nil {
		t.Fatal(err)
	}
	of := map[string]bool{}
	for _, p := range alone.params {
		of[p.Name()] = true
	}
	for i, p := range n.engine.params {
		if kept := of[p.Name()]; kept == slices.Equal(before[i], n.tensors[i]) {
			t.Errorf("%s is in the architecture: %v, and moved: %v", p.Name(), kept, !kept)
		}
	}
}

// TestEverySpace builds every shipped space that can be relaxed, tiny, and does a
// weight step and an arch step.
func TestEverySpace(t *testing.T) {
	ctx := context.Background()
	for file, args := range small {
		t.Run(file, func(t *testing.T) {
			short(t, file)
			_, s := load(t, file, lower.Relaxation{}, args...)
			ws := kernel.NewWorkers(2)
			defer ws.Close()
			n, err := New(s, ws, Options{Batch: 2, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			e := n.engine
			images, labels := batch(s, 2, e.places(), e.classes(), 1)
			m := n.Uniform()
			loss, grad, err := n.ArchGradient(ctx, images, labels, m)
			if err != nil {
				t.Fatal(err)
			}
			moved := 0
			for i, d := range n.Decisions() {
				for k, g := range grad[i] {
					if d.Options[k].Absent && g != 0 {
						t.Errorf("%s: the absent edge has gradient %v", d.Address, g)
					}
					if g != 0 {
						moved++
						break
					}
				}
			}
			if moved < len(grad)*9/10 {
				t.Errorf("%d of %d decisions have a gradient", moved, len(grad))
			}
			before, err := n.WeightStep(ctx, images, labels, m)
			if err != nil || math.Abs(before-loss) > 1e-3*loss && file != "robustdarts/s4.nas" { // whose noise is drawn anew
				t.Errorf("loss %v, of the arch step %v (%v)", before, loss, err)
			}
			if after, _, err := n.Score(ctx, images, labels, m); err != nil || after == loss || math.IsNaN(after) {
				t.Errorf("loss %v after a step, before %v (%v)", after, loss, err)
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	_, s := load(b, "darts/darts.nas", lower.Relaxation{}, small["darts/darts.nas"]...)
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	for b.Loop() {
		if _, err := New(s, ws, Options{Batch: 2}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStep is a weight step and an arch step of the supernet of NAS-Bench-201,
// C=16 and N=1, on a batch of 64 images of 32x32, under a dense and a sampled mixture.
func BenchmarkStep(b *testing.B) {
	_, s := load(b, "nasbench201/nasbench201.nas", lower.Relaxation{}, compiler.Argument{Name: "n", Value: int64(1)})
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	n, err := New(s, ws, Options{Batch: 64, Clip: 5})
	if err != nil {
		b.Fatal(err)
	}
	images, labels := batch(s, 64, 64, 10, 1)
	sampled := n.zeros()
	for i := range sampled {
		sampled[i][1+i%4] = 1
	}
	for _, c := range []struct {
		name string
		m    Mixture
	}{{"dense", n.Uniform()}, {"sampled", sampled}} {
		b.Run("weights/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := n.WeightStep(context.Background(), images, labels, c.m); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("arch/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := n.ArchGradient(context.Background(), images, labels, c.m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
