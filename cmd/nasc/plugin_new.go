package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/plugins/starter"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/packages"
	"github.com/nasc-project/nasc/runtime/plan"
)

func newPluginNew() *cobra.Command {
	var out, source, language string
	c := &cobra.Command{
		Use:   "new KIND OWNER/NAME",
		Short: "Write a plugin that works, to be changed into yours",
		Long: `new writes a project, in Go or in Python: a plugin of a KIND with its test, its plugin.json, a README and a
workflow for GitHub. It builds, passes its test and keeps the contract of plugins as it is.

Kinds are optimizer, oneshot (an optimizer that searches a supernet), evaluator and op.`,
		Example: "  nasc plugin new optimizer me/annealing\n  nasc plugin new oneshot me/sparse\n  nasc plugin new evaluator me/accuracy --lang python",
		Args:    args(2, 2),
	}
	c.Flags().StringVarP(&out, "output", "o", "", "folder of the project, which must not exist; the name if it is not given")
	c.Flags().StringVar(&language, "lang", "go", "the language, "+strings.Join(starter.Languages(), " or "))
	c.Flags().StringVar(&source, "nasc", "", "folder of nasc's source to build with, or to install its Python package from, instead of a released version")
	c.RunE = func(c *cobra.Command, args []string) error {
		kind, name := args[0], args[1]
		if !slices.Contains(starter.Kinds(), kind) {
			help := "kinds are " + strings.Join(starter.Kinds(), ", ")
			if near, ok := diag.Suggest(kind, starter.Kinds()); ok {
				help = "did you mean `" + near + "`?"
			}
			return refuse(packages.BadPackage, help, "there is no kind of plugin called %s", kind)
		}
		if !packages.Named(name) {
			return refuse(packages.BadPackage, "write it like `me/annealing`, in small letters, digits, - and _", "%s cannot be the name of a plugin", name)
		}
		if !slices.Contains(starter.Languages(), language) {
			return refuse(packages.BadPackage, "languages are "+strings.Join(starter.Languages(), ", "), "plugins are not written in %s by `nasc plugin new`", language)
		}
		p := starter.Project{Language: language, Kind: kind, Name: name, Nasc: release(), Protocol: wire.ProtocolVersion}
		if syntax.IsKeyword(p.Component()) {
			return refuse(packages.BadPackage, "choose another name behind the /", "`%s` is a reserved word, so it cannot name what the plugin offers", p.Component())
		}
		if source != "" {
			at, err := filepath.Abs(source)
			if err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(at, "go.mod")); err != nil {
				return refuse(packages.BadPackage, "", "%s is not the source of nasc: it has no go.mod", source)
			}
			p.Source = filepath.ToSlash(at)
		}
		if out == "" {
			out = path.Base(name)
		}
		files, err := p.Write(out)
		if errors.Is(err, fs.ErrExist) {
			return refuse(plan.RunExists, "choose another one with -o", "the folder %s exists already", out)
		}
		if err != nil {
			return machine(plan.CannotWrite, "choose another folder with -o", fmt.Errorf("cannot write %s: %v", out, reason(err)))
		}
		for _, f := range files {
			fmt.Fprintln(c.OutOrStdout(), filepath.ToSlash(f))
		}
		next := "go mod tidy && go build -o " + p.Base() + " ."
		if language == "python" {
			next = "pip install -r requirements.txt"
		}
		fmt.Fprintf(os.Stderr, "next: cd %s && %s && nasc plugin test .\n", out, next)
		return nil
	}
	return c
}

// release is the version of nasc that a project is built with.
func release() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") && !strings.Contains(info.Main.Version, "+dirty") {
		return info.Main.Version
	}
	return "v0.1.0"
}
