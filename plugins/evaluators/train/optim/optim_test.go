package optim

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

func workers(t testing.TB, n int) *kernel.Workers {
	ws := kernel.NewWorkers(n)
	t.Cleanup(ws.Close)
	return ws
}

// rules are one of every form.
var rules = map[string]Rule{
	"plain SGD":        SGD{WeightDecay: 0.1},
	"heavy ball":       SGD{Momentum: 0.9, WeightDecay: 0.1},
	"Nesterov":         SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 0.1},
	"RMSProp":          RMSProp{Alpha: 0.9, Epsilon: 0.01, WeightDecay: 0.1},
	"RMSProp momentum": RMSProp{Alpha: 0.9, Epsilon: 0.01, Momentum: 0.5, WeightDecay: 0.1},
	"Adam":             Adam{Beta1: 0.9, Beta2: 0.99, Epsilon: 0.01, WeightDecay: 0.1},
	"AdamW":            Adam{Beta1: 0.9, Beta2: 0.99, Epsilon: 0.01, WeightDecay: 0.1, Decoupled: true},
}

// TestByHand follows four steps from w = 1 with gradients 0.5, -0.2, 0.3, 0.1 and
// rates 0.1, 0.1, 0.05, 0.05, computed from the papers in nine digits. Nesterov's
// first two, for instance: g = 0.5+0.1 = 0.6, v = 0.6, w = 1-0.1*(0.6+0.54) = 0.886;
// g = -0.2+0.0886 = -0.1114, v = 0.54-0.1114 = 0.4286, w = 0.886-0.1*(-0.1114+0.38574) = 0.858566.
func TestByHand(t *testing.T) {
	ws := workers(t, 1)
	for name, want := range map[string][]float64{
		"plain SGD":        {0.94, 0.9506, 0.930847, 0.921192765},
		"heavy ball":       {0.94, 0.8966, 0.857587, 0.813187365},
		"Nesterov":         {0.886, 0.858566, 0.804551323, 0.756158423},
		"RMSProp":          {0.699604469, 0.766415599, 0.681517672, 0.642927143},
		"RMSProp momentum": {0.699604469, 0.616217833, 0.512879342, 0.425885042},
		"Adam":             {0.901639344, 0.850219344, 0.816745523, 0.783249041},
		"AdamW":            {0.891960784, 0.849311218, 0.818537688, 0.788506722},
	} {
		w := []float32{1}
		o := New(rules[name], [][]float32{w})
		for i, step := range []struct {
			g    float32
			rate float64
		}{{0.5, 0.1}, {-0.2, 0.1}, {0.3, 0.05}, {0.1, 0.05}} {
			o.Step(ws, [][]float32{{step.g}}, step.rate)
			if math.Abs(float64(w[0])-want[i]) > 5e-7 {
				t.Errorf("%s: after step %d w is %v, want %v", name, i+1, w[0], want[i])
			}
		}
	}
}

// tensors draws numbers for tensors of sizes around the bounds of pieces and tasks.
func tensors(r *rand.Rand) [][]float32 {
	var all [][]float32
	for _, n := range []int{1, 7, span - 1, 3, span, 2*span + 5, 0, 12} {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		all = append(all, x)
	}
	return all
}

func clone(x [][]float32) [][]float32 {
	var all [][]float32
	for _, v := range x {
		all = append(all, append([]float32{}, v...))
	}
	return all
}

func equal(a, b [][]float32) bool { return slices.EqualFunc(a, b, slices.Equal) }

// TestThreads: neither the number of threads nor the cutting changes a bit.
func TestThreads(t *testing.T) {
	one, three := workers(t, 1), workers(t, 3)
	for name, rule := range rules {
		r := rand.New(rand.NewPCG(1, 2))
		start := tensors(r)
		a, b, whole := clone(start), clone(start), clone(start)
		x, y := New(rule, a), New(rule, b)
		slots := New(rule, start).State().Slots
		for step := 1; step <= 4; step++ {
			grads := tensors(r)
			again := clone(grads)
			if n, m := ClipNorm(one, grads, 100), ClipNorm(three, again, 100); n != m || !equal(grads, again) {
				t.Fatalf("norms %v and %v", n, m)
			}
			x.Step(one, grads, 0.1)
			y.Step(three, grads, 0.1)
			for k := range whole {
				var s [][]float32
				for i := range slots {
					s = append(s, slots[i][k])
				}
				rule.move(uint64(step), 0.1, whole[k], grads[k], s)
			}
		}
		if !equal(a, b) || !equal(a, whole) || equal(a, start) {
			t.Errorf("%s: the number of threads changes the result", name)
		}
	}
}

