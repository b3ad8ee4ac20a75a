package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	root.SetFlagErrorFunc(wrongFlag)
	root.PersistentFlags().StringArrayVar(&overrides, "plugin", nil, "run a plugin of your own from `NAME=PATH`, neither installed nor locked")
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
	add("search", newRun(), newResume(), newRuns(), newShow(), newBest(), newCompare(), newEval(), newReproduce())
	add("about", newPlugin(), newBench(), newExplain(), newVersion())
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = helpTopic
	}
	root.Args = cobra.ArbitraryArgs
	root.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return unknownCommand(c, args[0])
	}
	return root
}

// wanted are the values that flags take, by the type of the flag, as far as the flag does not say itself.
var wanted = map[string]string{"uint64": "a whole number from 0 on", "int": "a whole number", "bool": "true or false"}

// wrongFlag says which flag was meant, or which values it takes.
func wrongFlag(c *cobra.Command, err error) error {
	if value, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := value.GetFlag()
		if what := wanted[f.Value.Type()]; what != "" {
			return usage(c, "--%s takes %s, not %q", f.Name, what, value.GetValue())
		}
	}
	hint := ""
	if given, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if best, ok := diag.Suggest(given, names); ok {
			hint = fmt.Sprintf("; did you mean --%s?", best)
		}
	}
	return usage(c, "%v%s", err, hint)
}

// helpTopic refuses to help with a command that there is not.
func helpTopic(help *cobra.Command, topic []string) error {
	c := help.Root()
	for _, name := range topic {
		i := slices.IndexFunc(c.Commands(), func(sub *cobra.Command) bool { return sub.Name() == name })
		if i < 0 {
			return unknownCommand(c, name)
		}
		c = c.Commands()[i]
	}
	return nil
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
