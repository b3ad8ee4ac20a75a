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
	"cmp"
	"context"
	"fmt"
	"math/big"
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

// Limits of what the command line may ask for.
const (
	MaxWorkers = 1024      // architectures that are evaluated at once
	MaxBatch   = 1_000_000 // architectures that are proposed at once
)

// endingBatch is how many architectures are proposed at once by an optimizer that
// goes through them whatever it is told, so that batches of any size give the same.
const endingBatch = 1000

// Options are what the command line says. Zero values mean that it says nothing.
type Options struct {
	File      string
	Folder    string         `json:",omitempty"` // to which relative paths are relative; empty: the working directory
	Search    string         `json:",omitempty"` // a search block's name
	Space     string         `json:",omitempty"`
	Optimizer string         `json:",omitempty"` // "evolution", "me/x", "nasc/evolution.regularized"
	Evaluator string         `json:",omitempty"`
	Budget    *search.Budget `json:",omitempty"`
	Seed      *uint64        `json:",omitempty"`
	Settings  []Setting      `json:",omitempty"`
	Workers   int
	Batch     int // architectures that are proposed at once; 0: as many as workers
}

// Plan is a search that is fully decided.
type Plan struct {
	Module       *compiler.Module
	Space        *compiled
	Optimizer    Part
	Evaluator    Part
	Budget       search.Budget
	Seed         uint64
	Objectives   []store.Objective
	Requirements []*compiler.Requirement
	Retrain      *compiled // nil: the winner is tested as it is
	Reuse        search.Reuse
	Workers      int
	Batch        int
	Search       string
	Warnings     diag.List

	file     string
	analytic []string // metrics that nasc computes
	stock    *stock
	read     []store.SourceFile
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
	b, diags := point(m, o)
	if diags.HasErrors() {
		return nil, diags
	}
	p, more := newStock().plan(ctx, h, m, sources, b, o)
	return p, append(diags, more...)
}

// plan decides a search of a block, of which nothing is swept any more, with what
// there is already.
func (s *stock) plan(ctx context.Context, h *host.Host, m *compiler.Module, sources []store.SourceFile, b *compiler.Search, o Options) (*Plan, diag.List) {
	var diags diag.List
	if b == nil && len(m.Spaces()) == 0 {
		_, diags := m.Space("", nil)
		return nil, diags
	}
	p := &Plan{Module: m, file: o.File, read: sources, Workers: max(1, o.Workers), stock: s}
	p.Batch = cmp.Or(o.Batch, p.Workers)
	name := o.Space
	var args []compiler.Argument
	if b != nil {
		p.Search = b.Name
		if name == "" || name == b.Space {
			name, args = b.Space, b.Args
		}
	}
	p.decide(b, o, &diags)
	optimizer := choose(wire.OptimizerKind, o.Optimizer, b, &diags)
	evaluator := choose(wire.EvaluatorKind, o.Evaluator, b, &diags)
	if diags.HasErrors() {
		p.budgeted(b, o, &diags)
		return nil, diags
	}
	if diags = append(diags, p.start(ctx, h, optimizer, evaluator)...); diags.HasErrors() {
		return nil, diags
	}
	if !p.Optimizer.Component.Ends {
		if p.budgeted(b, o, &diags); diags.HasErrors() {
			return nil, diags
		}
	}
	known := map[string][]string{
		optimizerScope: parameterNames(p.Optimizer.Component),
		evaluatorScope: parameterNames(p.Evaluator.Component),
		spaceScope:     m.Parameters(name),
		searchScope:    {"reuse"},
	}
	if b != nil && b.Retrain != nil {
		known[retrainScope] = m.Parameters(b.Retrain.Space)
	}
	set, more := distribute(o.Settings, known)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags
	}
	for _, s := range set {
		if s.Scope == spaceScope {
			args = setArgument(args, s.Name, literal(s.Text))
		}
	}
	p.Space, more = s.space(m, name, args)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags
	}
	if p.Optimizer.Component.Ends && o.Batch == 0 && (p.Budget.Unit == "" || p.Budget.Unit == search.Evaluations) {
		p.Batch = max(p.Workers, endingBatch)
	}
	if p.Budget.Unit == "" { // the optimizer ends at the latest with the space
		size, _ := new(big.Float).SetInt(p.Space.Size()).Float64()
		p.Budget = search.Budget{Unit: search.Evaluations, Amount: min(size, search.MostEvaluations)}
	}
	p.Optimizer.settle(optimizer, set, o, &diags)
	p.Evaluator.settle(evaluator, set, o, &diags)
	s.describe(ctx, &p.Evaluator, &diags)
	p.reuse(set, &diags)
	p.measures(b, evaluator, &diags)
	p.again(b, set, &diags)
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

