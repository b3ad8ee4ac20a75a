package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/official"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
)

func newBench() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Import published benchmarks",
		Long: `bench import turns the official files of a benchmark into one file that opens at
once; bench info says what such a file holds.`,
		Example: "  nasc bench import nats-tss NATS-tss-v1_0-3ffb9-simple -o nasbench201.nasb",
		Args:    cobra.ArbitraryArgs,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownCommand(c, args[0])
	}
	c.AddCommand(newBenchImport(), newBenchInfo())
	return c
}

func newBenchImport() *cobra.Command {
	var out string
	var kinds strings.Builder
	w := tabwriter.NewWriter(&kinds, 0, 0, 2, ' ', 0)
	for _, k := range official.Kinds() {
		fmt.Fprintf(w, "  %s\t%s\n", k.Name, k.Doc)
	}
	w.Flush()
	c := &cobra.Command{
		Use:   "import KIND PATH...",
		Short: "Import the official files of a benchmark",
		Long: `import reads the files in which a benchmark was published and writes what they hold,
every seed and every epoch, into one file. Sources are read as streams and never run;
an import that fails or is interrupted leaves nothing behind. KIND is one of:

` + kinds.String(),
		Example: `  nasc bench import nasbench101 nasbench_full.tfrecord -o nasbench101.nasb
  nasc bench import csv nasbench201.csv.gz latency201.csv.gz -o nasbench201.nasb`,
		Args: args(2, -1),
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the file to write")
	c.RunE = func(c *cobra.Command, args []string) error {
		if out == "" {
			return usage(c, "say with -o which file to write")
		}
		ctx, stop := interruptible()
		defer stop()
		talk := c.ErrOrStderr()
		bar := report.NewSingle(talk, terminal(talk))
		s, err := official.Import(ctx, args[0], args[1:], out, importProgress(bar, args[1]))
		bar.End()
		if err != nil {
			return importFailed(ctx, out, err)
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: %s, %s\n", out, s.Benchmark, extent(s.Architectures, s.Total))
		if s.Total > s.Architectures {
			fmt.Fprintf(talk, "%d architectures of the benchmark are missing in the source\n", s.Total-s.Architectures)
		}
		return nil
	}
	return c
}

// importProgress tells in tenths how much of the sources is read.
func importProgress(bar *report.Single, path string) func(done, total int64) {
	last := int64(-1)
	return func(done, total int64) {
		part := float64(done) / float64(max(total, 1))
		bar.Progress(wire.Progress{Fraction: part, Text: fmt.Sprintf("reading %s: %d %%", filepath.Base(path), max(last, int64(part*10))*10)})
		last = max(last, int64(part*10))
	}
}

// importFailed makes an error of the command of one of an import.
func importFailed(ctx context.Context, out string, err error) error {
	var e *official.Error
	switch {
	case errors.As(err, &e):
		help := ""
		if len(e.Known) > 0 {
			help = "known are " + strings.Join(e.Known, ", ")
		}
		return refuse(e.Code, help, "%s", e)
	case ctx.Err() != nil:
		fmt.Fprintf(os.Stderr, "interrupted; %s was not written\n", out)
		return context.Canceled
	}
	return machine(plan.CannotWrite, "", fmt.Errorf("cannot write %s: %v", out, reason(err)))
}

func extent(n, total int) string {
	if total == 0 {
		return fmt.Sprintf("%d architectures", n)
	}
	return fmt.Sprintf("%d of %d architectures", n, total)
}

func newBenchInfo() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "info FILE",
		Short: "Show what an imported benchmark holds",
		Long: `info prints which benchmark a file holds, of which sources it was made, and every
series of numbers in it: how many trainings of how many architectures, which epochs,
and the smallest and largest value. It reads and checks the whole file.`,
		Example: "  nasc bench info nasbench201.nasb",
		Args:    args(1, 1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		v, err := benchInfo(args[0])
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), v)
		}
		return v.print(c.OutOrStdout())
	}
	return c
}

// benchView is what `nasc bench info` tells.
type benchView struct {
	File          string        `json:"file"`
	Size          int64         `json:"size"`
	Benchmark     string        `json:"benchmark"`
	Doc           string        `json:"doc"`
	Architectures int           `json:"architectures"`
	Total         int           `json:"total,omitempty"`
	Source        []nasb.Source `json:"source"`
	Series        []seriesView  `json:"series"`
}

type seriesView struct {
	nasb.Series
	Architectures int     `json:"architectures"`
	Trainings     int     `json:"trainings"`
	Values        int     `json:"values"`
	First         int     `json:"first_epoch,omitempty"` // counted from 1; 0 for what has none
	Last          int     `json:"last_epoch,omitempty"`
	Min           float64 `json:"min"`
	Max           float64 `json:"max"`
}

// imports is the help about a file that is none, or is damaged.
const imports = "`nasc bench import` makes one of the files of a benchmark"

func benchInfo(path string) (*benchView, error) {
	f, err := nasb.Open(path)
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			return nil, refuse(official.Unreadable, "", "%s: %v", path, reason(err))
		}
		return nil, refuse(official.NoTable, imports, "%v", err)
	}
	defer f.Close()
	v := &benchView{File: path, Benchmark: f.Benchmark, Doc: f.Doc, Architectures: f.Len(), Total: f.Total, Source: f.Source}
	if info, err := os.Stat(path); err == nil {
		v.Size = info.Size()
	}
	for _, s := range f.Series {
		v.Series = append(v.Series, seriesView{Series: s, Min: math.Inf(1), Max: math.Inf(-1)})
	}
	last := make([]int, len(f.Series)) // the row that counted last, from 1
	for row := range f.Len() {
		r, err := f.Record(row)
		if err != nil {
			return nil, refuse(official.NoTable, imports, "%s: %v", path, err)
		}
		for run := range r.Runs {
			v.Series[run.Series].take(run)
			if last[run.Series] != row+1 {
				last[run.Series] = row + 1
				v.Series[run.Series].Architectures++
			}
		}
	}
	return v, nil
}

// take counts a run.
func (s *seriesView) take(run nasb.Run) {
	s.Trainings++
	s.Values += len(run.Values)
	if run.First != nasb.NoEpoch {
		if s.First == 0 || run.First+1 < s.First {
			s.First = run.First + 1
		}
		s.Last = max(s.Last, run.First+len(run.Values))
	}
	for _, x := range run.Values {
		s.Min, s.Max = min(s.Min, x), max(s.Max, x)
	}
}

func (v *benchView) print(out io.Writer) error {
	fmt.Fprintf(out, "%s\n%s\n\n", v.Benchmark, v.Doc)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "architectures\t%s\n", extent(v.Architectures, v.Total))
	fmt.Fprintf(w, "size\t%.1f MB\n", float64(v.Size)/1e6)
	for _, s := range v.Source {
		fmt.Fprintf(w, "source\t%s, %d bytes, sha256 %s\n", s.Name, s.Size, s.SHA256)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "series\tunit\tarchitectures\ttrainings\tepochs\tsmallest\tlargest")
	for _, s := range v.Series {
		epochs := "-"
		if s.First > 0 {
			epochs = fmt.Sprintf("%d to %d", s.First, s.Last)
		}
		unit := s.Unit
		if unit == "" {
			unit = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%.6g\t%.6g\n", s.Series, unit, s.Architectures, s.Trainings, epochs, s.Min, s.Max)
	}
	return w.Flush()
}
