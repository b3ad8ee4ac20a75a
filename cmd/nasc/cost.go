package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/spaces/published"
)

func newCost() *cobra.Command {
	var space spaceFlags
	var asJSON bool
	var plan planFlags
	c := &cobra.Command{
		Use:   "cost FILE [ARCH]",
		Short: "Print params, MACs and depth of an architecture",
		Long: `cost prints the trainable parameters and the multiply-accumulates (for one
example) of every node of an architecture and of the whole, and its depth in
operations. The whole is counted twice: as built, with every node, as benchmarks
count; and live, without what cannot influence the output. The hash is the same for
isomorphic architectures; a benchmark that has the architecture names it. ` + archHelp + `

With --explain it prints what a training step does on this machine's engine: the steps
that the plan makes of the operations, their arithmetic, the memory that they read and
write, and the arena. With --supernet that is for the space relaxed to one network, as
a one-shot method trains it.`,
		Example: "  nasc cost spaces/nasbench201/nasbench201.nas '#1462'\n  nasc cost my_architecture.nas\n" +
			"  nasc cost spaces/nasbench201/nasbench201.nas --explain --supernet --set n=1",
		Args: args(1, 2),
	}
	space.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	plan.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := plan.check(c, args); err != nil {
			return err
		}
		m, s, err := space.compile(c, args[0])
		if err != nil {
			return err
		}
		if plan.supernet {
			return plan.ofSupernet(c, m, s)
		}
		a, err := architecture(m, s, args[1:], nil)
		if err != nil {
			return err
		}
		if plan.explain {
			return plan.ofArchitecture(c, a.Graph)
		}
		if asJSON {
			live := a.Graph.Live()
			return printJSON(c.OutOrStdout(), archCost{
				nodeCost: costJSON(a.Graph, a.Graph.Name),
				Live:     total{live.Params(), live.MACs()},
				Hash:     a.Graph.Hash().String(),
				Names:    published.Names(a.Graph),
			})
		}
		return printCost(c.OutOrStdout(), a.Graph)
	}
	return c
}

// archCost is an architecture in JSON; its own params and MACs are as built.
type archCost struct {
	nodeCost
	Live  total            `json:"live"`
	Hash  string           `json:"hash"`
	Names []published.Name `json:"names,omitempty"`
}

type total struct {
	Params int64 `json:"params"`
	MACs   int64 `json:"macs"`
}

// nodeCost is one node in JSON.
type nodeCost struct {
	Name   string      `json:"name"`
	Op     string      `json:"op,omitempty"`
	Shape  graph.Shape `json:"shape"`
	Params int64       `json:"params"`
	MACs   int64       `json:"macs"`
	Depth  *int        `json:"depth,omitempty"`
	Nodes  []nodeCost  `json:"nodes,omitempty"`
}

func costJSON(g *graph.Graph, name string) nodeCost {
	depth := g.Depth()
	out := nodeCost{Name: name, Shape: g.Shape(g.Output), Params: g.Params(), MACs: g.MACs(), Depth: &depth}
	for _, n := range g.Nodes {
		if n.Body != nil {
			out.Nodes = append(out.Nodes, costJSON(n.Body, n.Name))
			continue
		}
		out.Nodes = append(out.Nodes, nodeCost{Name: n.Name, Op: n.Label(), Shape: n.Shape, Params: n.Params, MACs: n.MACs})
	}
	return out
}

func printCost(out io.Writer, g *graph.Graph) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "node\toperation\toutput\tparams\tMACs\tdepth")
	costRows(w, g, 0, map[*graph.Graph]string{})
	fmt.Fprintf(w, "%s, as built\t\t%s\t%s\t%s\t%d\n", g.Name, g.Shape(g.Output), report.Count(g.Params()), report.Count(g.MACs()), g.Depth())
	live := g.Live()
	fmt.Fprintf(w, "%s, live\t\t%s\t%s\t%s\t%d\n", g.Name, g.Shape(g.Output), report.Count(live.Params()), report.Count(live.MACs()), live.Depth())
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nhash\t%s\n", g.Hash())
	for _, n := range published.Names(g) {
		fmt.Fprintf(w, "%s\t%s\n", n.Benchmark, n.Name)
		if n.Note != "" {
			fmt.Fprintf(w, "\t%s\n", n.Note)
		}
	}
	return w.Flush()
}

// costRows prints the nodes of g; a body that several nodes share is opened once.
func costRows(w io.Writer, g *graph.Graph, indent int, opened map[*graph.Graph]string) {
	pad := strings.Repeat("  ", indent)
	for _, n := range g.Nodes {
		if n.Body == nil {
			fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\t%s\t\n", pad, n.Name, n.Label(), n.Shape, report.Count(n.Params), report.Count(n.MACs))
			continue
		}
		what := n.Body.Kind + " " + n.Op
		first, seen := opened[n.Body]
		if seen {
			what += ", as " + first
		}
		fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\t%s\t%d\n", pad, n.Name, what, n.Shape, report.Count(n.Body.Params()), report.Count(n.Body.MACs()), n.Body.Depth())
		if !seen {
			opened[n.Body] = n.Name
			costRows(w, n.Body, indent+1, opened)
		}
	}
}
