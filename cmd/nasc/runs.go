package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
)

func newRuns() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "runs [FOLDER]",
		Short:   "List runs",
		Long:    "runs lists the runs and studies in a folder, by default " + runsFolder + ", with their state and best result.",
		Example: "  nasc runs\n  nasc runs experiments -json",
		Args:    args(0, 1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		folder := runsFolder
		if len(args) > 0 {
			folder = args[0]
		}
		runs, err := plan.Runs(folder)
		if errors.Is(err, fs.ErrNotExist) && len(args) == 0 {
			err = nil // nothing was run here yet
		}
		if err != nil {
			return refuse(plan.NotARun, "", "cannot list %s: %v", folder, reason(err))
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), runs)
		}
		if len(runs) == 0 {
			fmt.Fprintf(c.ErrOrStderr(), "no runs in %s\n", folder)
			return nil
		}
		w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "run\tspace\toptimizer\tevaluator\tseed\ttrials\tbest\tstate")
		for _, r := range runs {
			seed, best := fmt.Sprint(r.Seed), r.BestText
			if r.Runs > 0 {
				seed, best = "", fmt.Sprintf("%d of %d runs", r.Finished, r.Runs)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", r.Dir, r.Space, r.Optimizer, r.Evaluator, seed, r.Trials, best, r.State)
		}
		return w.Flush()
	}
	return c
}

func newShow() *cobra.Command {
	var asJSON, log, manifest bool
	c := &cobra.Command{
		Use:   "show RUN",
		Short: "Show a run",
		Long: `show prints what a run is and how it stands, with its best trials; of a one-shot
search also the mixture of every decision with the way of its strongest option,
its entropy, and the curves of the stages; of a study, a table with means over
its seeds. RUN is a folder, or one of the runs of a study:
runs/compare/3. --log prints the trial log as JSON lines: equal inputs give equal
bytes. --manifest prints everything that could confound a comparison with another
run.`,
		Example: "  nasc show runs/quickstart-evolution-seed1\n  nasc show --log runs/quickstart-evolution-seed1 > log.jsonl\n  nasc show runs/compare/3",
		Args:    args(1, 1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().BoolVar(&log, "log", false, "print the trial log")
	c.Flags().BoolVar(&manifest, "manifest", false, "print the manifest")
	c.MarkFlagsMutuallyExclusive("json", "log", "manifest")
	c.RunE = func(c *cobra.Command, args []string) error {
		v, diags := plan.View(args[0])
		if err := wrong(diags, nil); err != nil {
			return err
		}
		defer v.Folder.Close()
		if v.Run == nil {
			if log || manifest {
				return refuse(plan.NotARun, "name one of its runs, as in "+filepath.Join(args[0], "1"), "%s is a study", args[0])
			}
			return showStudy(c, v, asJSON)
		}
		out := c.OutOrStdout()
		switch {
		case log:
			return v.Run.Log(out)
		case manifest:
			return printJSON(out, v.Manifest)
		}
		v.Connect()
		switch {
		case asJSON:
			return printJSON(out, v.Status)
		}
		if err := report.Show(out, v.Manifest, v.Status, v.Top); err != nil {
			return err
		}
		h, diags := v.Stages()
		if err := wrong(diags, nil); err != nil {
			return err
		}
		return report.ShowStages(out, h)
	}
	return c
}

func newBest() *cobra.Command {
	var archOnly, asJSON bool
	c := &cobra.Command{
		Use:   "best RUN",
		Short: "Print the best architecture of a run",
		Long: `best prints the best architecture of a run, or of a run of a study, as .nas, with
its figures as comments; of a run that has not ended, the best so far.`,
		Example: "  nasc best runs/quickstart-evolution-seed1\n  nasc best --arch-only runs/quickstart-evolution-seed1 > winner.nas",
		Args:    args(1, 1),
	}
	c.Flags().BoolVar(&archOnly, "arch-only", false, "leave the figures out")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.MarkFlagsMutuallyExclusive("arch-only", "json")
	c.RunE = func(c *cobra.Command, args []string) error {
		w, diags := plan.Best(args[0])
		if err := wrong(diags, nil); err != nil {
			return err
		}
		if archOnly {
			fmt.Fprint(c.OutOrStdout(), w.Source)
			return nil
		}
		return printWinner(c.OutOrStdout(), w, asJSON)
	}
	return c
}
