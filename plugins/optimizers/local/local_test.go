package local

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// grid has n decisions of k alternatives each.
func grid(t *testing.T, n, k int) *space.Space {
	t.Helper()
	root := &space.Group{}
	for i := range n {
		d := &space.Decision{Address: fmt.Sprint("d", i), Kind: space.OneOf}
		for a := range k {
			d.Alts = append(d.Alts, &space.Alt{Label: fmt.Sprint(a)})
		}
		root.Decisions = append(root.Decisions, d)
	}
	s, err := space.New("grid", root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func begin(t *testing.T, s *space.Space, seed uint64, p params) sdk.Optimizer {
	t.Helper()
	o, err := start(sdk.Search{Env: sdk.Env{Seed: seed}, Space: s,
		Objectives: []sdk.Objective{{Metric: "m", Maximize: true}}}, p)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func result(number int, g space.Genotype, score float64) sdk.Trial {
	trial := sdk.Trial{Trial: int64(number), Genotype: g}
	if math.IsNaN(score) {
		trial.Failure = "failed"
	} else {
		trial.Metrics.Values = map[string]float64{"m": score}
	}
	return trial
}

// rugged is a score with many local optima; every eleventh architecture fails.
func rugged(g space.Genotype) float64 {
	sum, key := 0.0, int64(0)
	for i, v := range g {
		sum += math.Sin(float64((v+1)*(int64(i)+3)) * 1.7)
		key = key*5 + v
	}
	if key%11 == 3 {
		return math.NaN()
	}
	return sum + math.Cos(float64(key))
}

// The rule, followed from outside: after the random start, every architecture is
// a neighbour of the centre until all of them are known; then comes a new one.
func TestRule(t *testing.T) {
	for _, p := range []params{{10, 1}, {10, 10}, {3, 2}} {
		s := grid(t, 6, 5)
		o := begin(t, s, 11, p)
		seen := map[string]bool{}
		var centre space.Genotype
		best := math.Inf(-1)
		random, moves, restarts := p.Initial, 0, 0
		for i := range 2000 {
			got, err := o.Ask(1)
			if err != nil || len(got) != 1 {
				t.Fatalf("trial %d: %v, %v", i, got, err)
			}
			g := got[0]
			if seen[string(s.Pack(g))] {
				t.Fatalf("trial %d was judged before", i)
			}
			if random == 0 {
				left := 0
				if centre != nil {
					for h := range s.Neighbors(centre) {
						if !seen[string(s.Pack(h))] {
							left++
						}
					}
				}
				switch {
				case left > 0 && s.Distance(g, centre) != 1:
					t.Fatalf("trial %d is no neighbour, though %d are unknown", i, left)
				case left == 0:
					restarts++
					centre, best, random = nil, math.Inf(-1), p.Restart
				}
			}
			seen[string(s.Pack(g))] = true
			score := rugged(g)
			if score > best {
				centre, best = g, score
				if random == 0 {
					moves++
				}
			}
			if random > 0 {
				random--
			}
			o.Tell([]sdk.Trial{result(i, g, score)})
		}
		if moves < 20 || restarts < 10 {
			t.Errorf("%v: only %d moves and %d restarts were seen", p, moves, restarts)
		}
	}
}

// The centre's neighbours come in random order: over many seeds, each comes first
// and each comes last equally often, by the chi-square test at one in ten thousand.
func TestNeighboursAreShuffled(t *testing.T) {
	s := grid(t, 6, 5)
	const n, around = 12_000, 24
	first, last, want := make([]float64, around), make([]float64, around), make([]float64, around)
	for seed := range uint64(n) {
		o := begin(t, s, seed, params{1, 1})
		got, _ := o.Ask(1)
		centre := got[0]
		o.Tell([]sdk.Trial{result(0, centre, 1)})
		all, err := o.Ask(100)
		if err != nil || len(all) != around {
			t.Fatalf("%d neighbours, %v", len(all), err)
		}
		i := 0
		for h := range s.Neighbors(centre) {
			if h.Equal(all[0]) {
				first[i]++
			}
			if h.Equal(all[around-1]) {
				last[i]++
			}
			want[i] = n / around
			i++
		}
	}
	limit := distuv.ChiSquared{K: around - 1}.Quantile(0.9999)
	for name, got := range map[string][]float64{"first": first, "last": last} {
		if x := stat.ChiSquare(got, want); !(x < limit) {
			t.Errorf("how often each neighbour comes %s: %v; chi-square %.1f, at most %.1f", name, got, x, limit)
		}
	}
}

// On a hill with one top, the walk ends there: every neighbour that is nearer to it
// is better. From d decisions away it takes d moves.
func TestClimbs(t *testing.T) {
	s := grid(t, 6, 5)
	top, err := s.Parse("4,3,2,1,0,4")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		o := begin(t, s, seed, params{10, 10})
		height, moves, at := -7.0, 0, 0
		for i := 0; height < 0; i++ {
			if i == 10+6*24 {
				t.Fatalf("seed %d: the top is not found, the search is %v below it", seed, height)
			}
			got, err := o.Ask(1)
			if err != nil || len(got) != 1 {
				t.Fatal(got, err)
			}
			score := -float64(s.Distance(got[0], top))
			if score > height {
				if height = score; i >= 10 {
					moves++
				}
			}
			if i == 9 {
				at = int(-height)
			}
			o.Tell([]sdk.Trial{result(i, got[0], score)})
		}
		if moves != at {
			t.Errorf("seed %d: %d moves from %d decisions below the top", seed, moves, at)
		}
	}
}

// The defaults are those of the published code.
func TestPublishedDefaults(t *testing.T) {
	o, err := Plugin.Optimizers[0].Start(sdk.Search{Space: grid(t, 2, 2)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := o.(*search).params, (params{10, 10}); got != want {
		t.Errorf("the defaults are %+v", got)
	}
}

// Every architecture is proposed once, in batches of any size, and then it ends.
func TestExhaustion(t *testing.T) {
	for _, batch := range []int{1, 3, 7, 1000} {
		for name, score := range map[string]func(space.Genotype) float64{
			"rugged": rugged,
			"failed": func(space.Genotype) float64 { return math.NaN() },
			"equal":  func(space.Genotype) float64 { return 1 },
		} {
			s := grid(t, 4, 3)
			o := begin(t, s, 9, params{10, 1})
			seen := map[string]bool{}
			n := 0
			for {
				got, err := o.Ask(batch)
				if errors.Is(err, sdk.ErrDone) {
					break
				}
				if err != nil || len(got) == 0 || len(got) > batch {
					t.Fatalf("%d architectures, %v", len(got), err)
				}
				var trials []sdk.Trial
				for _, g := range got {
					seen[string(s.Pack(g))] = true
					trials = append(trials, result(n, g, score(g)))
					n++
				}
				o.Tell(trials)
			}
			if n != 81 || len(seen) != 81 {
				t.Errorf("%s by %d: %d proposed, %d of them different, of 81", name, batch, n, len(seen))
			}
		}
	}
}

// While trials are out, the next round waits for them.
func TestWaits(t *testing.T) {
	s := grid(t, 6, 5)
	o := begin(t, s, 9, params{10, 1})
	first, err := o.Ask(100)
	if err != nil || len(first) != 10 {
		t.Fatalf("%d, %v", len(first), err)
	}
	if got, err := o.Ask(1); len(got) != 0 || err != nil {
		t.Errorf("%v, %v while ten are out", got, err)
	}
}
