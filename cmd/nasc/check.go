package main

import (
	"sync"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/plan"
)

func newCheck() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check FILE…",
		Short: "Report what is wrong with .nas files",
		Long: `check compiles every space and reads every search of the files, and reports all
that is wrong: on stderr for people, or with -json on stdout as a list of
diagnostics. It exits with 1 when there is an error. Settings and metrics of searches
are checked by what plugins say of themselves; none is started.`,
		Example: "  nasc check spaces/*/*.nas\n  nasc check -json my.nas",
		Args:    args(1, -1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the diagnostics as JSON")
	c.RunE = func(c *cobra.Command, files []string) error {
		var all diag.List
		described := sync.OnceValues(describing)
		modules := map[string]*compiler.Module{}
		for _, file := range files {
			m, diags := compiler.Load(file, readFile)
			diags = append(diags, m.Check()...)
			if !diags.HasErrors() && (m.HasSearches() || len(m.Operations()) > 0) {
				plugins, err := described()
				if err != nil {
					return err
				}
				diags = append(diags, plan.Verify(c.Context(), plugins, m, file)...)
			}
			diags.Sort()
			modules[file] = m
			all = append(all, diags...)
		}
		source := func(file string) []byte {
			for _, f := range files {
				if text := modules[f].Source(file); text != nil {
					return text
				}
			}
			return nil
		}
		if asJSON {
			if err := diag.JSON(c.OutOrStdout(), all); err != nil {
				return err
			}
		} else {
			show(c.ErrOrStderr(), all, source)
		}
		if all.HasErrors() {
			return &inputError{diags: all, source: source, shown: true}
		}
		return nil
	}
	return c
}
