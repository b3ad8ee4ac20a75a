package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/runtime/compare"
	"github.com/nasc-project/nasc/runtime/compare/folder"
)

func newCompare() *cobra.Command {
	var o compare.Options
	var p folder.Options
	var dir string
	var asJSON, asCSV bool
	c := &cobra.Command{
		Use:   "compare RUN…",
		Short: "Compare runs: do methods differ, and may the runs be compared?",
		Long: `compare groups runs by what is compared and prints, for the objective on
validation and for every test metric, mean, standard deviation, 95 % bootstrap
interval, median and best of each group, rank tests corrected for several
comparisons, and the size of each effect. A study stands for all of its runs.

Runs that differ in anything else that changes the result are refused, with the
list; --anyway compares them and says so on every table and picture.

-o writes the tables, anytime curves over evaluations, simulated and wall time, and
critical-difference diagrams (SVG and PNG) into a new folder.`,
		Example: "  nasc compare runs/compare\n" +
			"  nasc compare runs/sizes --by population\n" +
			"  nasc compare runs/a runs/b --by optimizer --across evaluator.parameters.dataset -o report",
		Args: args(1, -1),
	}
	c.Flags().StringSliceVar(&o.By, "by", nil, "what is compared: optimizer, evaluator, space or any `field` of the manifest (default: the one that differs)")
	c.Flags().StringSliceVar(&o.Across, "across", nil, "a `field` in which runs may differ, such as a data set: groups are compared within each of its values")
	c.Flags().BoolVar(&o.Anyway, "anyway", false, "compare runs that are not comparable, with a stamp")
	c.Flags().StringVarP(&dir, "output", "o", "", "write tables and pictures into this `folder`")
	c.Flags().Var(&p.Band, "band", "what surrounds a curve: interval (95 %, of the mean) or quartiles (of the runs)")
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().BoolVar(&asCSV, "csv", false, "print the table as CSV")
	c.MarkFlagsMutuallyExclusive("json", "csv")
	c.RunE = func(c *cobra.Command, args []string) error {
		runs, left, diags := compare.Load(args)
		if err := wrong(diags, nil); err != nil {
			return err
		}
		result, diags := compare.Compare(runs, left, o)
		if err := wrong(diags, nil); err != nil {
			return err
		}
		if dir != "" {
			if err := failed(c.Context(), folder.Write(dir, result, p), nil); err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "see report.md in %s\n", dir)
		}
		switch {
		case asJSON:
			return printJSON(c.OutOrStdout(), result)
		case asCSV:
			return result.CSV(c.OutOrStdout())
		}
		return result.Write(c.OutOrStdout())
	}
	return c
}
