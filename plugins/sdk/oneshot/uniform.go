package oneshot

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Uniform is the relaxation of methods that learn no mixture (Li and Talwalkar, "Random
// Search and Reproducibility for Neural Architecture Search", UAI 2019; Guo et al.,
// "Single Path One-Shot", ECCV 2020): each weight step is of one architecture, whose
// candidates and edges are drawn uniformly. As in the published code for NAS-Bench-201,
// what is added up in one node is drawn anew until one term at least is not absent.
func Uniform() Relaxation { return uniform{} }

type uniform struct{}

// Grouped marks that sums must be known.
func (uniform) Grouped() {}

func (uniform) Init(*Layout, *rand.Rand) Params { return nil }

func (uniform) Draw(l *Layout, _ Params, _ Moment, rng *rand.Rand) (sdk.Mixture, Backward) {
	m := make(sdk.Mixture, len(l.Decisions))
	draw := func(i int) {
		d := l.Decisions[i]
		m[i] = make([]float64, len(d.Options))
		can := taken(d)
		if d.Edges {
			for _, j := range rng.Perm(len(can))[:drawSize(rng, len(can), d.Min, d.Max)] {
				m[i][can[j]] = 1
			}
		} else {
			m[i][can[rng.IntN(len(can))]] = 1
		}
	}
	for i, d := range l.Decisions {
		if d.Decision < 0 {
			m[i] = ones(len(d.Options))
		} else {
			draw(i)
		}
	}
	for _, node := range nodes(l, m) {
		if !node.canBePresent(l) {
			continue
		}
		for !node.present(l, m) {
			for _, i := range node.operations {
				draw(i)
			}
		}
	}
	return m, nil
}

func (uniform) Mean(l *Layout, _ Params) sdk.Mixture {
	m := make(sdk.Mixture, len(l.Decisions))
	for i, d := range l.Decisions {
		m[i] = make([]float64, len(d.Options))
		can := taken(d)
		share := 1 / float64(len(can))
		if d.Edges {
			share = float64(d.Min+d.Max) / 2 / float64(len(can))
		}
		if d.Decision < 0 {
			share = 1
		}
		for _, k := range can {
			m[i][k] = share
		}
	}
	return m
}

// taken are the options that an architecture can take.
func taken(d Decision) []int {
	var out []int
	for k, o := range d.Options {
		if o.Alternative >= 0 {
			out = append(out, k)
		}
	}
	return out
}

// drawSize draws how many of n edges there are, such that all sets of from least to most
// are equally likely.
func drawSize(rng *rand.Rand, n, least, most int) int {
	most = min(most, n)
	if least >= most {
		return most
	}
	var sets []float64
	total := 0.0
	for k := least; k <= most; k++ {
		total += binomial(n, k)
		sets = append(sets, total)
	}
	u := rng.Float64() * total
	for i, v := range sets {
		if u < v {
			return least + i
		}
	}
	return most
}

func binomial(n, k int) float64 {
	b := 1.0
	for i := range k {
		b = b * float64(n-i) / float64(i+1)
	}
	return math.Round(b)
}

// node is what is added up in one place.
type node struct {
	operations []int // decisions whose candidates are terms
	always     bool  // a term is always there
}

// nodes are the sums of an architecture: operations under edges of one decision, those
// that the architecture has, and sums of sums with them. Operations that are under no
// edge belong together where their addresses differ only in the last index.
func nodes(l *Layout, m sdk.Mixture) []node {
	parent := make([]int, len(l.Decisions))
	for i := range parent {
		parent[i] = i
	}
	var root func(i int) int
	root = func(i int) int {
		if parent[i] != i {
			parent[i] = root(parent[i])
		}
		return parent[i]
	}
	under := make([]bool, len(l.Decisions))
	always := make([]bool, len(l.Decisions))
	for i, d := range l.Decisions {
		for k, o := range d.Options {
			for _, j := range o.Under {
				under[j] = true
				if m[i][k] != 0 {
					parent[root(j)] = root(i)
				}
			}
			if len(o.Under) == 0 && d.Edges && m[i][k] != 0 {
				always[i] = true
			}
		}
	}
	family := map[string]int{}
	for i, d := range l.Decisions {
		if d.Edges || under[i] {
			continue
		}
		name := d.Address
		if at := strings.LastIndexByte(name, '['); at >= 0 && strings.HasSuffix(name, "]") {
			name = name[:at]
		}
		if first, ok := family[name]; ok {
			parent[root(i)] = root(first)
		} else {
			family[name] = i
		}
	}
	at := map[int]int{}
	var out []node
	for i, d := range l.Decisions {
		r := root(i)
		if _, ok := at[r]; !ok {
			at[r] = len(out)
			out = append(out, node{})
		}
		n := &out[at[r]]
		n.always = n.always || always[i]
		if !d.Edges && (!under[i] || r != i) {
			n.operations = append(n.operations, i)
		}
	}
	return out
}

// present reports whether a term of a node is there.
func (n node) present(l *Layout, m sdk.Mixture) bool {
	if n.always || len(n.operations) == 0 {
		return true
	}
	for _, i := range n.operations {
		for k, o := range l.Decisions[i].Options {
			if m[i][k] != 0 && !o.Absent {
				return true
			}
		}
	}
	return false
}

// canBePresent reports whether a term of a node can be there.
func (n node) canBePresent(l *Layout) bool {
	for _, i := range n.operations {
		for _, k := range taken(l.Decisions[i]) {
			if !l.Decisions[i].Options[k].Absent {
				return true
			}
		}
	}
	return n.always || len(n.operations) == 0
}
