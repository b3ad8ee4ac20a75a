package main

import (
	"fmt"
	"io"
	"math/big"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

func newSample() *cobra.Command {
	var chosen spaceFlags
	var n int
	var seed uint64
	var index string
	var style recordStyle
	c := &cobra.Command{
		Use:   "sample FILE",
		Short: "Print architectures drawn uniformly, or by number",
		Long: `sample draws architectures uniformly from a space and prints each as a .nas
file of its own: a space with nothing left to decide. --index prints the
architecture with that number instead; numbers run from 0 and count all ways to
take the decisions, those that a requirement excludes included.`,
		Example: "  nasc sample spaces/darts/darts.nas\n  nasc sample spaces/nasbench201/nasbench201.nas -n 3 --seed 7 -json\n  nasc sample spaces/nasbench201/nasbench201.nas --index 1462",
		Args:    args(1, 1),
	}
	chosen.add(c)
	c.Flags().IntVarP(&n, "number", "n", 1, "how many")
	c.Flags().Uint64Var(&seed, "seed", 0, "of the draw: equal seeds give equal architectures")
	c.Flags().StringVar(&index, "index", "", "the number of the architecture to print")
	style.add(c)
	c.MarkFlagsMutuallyExclusive("index", "seed")
	c.MarkFlagsMutuallyExclusive("index", "number")
	c.RunE = func(c *cobra.Command, args []string) error {
		if n < 1 {
			return usage(c, "-n must be at least 1")
		}
		if err := style.check(c); err != nil {
			return err
		}
		m, s, err := chosen.compile(c, args[0])
		if err != nil {
			return err
		}
		r, err := style.recorder(s)
		if err != nil {
			return err
		}
		if index != "" {
			g, err := unrank(s, index)
			if err == nil {
				err = placed(m, s.Admits(g))
			}
			if err != nil {
				return err
			}
			return r.print(c.OutOrStdout(), g)
		}
		for i := range n {
			if i > 0 && !style.asJSON {
				fmt.Fprintln(c.OutOrStdout())
			}
			g, err := s.TrySample(stream.New(seed, "sample", uint64(i)))
			if err != nil {
				return refuse("E0435", "", "%v", err)
			}
			if err := r.print(c.OutOrStdout(), g); err != nil {
				return err
			}
		}
		return nil
	}
	return c
}

func unrank(s *compiler.Space, index string) (space.Genotype, error) {
	rank, ok := new(big.Int).SetString(index, 10)
	if !ok {
		return nil, refuse("E0569", "", "--index needs a number, not %q", index)
	}
	g, err := s.Unrank(rank)
	if err != nil {
		return nil, refuse("E0569", "", "%v", err)
	}
	return g, nil
}

func (r *recorder) print(w io.Writer, g space.Genotype) error {
	source, err := r.space.Print(g)
	if err != nil {
		return err
	}
	if !r.asJSON {
		_, err := io.WriteString(w, source)
		return err
	}
	one, err := r.record(g)
	if err != nil {
		return err
	}
	one.Source = source
	return printLine(w, one)
}
