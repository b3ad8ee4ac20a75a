package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/packages"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/plugintest"
)

// testedArchitectures is how many architectures of a space an evaluator is tried on.
const testedArchitectures = 3

func newPluginTest() *cobra.Command {
	var asJSON bool
	var file string
	var set []string
	c := &cobra.Command{
		Use:   "test NAME|FOLDER",
		Short: "Find out whether a plugin keeps the contract of plugins",
		Long: `test runs a plugin that may run, by its NAME, or the package in a FOLDER. It searches
with each of its optimizers, on spaces of many shapes: twice with one seed, and with the
process killed in between; for one-shot optimizers it plays the supernet. It lets each
of its evaluators judge architectures of a --space, cancels it, and shows it one that it
cannot judge; those that train supernets train one of that space. It computes each of its
operations, and compares their gradients with differences of their results. The exit
code is 1 if anything does not hold.`,
		Example: "  nasc plugin test .\n  nasc plugin test evolution\n  nasc plugin test train --space spaces/quickstart/quickstart.nas --set epochs=1",
		Args:    args(1, 1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.Flags().StringVar(&file, "space", "", "a `FILE` with a space, the first of its spaces has the architectures that evaluators judge")
	c.Flags().StringArrayVar(&set, "set", nil, "a parameter of the components, `NAME=VALUE`")
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, stop := interruptible()
		defer stop()
		o, err := tested(args[0])
		if err != nil {
			return err
		}
		settings, err := parseSettings(c, set)
		if err != nil {
			return err
		}
		o.Settings = func(p wire.Parameter) (any, bool) {
			for _, s := range settings {
				if s.Name == p.Name {
					return plan.Value(p.Type, s.Text), true
				}
			}
			return nil, false
		}
		if file != "" {
			_, of, err := new(spaceFlags).compile(c, file)
			if err != nil {
				return err
			}
			if o.Graphs, err = architectures(of); err != nil {
				return err
			}
			o.Relax = func(r lower.Relaxation) (*lower.Supernet, error) {
				n, diags := of.Relax(r)
				return n, diags.Err()
			}
		}
		var all []plugintest.Result
		ok, err := plugintest.Run(ctx, o, func(r plugintest.Result) {
			if asJSON {
				all = append(all, r)
				return
			}
			fmt.Fprintln(c.OutOrStdout(), line(r))
		})
		if err != nil {
			return failed(ctx, plan.Explain(err, ""), nil)
		}
		if asJSON {
			if err := printJSON(c.OutOrStdout(), all); err != nil {
				return err
			}
		}
		if !ok {
			fmt.Fprintf(os.Stderr, "%s does not keep the contract of plugins\n", o.Name)
			return exitError(exitInput)
		}
		fmt.Fprintf(os.Stderr, "%s keeps the contract of plugins\n", o.Name)
		return nil
	}
	return c
}

// tested is the plugin of a name, or the package in a folder.
func tested(arg string) (plugintest.Options, error) {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		p, err := packages.Read(arg)
		if err != nil {
			return plugintest.Options{}, err
		}
		command, err := packages.Override{Name: p.Name, Path: arg}.Command()
		return plugintest.Options{Name: p.Name, Command: command}, err
	}
	plugins, err := newPlugins()
	if err != nil {
		return plugintest.Options{}, err
	}
	defer plugins.Host.Close()
	name := arg
	if !strings.Contains(name, "/") {
		name = "nasc/" + name
	}
	command, ok := plugins.Commands[name]
	if !ok {
		return plugintest.Options{}, refuse(host.UnknownPlugin, "give a name of `nasc plugin list`, or the folder of a package", "there is no plugin called %s", arg)
	}
	return plugintest.Options{Name: name, Command: command}, nil
}

// architectures draws architectures of a space.
func architectures(s *compiler.Space) ([]*graph.Graph, error) {
	rng := stream.New(1, "sample", 0)
	var all []*graph.Graph
	for range testedArchitectures {
		g, err := s.TrySample(rng)
		if err != nil {
			return nil, err
		}
		bound, err := s.Bind(g)
		if err != nil {
			return nil, err
		}
		all = append(all, bound)
	}
	return all, nil
}

// line is a result as a line of text.
func line(r plugintest.Result) string {
	mark, after := "ok     ", ""
	switch {
	case r.Failure != "":
		mark, after = "FAILED ", "\n       "+strings.ReplaceAll(r.Failure, "\n", "\n       ")
	case r.Skipped != "":
		mark, after = "skipped", ": "+r.Skipped
	}
	of := ""
	if r.Of != "" {
		of = r.Of + ": "
	}
	return mark + " " + of + r.Check + after
}
