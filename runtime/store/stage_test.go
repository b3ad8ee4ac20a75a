package store

import (
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// stage is a stage whose mixture weighs what is given.
func stage(n int64, weighed []Weighed, report map[string]float64) *Stage {
	s := &Stage{Number: n, Weighed: weighed, Values: map[string]float64{"tau": 10 - float64(n)}, Report: report, Text: "stage"}
	for i, d := range weighed {
		weights := make([]float64, len(d.Options))
		for j := range weights {
			weights[j] = 1 / (float64(n) + float64(i) + float64(j) + math.Pi)
		}
		s.Mixture = append(s.Mixture, weights)
	}
	return s
}

var (
	narrow = []Weighed{{Address: "a", Min: 1, Max: 1, Options: []string{"skip", "conv_bn(kernel: 3)"}}}
	wide   = append(narrow[:1:1], Weighed{Address: "a.sum", Edges: true, Min: 1, Max: 2, Options: []string{"x", "y", "z"}})
)

// TestStages: stages come back bit for bit with what their mixtures weigh, which may
// change on the way; the checkpoint is that of the last one.
func TestStages(t *testing.T) {
	r := create(t)
	if c, err := r.Checkpoint(); c != nil || err != nil {
		t.Fatalf("a new run has the checkpoint %v, %v", c, err)
	}
	a := architecture(t, r)
	want := []*Stage{stage(0, narrow, nil), stage(1, narrow, map[string]float64{"test": 1.0 / 3}), stage(2, wide, map[string]float64{"test": 2, "other": -1})}
	for i, s := range want {
		c := &Checkpoint{Stage: int64(i), State: []byte{byte(i), 0, 255}, File: "supernet", Relaxation: Relaxation{4, i == 2}, Steps: 7 * int64(i), Done: i == 2}
		if err := r.AppendStage(trial(int64(i), a), s, c); err != nil {
			t.Fatal(err)
		}
		// Everything is on the disk at once: another reader has it.
		f, err := Read(r.Folder.Dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Runs[0].Checkpoint()
		f.Close()
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("the checkpoint is %+v, %v, want %+v", got, err, c)
		}
	}
	var got []*Stage
	for s, err := range r.Stages() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("stages are %+v, want %+v", got, want)
	}
	lines := strings.Split(log(t, r), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[1], `,"stage":{"mixture":[[0.24145300700522387,0.19449226482417137]],"values":{"tau":9},"report":{"test":0.3333333333333333}}}`) ||
		!strings.HasPrefix(lines[1], `{"trial":1,"genotype":"1,2",`) {
		t.Errorf("the log is\n%s", strings.Join(lines, "\n"))
	}
}

// TestStageOrNothing: where the trial cannot be written, the checkpoint stays.
func TestStageOrNothing(t *testing.T) {
	r := create(t)
	a := architecture(t, r)
	first := &Checkpoint{State: []byte("first"), File: "1"}
	if err := r.AppendStage(trial(0, a), stage(0, narrow, nil), first); err != nil {
		t.Fatal(err)
	}
	if err := r.AppendStage(trial(0, a), stage(1, narrow, nil), &Checkpoint{Stage: 1, State: []byte("second"), File: "2"}); err == nil {
		t.Fatal("a trial was written twice")
	}
	got, err := r.Checkpoint()
	if err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("the checkpoint is %+v, %v", got, err)
	}
	n := 0
	for _, err := range r.Stages() {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d stages, want 1", n)
	}
}

// TestDamagedStages changes stages in ways that nasc never writes.
func TestDamagedStages(t *testing.T) {
	for _, statement := range []string{
		`UPDATE stages SET mixture = x'00'`,
		`UPDATE stages SET vals = 'x'`,
		`UPDATE relaxed SET decisions = '['`,
		`DELETE FROM relaxed`,
	} {
		r := create(t)
		if err := r.AppendStage(trial(0, architecture(t, r)), stage(0, narrow, nil), &Checkpoint{}); err != nil {
			t.Fatal(err)
		}
		if err := r.Folder.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := openLog(filepath.Join(r.Folder.Dir, LogFile), "rw")
		if err == nil {
			_, err = db.Exec(statement)
			db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := Read(r.Folder.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range f.Runs[0].Stages() {
			err = errors.Join(err, e)
		}
		f.Close()
		var damaged *DamagedError
		if !errors.As(err, &damaged) || strings.Count(err.Error(), LogFile) != 1 {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
