package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/signatures"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/packages"
	"github.com/nasc-project/nasc/runtime/plan"
)

// overridesKey is the variable with overrides, as --plugin takes them, with commas
// between them.
const overridesKey = "NASC_PLUGINS"

// overrides are the values of --plugin.
var overrides []string

// known is a plugin that may run, with what allows it.
type known struct {
	name     string
	command  host.Command
	locked   *packages.Locked // nil: it is not
	from     string           // "built in", "locked 0.1.0", "./annealing"
	override bool             // it runs from where its author makes it
	err      error            // why it cannot run all the same
}

// knownPlugins lists the plugins that may run: built-in ones, those that the project
// has locked, and overrides, which win.
func knownPlugins() ([]known, error) {
	all := map[string]known{}
	for _, name := range builtins.names() {
		command, err := host.BuiltIn(name)
		if err != nil {
			return nil, machine(host.CannotStart, "", err)
		}
		all["nasc/"+name] = known{name: "nasc/" + name, command: command, from: "built in"}
	}
	lock, err := packages.FindLock(".")
	if err != nil {
		return nil, err
	}
	if len(lock.Plugins) > 0 {
		store, err := packages.UserStore()
		if err != nil {
			return nil, machine(host.CannotStart, "", err)
		}
		for _, p := range lock.Plugins {
			k := known{name: p.Name, from: "locked " + p.Version, locked: p}
			k.command, k.err = store.Command(p)
			all[p.Name] = k
		}
	}
	own, err := overridden()
	if err != nil {
		return nil, err
	}
	for _, o := range own {
		command, err := o.Command()
		if err != nil {
			return nil, err
		}
		all[o.Name] = known{name: o.Name, command: command, from: o.Path, override: true}
	}
	out := make([]known, 0, len(all))
	for _, k := range all {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b known) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// overridden are the plugins that run from where their author makes them, the last of a
// name being the one that counts.
func overridden() (all []packages.Override, err error) {
	given := overrides
	if env := os.Getenv(overridesKey); env != "" {
		given = append(strings.Split(env, ","), given...)
	}
	for _, text := range given {
		o, err := packages.ParseOverride(text)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// warned are the plugins of which a warning was printed.
var warned = map[string]bool{}

// newPlugins are the plugins that may run, and a host to run them. With NASC_DEBUG
// set, what plugins log goes to stderr.
func newPlugins() (plan.Plugins, error) {
	all, err := knownPlugins()
	if err != nil {
		return plan.Plugins{}, err
	}
	return hosted(all)
}

// hosted is a host for plugins that may run. It warns of overrides.
func hosted(all []known) (plan.Plugins, error) {
	timeout, err := startTimeout()
	if err != nil {
		return plan.Plugins{}, err
	}
	patience, err := patience()
	if err != nil {
		return plan.Plugins{}, err
	}
	commands := map[string]host.Command{}
	for _, k := range all {
		if k.err != nil {
			k.command.Verify = func() (*host.Verified, error) { return nil, k.err } // said when it is needed
		}
		if k.override && !warned[k.name] {
			warned[k.name] = true
			fmt.Fprintf(os.Stderr, "warning: %s runs from %s, neither installed nor locked: nobody can repeat what it gives\n", k.name, k.from)
		}
		commands[k.name] = k.command
	}
	level := slog.LevelWarn
	if os.Getenv("NASC_DEBUG") != "" {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	h := host.New(host.Options{Commands: commands, Missing: missingPlugin, Log: log, StartTimeout: timeout, Patience: patience, Adopt: true})
	return plan.Plugins{Host: h, Commands: commands}, nil
}

// describing is a host that starts nothing: it knows what plugins say of themselves,
// built-in ones from their code and locked ones from what was kept.
func describing() (*host.Host, error) {
	all, err := knownPlugins()
	if err != nil {
		return nil, err
	}
	commands, locked := map[string]host.Command{}, map[string]*packages.Locked{}
	for _, k := range all {
		commands[k.name], locked[k.name] = k.command, k.locked
	}
	describe := func(name string) (wire.Description, error) {
		if short, ok := strings.CutPrefix(name, "nasc/"); ok {
			p, _ := builtins.plugin(short)
			return p.Description()
		}
		if locked[name] == nil {
			return wire.Description{}, &diag.Diagnostic{Code: packages.NotDescribed, Message: name + " runs from where it is made, and what it says of itself is not kept"}
		}
		store, err := packages.UserStore()
		if err != nil {
			return wire.Description{}, err
		}
		return store.Described(locked[name])
	}
	return host.New(host.Options{Commands: commands, Missing: missingPlugin, Describe: describe}), nil
}

// missingPlugin says more of a plugin that may not run.
func missingPlugin(name string) *diag.Diagnostic {
	store, err := packages.UserStore()
	if err != nil || !packages.Named(name) {
		return nil
	}
	if all := store.Of(name); len(all) > 0 {
		return &diag.Diagnostic{Code: packages.NotLocked, Message: fmt.Sprintf("%s %s is installed, but this project has not locked it", name, all[0].Version),
			Help: "allow it with `nasc plugin lock " + name + "`"}
	}
	return nil
}

// listed is a line of `nasc plugin list`.
type listed struct {
	wire.Description
	From string
	Err  string `json:",omitempty"`
}

func newPluginList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the plugins, and why each may run",
		Example: "  nasc plugin list",
		Args:    args(0, 0),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, stop := interruptible()
		defer stop()
		all, err := listPlugins(ctx)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), all)
		}
		return printList(c.OutOrStdout(), all)
	}
	return c
}

