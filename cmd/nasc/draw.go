package main

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"

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
		Use:   "draw FILE [ARCH] | RUN",
		Short: "Draw a space, an architecture or a one-shot search",
		Long: `draw makes a picture: the skeleton from top to bottom, and beside it each cell and
block once. Without ARCH that is the space with all that is left to decide: lists
of candidates, with their colours on the edges and boxes that choose among them;
depths as ×1..3; and below a vertex how many of its edges are kept, 2 of 3. With
ARCH it is one architecture. The ending of the output's name says which kind: svg,
png, dot or txt. With -o - the text form goes to stdout.

Of a RUN, a folder or one of the runs of a study, that is a one-shot search, draw
makes four pictures as svg and png: alphas, a map of all mixture weights over the
stages; entropy; curves, with the accuracies of the architecture that was derived
after each stage; and supernet, the space with its edges as wide as they weigh.
They go to the folder that -o names, by default one in that of the run.` + archForms,
		Example: "  nasc draw spaces/nasbench201/nasbench201.nas -o space.svg\n" +
			"  nasc draw spaces/nasbench201/nasbench201.nas '#1462' -o cell.svg\n  nasc draw runs/quickstart-evolution-seed1/best.nas -o -\n" +
			"  nasc draw runs/nasbench201-darts-seed1",
		Args: args(1, 2),
	}
	space.add(c)
	c.Flags().StringVarP(&out, "out", "o", "-", "the file to write: x.svg, x.png, x.dot, x.txt, or - for text; of a run, a folder")
	c.RunE = func(c *cobra.Command, args []string) error {
		if isRun(args[0]) {
			switch {
			case len(args) > 1:
				return usage(c, "a run is drawn without an architecture")
			case space.name != "" || len(space.sets) > 0:
				return usage(c, "--space and --set are not for a run")
			case out == "-":
				out = ""
			default:
				if _, err := export.FormatOf(out); err == nil {
					return usage(c, "-o: a run is drawn as several files, so it takes the name of a folder, not %q", out)
				}
			}
			return drawRun(c, args[0], out)
		}
		if _, err := os.Stat(args[0]); os.IsNotExist(err) && filepath.Ext(args[0]) != ".nas" {
			return refuse(plan.NotARun, "`nasc runs` lists the runs of a folder; the name of a file ends in .nas", "there is no run %s", args[0])
		}
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
