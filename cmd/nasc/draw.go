package main

import (
	"fmt"
	"math/big"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/runtime/plan"
)

// draw draws the architecture that is named, or the space when none is and
// something is left to decide.
func draw(m *compiler.Module, s *compiler.Space, args []string, format export.Format) ([]byte, error) {
	if len(args) == 0 && s.Size().Cmp(big.NewInt(1)) != 0 {
		return s.Draw(export.Options{Format: format, Title: s.Name})
	}
	a, err := architecture(m, s, args, nil)
	if err != nil {
		return nil, err
	}
	return export.Draw(a.Graph, export.Options{Format: format, Title: a.Graph.Name})
}

func newDraw() *cobra.Command {
	var space spaceFlags
	var out string
	c := &cobra.Command{
		Use:   "draw FILE [ARCH]",
		Short: "Draw a space or an architecture",
		Long: `draw makes a picture: the skeleton from top to bottom, and beside it each cell and
block once. Without ARCH that is the space with all that is left to decide: lists
of candidates, with their colours on the edges and boxes that choose among them;
depths as ×1..3; and below a vertex how many of its edges are kept, 2 of 3. With
ARCH it is one architecture. The ending of the output's name says which kind: svg,
png, dot or txt. With -o - the text form goes to stdout.` + archForms,
		Example: "  nasc draw spaces/nasbench201/nasbench201.nas -o space.svg\n" +
			"  nasc draw spaces/nasbench201/nasbench201.nas '#1462' -o cell.svg\n  nasc draw runs/quickstart-evolution-seed1/best.nas -o -",
		Args: args(1, 2),
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
		picture, err := draw(m, s, args[1:], format)
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
