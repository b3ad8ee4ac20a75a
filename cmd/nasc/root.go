package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "nasc",
		Short: "Neural architecture search: a space, a method, a judge",
		Long: `nasc searches for neural network architectures. A space is written in .nas, an
optimizer proposes architectures of it, an evaluator judges them; each of the
three works with all the others.`,
		Example:           "  nasc run spaces/quickstart/quickstart.nas",
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, "%v", err) })
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if err := c.ValidateFlagGroups(); err != nil {
			return usage(c, "%v", err)
		}
		return nil
	}
	root.AddGroup(
		&cobra.Group{ID: "language", Title: "Spaces:"},
		&cobra.Group{ID: "search", Title: "Searches:"},
		&cobra.Group{ID: "about", Title: "Plugins and nasc itself:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("language", newCheck(), newFmt(), newInfo(), newCount(), newSample(), newEnumerate(), newCost(), newDraw())
	add("search", newRun(), newResume(), newRuns(), newShow(), newBest(), newEval())
	add("about", newPlugin(), newBench(), newExplain(), newVersion())
	root.Args = cobra.ArbitraryArgs
	root.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownCommand(c, args[0])
	}
	return root
}

func unknownCommand(c *cobra.Command, name string) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	hint := ""
	if best, ok := diag.Suggest(name, names); ok {
		hint = fmt.Sprintf("; did you mean %q?", best)
	}
	return usage(c, "unknown command %q%s", name, hint)
}

// args checks the number of arguments, named as in the command's Use line.
func args(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		_, names, _ := strings.Cut(c.Use, " ")
		if len(given) < least {
			return usage(c, "too few arguments: nasc %s needs %s", c.Name(), names)
		}
		if most >= 0 && len(given) > most {
			return usage(c, "too many arguments: nasc %s takes %s", c.Name(), names)
		}
		return nil
	}
}
