package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/builtin"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/plan"
)

// builtins are the plugins that this binary can be.
var builtins = struct {
	names  func() []string
	plugin func(string) (sdk.Plugin, bool)
}{builtin.Names, builtin.Plugin}

func newPlugin() *cobra.Command {
	c := &cobra.Command{
		Use:     "plugin",
		Short:   "List, write, test, install and pin plugins",
		Example: "  nasc plugin list\n  nasc plugin info evolution\n  nasc plugin new optimizer me/annealing",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return unknownCommand(c, args[0])
		},
	}
	c.AddCommand(newPluginList(), newPluginInfo(), newPluginNew(), newPluginTest(), newPluginInstall(), newPluginLock(), newPluginVerify(), newPluginServe())
	return c
}

func firstSentence(doc string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	if head, _, ok := strings.Cut(doc, ". "); ok {
		return head + "."
	}
	return doc
}

func newPluginInfo() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "info NAME",
		Short:   "Describe a plugin: its components and their parameters",
		Long:    "info starts a plugin and prints what it tells about itself.",
		Example: "  nasc plugin info evolution\n  nasc plugin info nasc/table -json",
		Args:    args(1, 1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, stop := interruptible()
		defer stop()
		plugins, err := newPlugins()
		if err != nil {
			return err
		}
		defer plugins.Host.Close()
		p, err := plugins.Host.Start(ctx, args[0])
		if err != nil {
			return failed(ctx, plan.Explain(err, ""), nil)
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), p.Description())
		}
		printPlugin(c.OutOrStdout(), p.Description())
		return nil
	}
	return c
}

func printPlugin(w io.Writer, d wire.Description) {
	fmt.Fprintf(w, "%s %s\n%s\n", d.Name, d.Version, d.Doc)
	for _, c := range d.Components {
		fmt.Fprintf(w, "\n%s %s\n", c.Kind, c.Name)
		if c.Doc != "" {
			fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(strings.TrimSpace(c.Doc), "\n", "\n    "))
		}
		for _, trait := range traits(c) {
			fmt.Fprintf(w, "    %s\n", trait)
		}
		t := tabwriter.NewWriter(w, 4, 0, 2, ' ', 0)
		for _, p := range c.Parameters {
			fmt.Fprintf(t, "    %s\t%s\t%s\t%s%s\n", p.Name, p.Type, defaultOf(p), p.Doc, limits(p))
		}
		for _, m := range c.Metrics {
			fmt.Fprintf(t, "    reports %s\t%s\t%s\t%s\n", m.Name, m.Unit, better(m), m.Doc)
		}
		for _, m := range c.TestMetrics {
			fmt.Fprintf(t, "    tests %s\t%s\t%s\t%s\n", m.Name, m.Unit, better(m), m.Doc)
		}
		t.Flush()
	}
	if d.Signatures != "" {
		fmt.Fprintf(w, "\noperations\n    %s\n", strings.ReplaceAll(strings.TrimSpace(d.Signatures), "\n", "\n    "))
	}
}

// traits are what to know of a component besides its parameters.
func traits(c wire.Component) (all []string) {
	add := func(is bool, text string) {
		if is {
			all = append(all, text)
		}
	}
	add(c.OneShot, "It is one-shot: it searches a supernet, which an evaluator trains, for a number of epochs.")
	add(c.Ends, "A search with it needs no budget.")
	add(c.Supernets, "It trains supernets for one-shot optimizers.")
	add(c.Deterministic, "Equal architectures have equal results, so each is judged once.")
	add(c.Varies, "What it reports depends on its settings; this is what it usually does.")
	if len(c.DecisionKinds) > 0 {
		var kinds []string
		for _, k := range c.DecisionKinds {
			kinds = append(kinds, string(k))
		}
		add(true, "It handles decisions of the kinds "+strings.Join(kinds, ", ")+".")
	}
	return all
}

// better tells which way a metric is good.
func better(m wire.Metric) string {
	if m.HigherIsBetter {
		return "more is better"
	}
	return "less is better"
}

func defaultOf(p wire.Parameter) string {
	switch v := p.Default.(type) {
	case nil:
		return "must be given"
	case string:
		return fmt.Sprintf("= %q", v)
	default:
		return fmt.Sprintf("= %v", v)
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func limits(p wire.Parameter) string {
	var parts []string
	if p.Min != nil {
		parts = append(parts, fmt.Sprintf("at least %s", number(*p.Min)))
	}
	if p.Max != nil {
		parts = append(parts, fmt.Sprintf("at most %s", number(*p.Max)))
	}
	if len(p.Choices) > 0 {
		parts = append(parts, "one of "+strings.Join(p.Choices, ", "))
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func newPluginServe() *cobra.Command {
	return &cobra.Command{
		Use:     "serve NAME",
		Short:   "Be a built-in plugin; nasc calls this itself",
		Long:    "serve makes this process the built-in plugin NAME. It is how nasc starts its own plugins.",
		Example: "  nasc plugin serve evolution",
		Args:    args(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			p, ok := builtins.plugin(strings.TrimPrefix(args[0], "nasc/"))
			if !ok {
				help := ""
				if near, ok := diag.Suggest(args[0], builtins.names()); ok {
					help = "did you mean `" + near + "`?"
				}
				return refuse(host.UnknownPlugin, help, "there is no built-in plugin called %s", args[0])
			}
			sdk.Serve(p)
			return nil
		},
	}
}
