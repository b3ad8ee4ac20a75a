package oneshot

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// quadratic is a supernet with the loss scale * (m'Am/2 + b'm) on the first batch, and
// another one on each batch after it.
type quadratic struct {
	relaxedOnly
	a       *mat.SymDense
	b       []float64
	scale   float64
	batch   int // batches taken
	batches map[int]int
}

func (n *quadratic) ArchGradient(_ context.Context, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	if o.Batch == sdk.NextValid {
		n.batch++
	}
	n.batches[n.batch]++
	var v []float64
	for _, w := range m {
		v = append(v, w...)
	}
	x := mat.NewVecDense(len(v), v)
	g := mat.NewVecDense(len(v), nil)
	g.MulVec(n.a, x)
	loss := n.scale * mat.Dot(x, g) / 2
	out := zerosLike(m)
	at := 0
	for i := range out {
		for k := range out[i] {
			out[i][k] = n.scale * float64(n.batch) * (g.AtVec(at) + n.b[at])
			loss += n.scale * n.b[at] * v[at]
			at++
		}
	}
	return loss, out, nil
}

func newQuadratic(seed uint64) *quadratic {
	n := &quadratic{relaxedOnly: relaxedOnly{r: twoNodes()}, scale: 1, batches: map[int]int{}}
	order := 0
	for _, d := range n.r.Decisions {
		order += len(d.Options)
	}
	rng := stream.New(seed, "quadratic", 0)
	n.a = mat.NewSymDense(order, nil)
	for i := range order {
		for j := range i + 1 {
			n.a.SetSym(i, j, rng.NormFloat64())
		}
		n.b = append(n.b, rng.NormFloat64())
	}
	return n
}

func quadraticSearch(t *testing.T, n *quadratic) *Search {
	s := searchOf(twoNodesSpace(t), n.r)
	s.net = n
	s.draws = map[string]uint64{}
	s.parts = Parts{Relaxation: Softmax(), Order: FirstOrder(), Update: &Adam{}, Selection: Argmax()}
	s.params = s.layout.scatter(Softmax().Init(s.layout, stream.New(5, "init", 0)), learnedShape(s))
	return s
}

// learnedShape is that of the arch parameters.
func learnedShape(s *Search) Params {
	p := make(Params, len(s.layout.Decisions))
	for i, d := range s.layout.Decisions {
		if d.Learned {
			p[i] = make([]float64, len(d.Options))
		}
	}
	return p
}

// hessian is the exact Hessian in the arch parameters, by the chain rule.
func (n *quadratic) hessian(s *Search) *mat.SymDense {
	m := s.Mean()
	var flat, dual []float64 // the mixture, and the gradient of the loss in it
	var decision []int
	for i := range m {
		for range m[i] {
			decision = append(decision, i)
		}
		flat = append(flat, m[i]...)
	}
	for k := range flat {
		g := n.b[k]
		for j := range flat {
			g += n.a.At(k, j) * flat[j]
		}
		dual = append(dual, g)
	}
	var learned []int
	for k, i := range decision {
		if s.layout.Decisions[i].Learned {
			learned = append(learned, k)
		}
	}
	same := func(i, j int) bool { return decision[i] == decision[j] }
	delta := func(i, j int) float64 {
		if i == j {
			return 1
		}
		return 0
	}
	jacobian := func(k, i int) float64 { // of weight k in parameter i
		if !same(k, i) {
			return 0
		}
		return flat[k] * (delta(k, i) - flat[i])
	}
	h := mat.NewSymDense(len(learned), nil)
	for x, i := range learned {
		for y, j := range learned[:x+1] {
			v := 0.0
			for _, k := range learned {
				for _, l := range learned {
					v += jacobian(k, i) * n.a.At(k, l) * jacobian(l, j)
				}
				if same(k, i) && same(k, j) {
					v += dual[k] * flat[k] * ((delta(k, i)-flat[i])*(delta(k, j)-flat[j]) - flat[i]*(delta(i, j)-flat[j]))
				}
			}
			h.SetSym(x, y, n.scale*v)
		}
	}
	return h
}

// TestEigenvalue: the dominant eigenvalue is that of the exact Hessian, up to the square
// of the radius, all of it on one batch.
func TestEigenvalue(t *testing.T) {
	for seed := range uint64(5) {
		n := newQuadratic(seed)
		s := quadraticSearch(t, n)
		rng := stream.New(seed, "params", 0)
		for i := range s.params {
			for k := range s.params[i] {
				s.params[i][k] = rng.NormFloat64()
			}
		}
		var e mat.EigenSym
		if !e.Factorize(n.hessian(s), false) {
			t.Fatal("no eigenvalues")
		}
		values := e.Values(nil)
		want := values[len(values)-1]
		for _, radius := range []float64{1e-2, 1e-4} {
			n.batch = 0
			got, err := s.Eigenvalue(context.Background(), Sharpness{Products: 12, Radius: radius}, Moment{})
			if err != nil {
				t.Fatal(err)
			}
			if tolerance := 10*radius*radius + 1e-7; math.Abs(got-want) > tolerance {
				t.Errorf("%v, want %v of %v", got, want, values)
			}
		}
		if n.batches[1] < 4 || len(n.batches) != 1 {
			t.Errorf("gradients by batch: %v", n.batches)
		}
	}
}

