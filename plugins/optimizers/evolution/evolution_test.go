package evolution

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

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
	return params{Population: 10, Sample: 3, Replacement: true, Mutation: "by_node"}
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
	for _, p := range []params{defaults(), {Population: 10, Sample: 10, Mutation: "uniform"}} {
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

// fits tells whether counts agree with expected ones, by the chi-square test at one
// in ten thousand. Seeds are fixed, so that it is the same every time.
func fits(t *testing.T, what string, got, want []float64) {
	t.Helper()
	limit := distuv.ChiSquared{K: float64(len(got) - 1)}.Quantile(0.9999)
	if x := stat.ChiSquare(got, want); !(x < limit) {
		t.Errorf("%s: counted %v, expected %v: chi-square %.1f, at most %.1f", what, got, want, x, limit)
	}
}

// How often each edge is mutated: by vertex as in the reference code of
// NAS-Bench-201, where the only edge into the first vertex gets a third, or
// uniformly. The new alternative is any of the four others.
func TestMutation(t *testing.T) {
	s := cell(t)
	const n = 72_000
	for name, want := range map[string][]float64{
		"by_node": {n / 3, n / 6, n / 6, n / 9, n / 9, n / 9},
		"uniform": {n / 6, n / 6, n / 6, n / 6, n / 6, n / 6},
	} {
		p := defaults()
		p.Mutation = name
		r := begin(t, s, 1, true, p)
		g := s.Sample(r.rng)
		edge, op := make([]float64, 6), make([]float64, 4)
		for range n {
			h := r.child(g)
			if s.Distance(g, h) != 1 {
				t.Fatalf("%s: %v became %v", name, g, h)
			}
			for i := range g {
				if g[i] != h[i] {
					edge[i]++
					op[(h[i]-g[i]+5)%5-1]++
				}
			}
		}
		fits(t, name+", edges", edge, want)
		fits(t, name+", alternatives", op, []float64{n / 4, n / 4, n / 4, n / 4})
	}
}

// Which of ten becomes parent when the best of three draws does. Of rank k from
// below, k = 1..10: with replacement (k/10)^3 - ((k-1)/10)^3; without, C(k-1,2)/C(10,3).
func TestTournament(t *testing.T) {
	s := cell(t)
	const n = 60_000
	for _, replacement := range []bool{true, false} {
		p := defaults()
		p.Replacement = replacement
		r := begin(t, s, 4, true, p)
		for i := range 10 {
			tell(r, i, ask(t, r), float64(i))
		}
		rank := map[string]int{}
		for i, m := range r.queue {
			rank[string(s.Pack(m.genotype))] = i
		}
		if len(rank) != 10 {
			t.Fatal("the first ten are not different; take another seed")
		}
		got := make([]float64, 10)
		for range n {
			got[rank[string(s.Pack(r.parent()))]]++
		}
		want := make([]float64, 10)
		for i := range want {
			k := float64(i + 1)
			if want[i] = n * (3*k*k - 3*k + 1) / 1000; !replacement {
				want[i] = n * (k - 1) * (k - 2) / 2 / 120
			}
		}
		if !replacement { // the two worst are never the best of three
			if got[0]+got[1] > 0 {
				t.Errorf("one of the two worst became parent: %v", got)
			}
			got, want = got[2:], want[2:]
		}
		fits(t, fmt.Sprintf("replacement %v", replacement), got, want)
	}
}

// The defaults are the published run on NAS-Bench-201: a queue of ten, the best of
// three drawn with replacement, the vertex before its edge.
func TestPublishedDefaults(t *testing.T) {
	o, err := Plugin.Optimizers[0].Start(sdk.Search{Space: cell(t)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := o.(*regularized).params, (params{10, 3, true, "by_node"}); got != want {
		t.Errorf("the defaults are %+v", got)
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
