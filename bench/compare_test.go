package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCompare runs one small work of every kind in real processes on both sides.
func TestCompare(t *testing.T) {
	small, err := choose("b-tiny,c-n1,d-darts,e-dw3x3-64-forward,e-dw3x3-64-backward")
	if err != nil {
		t.Fatal(err)
	}
	for i := range small {
		small[i].Batch = 2
	}
	o := options{works: small, threads: []int{1}, rounds: 2, slice: time.Millisecond, by: "median"}
	if !testing.Short() {
		o.pythons = []string{"/usr/bin/python3"} // starts dozens of processes
	}
	r, err := compare(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "table")
	if err := r.save(name); err != nil {
		t.Fatal(err)
	}
	var saved report
	text, err := os.ReadFile(name + ".json")
	if err == nil {
		err = json.Unmarshal(text, &saved)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(saved.Rows) != len(small) {
		t.Fatalf("%d rows of %d works", len(saved.Rows), len(small))
	}
	if text, err = os.ReadFile(name + ".md"); err != nil {
		t.Fatal(err)
	}
	for i, row := range saved.Rows {
		if row.Work != small[i].Name || !strings.Contains(string(text), "| "+row.Work+" | 1 | ") {
			t.Errorf("row %d is %s, want %s\n%s", i, row.Work, small[i].Name, text)
		}
		sides := []*side{row.Nasc}
		if len(r.Torch) > 0 {
			sides = append(sides, row.Eager, row.Best)
		} else if row.Eager != nil || row.Best != nil {
			t.Errorf("%s: PyTorch took part, but there is none", row.Work)
		}
		for _, s := range sides {
			if s == nil || s.Runs < 2 || !(s.Best > 0 && s.Best <= s.Median) || s.Peak < 1<<20 {
				t.Errorf("%s: %+v", row.Work, s)
			}
		}
	}
	if len(r.Torch) == 0 {
		t.Skip("nasc ran alone: tests are short, or there is no PyTorch for /usr/bin/python3")
	}
}

func TestChoose(t *testing.T) {
	for list, want := range map[string]int{"": len(works), "a": 4, "a-n1-*": 2, "c,c-n1": 2, "e-3x3-*-forward": 3, "b-tiny, d": 2} {
		if got, err := choose(list); err != nil || len(got) != want {
			t.Errorf("choose(%q): %d works, %v; want %d", list, len(got), err, want)
		}
	}
	for _, list := range []string{"x", "a,", "[", "conv"} {
		if _, err := choose(list); err == nil {
			t.Errorf("choose(%q) found something", list)
		}
	}
}

func TestJudge(t *testing.T) {
	w := Work{Name: "w", Kind: Supernet, goals: goals{eager: 2, best: 1.5, memory: 0.5}}
	conv := Work{Name: "conv", Kind: Convolution, Batch: 1, Image: []int{1000, 1000, 1000}, Kernel: 1, Direction: "forward", goals: goals{gflops: 60}}
	r := &report{By: "median", Rows: []*row{
		{Work: "w", Threads: 1, work: w, Nasc: &side{Median: 1, Peak: 51}, Eager: &side{Median: 2, Peak: 200}, Best: &side{Median: 1.4, Peak: 100}},
		{Work: "w", Threads: 2, work: w, Nasc: &side{Median: 0.6, Peak: 50}, Eager: &side{Median: 1.1, Peak: 200}, Best: &side{Median: 0.9, Peak: 100}},
		{Work: "conv", Threads: 2, work: conv, Nasc: &side{Median: 2000. / 121}},
	}}
	r.judge()
	for i, want := range []string{
		"eager x 2: yes; best x 1.5: no; memory x 0.5: no",
		"eager x 2: no; best x 1.5: yes; memory x 0.5: yes; one thread x 1.7: no",
		"GFLOP/s a core 60: yes",
	} {
		cells := r.cells(r.Rows[i])
		if got := cells[len(cells)-1]; got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{3, 1, 2}); got != 2 {
		t.Errorf("of three: %v", got)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("of four: %v", got)
	}
}
