package train

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
	"github.com/nasc-project/nasc/plugins/evaluators/train/supernet"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// TestOneShotResume saves a supernet after every call, in the middle of epochs of both
// parts too, and goes on from there in another, which has done other things before: all
// that comes out has the same bits, and so has the state at the end. The space draws
// noise, and the numbers of threads differ.
func TestOneShotResume(t *testing.T) {
	ctx := context.Background()
	st := searching()
	st.Cutout, st.Smoothing = 4, 0.1
	one, two := newTrainer(t, st, 1), newTrainer(t, st, 2)
	n := relaxed(t, "robustdarts/s4.nas", lower.Relaxation{Channels: 2}, compiler.Argument{Name: "image", Value: []int64{3, 16, 16}},
		compiler.Argument{Name: "c", Value: int64(2)}, compiler.Argument{Name: "n", Value: int64(1)})
	calls := []sdk.ArchGradient{{Batch: sdk.NextValid}, {Batch: sdk.SameValid}, {Batch: sdk.NextValid, Unrolled: true, Radius: 0.01}, {Batch: sdk.NextTrain}}
	step := func(s *Supernet, i int) string {
		t.Helper()
		m := blend(n, uint64(i))
		loss, grad, err := s.ArchGradient(ctx, m, calls[i%len(calls)])
		if err != nil {
			t.Fatal(err)
		}
		out := fmt.Sprintln(loss, grad)
		if i%2 == 0 {
			if loss, err = s.WeightStep(ctx, m, sdk.WeightStep{}); err != nil {
				t.Fatal(err)
			}
			out += fmt.Sprintln(loss)
		}
		return out
	}
	const steps = 12
	whole := open(t, one, n)
	dir := t.TempDir()
	file := func(i int) string { return filepath.Join(dir, fmt.Sprint(i)) }
	var want []string
	for i := range steps {
		if err := whole.Save(file(i)); err != nil {
			t.Fatal(err)
		}
		want = append(want, step(whole, i))
	}
	last := state(t, whole)
	if whole.net.Steps() != 6 || whole.asked != 6 {
		t.Errorf("%d steps, %d batches of the validation part", whole.net.Steps(), whole.asked)
	}
	other := open(t, two, n)
	for from := range steps {
		if testing.Short() && from%5 != 2 {
			continue
		}
		if err := other.Load(file(from)); err != nil {
			t.Fatal(err)
		}
		for i := from; i < steps; i++ {
			if got := step(other, i); got != want[i] {
				t.Fatalf("from call %d, call %d gives %s, want %s", from, i, got, want[i])
			}
		}
		if state(t, other) != last {
			t.Errorf("from call %d: the state at the end differs", from)
		}
	}
}

