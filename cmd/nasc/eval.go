package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
)

func newEval() *cobra.Command {
	var o plan.EvalOptions
	var sets []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "eval FILE ARCH",
		Short: "Judge one architecture with any evaluator",
		Long: `eval gives one architecture of a space to an evaluator and prints the metrics it
reports: of the validation split, or with --test of the test split. Settings of
the evaluator and of the space are given by --set.` + archHelp + `
An evaluator may know a notation of its own, such as a benchmark's string.`,
		Example: `  nasc eval spaces/quickstart/quickstart.nas '#17' --evaluator train --set epochs=2
  nasc eval spaces/nasbench201/nasbench201.nas --evaluator table --set data=nasbench201.nasb \
      '|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|' --test`,
		Args: args(1, 2),
	}
	f := c.Flags()
	f.StringVar(&o.Evaluator, "evaluator", "", "the evaluator: a plugin, or plugin.component (default: the search block's)")
	f.StringVar(&o.Search, "search", "", "the search block, when the file has several")
	f.StringVar(&o.Space, "space", "", "the space, when the file declares several")
	f.StringArrayVar(&sets, "set", nil, "a setting, as in --set epochs=2")
	f.BoolVar(&o.Test, "test", false, "measure on the test split")
	f.Uint64Var(&o.Seed, "seed", 0, "of everything random in the evaluation")
	f.BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		o.File, o.Read = args[0], readFile
		if len(args) > 1 {
			o.Architecture = args[1]
		}
		var err error
		if o.Settings, err = parseSettings(c, sets); err != nil {
			return err
		}
		m, _, diags := plan.Load(o.File, readFile)
		if err := wrong(diags, m.Source); err != nil {
			return err
		}
		ctx, stop := interruptible()
		defer stop()
		plugins, err := newPlugins()
		if err != nil {
			return err
		}
		defer plugins.Host.Close()
		progress := report.NewSingle(c.ErrOrStderr(), terminal(c.ErrOrStderr()))
		e, diags := plan.Evaluate(ctx, plugins.Host, m, o, progress.Progress)
		progress.End()
		if err := failed(ctx, diags, e.Source(m)); err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), e)
		}
		out := c.OutOrStdout()
		for _, name := range slices.Sorted(maps.Keys(e.Metrics)) {
			fmt.Fprintf(out, "%s %s: %s\n", e.Split, name, report.Value(e.Metrics[name], e.Units[name]))
		}
		fmt.Fprintf(out, "params: %s\nMACs: %s\n", report.Count(e.Params), report.Count(e.MACs))
		return nil
	}
	return c
}
