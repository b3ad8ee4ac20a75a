package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler/unique"
)

func newCount() *cobra.Command {
	var space spaceFlags
	var different bool
	c := &cobra.Command{
		Use:   "count FILE",
		Short: "Print the exact number of architectures",
		Long: `count prints the number of architectures of a space as one decimal number,
however large: of those that meet every requirement, where the space has some.
With --unique it prints how many of them differ: two are the same
when their live graphs are isomorphic, where an identity is the tensor it reads,
an absent edge is no edge, and what reaches no output is gone. That number is
exact too. Where a number is not feasible, count says so and exits with 1.`,
		Example: "  nasc count spaces/darts/darts.nas\n  nasc count --unique spaces/nasbench101/nasbench101.nas",
		Args:    args(1, 1),
	}
	space.add(c)
	c.Flags().BoolVar(&different, "unique", false, "count architectures that differ up to isomorphism")
	c.RunE = func(c *cobra.Command, args []string) error {
		m, s, err := space.compile(c, args[0])
		if err != nil {
			return err
		}
		if !different {
			n, err := s.Count()
			if err != nil {
				return placed(m, err)
			}
			fmt.Fprintln(c.OutOrStdout(), n)
			return nil
		}
		ctx, stop := interruptible()
		defer stop()
		classes, err := s.Unique(ctx)
		var no *unique.UnknownError
		if errors.As(err, &no) {
			return refuse("E0434", "", "how many architectures of %s differ is not known: %s", s.Name, no.Reason)
		}
		if err != nil {
			return halted(ctx, err)
		}
		fmt.Fprintln(c.OutOrStdout(), classes.Len())
		return nil
	}
	return c
}
