// Package plan turns a search block and a command line into a run that can
// start: it decides what is searched, by whom and how it is judged, checks all
// of it against the plugins, and only then makes the run folder.
//
// What the command line says wins over the search block. A component named
// there drops the block's arguments, which were meant for another one; --set
// fills in its parameters. Every value that ends up deciding the search is in
// the run's manifest, from which [Resume] makes the same plan again.
package plan

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// MaxWorkers is the most architectures that are evaluated at once.
const MaxWorkers = 1024

// Options are what the command line says. Zero values mean that it says nothing.
type Options struct {
	File      string
	Search    string // a search block's name
	Space     string
	Optimizer string // "evolution", "me/x", "nasc/evolution.regularized"
	Evaluator string
	Budget    *search.Budget
	Seed      *uint64
	Settings  []Setting
	Workers   int
}

// Plan is a search that is fully decided.
type Plan struct {
	Module     *compiler.Module
	Space      *compiler.Space
	Optimizer  Part
	Evaluator  Part
	Budget     search.Budget
	Seed       uint64
	Objectives []store.Objective
	Reuse      search.Reuse
	Workers    int
	Search     string
	Warnings   diag.List

	file  string
	space string
	args  []compiler.Argument
	read  []store.SourceFile
}

// Part is the component that was chosen to propose or to judge.
type Part struct {
	Plugin    *host.Plugin
	Component wire.Component
	Settings  wire.Settings
	Seed      uint64
	Threads   int

	spans map[string]diag.Span // of its settings, by path
}

// part is what the block or the command line says of a component.
type part struct {
	kind    wire.ComponentKind
	plugin  string
	name    string
	args    []compiler.ComponentArg
	span    diag.Span
	flagged bool // named on the command line
}

// Make decides a search. The plugins it starts belong to h and end with it.
func Make(ctx context.Context, h *host.Host, m *compiler.Module, sources []store.SourceFile, o Options) (*Plan, diag.List) {
	if len(m.Spaces()) == 0 {
		_, diags := m.Space("", nil)
		return nil, diags
	}
	b, diags := block(m, o)
	if diags.HasErrors() {
		return nil, diags
	}
	p := &Plan{Module: m, file: o.File, read: sources, Workers: max(1, o.Workers), space: o.Space}
	if b != nil {
		p.Search = b.Name
		if p.space == "" || p.space == b.Space {
			p.space, p.args = b.Space, b.Args
		}
	}
	p.decide(b, o, &diags)
	optimizer := choose(wire.OptimizerKind, o.Optimizer, b, &diags)
	evaluator := choose(wire.EvaluatorKind, o.Evaluator, b, &diags)
	if diags.HasErrors() {
		return nil, diags
	}
	if diags = append(diags, p.start(ctx, h, optimizer, evaluator)...); diags.HasErrors() {
		return nil, diags
	}
	known := map[string][]string{
		optimizerScope: parameterNames(p.Optimizer.Component),
		evaluatorScope: parameterNames(p.Evaluator.Component),
		spaceScope:     m.Parameters(p.space),
		searchScope:    {"reuse"},
	}
	set, more := distribute(o.Settings, known)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags
	}
	for _, s := range set {
		if s.Scope == spaceScope {
			p.args = setArgument(p.args, s.Name, literal(s.Text))
		}
	}
	sp, more := m.Space(p.space, p.args)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags
	}
	p.Space, p.space = sp, sp.Name
	folder := filepath.Dir(o.File)
	p.Optimizer.settle(optimizer, set, folder, &diags)
	p.Evaluator.settle(evaluator, set, folder, &diags)
	p.reuse(set, &diags)
	p.objectives(b, evaluator, &diags)
	if diags.HasErrors() {
		return nil, diags
	}
	p.Optimizer.Seed = stream.Seed(p.Seed, "optimizer", 0)
	p.Evaluator.Seed = stream.Seed(p.Seed, "evaluator", 0)
	p.Evaluator.Threads = max(1, runtime.NumCPU()/p.Workers)
	p.Warnings = diags
	return p, nil
}

