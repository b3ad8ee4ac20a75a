package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/spaces"
)

// ---------------------------------------------------------------- plugins

// toySpace is a small NAS-Bench-201.
func toySpace(t testing.TB) *compiler.Space {
	t.Helper()
	m, diags := compiler.Load("nasbench201/nasbench201.nas", spaces.Files.ReadFile)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := m.Space("", []compiler.Argument{{Name: "image", Value: []int64{3, 8, 8}}, {Name: "c", Value: int64(4)}, {Name: "n", Value: int64(1)}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return s
}

// toySearch is a one-shot search as the runtime does it.
type toySearch struct {
	t     testing.TB
	space *compiler.Space
	eval  *Evaluator
	shot  *OneShot

	relaxed *lower.Supernet
	net     *Supernet
	file    string // of the last saved stage
	state   []byte
	log     []string
}

func newToySearch(t testing.TB, shot, eval wire.Settings) *toySearch {
	t.Helper()
	return patientToySearch(t, Patience{}, shot, eval)
}

// patientToySearch makes a search whose plugins may be silent for so long.
func patientToySearch(t testing.TB, patience Patience, shot, eval wire.Settings) *toySearch {
	t.Helper()
	h := newTestHost(t, Options{Commands: commands("test/oneshot", "test/trainer"), Patience: patience})
	s := &toySearch{t: t, space: toySpace(t), file: filepath.Join(t.TempDir(), "supernet")}
	var err error
	if s.eval, err = start(t, h, "test/trainer").Evaluator(t.Context(), EvaluatorConfig{Component: "toy", Settings: eval, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	component := "toy"
	if shot["shared"] != nil {
		component = "shared"
		delete(shot, "shared")
	}
	s.shot, err = start(t, h, "test/oneshot").OneShot(t.Context(), OptimizerConfig{Component: component, Settings: shot, Space: s.space.Space, Seed: 2,
		Objectives: []wire.Objective{{Metric: "score", Maximize: true}}, Metrics: []string{"score", "loss"}})
	if err != nil {
		t.Fatal(err)
	}
	var diags error
	s.relaxed, diags = relax(s.space, s.shot.Relaxation())
	if diags != nil {
		t.Fatal(diags)
	}
	return s
}

func relax(s *compiler.Space, r lower.Relaxation) (*lower.Supernet, error) {
	n, diags := s.Relax(r)
	return n, diags.Err()
}

// begin starts both sides, from the last stage if there is one.
func (s *toySearch) begin() error {
	if s.net != nil {
		s.net.Close()
	}
	var err error
	if s.net, err = s.eval.Supernet(s.t.Context(), wire.OpenSupernet{Network: s.relaxed, Epochs: 3, Seed: 7}); err != nil {
		return err
	}
	if s.state != nil {
		if err := s.net.Load(s.t.Context(), s.file); err != nil {
			return err
		}
	}
	return s.shot.Begin(s.t.Context(), Beginning{Supernet: s.relaxed, Epochs: 3, Size: s.net.Size(), State: s.state})
}

// stage does a stage and saves both sides.
func (s *toySearch) stage(ctx context.Context) (done bool, err error) {
	calls := ""
	relaxed := s.relaxed
	stage, state, err := s.shot.Stage(ctx, func(ctx context.Context, c Call) (Reply, error) {
		calls += string("wgsrc"[c.Kind()])
		switch c.Kind() {
		case RelaxCall:
			n, err := relaxed.Relax(c.Relaxation())
			if err != nil {
				return Refused(err), nil
			}
			relaxed = n
			return Relaxed(n), s.net.Relax(ctx, n)
		case CheckCall:
			admissible := make([]bool, len(c.Genotypes()))
			for i, g := range c.Genotypes() {
				admissible[i] = s.space.Check(g) == nil
			}
			return Checked(admissible), nil
		}
		return s.net.Do(ctx, c)
	})
	if err != nil {
		return false, err
	}
	if err := s.net.Save(ctx, s.file); err != nil {
		return false, err
	}
	s.state, s.relaxed = state, relaxed
	s.log = append(s.log, fmt.Sprintf("%s %v %v %v %v", calls, stage.Genotype, stage.Metrics.Values, stage.Values, stage.Mixture))
	return stage.Done, nil
}

// run searches to the end, and brings both sides back when one dies.
func (s *toySearch) run() error {
	err := s.begin()
	for died := 0; ; {
		done := false
		if err == nil {
			done, err = s.stage(s.t.Context())
		}
		switch {
		case done:
			return nil
		case HasDied(err) && died < 2:
			died++
			err = s.begin()
		case err != nil:
			return err
		}
	}
}

// TestOneShot: a search through two processes does what it says, calls in their order,
// and both sides descend.
func TestOneShot(t *testing.T) {
	s := newToySearch(t, nil, nil)
	if got, want := s.shot.Relaxation(), (lower.Relaxation{Channels: 2}); got != want {
		t.Errorf("relaxation %v", got)
	}
	if err := s.run(); err != nil {
		t.Fatal(err, notes(err))
	}
	if got, want := s.net.Size(), (wire.SupernetSize{Steps: 2, Valid: 3, Memory: 1000}); got != want {
		t.Errorf("size %v", got)
	}
	// The same in one process and without messages.
	spec := oneShotPlugin().Optimizers[0]
	o, err := spec.StartOneShot(sdk.Search{Env: sdk.Env{Seed: 2}, Space: s.space.Space, Objectives: []wire.Objective{{Metric: "score", Maximize: true}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	net := &toyNet{weight: 7}
	if err := o.Begin(&inProcess{toyNet: net, of: wire.RelaxedOf(s.relaxed), space: s.space.Space}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		stage, err := o.Stage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("wgwgsc %v %v %v %v", stage.Genotype, stage.Metrics.Values, stage.Values, stage.Mixture)
		if i >= len(s.log) || s.log[i] != want {
			t.Errorf("stage %d\n%s\nwant\n%s", i, s.log[i], want)
		}
	}
	if len(s.log) != 3 {
		t.Errorf("%d stages", len(s.log))
	}
}

// inProcess is a supernet without a host.
type inProcess struct {
	*toyNet
	of    *wire.Relaxed
	space *space.Space
}

func (p *inProcess) Relaxed() *sdk.Relaxed { return p.of }
func (p *inProcess) Epochs() int           { return 3 }
func (p *inProcess) Relax(context.Context, sdk.Relaxation) error {
	return errors.New("not in this test")
}
func (p *inProcess) Check(_ context.Context, gs []space.Genotype) ([]bool, error) {
	return slices.Repeat([]bool{true}, len(gs)), nil
}

// TestOneShotAhead: a search whose optimizer calls on while a weight step is under way
// has the same bits; and a step that fails ends the stage also when nobody waits for it.
func TestOneShotAhead(t *testing.T) {
	plain, ahead := newToySearch(t, nil, nil), newToySearch(t, wire.Settings{"do": "ahead"}, nil)
	for _, s := range []*toySearch{plain, ahead} {
		if err := s.run(); err != nil {
			t.Fatal(err, notes(err))
		}
	}
	if !slices.Equal(ahead.log, plain.log) {
		t.Errorf("ahead\n%q\nbut in turn\n%q", ahead.log, plain.log)
	}
	unheard := newToySearch(t, wire.Settings{"do": "unheard"}, wire.Settings{"do": "diverge", "at": int64(4)})
	if err := unheard.run(); err == nil || !strings.Contains(err.Error(), "training diverged") {
		t.Errorf("nobody waits for a step that fails: %v", err)
	}
	if len(unheard.log) != 1 {
		t.Errorf("%d stages without a failure", len(unheard.log))
	}
}

// TestOneShotGoesOn: after a death of either side in the middle of a stage, and after
// both are started anew between two stages, the search ends with the same bits.
func TestOneShotGoesOn(t *testing.T) {
	plain := newToySearch(t, nil, nil)
	if err := plain.run(); err != nil {
		t.Fatal(err)
	}
	once := func(t *testing.T) string {
		file := filepath.Join(t.TempDir(), "once")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, c := range map[string]struct{ shot, eval wire.Settings }{
		"optimizer": {wire.Settings{"do": "die", "once": once(t)}, nil},
		"shared":    {wire.Settings{"do": "die", "once": once(t), "shared": true}, nil},
		"evaluator": {nil, wire.Settings{"do": "die", "once": once(t)}},
		"both":      {wire.Settings{"do": "die", "once": once(t)}, wire.Settings{"do": "die", "at": int64(5), "once": once(t)}},
		"neither":   {wire.Settings{"shared": true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newToySearch(t, c.shot, c.eval)
			if err := s.run(); err != nil {
				t.Fatal(err, notes(err))
			}
			if !reflect.DeepEqual(s.log, plain.log) {
				t.Errorf("%s\nwant\n%s", strings.Join(s.log, "\n"), strings.Join(plain.log, "\n"))
			}
			for _, o := range []wire.Settings{c.shot, c.eval} {
				if file, ok := o["once"].(string); ok {
					if _, err := os.Stat(file); err == nil {
						t.Error("it never died")
					}
				}
			}
		})
	}
	t.Run("anew", func(t *testing.T) {
		s := newToySearch(t, nil, nil)
		for done := false; !done; {
			if err := s.begin(); err != nil {
				t.Fatal(err)
			}
			var err error
			if done, err = s.stage(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(s.log, plain.log) {
			t.Errorf("%s\nwant\n%s", strings.Join(s.log, "\n"), strings.Join(plain.log, "\n"))
		}
	})
}

// What a call costs outside of the evaluator: from the optimizer to the host, to the
// evaluator and back, with the mixture of NAS-Bench-201.
func BenchmarkOneShotCall(b *testing.B) {
	s := newToySearch(b, wire.Settings{"steps": int64(max(1, b.N/2))}, nil)
	if err := s.begin(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	calls := 0
	if _, _, err := s.shot.Stage(b.Context(), func(ctx context.Context, c Call) (Reply, error) {
		if calls++; c.Kind() == CheckCall {
			return Checked([]bool{true, true}), nil
		}
		return s.net.Do(ctx, c)
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(calls), "µs/call")
}
