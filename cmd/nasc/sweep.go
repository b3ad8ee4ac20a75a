package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
)

// exitError ends a command whose errors have been printed.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// sweep runs what is left of a sweep and prints the table of all of it.
func sweep(ctx context.Context, c *cobra.Command, s *plan.Sweep, asJSON bool) error {
	defer s.Close()
	talk := c.ErrOrStderr()
	fmt.Fprintf(talk, "%s: a sweep of %d runs\n", s.Dir, len(s.Points))
	worst := exitOK
	for n, p := range s.Points {
		fmt.Fprintf(talk, "\n[%d/%d] %s\n", n+1, len(s.Points), p.Label)
		err := sweepPoint(ctx, c, s, n)
		if ctx.Err() != nil {
			interrupted(talk, s.Dir)
			return context.Canceled
		}
		if err != nil {
			worst = max(worst, conclude(err))
		}
	}
	if err := printTable(c, s.Dir, asJSON); err != nil {
		return err
	}
	if worst != exitOK {
		fmt.Fprintf(talk, "not every run came to its end; try them again with: nasc resume %s\n", s.Dir)
		return exitError(worst)
	}
	return nil
}

// sweepPoint runs one point with plugins of its own.
func sweepPoint(ctx context.Context, c *cobra.Command, s *plan.Sweep, n int) error {
	plugins, err := newPlugins()
	if err != nil {
		return err
	}
	defer plugins.Host.Close()
	session, diags := s.Open(ctx, plugins, n)
	if err := failed(ctx, diags, s.Source); err != nil {
		return err
	}
	if session == nil {
		fmt.Fprintln(c.ErrOrStderr(), "finished before")
		return nil
	}
	if session.Resumed() {
		if err := goOn(ctx, c, session); err != nil {
			return err
		}
	}
	return conduct(ctx, c, session, follow{source: s.Source, quiet: true})
}

// printPoints lists the points of a grid.
func printPoints(c *cobra.Command, g *compiler.Grid) error {
	if g == nil || g.Size() == 1 {
		fmt.Fprintln(c.ErrOrStderr(), "nothing is swept: there is one run")
		return nil
	}
	for n := range g.Size() {
		p, diags := g.At(n)
		if diags.HasErrors() {
			return wrong(diags, nil)
		}
		fmt.Fprintln(c.OutOrStdout(), p.Label)
	}
	return nil
}

func printTable(c *cobra.Command, dir string, asJSON bool) error {
	points, diags := plan.Table(dir)
	if err := wrong(diags, nil); err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), points)
	}
	return report.Table(c.OutOrStdout(), points)
}
