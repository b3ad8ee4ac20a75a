package plan

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/packages"
	"github.com/nasc-project/nasc/runtime/store"
)

// Part is the component that was chosen to propose or to judge.
type Part struct {
	Plugin    *host.Plugin
	Component wire.Component
	Settings  wire.Settings
	Seed      uint64
	Threads   int

	method string               // the name by which it was given
	spans  map[string]diag.Span // of its settings, by path
}

// Title is how people call it.
func (p *Part) Title() string {
	return cmp.Or(p.method, store.Title(p.Plugin.Description().Name, p.Component.Name))
}

// part is what the block or the command line says of a component.
type part struct {
	scope   string // of its settings: optimizer, evaluator or report
	plugin  string
	name    string
	version string // the versions that are wanted; empty: any
	method  string // the name of the `let` that says all of this
	args    []compiler.ComponentArg
	span    diag.Span
	flagged bool // named on the command line
	// replaces is what the block says in its place, if that is one thing.
	replaces *compiler.Component
}

// kind is the kind of component that fits.
func (c part) kind() wire.ComponentKind {
	if c.scope == optimizerScope {
		return wire.OptimizerKind
	}
	return wire.EvaluatorKind
}

// of is what a search block says of a component.
func (c part) of(says *compiler.Component) part {
	c.plugin, c.version, c.name, c.method, c.args, c.span = says.Plugin, says.Version, says.Component, says.Name, says.Args, says.Span
	return c
}

// chooser finds the components that the command line or a search block names.
type chooser struct {
	module  *compiler.Module
	block   *compiler.Search // nil: there is none
	plugins []string         // that are known
	diags   *diag.List
}

// choose finds the component of a scope; flag is what the command line says of it.
func (c chooser) choose(scope, flag string) part {
	p := part{scope: scope, flagged: flag != ""}
	if flag != "" {
		if p = c.flag(p, flag); p.method == "" { // else the file says all of it
			p.replaces = c.replaced(scope, flag)
		}
		return p
	}
	var says *compiler.Component
	at := diag.Span{}
	if b := c.block; b != nil {
		says, at = map[string]*compiler.Component{optimizerScope: b.Optimizer, evaluatorScope: b.Evaluator, reportScope: b.Report}[scope], b.Span
	}
	if says == nil {
		if scope != reportScope {
			c.diags.Add(NothingChosen, at, "the search has no %s", scope).Help =
				fmt.Sprintf("name one with `--%s`; `nasc plugin list` shows what there is", scope)
		}
		return part{}
	}
	return p.of(says)
}

// flag reads what the command line says of a component: "plugin" or
// "plugin.component", else the name of a `let` of the file or of a published method.
func (c chooser) flag(p part, text string) part {
	p.plugin = text
	if i := strings.LastIndexByte(text, '.'); i > strings.LastIndexByte(text, '/') {
		p.plugin, p.name = text[:i], text[i+1:]
	}
	if p.name != "" || strings.Contains(text, "/") || slices.Contains(c.plugins, "nasc/"+text) {
		return p
	}
	method, diags := c.module.Method(text)
	*c.diags = append(*c.diags, diags...)
	switch {
	case method != nil:
		return p.of(method)
	case diags.HasErrors():
		return p
	}
	what, names := "plugin", []string{}
	if p.scope == optimizerScope {
		what, names = "plugin or method", c.module.Methods()
	}
	d := c.diags.Add(host.UnknownPlugin, diag.Span{}, "there is no %s called %s", what, text)
	for _, name := range c.plugins {
		names = append(names, strings.TrimPrefix(name, "nasc/"))
	}
	slices.Sort(names)
	if strings.Contains(text, "|") {
		d.Help = "the command line names one; a search block sweeps several"
	} else if near, ok := diag.Suggest(text, names); ok {
		d.Help = "did you mean `" + near + "`?"
	} else if d.Help = "`nasc plugin list` shows the plugins"; p.scope == optimizerScope {
		d.Help += "; methods are " + strings.Join(c.module.Methods(), ", ")
	}
	return p
}

// nothing is what the command line says for what a search block says of reports or of
// training again to be left out.
const nothing = "none"

// report finds what tests the winner in place of the evaluator; nil: nothing does.
func (c chooser) report(flag string) *part {
	if flag == nothing {
		return nil
	}
	if p := c.choose(reportScope, flag); p.plugin != "" {
		return &p
	}
	return nil
}

// start starts the plugins of all parts at once, unless they are there already.
func (p *Plan) start(ctx context.Context, h *host.Host, optimizer, evaluator part, report *part) diag.List {
	var wg sync.WaitGroup
	all := make([]diag.List, 3)
	run := func(n int, into *Part, c part) {
		s := p.stock.claim(c.plugin)
		wg.Go(func() { *into = start(ctx, h, s, c, &all[n]) })
	}
	run(0, &p.Optimizer, optimizer)
	run(1, &p.Evaluator, evaluator)
	if report != nil {
		p.Report = &Part{}
		run(2, p.Report, *report)
	}
	wg.Wait()
	return slices.Concat(all...)
}

// start starts the plugin of a part and finds its component.
func start(ctx context.Context, h *host.Host, s *started, c part, diags *diag.List) Part {
	plugin, err := s.start(ctx, h, c.plugin)
	if err != nil {
		*diags = append(*diags, placed(Explain(err, ""), c.span)...)
		return Part{}
	}
	if d := packages.Wanted(plugin.Description(), c.version); d != nil {
		*diags = append(*diags, placed(diag.List{d}, c.span)...)
		return Part{}
	}
	component, err := plugin.Component(c.kind(), c.name)
	if err != nil {
		*diags = append(*diags, placed(Explain(err, ""), c.span)...)
		return Part{}
	}
	return Part{Plugin: plugin, Component: component, method: c.method}
}

