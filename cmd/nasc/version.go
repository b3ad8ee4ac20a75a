package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/runtime/plan"
)

func newVersion() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of nasc",
		Example: "  nasc version",
		Args:    args(0, 0),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		v := plan.Version()
		if asJSON {
			return printJSON(c.OutOrStdout(), map[string]string{
				"version": v, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
		}
		fmt.Fprintf(c.OutOrStdout(), "nasc %s (%s, %s/%s)\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	}
	return c
}