// rises watches a search whose eigenvalues are in proportion to the numbers, and in
// which epoch t has added t to the parameters of a decision, which changes no mixture.
func rises(t *testing.T, s *Search, n *quadratic, g Guard, numbers []float64, watch func(epoch int, v Verdict) bool) {
	t.Helper()
	begin := cloned(s.params)
	for epoch, scale := range numbers {
		n.scale, n.batch = scale, 0
		copy(s.params[0], begin[0])
		for k := range s.params[0] {
			s.params[0][k] += float64(epoch)
		}
		v, err := g.Watch(context.Background(), s, Moment{Epoch: epoch, Epochs: len(numbers)})
		if err != nil {
			t.Fatal(err)
		}
		if !watch(epoch, v) {
			return
		}
	}
}

// rise is eleven ones and then twos. The mean of five is 1.2 in epoch 11 counted from 0
// and 1.4 in epoch 12, when it was 1 four epochs before.
var rise = append(ones(11), 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2)

func TestEarly(t *testing.T) {
	n := newQuadratic(1)
	s := quadraticSearch(t, n)
	g := earlyParams{EigenProducts: 12, EigenRadius: 1e-3, EigenWindow: 5, EigenBack: 4, EigenRise: 1.3, EigenAfter: 10}.early()
	g.Tolerance = 0
	stopped := -1
	rises(t, s, n, &g, rise, func(epoch int, v Verdict) bool {
		if v.Stop {
			stopped = epoch
			if v.Choice != nil || !strings.Contains(v.Text, "by a factor of 1.4 in 4 epochs; the search ends with the arch parameters of epoch 9") {
				t.Errorf("%+v", v)
			}
		}
		if mean, ok := v.Values["eigenvalue_mean"]; ok != (epoch >= 8) || ok && epoch < 11 && math.Abs(mean-v.Values["eigenvalue"]) > 1e-3*math.Abs(mean) {
			t.Errorf("epoch %d: %v", epoch, v.Values)
		}
		return !v.Stop
	})
	if stopped != 12 || math.Round(s.params[0][0]) != 8 { // epochs are counted from 1 in texts
		t.Errorf("it stops in epoch %d with the parameters of epoch %v", stopped, s.params[0][0])
	}
	// The same rise before epoch 10 is none.
	s, n = quadraticSearch(t, n), newQuadratic(1)
	s.net = n
	g.state = watched{}
	rises(t, s, n, &g, append(ones(5), 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2), func(epoch int, v Verdict) bool {
		if v.Stop && epoch < 10 {
			t.Errorf("it stops in epoch %d", epoch)
		}
		return !v.Stop
	})
}

func TestAdaptive(t *testing.T) {
	n := newQuadratic(1)
	s := quadraticSearch(t, n)
	g := adaptiveParams{earlyParams: earlyParams{EigenProducts: 12, EigenRadius: 1e-3, EigenWindow: 5, EigenBack: 4, EigenRise: 1.3, EigenAfter: 10},
		DecayBegin: 3e-4, DecayFactor: 3, DecayMost: 7e-4}.guard()
	g.Tolerance = 0
	if err := g.Prologue(context.Background(), s, Moment{}); err != nil {
		t.Fatal(err)
	}
	var changes []string
	last := 3e-4
	numbers := append(rise[:], 4, 4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8)
	rises(t, s, n, g, numbers, func(epoch int, v Verdict) bool {
		if d := v.Values["weight_decay"]; d != last {
			changes = append(changes, fmt.Sprintf("%d: %.2g", epoch, d))
			last = d
		}
		if v.Stop || *s.weightDecay != last {
			t.Errorf("epoch %d: %+v", epoch, v)
		}
		return true
	})
	// After the alarm of epoch 12 there are five and four epochs until the next may be;
	// 2 becomes 4 in epoch 22.
	if got := strings.Join(changes, ", "); got != "12: 0.0007" {
		t.Errorf("changes: %s", got)
	}
	g.Most, *s.weightDecay, last, changes = 1, 3e-4, 3e-4, nil
	g.state = watched{}
	rises(t, s, n, g, numbers, func(_ int, v Verdict) bool {
		if d := v.Values["weight_decay"]; d != last {
			changes = append(changes, fmt.Sprintf("%.2g", d))
			last = d
		}
		return true
	})
	if got := strings.Join(changes, ", "); got != "0.0009, 0.0027, 0.0081" {
		t.Errorf("changes: %s", got)
	}
}

// TestGuards: with each guard the planted candidates are found, and a search goes on
// with the same bits after any stage; what sets the weight decay does.
func TestGuards(t *testing.T) {
	for name, settings := range map[string]wire.Settings{
		"eigenvalue": {"guard": "eigenvalue", "eigen_after": 3, "eigen_window": 2, "eigen_back": 2},
		"decay":      {"guard": "decay", "eigen_after": 3, "eigen_window": 2, "eigen_back": 1, "eigen_rise": 1, "decay_begin": 1e-4},
		"l2":         {"guard": "l2", "l2": 0.001},
	} {
		t.Run(name, func(t *testing.T) {
			settings := with(settings, wire.Settings{"arch_lr": 0.02})
			n := newSynthetic(t, cells["two of edges"])
			n.epochs, n.steps = 30, 20
			n.decays = map[float64]int{}
			all := run(t, shot(t, n, with(settings, wire.Settings{"eigen_after": 29})), n)
			if last := all[len(all)-1]; n.planted(last.Genotype, "conv3") != 1 {
				t.Errorf("it ends with %s", n.space.Format(last.Genotype))
			}
			first := map[string]float64{"eigenvalue": -1, "decay": 1e-4, "l2": 0.001}[name]
			if n.decays[first] == 0 || name != "decay" && len(n.decays) != 1 {
				t.Errorf("steps by weight decay: %v", n.decays)
			}
			resumes(t, func() (sdk.OneShot, *synthetic) {
				n := newSynthetic(t, cells["two of edges"])
				n.epochs = 7
				return shot(t, n, settings), n
			})
		})
	}
}