// compute starts the plugins whose operations the module makes use of, if the evaluator,
// or what reports, has them computed. They must offer what the module was checked with.
func (p *Plan) compute(ctx context.Context, h *host.Host, diags *diag.List) {
	wanted := p.Evaluator.Component.Operations || p.Report != nil && p.Report.Component.Operations
	if diags.HasErrors() || !wanted {
		return
	}
	p.Operations = p.stock.operations(ctx, h, p.Module, diags)
}

// operations starts the plugins that compute operations of a module.
func (s *stock) operations(ctx context.Context, h *host.Host, m *compiler.Module, diags *diag.List) (all []*host.Plugin) {
	for _, o := range m.Operations() {
		if !o.Computed {
			continue
		}
		plugin, err := s.claim(o.Plugin).start(ctx, h, o.Plugin)
		if err != nil {
			*diags = append(*diags, placed(Explain(err, ""), o.Span)...)
			continue
		}
		if d := packages.Wanted(plugin.Description(), o.Version); d != nil {
			*diags = append(*diags, placed(diag.List{d}, o.Span)...)
			continue
		}
		if strings.TrimSuffix(plugin.Description().Signatures, "\n") != strings.TrimSuffix(o.Signatures, "\n") {
			d := diags.Add(host.NotReproducible, o.Span, "the plugin offers other operations than those that this was checked with")
			d.Source, d.Help = plugin.Source(), "lock it anew with `nasc plugin lock "+o.Plugin+"`; a run that has begun goes on only with the operations that it had"
			continue
		}
		all = append(all, plugin)
	}
	return all
}

// placed gives diagnostics that have no place the one they are about.
func placed(diags diag.List, at diag.Span) diag.List {
	for _, d := range diags {
		if !d.Span.Start.Valid() {
			d.Span = at
		}
	}
	return diags
}

func parameterNames(c wire.Component) []string {
	var out []string
	for _, p := range c.Parameters {
		out = append(out, p.Name)
	}
	return out
}

// settle completes the settings of a part from the block's arguments, --set and
// the defaults.
func (p *Part) settle(c part, set []Setting, o Options, diags *diag.List) {
	folder := filepath.Join(o.Folder, filepath.Dir(o.File))
	if filepath.IsAbs(o.File) {
		folder = filepath.Dir(o.File)
	}
	given := wire.Settings{}
	named := map[string]bool{} // its values are names from a list
	for _, declared := range p.Component.Parameters {
		named[declared.Name] = len(declared.Choices) > 0
	}
	p.spans = map[string]diag.Span{}
	for _, a := range flatten(c, named, diags) {
		v := a.Value
		if text, ok := v.(string); ok && !named[a.Name] {
			v = path(folder, text)
		}
		given[a.Name], p.spans["parameters."+a.Name] = v, a.Span
	}
	for _, s := range set {
		if s.Scope != c.scope {
			continue
		}
		for _, declared := range p.Component.Parameters {
			if declared.Name == s.Name {
				v := Value(declared.Type, s.Text)
				if text, ok := v.(string); ok && !named[s.Name] {
					v = path(cmp.Or(o.Folder, "."), text)
				}
				given[s.Name] = v
				delete(p.spans, "parameters."+s.Name)
			}
		}
	}
	settings, err := p.Plugin.Settings(p.Component, given)
	for _, d := range p.place(Explain(err, "")) {
		if d.Code == host.MissingParameter {
			d.Span = c.span
			name := strings.TrimPrefix(d.Path, "parameters.")
			d.Notes = append(d.Notes, diag.Note{Text: name + ": " + d.Help})
			if c.scope == reportScope { // whose settings are always written with the scope
				name = c.scope + "." + name
			}
			d.Help = fmt.Sprintf("give it with `--set %s=…`", name)
		}
		*diags = append(*diags, d)
	}
	p.Settings = settings
}

// flatten makes one list of the arguments of a component and of what fills its slots:
// `relax: one.gumbel(tau_max: 10)` is relax, with the name gumbel, and tau_max.
func flatten(c part, named map[string]bool, diags *diag.List) []compiler.ComponentArg {
	var out []compiler.ComponentArg
	first := map[string]diag.Span{}
	var add func(args []compiler.ComponentArg)
	add = func(args []compiler.ComponentArg) {
		for _, a := range args {
			if at, twice := first[a.Name]; twice {
				d := diags.Add("E0203", a.Span, "`%s` is set twice", a.Name)
				d.Notes = append(d.Notes, diag.Note{Span: at, Text: "first set here"})
				continue
			}
			first[a.Name] = a.Span
			filling, fills := a.Value.(*compiler.Component)
			if !fills || !named[a.Name] {
				out = append(out, a)
				continue
			}
			if filling.Plugin != c.plugin || filling.Component == "" {
				d := diags.Add("E0552", filling.Span, "`%s` does not fill the slot %s: something of %s is needed there", filling, a.Name, c.plugin)
				d.Help = "a filling is written as the plugin's name with that of one of the choices, as in `one.gumbel`"
				continue
			}
			a.Value = filling.Component
			out = append(out, a)
			add(filling.Args)
		}
	}
	add(c.args)
	return out
}

// place puts diagnostics about settings where the settings were written.
func (p *Part) place(diags diag.List) diag.List {
	for _, d := range diags {
		if at, ok := p.spans[d.Path]; ok {
			d.Span = at
		}
	}
	return diags
}