// TestRestore: an optimizer that goes on from a state does what the first would
// have done.
func TestRestore(t *testing.T) {
	ws := workers(t, 2)
	for name, rule := range rules {
		r := rand.New(rand.NewPCG(3, 4))
		a := tensors(r)
		x := New(rule, a)
		for range 3 {
			x.Step(ws, tensors(r), 0.1)
		}
		b := clone(a)
		y := New(rule, b)
		if err := y.Restore(x.State()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			grads := tensors(r)
			x.Step(ws, grads, 0.05)
			y.Step(ws, grads, 0.05)
		}
		if !equal(a, b) {
			t.Errorf("%s: a restored optimizer goes elsewhere", name)
		}
	}
	o := New(SGD{Momentum: 0.9}, [][]float32{{1, 2}, {3}})
	for _, c := range []struct {
		of   *Optimizer
		want string
	}{
		{New(SGD{Momentum: 0.9}, [][]float32{{1, 2}}), "the state is of 1 tensors, the network has 2"},
		{New(Adam{}, [][]float32{{1, 2}, {3}}), "the state has 2 numbers for every weight, the optimizer 1"},
		{New(SGD{Momentum: 0.9}, [][]float32{{1, 2}, {3, 4}}), "tensor 1 has 2 numbers in the state, 1 in the network"},
	} {
		if err := o.Restore(c.of.State()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// TestNoGradient: a tensor that took no part stays as it was, and so does what is
// remembered of it.
func TestNoGradient(t *testing.T) {
	ws := workers(t, 1)
	for name, rule := range rules {
		w := [][]float32{{1}, {1}}
		o := New(rule, w)
		o.Step(ws, [][]float32{nil, {0.5}}, 0.1)
		if w[0][0] != 1 {
			t.Errorf("%s: moved to %v without a gradient", name, w[0][0])
		}
		o.Step(ws, [][]float32{{0.5}, nil}, 0.1)
		if w[0][0] != w[1][0] {
			t.Errorf("%s: the first steps of two tensors lead to %v and %v", name, w[0][0], w[1][0])
		}
	}
}

func TestClipNorm(t *testing.T) {
	ws := workers(t, 1)
	g := [][]float32{{3}, nil, {0, 4}}
	for _, limit := range []float64{0, 10} {
		if n := ClipNorm(ws, g, limit); n != 5 || g[0][0] != 3 {
			t.Errorf("a norm of %v below the limit %v, now %v", n, limit, g)
		}
	}
	ClipNorm(ws, g, 1)
	if math.Abs(float64(g[0][0])-0.6) > 1e-6 || math.Abs(float64(g[2][1])-0.8) > 1e-6 {
		t.Errorf("clipped to %v", g)
	}
	g[0][0] = float32(math.NaN())
	if n := ClipNorm(ws, g, 0.1); !math.IsNaN(n) || math.Abs(float64(g[2][1])-0.8) > 1e-6 {
		t.Errorf("a norm of %v, clipped to %v", n, g)
	}
}

func TestSchedule(t *testing.T) {
	for name, c := range map[string]struct {
		s    Schedule
		want []float64
	}{
		"constant": {Schedule{Rate: 0.1, Steps: 3}, []float64{0.1, 0.1, 0.1}},
		"cosine":   {Schedule{Shape: Cosine, Rate: 0.1, Last: 0.02, Steps: 4}, []float64{0.1, 0.06 + 0.04*math.Sqrt2/2, 0.06, 0.06 - 0.04*math.Sqrt2/2, 0.02}},
		"linear":   {Schedule{Shape: Linear, Rate: 0.1, Last: 0.02, Steps: 4}, []float64{0.1, 0.08, 0.06, 0.04, 0.02}},
		"stairs":   {Schedule{Shape: Stairs, Rate: 0.1, Every: 2, Factor: 0.5, Steps: 5}, []float64{0.1, 0.1, 0.05, 0.05, 0.025}},
		"warm-up":  {Schedule{Shape: Linear, Rate: 0.4, Warmup: 3, Steps: 5}, []float64{0.1, 0.2, 0.3, 0.4, 0.2, 0}},
		"only":     {Schedule{Shape: Cosine, Rate: 0.2, Warmup: 1, Steps: 1}, []float64{0.1, 0.2}},
	} {
		for i, want := range c.want {
			if got := c.s.At(i); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: the rate of step %d is %v, want %v", name, i, got, want)
			}
		}
	}
}

// BenchmarkStep moves the weights of a NAS-Bench-201 network (C=16, N=1).
func BenchmarkStep(b *testing.B) {
	for name, rule := range rules {
		b.Run(name, func(b *testing.B) {
			ws := workers(b, 1)
			var w, g [][]float32
			for range 60 {
				w, g = append(w, make([]float32, 5000)), append(g, make([]float32, 5000))
			}
			o := New(rule, w)
			b.SetBytes(60 * 5000 * 4)
			for b.Loop() {
				ClipNorm(ws, g, 5)
				o.Step(ws, g, 0.1)
			}
		})
	}
}