// listPlugins asks the plugins that may run what they are, and adds what is installed
// and may not.
func listPlugins(ctx context.Context) ([]listed, error) {
	ks, err := knownPlugins()
	if err != nil {
		return nil, err
	}
	var all []listed
	there := map[string]bool{}
	plugins, err := hosted(ks)
	if err != nil {
		return nil, err
	}
	defer plugins.Host.Close()
	for _, k := range ks {
		there[k.name+" "+strings.TrimPrefix(k.from, "locked ")] = true
		l := listed{From: k.from, Description: wire.Description{Name: k.name}}
		if name, ok := strings.CutPrefix(k.name, "nasc/"); ok {
			p, _ := builtins.plugin(name)
			if l.Description, err = p.Description(); err != nil {
				return nil, machine(host.BadAnswer, "", err)
			}
		} else if p, err := plugins.Host.Start(ctx, k.name); err != nil {
			l.Err = err.Error()
		} else {
			l.Description = p.Description()
		}
		all = append(all, l)
	}
	store, err := packages.UserStore()
	if err != nil {
		return all, nil
	}
	installed, broken := store.Installed()
	for _, p := range installed {
		if !there[p.Name+" "+p.Version] {
			there[p.Name+" "+p.Version] = true
			all = append(all, listed{From: "installed, not locked", Description: wire.Description{Name: p.Name, Version: p.Version, Doc: p.Doc}})
		}
	}
	for _, err := range broken {
		fmt.Fprintf(os.Stderr, "warning: %v\n", err)
	}
	return all, nil
}

func printList(w io.Writer, all []listed) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "plugin\tversion\tfrom\toffers\tabout")
	for _, l := range all {
		var offers []string
		for _, component := range l.Components {
			offer := string(component.Kind) + " " + component.Name
			switch {
			case component.OneShot:
				offer += " (one-shot)"
			case component.Supernets:
				offer += " (supernets)"
			}
			offers = append(offers, offer)
		}
		if all, err := signatures.Read(l.Name, l.Signatures); err == nil && l.Signatures != "" {
			for _, s := range all {
				offers = append(offers, "op "+s.Name)
			}
		}
		about := firstSentence(l.Doc)
		if l.Err != "" {
			about = "cannot run: " + l.Err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.Name, l.Version, l.From, strings.Join(offers, ", "), about)
	}
	return t.Flush()
}
