package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// report is what bench prints.
type report struct {
	CPU     string   `json:"cpu"`
	Cores   int      `json:"cores"`
	Go      string   `json:"go"`
	Kernels string   `json:"kernels"` // nasc's on this processor
	Torch   []string `json:"torch"`
	By      measure  `json:"by"`
	Rounds  int      `json:"rounds"`
	Rows    []*row   `json:"rows"`
}

func newReport(o options, torches []torch) *report {
	r := &report{CPU: processor(), Cores: runtime.NumCPU(), Go: runtime.Version(), Kernels: kernel.Variant(), By: o.by, Rounds: o.rounds}
	for _, t := range torches {
		r.Torch = append(r.Torch, t.version)
	}
	return r
}

// processor names the processor; on a virtual machine, as far as it is told.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	name, features := runtime.GOARCH, ""
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			name = strings.TrimSpace(value)
		case "flags":
			for _, f := range []string{"avx512f", "avx2"} {
				if strings.Contains(value, " "+f+" ") {
					features = ", " + f
					break
				}
			}
		}
	}
	return name + features
}

// head says where the numbers are from.
func (r *report) head() string {
	peers := "no PyTorch here"
	if len(r.Torch) > 0 {
		peers = "PyTorch " + strings.Join(r.Torch, ", ")
	}
	return fmt.Sprintf("%s, %d cores; %s, kernels %s; %s; %s of %d turns.", r.CPU, r.Cores, r.Go, r.Kernels, peers,
		map[measure]string{"median": "medians", "best": "best runs", "cpu": "medians of processor time"}[r.By], r.Rounds)
}

// columns are the heads of the table, cells those of a row.
var columns = []string{"work", "threads", "nasc", "PyTorch eager", "PyTorch best", "which", "vs eager", "vs best", "MiB nasc / eager / best", "goals"}

func (r *report) cells(w *row) []string {
	time := func(s *side) string {
		if s == nil {
			return "-"
		}
		t := s.seconds(r.By)
		if f := w.work.flops(); f > 0 {
			return fmt.Sprintf("%.1f GFLOP/s", f/t/1e9)
		}
		return fmt.Sprintf("%.4g s", t)
	}
	ratio := func(s *side) string {
		if s == nil {
			return "-"
		}
		return fmt.Sprintf("%.2fx", s.seconds(r.By)/w.Nasc.seconds(r.By))
	}
	mib := func(s *side) string {
		if s == nil {
			return "-"
		}
		return fmt.Sprintf("%d", s.Peak>>20)
	}
	which := "-"
	if w.Best != nil {
		which = w.Best.Name
	}
	var goals []string
	for _, g := range w.Goals {
		goals = append(goals, g.String())
	}
	return []string{w.Work, fmt.Sprint(w.Threads), time(w.Nasc), time(w.Eager), time(w.Best), which, ratio(w.Eager), ratio(w.Best),
		mib(w.Nasc) + " / " + mib(w.Eager) + " / " + mib(w.Best), strings.Join(goals, "; ")}
}

// text prints the table for a terminal.
func (r *report) text(w io.Writer) error {
	if _, err := fmt.Fprintln(w, r.head()); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, row := range r.Rows {
		fmt.Fprintln(t, strings.Join(r.cells(row), "\t"))
	}
	return t.Flush()
}

// save writes the table as Markdown and as JSON.
func (r *report) save(name string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n| %s |\n|%s\n", r.head(), strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	for _, row := range r.Rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r.cells(row), " | "))
	}
	if err := os.WriteFile(name+".md", []byte(b.String()), 0o644); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name+".json", append(text, '\n'), 0o644)
}
