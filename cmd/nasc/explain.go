package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:     "explain CODE",
		Short:   "Explain an error code",
		Long:    "explain says more about a code of a diagnostic: what it means and how to mend it.",
		Example: "  nasc explain E0311",
		Args:    args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			code := strings.ToUpper(args[0])
			text, ok := diag.Explain(code)
			if !ok {
				return refuse("E0500", "a code looks like E0311; it stands in every diagnostic", "there is no code %s", args[0])
			}
			fmt.Fprint(c.OutOrStdout(), text)
			return nil
		},
	}
}
