package oneshot

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// twoNodesSpace is the space of twoNodes.
func twoNodesSpace(t *testing.T) *space.Space {
	t.Helper()
	op := func(address string, labels ...string) *space.Decision {
		d := &space.Decision{Address: address, Kind: space.OneOf, Min: 1, Max: 1}
		for _, l := range labels {
			d.Alts = append(d.Alts, &space.Alt{Label: l})
		}
		return d
	}
	prev := &space.Decision{Address: "n.prev", Kind: space.Subset, Min: 1, Max: 2}
	for i := range 3 {
		prev.Alts = append(prev.Alts, &space.Alt{Label: fmt.Sprint("p", i),
			Sub: &space.Group{Decisions: []*space.Decision{op(fmt.Sprintf("n.edge[%d]", i), "skip", "conv")}}})
	}
	s, err := space.New("two", &space.Group{Decisions: []*space.Decision{op("first", "skip", "conv", "pool"), prev, op("unread", "a", "b")}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func twoNodesSearch(t *testing.T) *Search {
	t.Helper()
	return searchOf(twoNodesSpace(t), twoNodes())
}

func TestStrongest(t *testing.T) {
	a := twoNodesSearch(t)
	m := sdk.Mixture{{.2, .5, .3}, {.5, .5}, {.3, .3, .3}, {.9, .04, .06}, {.1, .2, .7}, {.4, .3, .3}}
	for _, c := range []struct {
		what   string
		change func(m sdk.Mixture)
		want   Choice
		of     func(m sdk.Mixture) Choice
	}{
		{"edges of equal weight: the strongest operation that is not absent; 0.06, 0.7 and 0.3 of 1.06, the mean is 0.35",
			func(sdk.Mixture) {}, Choice{{1}, {0, 1}, {1}, {2}, {2}, {1}}, a.Strongest},
		{"alpha times beta: 0.036, 0.14 and 0.06",
			func(m sdk.Mixture) { m[2] = []float64{.6, .2, .2} }, Choice{{1}, {0, 1}, {1}, {2}, {2}, {1}}, a.Strongest},
		{"alpha times beta: 0.06, 0.07 and 0.24", // the mean is 0.123
			func(m sdk.Mixture) { m[2] = []float64{1, .1, .8} }, Choice{{1}, {0, 1}, {2}, {2}, {2}, {1}}, a.Strongest},
		{"as many as may be kept: 0.5, 0.7 and 0.1",
			func(m sdk.Mixture) { m[3] = []float64{0, .5, .1}; m[5] = []float64{.9, 0, .1} }, Choice{{1}, {0, 1}, {0, 1}, {1}, {2}, {2}}, a.Strongest},
		{"above: no edge is, the strongest is kept",
			func(m sdk.Mixture) { m[2] = []float64{1, 1, 1} }, Choice{{1}, {0, 1}, {1}, {2}, {2}, {1}},
			func(m sdk.Mixture) Choice { return a.Above(m, .85) }},
		{"above: all are, two are kept",
			func(m sdk.Mixture) {
				m[2] = []float64{1, 1, 1}
				m[3], m[4], m[5] = []float64{0, .9, .1}, []float64{0, .2, .95}, []float64{0, .86, .99}
			}, Choice{{1}, {0, 1}, {1, 2}, {1}, {2}, {2}},
			func(m sdk.Mixture) Choice { return a.Above(m, .85) }},
	} {
		m := cloned(m)
		c.change(m)
		got := c.of(m)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
		if _, err := Genotype(a.Space, a.Relaxed(), got); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestAbove: where an architecture may have an absent edge, it has one if nothing is
// above the threshold.
func TestAbove(t *testing.T) {
	edge := &space.Decision{Address: "edge", Kind: space.OneOf, Alts: []*space.Alt{{Label: "skip"}, {Label: "zero"}, {Label: "conv"}}}
	s, err := space.New("edge", &space.Group{Decisions: []*space.Decision{edge}})
	if err != nil {
		t.Fatal(err)
	}
	a := searchOf(s, &sdk.Relaxed{Decisions: []sdk.RelaxedDecision{{Address: "edge", Min: 1, Max: 1, Options: []sdk.RelaxedOption{
		{Label: "skip", Alternative: 0}, {Label: "zero", Alternative: 1, Absent: true}, {Label: "conv", Alternative: 2}}}}})
	for _, c := range []struct {
		weights []float64
		want    int64
	}{{[]float64{.5, .1, .85}, 1}, {[]float64{.5, .1, .86}, 2}, {[]float64{.95, .1, .86}, 0}, {[]float64{.95, .96, .1}, 1}} {
		g, err := Genotype(a.Space, a.Relaxed(), a.Above(sdk.Mixture{c.weights}, .85))
		if err != nil || g[0] != c.want {
			t.Errorf("%v: %v, want %d (%v)", c.weights, g, c.want, err)
		}
	}
}

// TestChoice: every architecture of a space with decisions below edges, one that
// nothing reads, and weights that the space knows nothing of, becomes a choice and
// that the architecture again.
func TestChoice(t *testing.T) {
	s := twoNodesSearch(t)
	n := 0
	for g := range s.Space.All() {
		c := s.Choice(g)
		h, err := Genotype(s.Space, s.Relaxed(), c)
		if err != nil {
			t.Fatal(err)
		}
		want := g.Clone()
		want[len(g)-1] = 0 // nothing reads it
		if !h.Equal(want) {
			t.Errorf("%v became %v by way of %v", g, h, c)
		}
		n++
	}
	if n != 3*(3*2+3*4)*2 {
		t.Errorf("%d architectures", n)
	}
	c := s.Choice(space.Genotype{2, 5, 0, -1, 1, 0})
	if want := (Choice{{2}, {0, 1}, {0, 2}, {1}, nil, {2}}); !reflect.DeepEqual(c, want) {
		t.Errorf("%v, want %v", c, want)
	}
}

// TestSample: options that are left are drawn in proportion to their weights, edges
// one after another in proportion to their strengths.
func TestSample(t *testing.T) {
	s := twoNodesSearch(t)
	m := sdk.Mixture{{.2, .5, .3}, {.5, .5}, {1, .5, 1}, {.9, .04, .4}, {0, .2, .8}, {.4, .6, .3}}
	const draws = 30000
	counts := map[string]float64{}
	rng := stream.New(1, "sample", 0)
	for range draws {
		c := s.Sample(m, rng)
		if _, err := Genotype(s.Space, s.Relaxed(), c); err != nil {
			t.Fatal(err)
		}
		counts[fmt.Sprint("first ", c[0])]++
		counts[fmt.Sprint("edges ", c[2])]++
		counts[fmt.Sprint("edge2 ", c[5])]++
	}
	// Strengths of edges are .4, .4 and .6; one or two of them are equally likely.
	a, b := .4/1.4, .6/1.4
	for what, want := range map[string]float64{
		"first [0]": .2, "first [1]": .5, "first [2]": .3, "edge2 [1]": 2. / 3, "edge2 [2]": 1. / 3,
		"edges [0]": a / 2, "edges [1]": a / 2, "edges [2]": b / 2,
		"edges [0 1]": a * (.4 / 1), "edges [0 2]": (a*.6 + b*.5) / 2, "edges [1 2]": (a*.6 + b*.5) / 2,
	} {
		got := counts[what]
		if d := got - draws*want; d*d > 25*draws*want*(1-want) {
			t.Errorf("%s: %v of %v, want %v", what, got, draws, draws*want)
		}
		delete(counts, what)
	}
	if len(counts) > 0 {
		t.Errorf("also %v", counts)
	}
	if err := s.Keep(0, []int{0, 2}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if c := s.Sample(s.uniform(), rng); c[0][0] == 1 {
			t.Fatal("what is not left is drawn")
		}
	}
}

// relaxedOnly is a supernet that does nothing.
type relaxedOnly struct {
	sdk.SearchedSupernet
	r *sdk.Relaxed
}

func (n relaxedOnly) Relaxed() *sdk.Relaxed { return n.r }

// searchOf is a search in which everything is left.
func searchOf(s *space.Space, r *sdk.Relaxed) *Search {
	out := &Search{Search: sdk.Search{Space: s}, net: relaxedOnly{r: r}, kept: keptAll(r)}
	out.arrange()
	return out
}
