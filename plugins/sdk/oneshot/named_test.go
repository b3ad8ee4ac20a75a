package oneshot

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/stdlib"
)

// named are the published methods, with settings that cost less time, and candidates
// where the usual ones do not suit a method.
var named = map[string]struct {
	settings   wire.Settings
	candidates []candidate
}{
	"darts":          {},
	"darts2":         {},
	"gdas":           {},
	"snas":           {},
	"pc_darts":       {},
	"drnas":          {},
	"sdarts_rs":      {},
	"sdarts_adv":     {},
	"gaea_darts":     {},
	"gaea_gdas":      {},
	"darts_pt":       {},
	"darts_pt_fixed": {},
	"darts_es":       {},
	"r_darts":        {},
	// Candidates do not compete here: what does no harm is kept as well.
	"fair_darts": {wire.Settings{"arch_lr": 0.01}, []candidate{{"zero", 0, false, true}, {"skip", -0.3, false, false}, {"conv1", -0.7, false, false}, {"conv3", 1.6, true, false}}},
	// The weights come from architectures of all kinds, and must not reach too far to
	// make up for the others.
	"rsps": {wire.Settings{"best_of": 3000}, modest},
	"spos": {wire.Settings{"generations": 15}, modest},
	"enas": {wire.Settings{"lstm_units": 6, "samples": 8, "controller_steps": 30, "controller_lr": 0.05}, modest},
}

var modest = []candidate{{"zero", 0, false, true}, {"skip", 0.3, false, false}, {"conv1", 0.7, true, false}, {"conv3", 1.42, true, false}}

// published are the settings of a method of std/oneshot.
func published(t *testing.T, name string) wire.Settings {
	t.Helper()
	c, diags := oneShotModule(t).Method(name)
	if c == nil || diags.HasErrors() {
		t.Fatalf("%s: %v", name, diags)
	}
	out := wire.Settings{}
	var flatten func(args []compiler.ComponentArg)
	flatten = func(args []compiler.ComponentArg) {
		for _, a := range args {
			if slot, ok := a.Value.(*compiler.Component); ok {
				out[a.Name] = slot.Component
				flatten(slot.Args)
			} else {
				out[a.Name] = a.Value
			}
		}
	}
	flatten(c.Args)
	return out
}

func oneShotModule(t *testing.T) *compiler.Module {
	t.Helper()
	m, diags := compiler.Load(compiler.OneShot, func(name string) ([]byte, error) {
		if src, ok := stdlib.Source(name); ok {
			return src, nil
		}
		return nil, fs.ErrNotExist
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return m
}

// TestNamed: each published method finds the planted candidates in cells of all shapes,
// and goes on with the same bits after any stage.
func TestNamed(t *testing.T) {
	for name, m := range named {
		settings := with(published(t, name), m.settings)
		for shape, c := range cells {
			if testing.Short() && shape != "all edges" && shape != "edge norm" {
				continue
			}
			t.Run(name+"/"+shape, func(t *testing.T) {
				c.candidates, c.allReach = m.candidates, m.candidates == nil
				n := newSynthetic(t, c)
				if n.epochs, n.steps = 30, 20; name == "rsps" || name == "enas" {
					n.epochs, n.steps = 8, 75 // fewer derivations
				}
				all := run(t, shot(t, n, settings), n)
				if last := all[len(all)-1]; n.planted(last.Genotype, "conv3") != 1 {
					t.Errorf("%d stages end with %s under\n%.3v", len(all), n.space.Format(last.Genotype), last.Mixture)
				}
				resumes(t, func() (sdk.OneShot, *synthetic) {
					n := newSynthetic(t, c)
					n.epochs, n.steps = 4, 4
					return shot(t, n, with(settings, wire.Settings{"eigen_window": 1, "eigen_back": 1, "eigen_after": 1, "best_of": 5,
						"controller_steps": 2, "generations": 3, "population": 8, "mutations": 3, "crossovers": 3})), n
				})
			})
		}
	}
}

// TestNamedAreAll: every method of std/oneshot is tested here.
func TestNamedAreAll(t *testing.T) {
	m := oneShotModule(t)
	if got, want := m.Methods(), slices.Sorted(maps.Keys(named)); !slices.Equal(got, want) {
		t.Errorf("std/oneshot has %v, and %v are tested", got, want)
	}
}

// TestDocumented: docs/one-shot.md tells of every method, parameter and component.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/one-shot.md")
	if err != nil {
		t.Fatal(err)
	}
	parameters, err := Standard().parameters()
	if err != nil {
		t.Fatal(err)
	}
	names := oneShotModule(t).Methods()
	for _, p := range parameters {
		names = append(append(names, p.Name), p.Choices...)
	}
	for _, name := range names {
		if !strings.Contains(string(page), "`"+name+"`") && name != "before" && name != "after" { // of eg_clamp
			t.Errorf("`%s` is not in docs/one-shot.md", name)
		}
	}
}
