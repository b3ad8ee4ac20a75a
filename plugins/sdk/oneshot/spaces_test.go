package oneshot

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces"
)

// relaxable are the shipped spaces that can be relaxed, by file; only, if it is not
// empty, is the one file to read.
func relaxable(t *testing.T, only string) map[string]*compiler.Space {
	t.Helper()
	out := map[string]*compiler.Space{}
	err := fs.WalkDir(spaces.Files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(p) != ".nas" || path.Dir(p) == "reproduce" || only != "" && p != only {
			return err
		}
		m, diags := compiler.Load(p, spaces.Files.ReadFile)
		if diags.HasErrors() {
			return diags.Err()
		}
		for _, name := range m.Spaces() {
			s, diags := m.Space(name, nil)
			if diags.HasErrors() {
				continue // it wants arguments
			}
			if _, diags := s.Relax(lower.Relaxation{}); !diags.HasErrors() {
				out[p] = s
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if only == "" && len(out) < 15 {
		t.Fatalf("%d spaces can be relaxed", len(out))
	}
	return out
}

// TestDerivedAreArchitectures: whatever the mixture of a shipped space, what is derived
// and drawn is an architecture of it, the same that the compiler makes of the choice.
func TestDerivedAreArchitectures(t *testing.T) {
	for file, s := range relaxable(t, "") {
		for _, o := range []lower.Relaxation{{}, {EdgeWeights: true}} {
			n, diags := s.Relax(o)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			search := searchOf(s.Space, wire.RelaxedOf(n))
			rng := stream.New(1, file, 0)
			policy := newPolicy(search.Relaxed(), 4, 1, 5, 2.5, rng)
			for trial := range 8 {
				m := search.shape()
				for i := range m {
					for k := range m[i] {
						switch {
						case trial == 1:
							m[i][k] = 1
						case trial > 1:
							m[i][k] = rng.Float64()
						}
					}
				}
				if trial == 5 { // some options are not left, and some of those that are have no architecture
					for i, d := range search.Relaxed().Decisions {
						if !d.Edges {
							order := rng.Perm(len(d.Options))
							if err := search.Keep(i, strongestOptions(d, order, m[i], 1+len(order)/2)); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				for what, c := range map[string]Choice{"strongest": search.Strongest(m), "above": search.Above(m, 0.85), "sample": search.Sample(m, rng),
					"policy": policy.choice(search.layout, policy.draw(search.layout, rng))} {
					g, err := Genotype(s.Space, search.Relaxed(), c)
					if err != nil {
						t.Fatalf("%s, %s: %v", file, what, err)
					}
					if want, err := n.Genotype(lower.Choice(c)); err != nil || !g.Equal(want) {
						t.Errorf("%s, %s: %v, want %v (%v)", file, what, g, want, err)
					}
					if back, err := Genotype(s.Space, search.Relaxed(), search.Choice(g)); err != nil || !back.Equal(g) {
						t.Errorf("%s, %s: %v became %v (%v)", file, what, g, back, err)
					}
				}
			}
		}
	}
}

// TestStrongestOfDARTS: into each node go the two edges with the strongest operations
// that are not absent, edge weights included, found here by addresses alone.
func TestStrongestOfDARTS(t *testing.T) {
	s := relaxable(t, "darts/darts.nas")["darts/darts.nas"]
	n, diags := s.Relax(lower.Relaxation{EdgeWeights: true})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	search := searchOf(s.Space, wire.RelaxedOf(n))
	weights := map[string]map[string]float64{}
	rng := stream.New(2, "darts", 0)
	m := search.shape()
	for i, d := range search.Relaxed().Decisions {
		weights[d.Address] = map[string]float64{}
		for k, o := range d.Options {
			if m[i][k] = rng.Float64(); o.Absent {
				m[i][k] = 2 // the strongest of all, and never taken
			}
			weights[d.Address][o.Label] = m[i][k]
		}
	}
	g, err := Genotype(s.Space, search.Relaxed(), search.Strongest(m))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, l := range s.Space.Labels(g) {
		got[l.Address] = l.Label
	}
	type edge struct {
		number   int
		strength float64
		op       string
	}
	checked := 0
	for _, cell := range []string{"normal", "reduce"} {
		for node := range 4 {
			from := []string{"inputs[0]", "inputs[1]", "n[0]", "n[1]", "n[2]"}[:2+node]
			var all []edge
			for e, label := range from {
				address := fmt.Sprintf("%s.n[%d].edge[%d]", cell, node, e)
				beta := 1.0
				if node > 0 {
					beta = weights[fmt.Sprintf("%s.n[%d].prev", cell, node)][label]
				}
				best := edge{number: e}
				for op, w := range weights[address] {
					if !strings.HasPrefix(op, "zero") && beta*w > best.strength {
						best.strength, best.op = beta*w, op
					}
				}
				all = append(all, best)
			}
			slices.SortFunc(all, func(a, b edge) int { return cmp.Compare(b.strength, a.strength) })
			for i, e := range all {
				op, taken := got[fmt.Sprintf("%s.n[%d].edge[%d]", cell, node, e.number)]
				if taken != (i < 2) || taken && op != e.op {
					t.Errorf("%s, node %d, edge %d: %q, and its place is %d with %s", cell, node, e.number, op, i, e.op)
				}
				checked++
			}
		}
	}
	if checked != 28 {
		t.Errorf("%d edges", checked)
	}
}

// TestProgressive: after half of the epochs the strongest operations are left and more
// channels, and the planted candidates are found; DARTS's softmax is over what is left.
func TestProgressive(t *testing.T) {
	for cell, c := range cells {
		t.Run(cell, func(t *testing.T) {
			settings := wire.Settings{"partial": "progressive", "keep": int64(2), "arch_lr": 0.02, "edge_norm": c.edgeNorm}
			n := newSynthetic(t, c)
			n.epochs, n.steps = 30, 20
			o := shot(t, n, settings)
			if o.Relaxation().Channels != 4 {
				t.Errorf("it begins with 1/%d of the channels", o.Relaxation().Channels)
			}
			all := run(t, o, n)
			if n.r != (sdk.Relaxation{Channels: 2, EdgeWeights: c.edgeNorm}) {
				t.Errorf("it ends with %+v", n.r)
			}
			for epoch, s := range all {
				for i, d := range n.relaxed.Decisions {
					left := 0
					for _, w := range s.Mixture[i] {
						if w > 0 {
							left++
						}
					}
					if want := map[bool]int{true: 2, false: len(d.Options)}[epoch >= 15 && !d.Edges]; left != want {
						t.Fatalf("epoch %d, %s: %v", epoch, d.Address, s.Mixture[i])
					}
				}
			}
			if last := all[len(all)-1]; n.planted(last.Genotype, "conv3") != 1 {
				t.Errorf("it ends with %s", n.space.Format(last.Genotype))
			}
			resumes(t, func() (sdk.OneShot, *synthetic) {
				n := newSynthetic(t, c)
				n.epochs = 5
				return shot(t, n, settings), n
			})
		})
	}
}
