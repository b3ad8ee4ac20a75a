package train

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/evaluators/train/checkpoint"
)

// eventful draws random numbers in every way that a network can.
func eventful() *graph.Graph {
	g := newBuilder("eventful", image...).then("conv_bn", "out", 4).then("drop_path", "grows", true).then("relu_conv_bn", "kernel", 3).then("noise").then("dropout")
	g.op("sum", []graph.Ref{0, 2, 4})
	return g.classifier(10)
}

// bits are all numbers of the state of a training.
func bits(r *Training) []uint64 {
	var all []uint64
	for _, a := range r.arrays() {
		switch a := a.(type) {
		case []float32:
			for _, v := range a {
				all = append(all, uint64(math.Float32bits(v)))
			}
		case []float64:
			for _, v := range a {
				all = append(all, math.Float64bits(v))
			}
		case []uint64:
			all = append(all, a...)
		}
	}
	return all
}

// TestResume interrupts a training after every single step and measurement: what goes
// on from the file ends with the bits of the training that was left alone, in weights,
// running statistics, what the optimizer remembers, and results.
func TestResume(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]func(*Settings){
		"sgd": func(s *Settings) {},
		"adam": func(s *Settings) {
			s.Optimizer, s.Lr, s.Mixup, s.Recalibrate, s.Schedule = "adam", 0.01, 0.3, 2, "linear"
		},
	} {
		s := quick()
		s.Train, s.Valid, s.Epochs = 72, 20, 2 // four steps an epoch, and eight examples more
		s.Flip, s.Shift, s.Cutout, s.Warmup = true, 2, 4, 0.5
		s.Beta1, s.Beta2, s.Epsilon = 0.9, 0.999, 1e-8
		change(&s)
		one, two := newTrainer(t, s, 1), newTrainer(t, s, 2)
		job := Job{Graph: eventful(), Seed: 5}
		whole := begin(t, one, job)
		var want []Epoch
		if err := whole.Run(ctx, func(e Epoch) { want = append(want, e) }); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x")
		first := begin(t, two, job)
		const moments = 2 * (4 + 1)
		for k := range moments + 1 {
			if err := first.Save(path); err != nil {
				t.Fatal(err)
			}
			second := begin(t, one, job)
			if err := second.Load(path); err != nil {
				t.Fatal(err)
			}
			var got []Epoch
			if err := second.Run(ctx, func(e Epoch) { got = append(got, e) }); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s, interrupted at moment %d: %v, want %v", name, k, got, want)
			}
			if !reflect.DeepEqual(bits(second), bits(whole)) {
				t.Errorf("%s, interrupted at moment %d: the state at the end differs", name, k)
			}
			if k < moments {
				if err := first.advance(ctx, ignore); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestLoadInTheMiddle: a training that has gone on elsewhere takes over a position.
func TestLoadInTheMiddle(t *testing.T) {
	ctx := context.Background()
	tr := newTrainer(t, quick(), 2)
	path := filepath.Join(t.TempDir(), "x")
	job := Job{Graph: eventful(), Seed: 5}
	r := begin(t, tr, job)
	var losses [2][]float64
	for i := range losses {
		if i == 0 {
			if err := r.Save(path); err != nil {
				t.Fatal(err)
			}
		} else if err := r.Load(path); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			loss, err := r.Step(ctx)
			if err != nil {
				t.Fatal(err)
			}
			losses[i] = append(losses[i], loss)
		}
	}
	if !reflect.DeepEqual(losses[0], losses[1]) {
		t.Errorf("losses %v", losses)
	}
	if done, of := r.Steps(); done != 3 || of != 40 {
		t.Errorf("%d of %d steps", done, of)
	}
}

// TestLoadRefuses what is not the same training, and leaves the training as it was.
func TestLoadRefuses(t *testing.T) {
	tr := newTrainer(t, quick(), 2)
	path := filepath.Join(t.TempDir(), "x")
	job := Job{Graph: mixed(10), Seed: 5}
	if err := begin(t, tr, job).Save(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := quick()
	other.Lr = 0.05
	fewer := quick()
	fewer.Train = 300
	renamed := mixed(10)
	renamed.Nodes[0].Name = "stem"
	for _, c := range []struct {
		tr   *Trainer
		job  Job
		data []byte
		want string
	}{
		{tr, Job{Graph: eventful(), Seed: 5}, whole, "it trains another architecture"},
		{tr, Job{Graph: mixed(10), Seed: 6}, whole, "its seed is 5, not 6"},
		{tr, Job{Graph: mixed(10), Seed: 5, Epochs: 3}, whole, "it has 2 epochs, not 3"},
		{tr, Job{Graph: renamed, Seed: 5}, whole, "its weights have other names or sizes"},
		{newTrainer(t, other, 1), job, whole, "its settings are"},
		{newTrainer(t, fewer, 1), job, whole, "its settings are"},
		{tr, job, whole[:len(whole)/2], "is cut off"},
		{tr, job, append(append([]byte{}, whole[:len(whole)/2]...), append([]byte{whole[len(whole)/2] ^ 1}, whole[len(whole)/2+1:]...)...), "is damaged"},
	} {
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		r := begin(t, c.tr, c.job)
		before := bits(r)
		if err := r.Load(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
		if !reflect.DeepEqual(bits(r), before) {
			t.Errorf("%s: the training has changed", c.want)
		}
	}
	// A file with a right checksum and a position that cannot be.
	r := begin(t, tr, job)
	p := r.position()
	p.Step = 41
	if err := checkpoint.Write(path, p, r.arrays()...); err != nil {
		t.Fatal(err)
	}
	if err := r.Load(path); err == nil || !strings.Contains(err.Error(), "stands at step 41 after 0 epochs") {
		t.Errorf("error %v", err)
	}
	p.Step, p.Identity.Facts = 0, maps.Clone(p.Identity.Facts)
	p.Identity.Facts["kernels"] = "abacus"
	if err := checkpoint.Write(path, p, r.arrays()...); err != nil {
		t.Fatal(err)
	}
	if err := r.Load(path); err == nil || !strings.Contains(err.Error(), "its data or its kernels are others") {
		t.Errorf("error %v", err)
	}
}

// TestKept: an interrupted training leaves its file, the next goes on from there, and
// the file is gone at the end; a file that cannot be used is only a warning.
func TestKept(t *testing.T) {
	s := quick()
	s.Checkpoint = 1
	tr := newTrainer(t, s, 2)
	path := filepath.Join(t.TempDir(), "work", "trial-7")
	var warnings []string
	job := Job{Graph: mixed(10), Seed: 5, File: path, Warn: func(err error) { warnings = append(warnings, err.Error()) }}
	want := run(t, tr, job.Graph, job.Seed)
	part := begin(t, tr, job)
	for range 23 {
		if err := part.advance(context.Background(), ignore); err != nil {
			t.Fatal(err)
		}
	}
	part.kept = part.kept.AddDate(-1, 0, 0)
	part.keep()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tr.Run(ctx, job, ignore); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	epochs := 0
	for _, name := range []string{"kept", "damaged"} {
		if name == "damaged" {
			if err := os.WriteFile(path, []byte("nonsense"), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if st, err := os.Stat(path); err != nil || st.Size() < 1000 {
			t.Fatalf("the training was not kept: %v", err)
		}
		got, err := tr.Run(context.Background(), job, func(Epoch) { epochs++ })
		if err != nil || got != want {
			t.Errorf("%s: %v, want %v (%v)", name, got, want, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the file is still there: %v", name, err)
		}
	}
	if epochs != 4 || len(warnings) != 1 || !strings.Contains(warnings[0], "the training begins anew: ") {
		t.Errorf("%d epochs reported, warnings %q", epochs, warnings)
	}
	if err := os.WriteFile(filepath.Dir(path)+"2", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	part.job.File = filepath.Join(filepath.Dir(path)+"2", "x")
	part.kept = part.kept.AddDate(-1, 0, 0)
	if part.keep(); len(warnings) != 2 || !strings.Contains(warnings[1], "the training cannot be kept: ") {
		t.Errorf("warnings %q", warnings)
	}
}