// point is the search block that the options mean, at the first point of its grid.
func point(m *compiler.Module, o Options) (*compiler.Search, diag.List) {
	b, diags := block(m, o)
	if b == nil || diags.HasErrors() {
		return b, diags
	}
	g, more := b.Grid(o.fixes(b))
	if diags = append(diags, more...); g == nil {
		return nil, diags
	}
	p, more := g.At(0)
	diags = append(diags, more...)
	return p.Search, diags
}

// fixes tells which settings of a block the options give a value.
func (o Options) fixes(b *compiler.Search) compiler.Fixed {
	return func(setting string) bool {
		scope, name, _ := strings.Cut(setting, ".")
		for _, s := range o.Settings {
			if name != "" && s.Name == name && (s.Scope == scope || s.Scope == "" && scope != retrainScope) {
				return true
			}
		}
		switch setting {
		case "seed":
			return o.Seed != nil
		case "budget":
			return o.Budget != nil
		case optimizerScope:
			return o.Optimizer != ""
		case evaluatorScope:
			return o.Evaluator != ""
		}
		return false
	}
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
	case b != nil && b.Budget != nil && b.Budget.Kind == compiler.GPUSeconds:
		diags.Add("E0553", b.Budget.Span, "no evaluator here measures the time of GPUs").Help =
			"count real time with wall(24h), or training with epochs(500)"
	case b != nil && b.Budget != nil:
		budget, err := search.NewBudget(unit(b.Budget.Kind), b.Budget.Amount)
		if err != nil {
			diags.Add("E0553", b.Budget.Span, "%v", err)
		}
		p.Budget = budget
	}
}

// budgeted demands that the file or the command line give a budget.
func (p *Plan) budgeted(b *compiler.Search, o Options, diags *diag.List) {
	if o.Budget == nil && (b == nil || b.Budget == nil) {
		diags.Add(NothingChosen, diag.Span{Start: diag.Pos{File: p.file}}, "the search has no budget").Help =
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

// start starts both plugins at once, unless they are there already.
func (p *Plan) start(ctx context.Context, h *host.Host, optimizer, evaluator part) diag.List {
	var ofOptimizer, ofEvaluator diag.List
	proposes, judges := p.stock.claim(optimizer.plugin), p.stock.claim(evaluator.plugin)
	var wg sync.WaitGroup
	wg.Go(func() { p.Optimizer = start(ctx, h, proposes, optimizer, &ofOptimizer) })
	wg.Go(func() { p.Evaluator = start(ctx, h, judges, evaluator, &ofEvaluator) })
	wg.Wait()
	return append(ofOptimizer, ofEvaluator...)
}

// start starts the plugin of a part and finds its component.
func start(ctx context.Context, h *host.Host, s *started, c part, diags *diag.List) Part {
	plugin, err := s.start(ctx, h, c.plugin)
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
			if near, ok := diag.Suggest(s.Text, []string{string(search.ReuseGenotype), string(search.ReuseIsomorphic), string(search.ReuseOff)}); ok {
				d.Help = "did you mean `" + near + "`?"
			}
		}
	}
}

// Name is what the run is called unless the user says otherwise.
func (p *Plan) Name() string {
	method := p.Optimizer.Plugin.Description().Name
	method = method[strings.LastIndexByte(method, '/')+1:]
	return fmt.Sprintf("%s-%s-seed%d", p.Space.Name, method, p.Seed)
}
