package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/runtime/plan"
)

func newDraw() *cobra.Command {
	var space spaceFlags
	var out string
	c := &cobra.Command{
		Use:   "draw FILE [ARCH]",
		Short: "Draw an architecture",
		Long: `draw makes a picture of an architecture: its skeleton and its cells. The ending
of the output's name says which kind: svg, png, dot or txt. With -o - the text
form goes to stdout.` + archHelp,
		Example: "  nasc draw spaces/nasbench201/nasbench201.nas '#1462' -o cell.svg\n  nasc draw runs/quickstart-evolution-seed1/best.nas -o -",
		Args:    args(1, 2),
	}
	space.add(c)
	c.Flags().StringVarP(&out, "out", "o", "-", "the file to write: x.svg, x.png, x.dot, x.txt, or - for text")
	c.RunE = func(c *cobra.Command, args []string) error {
		format := export.Text
		if out != "-" {
			var err error
			if format, err = export.FormatOf(out); err != nil {
				return usage(c, "-o: %v", err)
			}
		}
		m, s, err := space.compile(c, args[0])
		if err != nil {
			return err
		}
		a, err := architecture(m, s, args[1:], nil)
		if err != nil {
			return err
		}
		picture, err := export.Draw(a.Graph, export.Options{Format: format, Title: a.Graph.Name})
		if err != nil {
			return err
		}
		if out == "-" {
			_, err = c.OutOrStdout().Write(picture)
			return err
		}
		if err := replaceFile(out, picture); err != nil {
			return machine(plan.CannotWrite, "", fmt.Errorf("cannot write %s: %v", out, reason(err)))
		}
		return nil
	}
	return c
}
