package oneshot

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// twoNodes has a choice of three operations, two of three edges with two operations
// on each, one of which no architecture has, and weights of edges.
func twoNodes() *sdk.Relaxed {
	op := func(address string, decision int, labels ...string) sdk.RelaxedDecision {
		d := sdk.RelaxedDecision{Address: address, Min: 1, Max: 1, Decision: decision, Sites: 1}
		for i, l := range labels {
			d.Options = append(d.Options, sdk.RelaxedOption{Label: l, Alternative: i})
		}
		return d
	}
	absent := func(d sdk.RelaxedDecision) sdk.RelaxedDecision {
		for i := range d.Options {
			d.Options[i].Alternative--
		}
		d.Options[0].Absent = true
		return d
	}
	edges := func(address string, decision, min, max int, under ...int) sdk.RelaxedDecision {
		d := sdk.RelaxedDecision{Address: address, Edges: true, Min: min, Max: max, Decision: decision, Sites: 1}
		for i, u := range under {
			d.Options = append(d.Options, sdk.RelaxedOption{Label: fmt.Sprint("p", i), Alternative: i, Under: []int{u}})
		}
		return d
	}
	return &sdk.Relaxed{Decisions: []sdk.RelaxedDecision{
		op("first", 0, "skip", "conv", "pool"),
		edges("added", -1, 2, 2, 0, 0),
		edges("n.prev", 1, 1, 2, 3, 4, 5),
		absent(op("n.edge[0]", 2, "zero", "skip", "conv")),
		absent(op("n.edge[1]", 3, "zero", "skip", "conv")),
		absent(op("n.edge[2]", 4, "zero", "skip", "conv")),
	}}
}

// layoutOf is the layout in which everything is left.
func layoutOf(r *sdk.Relaxed) *Layout { return newLayout(r, keptAll(r), false) }

func keptAll(r *sdk.Relaxed) [][]bool {
	var kept [][]bool
	for _, d := range r.Decisions {
		kept = append(kept, slices.Repeat([]bool{true}, len(d.Options)))
	}
	return kept
}

// TestPolicyGradient: the gradient of the log probability of a choice in every
// weight is that of finite differences.
func TestPolicyGradient(t *testing.T) {
	l := layoutOf(twoNodes())
	p := newPolicy(twoNodes(), 5, 2, 5, 2.5, stream.New(1, "weights", 0))
	for i := range p.weights {
		p.weights[i] *= 10 // gates that are far from linear
	}
	for trial := range uint64(3) {
		e := p.draw(l, stream.New(1, "draw", trial))
		got := make([]float64, len(p.weights))
		p.gradient(e, -2, got)
		again := func() float64 {
			return p.run(l, func(t int, _ []float64) int { return e.answers[t] }).logP
		}
		if again() != e.logP {
			t.Fatal("the same answers have another probability")
		}
		const h = 1e-5
		zero := 0
		for i := range p.weights {
			w := p.weights[i]
			p.weights[i] = w + h
			up := again()
			p.weights[i] = w - h
			down := again()
			p.weights[i] = w
			want := -2 * (up - down) / (2 * h)
			if math.Abs(got[i]-want) > 1e-8+1e-6*math.Abs(want) {
				t.Errorf("weight %d: %v, finite differences give %v", i, got[i], want)
			}
			if want == 0 {
				zero++
			}
		}
		if zero > len(got)/4 {
			t.Errorf("%d of %d weights have no part in the choice", zero, len(got))
		}
	}
}

// TestPolicyIsADistribution: over all choices probabilities add up to one, every
// choice is an architecture, and draws have those probabilities.
func TestPolicyIsADistribution(t *testing.T) {
	l := layoutOf(twoNodes())
	p := newPolicy(twoNodes(), 4, 2, 5, 2.5, stream.New(2, "weights", 0))
	for i := range p.weights {
		p.weights[i] *= 20
	}
	probability := map[string]float64{}
	total := 0.0
	var visit func(answers []int)
	visit = func(answers []int) {
		var open []float64
		e := p.run(l, func(t int, probs []float64) int {
			if t < len(answers) {
				return answers[t]
			}
			if t == len(answers) {
				open = slices.Clone(probs)
			}
			return slices.IndexFunc(probs, func(v float64) bool { return v > 0 })
		})
		if open == nil {
			total += math.Exp(e.logP)
			c := p.choice(l, e)
			if n := len(c[2]); n < 1 || n > 2 || len(c[1]) != 2 || slices.Contains(c[3], 0) {
				t.Errorf("%v is no architecture", c)
			}
			probability[fmt.Sprint(c)] = math.Exp(e.logP)
			return
		}
		for a, v := range open {
			if v > 0 {
				visit(append(slices.Clone(answers), a))
			}
		}
	}
	visit(nil)
	if want := 3 * (3 + 3) * 8; len(probability) != want || math.Abs(total-1) > 1e-12 {
		t.Errorf("%d choices with probability %v, want %d", len(probability), total, want)
	}
	const draws = 20000
	counts := map[string]int{}
	rng := stream.New(2, "draw", 0)
	for range draws {
		counts[fmt.Sprint(p.choice(l, p.draw(l, rng)))]++
	}
	chi := 0.0
	for c, q := range probability {
		d := float64(counts[c]) - draws*q
		chi += d * d / (draws * q)
	}
	if n := float64(len(probability) - 1); chi > n+5*math.Sqrt(2*n) {
		t.Errorf("chi square %v of %v degrees of freedom", chi, n)
	}
}
