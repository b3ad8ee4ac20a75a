package supernet

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train/optim"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// walk does steps of both kinds, from step lo on, and writes down all numbers that
// come out.
func walk(t *testing.T, n *Supernet, lo, hi int) string {
	t.Helper()
	var out strings.Builder
	e := n.engine
	for step := lo; step < hi; step++ {
		images, labels := batch(n.of, n.options.Batch, e.places(), e.classes(), uint64(step))
		m := random(n.Decisions(), uint64(step))
		if step%2 == 1 {
			for i := range m {
				m[i][step%len(m[i])] = 0
			}
		}
		loss, grad, err := n.ArchGradient(context.Background(), images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, loss, grad)
		if loss, err = n.WeightStep(context.Background(), images, labels, m); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, loss)
		loss, accuracy, err := n.ScoreRunning(context.Background(), images, labels, m)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, loss, accuracy)
	}
	for _, w := range n.tensors {
		fmt.Fprintln(&out, w)
	}
	return out.String()
}

// anyNote is what a test without notes accepts.
func anyNote([]byte) error { return nil }

// TestResume: a supernet that is saved in the middle and loaded goes on with the same
// bits. The space has an operation that draws.
func TestResume(t *testing.T) {
	for _, rule := range []optim.Rule{optim.SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 1e-3}, optim.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}} {
		_, s := load(t, "robustdarts/s4.nas", lower.Relaxation{}, small["robustdarts/s4.nas"]...)
		ws := kernel.NewWorkers(2)
		defer ws.Close()
		o := Options{Batch: 4, Seed: 3, Rule: rule, Schedule: optim.Schedule{Shape: optim.Cosine, Rate: 0.05, Steps: 10}, Clip: 5, Smoothing: 0.1}
		fresh := func() *Supernet {
			n, err := New(s, ws, o)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		first := fresh()
		walk(t, first, 0, 3)
		path := filepath.Join(t.TempDir(), "supernet.checkpoint")
		if err := first.Save(path, nil); err != nil {
			t.Fatal(err)
		}
		want := walk(t, first, 3, 6)
		second := fresh()
		walk(t, second, 7, 8) // somewhere else
		if err := second.Load(path, anyNote); err != nil {
			t.Fatal(err)
		}
		if second.Steps() != 3 {
			t.Errorf("%d steps", second.Steps())
		}
		if got := walk(t, second, 3, 6); got != want {
			t.Error("what follows differs")
		}

		o.Rule = optim.SGD{}
		before := slices.Clone(second.tensors[0])
		if err := fresh().Load(path, anyNote); err == nil || !strings.Contains(err.Error(), "another optimizer") {
			t.Errorf("loaded under another optimizer: %v", err)
		}
		_, s = load(t, "robustdarts/s2.nas", lower.Relaxation{}, small["robustdarts/s2.nas"]...)
		other := fresh()
		if err := other.Load(path, anyNote); err == nil || !strings.Contains(err.Error(), "another supernet, of robustdarts_s4") {
			t.Errorf("loaded into another supernet: %v", err)
		}
		if !slices.Equal(before, second.tensors[0]) {
			t.Error("a file that does not fit changed something")
		}
	}
}

// TestThreads: the number of threads changes no bit, nor does running again.
func TestThreads(t *testing.T) {
	for _, file := range []string{"nasbench201/nasbench201.nas", "robustdarts/s1.nas"} {
		_, s := load(t, file, lower.Relaxation{}, small[file]...)
		var want string
		for _, threads := range []int{1, 1, 2, 3} {
			ws := kernel.NewWorkers(threads)
			defer ws.Close()
			n, err := New(s, ws, Options{Batch: 16, Seed: 3, Clip: 5})
			if err != nil {
				t.Fatal(err)
			}
			got := walk(t, n, 0, 3)
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s: %d threads give other numbers", file, threads)
			}
		}
	}
}
