package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/store"
)

// exitError ends a command whose errors have been printed.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// searches checks the flag that says how many searches go on at once.
func searches(c *cobra.Command, n int) error {
	if c.Flags().Changed("searches") && (n < 1 || n > plan.MaxWorkers) {
		return usage(c, "--searches must be from 1 to %d", plan.MaxWorkers)
	}
	return nil
}

// explained is how many runs of a study are told of that fail; the table names all.
const explained = 10

// study runs what is left of a study and prints the table of all of it.
func study(ctx context.Context, c *cobra.Command, s *plan.Study, parallel int, asJSON bool) error {
	dir := s.Folder.Dir
	worst, err := complete(ctx, c, s, parallel)
	if err != nil {
		return err
	}
	if err := printTable(c, dir, asJSON); err != nil {
		return err
	}
	if worst != exitOK {
		fmt.Fprintf(c.ErrOrStderr(), "not every run came to its end; try them again with: nasc resume %s\n", dir)
		return exitError(worst)
	}
	return nil
}

// complete runs what is left of a study and closes it. The exit code is that of the
// worst of the runs that failed.
func complete(ctx context.Context, c *cobra.Command, s *plan.Study, parallel int) (worst int, err error) {
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, s.Close())
		}
	}()
	talk, dir := c.ErrOrStderr(), s.Folder.Dir
	if parallel == 0 {
		var diags diag.List
		if parallel, diags = s.Parallel(ctx); diags.HasErrors() {
			return exitOK, failed(ctx, diags, s.Source)
		}
	}
	states, err := s.Folder.States()
	if err != nil {
		return exitOK, failed(ctx, plan.Explain(err, dir), nil)
	}
	before := 0
	for _, state := range states {
		if state == store.Finished {
			before++
		}
	}
	fmt.Fprintf(talk, "%s: a study of %d runs", dir, len(states))
	if before > 0 {
		fmt.Fprintf(talk, ", %d finished before", before)
	}
	fmt.Fprintln(talk)
	failures := 0
	progress := report.NewStudyProgress(talk, terminal(talk), len(states), before, func(r *store.Run, diags diag.List) {
		if failures++; failures <= explained {
			fmt.Fprintf(talk, "%d/%d  %s  failed\n", r.Number, len(states), r.Label)
			worst = max(worst, conclude(failed(ctx, diags, s.Source)))
		} else if plan.Fault(diags) {
			worst = exitMachine
		}
	})
	diags := s.Search(ctx, parallel, progress)
	progress.Close()
	show(talk, s.Warnings(), s.Source)
	closed = true
	if end := s.Close(); end != nil && !diags.HasErrors() {
		diags = plan.Explain(end, dir)
	}
	if ctx.Err() != nil {
		interrupted(talk, dir)
		return exitOK, context.Canceled
	}
	if diags.HasErrors() && failures == 0 {
		return exitOK, failed(ctx, diags, s.Source)
	}
	return worst, nil
}

// printPoints lists the points of a grid.
func printPoints(c *cobra.Command, g *compiler.Grid) error {
	if g == nil || g.Size() == 1 {
		fmt.Fprintln(c.ErrOrStderr(), "nothing is swept: there is one run")
		return nil
	}
	for n := range g.Size() {
		parts, err := g.Parts(n)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), strings.Join(parts, " "))
	}
	return nil
}

// printTable prints how a study stands.
func printTable(c *cobra.Command, dir string, asJSON bool) error {
	v, diags := plan.View(dir)
	if err := wrong(diags, nil); err != nil {
		return err
	}
	defer v.Folder.Close()
	return showStudy(c, v, asJSON)
}

func showStudy(c *cobra.Command, v *plan.Viewed, asJSON bool) error {
	s, diags := v.Study()
	if err := wrong(diags, nil); err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), s)
	}
	return s.Table(c.OutOrStdout())
}
