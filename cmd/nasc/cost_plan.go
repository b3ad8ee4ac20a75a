package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/evaluators/train"
	"github.com/nasc-project/nasc/plugins/evaluators/train/supernet"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// planFlags ask for the plan that the training engine makes.
type planFlags struct {
	explain, supernet, edges bool
	batch, channels          int
}

func (f *planFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.explain, "explain", false, "print what a training step does")
	c.Flags().BoolVar(&f.supernet, "supernet", false, "with --explain: of the space relaxed to one network")
	c.Flags().IntVar(&f.batch, "batch", 64, "with --explain: the examples of a step")
	c.Flags().IntVar(&f.channels, "channels", 1, "with --supernet: let one of so many channels through the candidates, as PC-DARTS")
	c.Flags().BoolVar(&f.edges, "edge-weights", false, "with --supernet: a weight for every edge, as PC-DARTS")
	c.MarkFlagsMutuallyExclusive("explain", "json")
}

func (f *planFlags) check(c *cobra.Command, args []string) error {
	switch {
	case f.supernet && !f.explain:
		return usage(c, "--supernet needs --explain")
	case f.supernet && len(args) > 1:
		return usage(c, "a supernet is of the whole space, so it takes no architecture")
	case f.batch < 1:
		return usage(c, "--batch must be at least 1")
	case f.channels < 1:
		return usage(c, "--channels must be at least 1")
	}
	for _, name := range []string{"batch", "channels", "edge-weights"} {
		if c.Flags().Changed(name) && (!f.explain || name != "batch" && !f.supernet) {
			return usage(c, "--%s needs --explain, and all but --batch --supernet", name)
		}
	}
	return nil
}

// maxExplained is how many bytes a network may take to be explained; nothing of it
// but the weights is allocated.
const maxExplained = 1 << 40

func (f *planFlags) ofSupernet(c *cobra.Command, m *compiler.Module, s *compiler.Space) error {
	relaxed, diags := s.Relax(lower.Relaxation{Channels: f.channels, EdgeWeights: f.edges})
	if err := wrong(diags, m.Source); err != nil {
		return err
	}
	ws := kernel.NewWorkers(1)
	defer ws.Close()
	n, err := supernet.New(relaxed, ws, supernet.Options{Batch: f.batch, MemoryLimit: maxExplained})
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(c.OutOrStdout(), n.Explain())
	return err
}

func (f *planFlags) ofArchitecture(c *cobra.Command, g *graph.Graph) error {
	text, err := train.Explain(g, f.batch)
	if err != nil {
		return errors.Join(errors.New("the engine cannot train this architecture"), err)
	}
	_, err = fmt.Fprint(c.OutOrStdout(), text)
	return err
}