// block picks the search block that the options mean; nil when there is none.
func block(m *compiler.Module, o Options) (*compiler.Search, diag.List) {
	all, diags := m.Searches()
	if diags.HasErrors() {
		return nil, diags
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
		if s.Name == o.Search {
			return s, diags
		}
	}
	at := diag.Span{Start: diag.Pos{File: o.File}}
	switch {
	case o.Search != "":
		d := diags.Add(NothingChosen, at, "this file has no search `%s`", o.Search)
		if near, ok := diag.Suggest(o.Search, names); ok {
			d.Help = "did you mean `" + near + "`?"
		} else if len(names) > 0 {
			d.Help = "it has " + strings.Join(names, ", ")
		}
	case len(all) == 1:
		return all[0], diags
	case len(all) > 1 && (o.Optimizer == "" || o.Evaluator == ""):
		d := diags.Add(NothingChosen, at, "this file has %d searches: %s", len(all), strings.Join(names, ", "))
		d.Help = "choose one with `--search`"
	}
	return nil, diags
}

// decide sets what needs no plugin.
func (p *Plan) decide(b *compiler.Search, o Options, diags *diag.List) {
	switch {
	case o.Seed != nil:
		p.Seed = *o.Seed
	case b != nil && b.Seed != nil:
		p.Seed = *b.Seed
	}
	switch {
	case o.Budget != nil:
		p.Budget = *o.Budget
	case b != nil && b.Budget != nil:
		budget, err := search.NewBudget(unit(b.Budget.Kind), b.Budget.Amount)
		if err != nil {
			diags.Add("E0553", b.Budget.Span, "%v", err)
		}
		p.Budget = budget
	default:
		diags.Add(NothingChosen, diag.Span{Start: diag.Pos{File: o.File}}, "the search has no budget").Help =
			"give one with `--budget 100`, or write a search block"
	}
}

func unit(k compiler.BudgetKind) string {
	switch k {
	case compiler.Epochs:
		return search.Epochs
	case compiler.SimulatedSeconds:
		return search.Simulated
	case compiler.WallSeconds:
		return search.Wall
	}
	return search.Evaluations
}

// choose finds the component that the command line or the block names.
func choose(kind wire.ComponentKind, flag string, b *compiler.Search, diags *diag.List) part {
	if flag != "" {
		return parsePart(kind, flag)
	}
	var c *compiler.Component
	if b != nil && kind == wire.OptimizerKind {
		c = b.Optimizer
	} else if b != nil {
		c = b.Evaluator
	}
	if c == nil {
		at := diag.Span{}
		if b != nil {
			at = b.Span
		}
		diags.Add(NothingChosen, at, "the search has no %s", kind).Help = fmt.Sprintf(
			"name one with `--%s`; `nasc plugin list` shows what there is", kind)
		return part{}
	}
	return part{kind: kind, plugin: c.Plugin, name: c.Component, args: c.Args, span: c.Span}
}

// parsePart reads "plugin" or "plugin.component" from the command line.
func parsePart(kind wire.ComponentKind, flag string) part {
	plugin, name := flag, ""
	if i := strings.LastIndexByte(flag, '.'); i > strings.LastIndexByte(flag, '/') {
		plugin, name = flag[:i], flag[i+1:]
	}
	return part{kind: kind, plugin: plugin, name: name, flagged: true}
}

// start starts both plugins at once.
func (p *Plan) start(ctx context.Context, h *host.Host, optimizer, evaluator part) diag.List {
	var ofOptimizer, ofEvaluator diag.List
	var wg sync.WaitGroup
	wg.Go(func() { p.Optimizer = start(ctx, h, optimizer, &ofOptimizer) })
	wg.Go(func() { p.Evaluator = start(ctx, h, evaluator, &ofEvaluator) })
	wg.Wait()
	return append(ofOptimizer, ofEvaluator...)
}

