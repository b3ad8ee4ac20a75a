package oneshot

import (
	"context"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
)

// slots are what each of them offers, by the declared parameters.
func slots(t *testing.T) map[string][]string {
	t.Helper()
	parameters, err := Standard().parameters()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, p := range parameters {
		if slices.Contains(slotNames, p.Name) {
			out[p.Name] = p.Choices
		}
	}
	return out
}

// combined runs a product of components for a few steps and returns the first error.
func combined(t *testing.T, c cellOptions, settings wire.Settings) (err error) {
	t.Helper()
	n := newSynthetic(t, c)
	n.epochs, n.steps = 3, 2
	cheap := wire.Settings{"controller_steps": 1, "samples": 2, "lstm_units": 2, "generations": 2, "population": 4, "mutations": 1, "crossovers": 1,
		"parents": 2, "best_of": 3, "tune": 1, "eigen_products": 2, "pgd_steps": 1, "edge_norm": c.edgeNorm}
	o, err := Standard().Optimizer(sdk.OptimizerInfo{Name: "shot"}).StartOneShot(n.search(1), with(cheap, settings))
	if err != nil {
		return err
	}
	if err := o.Begin(n); err != nil {
		return err
	}
	for i := 0; ; i++ {
		s, err := o.Stage(context.Background())
		if err != nil {
			if i > 0 || n.calls["weight"] > 0 {
				t.Errorf("%v: not told before anything is trained: %v", settings, err)
			}
			return err
		}
		if err := n.space.Check(s.Genotype); err != nil {
			t.Errorf("%v: %v", settings, err)
		}
		if s.Done {
			return nil
		}
	}
}

// refuses tells what does not go together.
func refuses(s wire.Settings) bool {
	nothing := s["relax"] == "uniform" || s["relax"] == "controller"
	return nothing && (s["guard"] == "eigenvalue" || s["guard"] == "decay") || s["relax"] == "sigmoid" && s["update"] == "eg"
}

// TestPairs: every two components of two slots run together or say that they do not.
func TestPairs(t *testing.T) {
	all := slots(t)
	for i, a := range slotNames {
		for _, b := range slotNames[i+1:] {
			for _, x := range all[a] {
				for _, y := range all[b] {
					s := wire.Settings{a: x, b: y}
					if err := combined(t, cells["edge norm"], s); (err != nil) != refuses(s) {
						t.Errorf("%v: %v", s, err)
					}
				}
			}
		}
	}
}

// TestProducts: so do products of components of all slots, in cells of all shapes.
func TestProducts(t *testing.T) {
	all := slots(t)
	rng := stream.New(1, "products", 0)
	shapes := []string{"all edges", "two of edges", "edge norm", "all weighed"}
	ran := 0
	for trial := range 300 {
		s := wire.Settings{}
		for _, name := range slotNames {
			s[name] = all[name][rng.IntN(len(all[name]))]
		}
		err := combined(t, cells[shapes[trial%4]], s)
		if (err != nil) != refuses(s) {
			t.Errorf("%s, %v: %v", shapes[trial%4], s, err)
		}
		if err == nil {
			ran++
		}
	}
	if ran < 200 {
		t.Errorf("only %d of 300 products ran", ran)
	}
}
