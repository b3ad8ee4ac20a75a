package evolution

import (
	"fmt"
	"math"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// cell is a space like that of NAS-Bench-201: three vertices with one, two and
// three edges of five operations.
func cell(t *testing.T) *space.Space {
	t.Helper()
	root := &space.Group{}
	for n := range 3 {
		for e := range n + 1 {
			d := &space.Decision{Address: fmt.Sprintf("normal.n[%d].edge[%d]", n, e), Kind: space.OneOf}
			for a := range 5 {
				d.Alts = append(d.Alts, &space.Alt{Label: fmt.Sprint(a)})
			}
			root.Decisions = append(root.Decisions, d)
		}
	}
	s, err := space.New("cell", root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func defaults() params {
	return params{Population: 10, Sample: 3, Replacement: true, Mutation: "uniform"}
}

func begin(t *testing.T, s *space.Space, seed uint64, maximize bool, p params) *regularized {
	t.Helper()
	o, err := start(sdk.Search{Env: sdk.Env{Seed: seed}, Space: s,
		Objectives: []sdk.Objective{{Metric: "m", Maximize: maximize}}}, p)
	if err != nil {
		t.Fatal(err)
	}
	return o.(*regularized)
}

func ask(t *testing.T, r *regularized) space.Genotype {
	t.Helper()
	got, err := r.Ask(1)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	return got[0]
}

func tell(r *regularized, number int, g space.Genotype, score float64) {
	trial := sdk.Trial{Trial: int64(number), Genotype: g}
	if math.IsNaN(score) {
		trial.Failure = "failed"
	} else {
		trial.Metrics.Values = map[string]float64{"m": score}
	}
	r.Tell([]sdk.Trial{trial})
}

// With so many draws the best of the queue is always among them.
const exhaustive = 10_000

// The best of the first ten is the last one, and no child is better. It has to
// be the parent of trials 10 to 19; then it is the oldest of ten, and leaves.
func TestOldestLeaves(t *testing.T) {
	for _, maximize := range []bool{true, false} {
		s := cell(t)
		p := defaults()
		p.Sample = exhaustive
		r := begin(t, s, 3, maximize, p)
		sign := 1.0
		if !maximize {
			sign = -1
		}
		var all []space.Genotype
		for i := range 21 {
			g := ask(t, r)
			all = append(all, g)
			score := float64(i) // the later the better, below the best
			if i == 9 {
				score = 100
			}
			if i >= 10 && i < 20 && s.Distance(g, all[9]) != 1 {
				t.Errorf("trial %d is no child of trial 9", i)
			}
			if i == 20 && s.Distance(g, all[19]) != 1 {
				t.Error("trial 20 is no child of trial 19, the best of those left")
			}
			tell(r, i, g, sign*score)
		}
	}
}

func TestChildrenComeFromTheQueue(t *testing.T) {
	s := cell(t)
	for _, p := range []params{defaults(), {Population: 10, Sample: 10, Mutation: "by_node"}} {
		r := begin(t, s, 5, true, p)
		var queue []space.Genotype
		for i := range 300 {
			g := ask(t, r)
			related := i < 10
			for _, h := range queue {
				related = related || s.Distance(g, h) == 1
			}
			if !related {
				t.Fatalf("trial %d is no child of the last ten", i)
			}
			tell(r, i, g, float64(i*7919%101))
			if queue = append(queue, g); len(queue) > 10 {
				queue = queue[1:]
			}
		}
	}
}

func TestFailedTrialsHaveNoChildren(t *testing.T) {
	s := cell(t)
	r := begin(t, s, 8, true, defaults())
	failed := map[string]bool{}
	for i := range 300 {
		g := ask(t, r)
		if i%3 == 0 {
			failed[string(s.Pack(g))] = true
			tell(r, i, g, math.NaN())
			continue
		}
		tell(r, i, g, 1)
		if len(r.queue) > 10 {
			t.Fatalf("the queue has %d members", len(r.queue))
		}
	}
	if len(r.queue) != 10 || len(failed) < 50 {
		t.Errorf("%d in the queue, %d failed", len(r.queue), len(failed))
	}
	for _, m := range r.queue {
		if m.score != 1 {
			t.Error("a failed trial is in the queue")
		}
	}
	// When everything fails, random architectures go on.
	r = begin(t, s, 8, true, defaults())
	for i := range 50 {
		tell(r, i, ask(t, r), math.NaN())
	}
}

func TestBatches(t *testing.T) {
	s := cell(t)
	one, many := begin(t, s, 2, true, defaults()), begin(t, s, 2, true, defaults())
	first, err := many.Ask(25)
	if err != nil || len(first) != 10 {
		t.Fatalf("%d before any result, %v", len(first), err)
	}
	if more, err := many.Ask(1); len(more) != 0 || err != nil {
		t.Fatalf("%v while the first ten are out, %v", more, err)
	}
	var trials []sdk.Trial
	for i, g := range first {
		if h := ask(t, one); !g.Equal(h) {
			t.Errorf("trial %d depends on the batch", i)
		}
		trials = append(trials, sdk.Trial{Trial: int64(i), Genotype: g,
			Metrics: sdk.ValidationMetrics{Values: map[string]float64{"m": float64(i)}}})
	}
	many.Tell(trials)
	children, err := many.Ask(25)
	if err != nil || len(children) != 25 {
		t.Fatalf("%d children, %v", len(children), err)
	}
	for _, c := range children {
		related := false
		for _, h := range first {
			related = related || s.Distance(c, h) == 1
		}
		if !related {
			t.Error("a child without a parent in the queue")
		}
	}
}

// How often each edge is mutated: uniformly, or by vertex as in the reference
// code of NAS-Bench-201, where the only edge into the first vertex gets a third.
func TestMutation(t *testing.T) {
	s := cell(t)
	for name, want := range map[string][]float64{
		"uniform": {1. / 6, 1. / 6, 1. / 6, 1. / 6, 1. / 6, 1. / 6},
		"by_node": {1. / 3, 1. / 6, 1. / 6, 1. / 9, 1. / 9, 1. / 9},
	} {
		p := defaults()
		p.Mutation = name
		r := begin(t, s, 1, true, p)
		g := s.Sample(r.rng)
		const n = 60_000
		edge, op := make([]float64, 6), make([]float64, 5)
		for range n {
			h := r.child(g)
			if s.Distance(g, h) != 1 {
				t.Fatalf("%s: %v became %v", name, g, h)
			}
			for i := range g {
				if g[i] != h[i] {
					edge[i]++
					op[(h[i]-g[i]+5)%5]++
				}
			}
		}
		for i, w := range want {
			if got := edge[i] / n; math.Abs(got-w) > 0.01 {
				t.Errorf("%s: edge %d changed with probability %.3f, not %.3f", name, i, got, w)
			}
		}
		for i := 1; i < 5; i++ {
			if got := op[i] / n; math.Abs(got-0.25) > 0.01 {
				t.Errorf("%s: an alternative is taken with probability %.3f, not 1/4", name, got)
			}
		}
	}
}

// Of three draws with replacement out of ten, the best is missing with
// probability 0.9^3; without, with probability 0.7.
func TestDraws(t *testing.T) {
	s := cell(t)
	for replacement, want := range map[bool]float64{true: 1 - 0.9*0.9*0.9, false: 0.3} {
		p := defaults()
		p.Replacement = replacement
		r := begin(t, s, 4, true, p)
		for i := range 10 {
			tell(r, i, ask(t, r), float64(i))
		}
		best := 0.0
		const n = 40_000
		for range n {
			if r.parent().Equal(r.queue[9].genotype) {
				best++
			}
		}
		if got := best / n; math.Abs(got-want) > 0.01 {
			t.Errorf("replacement %v: the best is parent with probability %.3f, not %.3f", replacement, got, want)
		}
	}
}

func TestSampleWithoutReplacement(t *testing.T) {
	p := params{Population: 5, Sample: 6, Mutation: "uniform"}
	if _, err := start(sdk.Search{Space: cell(t)}, p); err == nil {
		t.Error("six of five can be drawn")
	}
}

func TestSpaceOfOne(t *testing.T) {
	s, err := space.New("one", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, mutation := range []string{"uniform", "by_node"} {
		p := defaults()
		p.Mutation = mutation
		r := begin(t, s, 1, true, p)
		for i := range 20 {
			tell(r, i, ask(t, r), 1)
		}
	}
}