// TestOneShotLoadRefuses what is not of the same search, and changes nothing then.
func TestOneShotLoadRefuses(t *testing.T) {
	tr := newTrainer(t, searching(), 2)
	n := relaxed(t, nb201, lower.Relaxation{})
	s := open(t, tr, n)
	path := filepath.Join(t.TempDir(), "x")
	if err := s.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WeightStep(context.Background(), blend(n, 1), sdk.WeightStep{}); err != nil {
		t.Fatal(err)
	}
	other := func(change func(*Settings), o sdk.OpenSupernet) *Supernet {
		st := searching()
		change(&st)
		s, err := newTrainer(t, st, 1).OpenSupernet(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	same := func(*Settings) {}
	elsewhere := other(same, sdk.OpenSupernet{Network: n, Epochs: 3, Seed: 5})
	elsewhere.trainer.set.Facts["kernels"] = "of another processor"
	for want, s := range map[string]*Supernet{
		"its data or its kernels":                         elsewhere,
		"its seed is 5, not 6":                            other(same, sdk.OpenSupernet{Network: n, Epochs: 3, Seed: 6}),
		"a search of 3 epochs, not 4":                     other(same, sdk.OpenSupernet{Network: n, Epochs: 4, Seed: 5}),
		"its settings are":                                other(func(s *Settings) { s.Shift = 1 }, sdk.OpenSupernet{Network: n, Epochs: 3, Seed: 5}),
		"relaxed with 1/1 of the channels":                other(same, sdk.OpenSupernet{Network: relaxed(t, nb201, lower.Relaxation{Channels: 2}), Epochs: 3, Seed: 5}),
		"the weights of another supernet, of nasbench201": other(same, sdk.OpenSupernet{Network: relaxed(t, "robustdarts/s2.nas", lower.Relaxation{}), Epochs: 3, Seed: 5}),
	} {
		before := state(t, s)
		if err := s.Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		if state(t, s) != before {
			t.Errorf("%s: something has changed", want)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	before := state(t, s)
	if err := s.Load(path); err == nil || !strings.Contains(err.Error(), "damaged") || state(t, s) != before {
		t.Errorf("a damaged file: %v", err)
	}
}

// TestOneShotRelax goes from a quarter of the channels to a half in the middle of an
// epoch: positions stay, and a supernet that was relaxed likewise goes on from its file.
func TestOneShotRelax(t *testing.T) {
	ctx := context.Background()
	tr := newTrainer(t, searching(), 2)
	quarter, half := relaxed(t, nb201, lower.Relaxation{Channels: 4}), relaxed(t, nb201, lower.Relaxation{Channels: 2})
	s := open(t, tr, quarter)
	m := blend(quarter, 1)
	step := func(s *Supernet) (out []float64) {
		t.Helper()
		loss, grad, err := s.ArchGradient(ctx, m, sdk.ArchGradient{})
		if err != nil {
			t.Fatal(err)
		}
		out = append(slices.Concat(grad...), loss)
		if loss, err = s.WeightStep(ctx, m, sdk.WeightStep{}); err != nil {
			t.Fatal(err)
		}
		return append(out, loss)
	}
	for range 3 {
		step(s)
	}
	small := s.Size().Memory
	if err := s.Relax(ctx, half); err != nil {
		t.Fatal(err)
	}
	if s.net.Steps() != 3 || s.asked != 3 || s.Size().Memory <= small {
		t.Errorf("%d steps, %d batches, %d bytes of %d before", s.net.Steps(), s.asked, s.Size().Memory, small)
	}
	path := filepath.Join(t.TempDir(), "x")
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	want := step(s)
	resumed := open(t, tr, quarter)
	if err := resumed.Load(path); err == nil || !strings.Contains(err.Error(), "relaxed with 1/2 of the channels and without weights of its edges, this one is with 1/4") {
		t.Errorf("before it is relaxed likewise: %v", err)
	}
	if err := resumed.Relax(ctx, half); err != nil {
		t.Fatal(err)
	}
	if err := resumed.Load(path); err != nil {
		t.Fatal(err)
	}
	if got := step(resumed); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	before := state(t, s)
	if err := s.Relax(ctx, relaxed(t, "robustdarts/s2.nas", lower.Relaxation{})); err == nil || !strings.Contains(err.Error(), "is another space than nasbench201") || state(t, s) != before {
		t.Errorf("another space: %v", err)
	}
}

// TestOneShotFailures: a supernet that does not fit the data or the memory, and one
// that diverges, say so.
func TestOneShotFailures(t *testing.T) {
	ctx := context.Background()
	n := relaxed(t, nb201, lower.Relaxation{})
	var err error
	opened := func(change func(*Settings), n *lower.Supernet) *Supernet {
		st := searching()
		change(&st)
		var s *Supernet
		s, err = newTrainer(t, st, 1).OpenSupernet(sdk.OpenSupernet{Network: n, Epochs: 3})
		return s
	}
	expect := func(want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	opened(func(s *Settings) { s.Color = false }, n)
	expect("the supernet takes images of shape [3, 16, 16], but those of glyphs have [1, 16, 16]")
	opened(func(s *Settings) { s.Classes = 5 }, n)
	expect("the supernet gives [10], but glyphs needs one number for each of its 5 classes")
	var tooLarge *supernet.MemoryError
	for _, limit := range []float64{0.1, 1} { // less than the batches, less than the maps
		opened(func(s *Settings) { s.Memory = limit }, n)
		if !errors.As(err, &tooLarge) {
			t.Errorf("with %v MiB: %v", limit, err)
		}
	}
	quarter := relaxed(t, nb201, lower.Relaxation{Channels: 4})
	least := float64(opened(func(*Settings) {}, quarter).Size().Memory) / mebi
	tight := opened(func(s *Settings) { s.Memory = least + 0.1 }, quarter)
	before := state(t, tight)
	if err = tight.Relax(ctx, n); !errors.As(err, &tooLarge) || state(t, tight) != before {
		t.Errorf("relaxed to more than there is: %v", err)
	}
	tight = opened(func(s *Settings) { s.Memory = least + 0.001 }, quarter)
	before = state(t, tight)
	second := sdk.ArchGradient{Unrolled: true, Radius: 0.01}
	if _, _, err = tight.ArchGradient(ctx, blend(quarter, 1), second); !errors.As(err, &tooLarge) || !tooLarge.Unrolled || state(t, tight) != before {
		t.Errorf("second order with more than there is: %v", err)
	}
	s := opened(func(s *Settings) { s.SupernetLr, s.SupernetClip = 1e20, 0 }, n)
	m := blend(n, 1)
	for range 4 {
		if _, err = s.WeightStep(ctx, m, sdk.WeightStep{}); err != nil {
			break
		}
	}
	expect("training diverged: the loss is")
	if _, err = s.Score(ctx, []sdk.Mixture{m}, sdk.Score{}); err == nil {
		t.Error("a score of a supernet that has diverged")
	}
	canceled, stop := context.WithCancel(ctx)
	stop()
	s = opened(func(*Settings) {}, n)
	if _, err := s.WeightStep(canceled, m, sdk.WeightStep{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := s.Score(canceled, []sdk.Mixture{m}, sdk.Score{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := s.WeightStep(ctx, m[1:], sdk.WeightStep{}); err == nil || err.Error() != "a mixture of 5 decisions, the supernet has 6" {
		t.Errorf("a short mixture: %v", err)
	}
}