// start starts the plugin of a part and finds its component.
func start(ctx context.Context, h *host.Host, c part, diags *diag.List) Part {
	plugin, err := h.Start(ctx, c.plugin)
	if err != nil {
		*diags = append(*diags, placed(Explain(err, ""), c.span)...)
		return Part{}
	}
	component, err := plugin.Component(c.kind, c.name)
	if err != nil {
		*diags = append(*diags, placed(Explain(err, ""), c.span)...)
		return Part{}
	}
	return Part{Plugin: plugin, Component: component}
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
func (p *Part) settle(c part, set []Setting, folder string, diags *diag.List) {
	given := wire.Settings{}
	named := map[string]bool{} // its values are names from a list
	for _, declared := range p.Component.Parameters {
		named[declared.Name] = len(declared.Choices) > 0
	}
	p.spans = map[string]diag.Span{}
	for _, a := range c.args {
		v := a.Value
		if text, ok := v.(string); ok && !named[a.Name] {
			v = path(folder, text)
		}
		given[a.Name], p.spans["parameters."+a.Name] = v, a.Span
	}
	scope := string(c.kind)
	for _, s := range set {
		if s.Scope != scope {
			continue
		}
		for _, declared := range p.Component.Parameters {
			if declared.Name == s.Name {
				v := value(declared.Type, s.Text)
				if text, ok := v.(string); ok && !named[s.Name] {
					v = path(".", text)
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
			d.Help = fmt.Sprintf("give it with `--set %s=…`", name)
		}
		*diags = append(*diags, d)
	}
	p.Settings = settings
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

func setArgument(args []compiler.Argument, name string, value any) []compiler.Argument {
	out := make([]compiler.Argument, 0, len(args)+1)
	for _, a := range args {
		if a.Name != name {
			out = append(out, a)
		}
	}
	return append(out, compiler.Argument{Name: name, Value: value})
}

// reuse decides when results are reused: by default, for equal genotypes when
// the evaluator is deterministic.
func (p *Plan) reuse(set []Setting, diags *diag.List) {
	p.Reuse = search.ReuseOff
	if p.Evaluator.Component.Deterministic {
		p.Reuse = search.ReuseGenotype
	}
	for _, s := range set {
		if s.Scope != searchScope {
			continue
		}
		switch r := search.Reuse(s.Text); r {
		case search.ReuseGenotype, search.ReuseIsomorphic, search.ReuseOff:
			p.Reuse = r
		default:
			d := diags.Add(UnknownSetting, diag.Span{}, "--set reuse=%s: there is no such kind of reuse", s.Text)
			d.Help = "kinds are genotype, isomorphic, off"
		}
	}
}

// objectives takes the block's, or else the evaluator's first metric.
func (p *Plan) objectives(b *compiler.Search, evaluator part, diags *diag.List) {
	metrics := map[string]bool{}
	var names []string
	for _, m := range p.Evaluator.Component.Metrics {
		metrics[m.Name] = true
		names = append(names, m.Name)
	}
	if len(names) == 0 {
		return // the host refuses such an evaluator
	}
	if b != nil {
		for _, o := range b.Objectives {
			if metrics[o.Metric] {
				p.Objectives = append(p.Objectives, store.Objective{Metric: o.Metric, Maximize: o.Maximize})
				continue
			}
			d := diags.Add(UnknownMetric, o.Span, "%s reports no metric `%s`", p.Evaluator.Component.Name, o.Metric)
			d.Help = "it reports " + strings.Join(names, ", ")
			if near, ok := diag.Suggest(o.Metric, names); ok {
				d.Help = "did you mean `" + near + "`?"
			}
			if evaluator.flagged { // the block was written for another evaluator
				d.Severity = diag.Warning
			}
		}
	}
	if len(p.Objectives) == 0 {
		first := p.Evaluator.Component.Metrics[0]
		p.Objectives = []store.Objective{{Metric: first.Name, Maximize: first.HigherIsBetter}}
	}
}

// Name is what the run is called unless the user says otherwise.
func (p *Plan) Name() string {
	method := p.Optimizer.Plugin.Description().Name
	method = method[strings.LastIndexByte(method, '/')+1:]
	return fmt.Sprintf("%s-%s-seed%d", p.Space.Name, method, p.Seed)
}

// Trials is how many trials the budget allows; 0 when it does not say.
func (p *Plan) Trials() int {
	if p.Budget.Unit == search.Evaluations {
		return int(math.Min(p.Budget.Amount, math.MaxInt32))
	}
	return 0
}
