package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/wire"
)

func newOptimizer(t testing.TB, h *Host, name string, settings wire.Settings) *Optimizer {
	t.Helper()
	component := ""
	if name == "test/optimizer" {
		component = "wrong"
	}
	o, err := start(t, h, name).Optimizer(t.Context(), OptimizerConfig{Component: component, Settings: settings, Seed: 7,
		Space: testSpace(t), Objectives: maximize, Metrics: []string{"score"}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// search asks for n architectures, some at a time, and tells each batch. After
// every batch it calls disturb with the number of trials so far.
func search(t testing.TB, o *Optimizer, n, batch int, disturb func(done int)) []space.Genotype {
	t.Helper()
	var all []space.Genotype
	var trials []wire.Told
	for len(all) < n {
		got, err := o.Step(t.Context(), trials, batch)
		if err != nil {
			t.Fatalf("trial %d: %v%s", len(all), err, notes(err))
		}
		trials = trials[:0]
		for i, g := range got {
			w := told(int64(len(all)+i), g)
			switch (len(all) + i) % 9 {
			case 4:
				w.Failure = "out of memory"
			case 6:
				w.Failure, w.Infeasible = "too slow", true
			case 7:
				w.Failure, w.Rejected = "too large", true
			}
			trials = append(trials, w)
		}
		all = append(all, got...)
		slices.Reverse(trials) // the host sorts them
		if disturb != nil {
			disturb(len(all))
		}
	}
	if _, err := o.Step(t.Context(), trials, 0); err != nil {
		t.Fatal(err)
	}
	return all[:n]
}

func TestSearchIsRepeatedAfterKill(t *testing.T) {
	h := newTestHost(t, Options{})
	for _, name := range []string{"nasc/random", "nasc/evolution", "nasc/local"} {
		for _, batch := range []int{1, 4} {
			want := search(t, newOptimizer(t, h, name, nil), 60, batch, nil)
			o := newOptimizer(t, h, name, nil)
			kills, calls := 0, 0
			got := search(t, o, 60, batch, func(int) {
				if calls++; calls%4 == 0 && kills < 3 {
					kills++
					killProcess(t, o.session)
				}
			})
			if kills < 3 || !slices.EqualFunc(got, want, space.Genotype.Equal) {
				t.Errorf("%s by %d, killed %d times, proposes something else than undisturbed", name, batch, kills)
			}
			o.Close()
		}
	}
}

// killProcess kills the plugin from outside.
func killProcess(t testing.TB, s *session) {
	t.Helper()
	if err := s.at.proc.runner.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

func TestOptimizerDiesInAsk(t *testing.T) {
	h := newTestHost(t, Options{})
	once := filepath.Join(t.TempDir(), "once")
	if err := os.WriteFile(once, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := search(t, newOptimizer(t, h, "test/optimizer", nil), 8, 1, nil)
	o := newOptimizer(t, h, "test/optimizer", wire.Settings{"do": "die", "after": int64(5), "once": once})
	if got := search(t, o, 8, 1, nil); !slices.EqualFunc(got, want, space.Genotype.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := os.Stat(once); err == nil {
		t.Error("it never died")
	}
	o = newOptimizer(t, h, "test/optimizer", wire.Settings{"do": "die", "after": int64(2)})
	search(t, o, 2, 1, nil)
	_, err := o.Step(t.Context(), nil, 1)
	fails(t, err, Crashed, "died 4 times in a row", "signal: killed", "test/optimizer 0.0.1")
	o = newOptimizer(t, h, "test/optimizer", wire.Settings{"do": "panic aside"})
	_, err = o.Step(t.Context(), nil, 1)
	fails(t, err, Crashed, "last words: panic: in a goroutine", "exit status 2")
}

func TestOptimizerAnswers(t *testing.T) {
	h := newTestHost(t, Options{})
	for do, want := range map[string][2]string{
		"outside":  {BadAnswer, "outside of the space"},
		"short":    {BadAnswer, "outside of the space"},
		"too many": {BadAnswer, "2 architectures where at most 1"},
		"none":     {BadAnswer, "told all results"},
		"panic":    {Failed, "panicked: in Ask"},
		"error":    {Failed, "no idea[31m left"},
	} {
		o := newOptimizer(t, h, "test/optimizer", wire.Settings{"do": do, "after": int64(1)})
		search(t, o, 1, 1, nil)
		_, err := o.Step(t.Context(), nil, 1)
		fails(t, err, want[0], want[1], "source: test/optimizer 0.0.1")
	}
	o := newOptimizer(t, h, "test/optimizer", wire.Settings{"do": "done", "after": int64(1)})
	search(t, o, 1, 1, nil)
	if got, err := o.Step(t.Context(), nil, 1); len(got) != 0 || err != nil || !o.Done() {
		t.Errorf("at the end: %v, %v, done %v", got, err, o.Done())
	}
}

func TestOptimizerLies(t *testing.T) {
	for lie, want := range map[string]string{
		"stranger": "which has no step under way",
		"twice":    "which has no step under way",
		"many":     "2 architectures where at most 1",
		"bomb":     "1073741824 architectures where at most 1",
		"ragged":   "7 numbers for 1 architectures of 6 decisions",
		"outside":  "outside of the space",
		"unasked":  "1 architectures where at most 0",
		"forgets":  "ended the work before all was done",
	} {
		h := newTestHost(t, Options{Commands: commands("bad/" + lie)})
		p := start(t, h, "bad/"+lie)
		configure := func() *Optimizer {
			o, err := p.Optimizer(t.Context(), OptimizerConfig{Space: testSpace(t), Objectives: maximize, Metrics: []string{"score"}})
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		o := configure()
		var err error
		var tell []wire.Told
		for i := int64(0); err == nil && i < 3; i++ {
			var g []space.Genotype
			if g, err = o.Step(t.Context(), tell, 1); err == nil {
				_, err = o.Step(t.Context(), []wire.Told{told(i, g[0])}, 0)
			}
			time.Sleep(10 * time.Millisecond)
		}
		fails(t, err, BadAnswer, want, "source: bad/"+lie+" 6.6.6")
		// What no session can have said stains the process, all else only the session.
		_, err = configure().Step(t.Context(), nil, 1)
		if lie == "stranger" || lie == "twice" || lie == "forgets" {
			fails(t, err, BadAnswer, want)
		} else if lie == "unasked" && err != nil {
			t.Errorf("%s: another session: %v", lie, err)
		}
	}
}

func TestOptimizerThatIsNotReproducible(t *testing.T) {
	h := newTestHost(t, Options{})
	o := newOptimizer(t, h, "test/optimizer", wire.Settings{"do": "pid"})
	for range 20 { // until process ids differ modulo 5
		next := o.untold.next()
		got, err := o.Step(t.Context(), nil, 1)
		if err != nil {
			fails(t, err, NotReproducible, "trial 0")
			return
		}
		if _, err := o.Step(t.Context(), []wire.Told{told(int64(next), got[0])}, 0); err != nil {
			t.Fatal(err)
		}
		killProcess(t, o.session)
	}
	t.Error("nothing was noticed")
}

func TestOptimizerRefusesWrongUse(t *testing.T) {
	h := newTestHost(t, Options{})
	o := newOptimizer(t, h, "nasc/random", nil)
	g, err := o.Step(t.Context(), nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Step(t.Context(), []wire.Told{told(0, g[0]), told(0, g[0])}, 0); err == nil {
		t.Error("one trial was told twice")
	}
	if _, err := o.Step(t.Context(), []wire.Told{told(2, g[0])}, 0); err == nil {
		t.Error("an unknown trial was told")
	}
	if _, err := o.Step(t.Context(), []wire.Told{{Trial: 0}}, 0); err == nil {
		t.Error("a trial was told without its objective")
	}
	if _, err := o.Step(t.Context(), nil, -1); err == nil {
		t.Error("less than nothing was asked for")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Step(ctx, nil, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := o.Step(t.Context(), nil, 1); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
}

func TestOptimizerCannotHandle(t *testing.T) {
	h := newTestHost(t, Options{})
	_, err := start(t, h, "test/optimizer").Optimizer(t.Context(), OptimizerConfig{Component: "flat",
		Space: testSpace(t), Objectives: maximize, Metrics: []string{"score"}})
	fails(t, err, CannotHandle, "flat cannot handle a one-of decision", "n[0].edge[0]")
	_, err = start(t, h, "test/optimizer").Optimizer(t.Context(), OptimizerConfig{Component: "wrogn",
		Space: testSpace(t), Objectives: maximize, Metrics: []string{"score"}})
	fails(t, err, UnknownComponent, "did you mean `wrong`?")
	_, err = start(t, h, "test/optimizer").Optimizer(t.Context(), OptimizerConfig{Component: "wrong",
		Settings: wire.Settings{"do": "panic at start"}, Space: testSpace(t), Objectives: maximize, Metrics: []string{"score"}})
	fails(t, err, Failed, "panicked: oh no")
}

func TestLargeMessages(t *testing.T) {
	h := newTestHost(t, Options{})
	root := &space.Group{}
	for i := range 2000 {
		d := &space.Decision{Address: "d" + strconv.Itoa(i), Kind: space.OneOf}
		for a := range 100 {
			d.Alts = append(d.Alts, &space.Alt{Label: "an alternative with a rather long name " + strconv.Itoa(a)})
		}
		root.Decisions = append(root.Decisions, d)
	}
	s, err := space.New("large", root) // some 10 MB
	if err != nil {
		t.Fatal(err)
	}
	o, err := start(t, h, "nasc/random").Optimizer(t.Context(), OptimizerConfig{Space: s, Objectives: maximize, Metrics: []string{"score"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.Step(t.Context(), nil, 3000) // some 6 MB
	if err != nil || len(got) != 3000 {
		t.Fatalf("%d architectures, %v", len(got), err)
	}
}
