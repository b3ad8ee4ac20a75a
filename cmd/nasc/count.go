package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newCount() *cobra.Command {
	var space spaceFlags
	c := &cobra.Command{
		Use:   "count FILE",
		Short: "Print the exact number of architectures",
		Long: `count prints the number of architectures of a space as one decimal number,
however large.`,
		Example: "  nasc count spaces/darts/darts.nas",
		Args:    args(1, 1),
	}
	space.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		_, s, err := space.compile(c, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), s.Size())
		return nil
	}
	return c
}
