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
	"runtime"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
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
	Optimizer string         `json:",omitempty"` // "evolution", "me/x", "nasc/evolution.regularized", "gdas"
	Evaluator string         `json:",omitempty"`
	Retrain   string         `json:",omitempty"` // the space in which the winner is tested; "none": as it was found
	Report    string         `json:",omitempty"` // what tests the winner; "none": the evaluator
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
	Report       *Part          // nil: the evaluator tests the winner
	Operations   []*host.Plugin // that compute operations of architectures
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
	c := chooser{m, b, h.Names(), &diags}
	optimizer := c.choose(optimizerScope, o.Optimizer)
	evaluator := c.choose(evaluatorScope, o.Evaluator)
	report := c.report(o.Report)
	if diags.HasErrors() {
		p.budgeted(b, o, &diags)
		return nil, diags
	}
	if diags = append(diags, p.start(ctx, h, optimizer, evaluator, report)...); diags.HasErrors() {
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
	if p.oneShot() {
		if p.paired(b, o, evaluator, &diags); diags.HasErrors() {
			return nil, diags
		}
		known[searchScope] = nil // an architecture of a supernet is judged as often as it is derived
	}
	if p.Report != nil {
		known[reportScope] = parameterNames(p.Report.Component)
	}
	retrain := o.retrain(b)
	if retrain != nil {
		known[retrainScope] = m.Parameters(retrain.Space)
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
	s.carry(ctx, h, &evaluator, p.Evaluator, &diags)
	p.Evaluator.settle(evaluator, set, o, &diags)
	s.describe(ctx, &p.Evaluator, &diags)
	if p.Report != nil {
		s.carry(ctx, h, report, *p.Report, &diags)
		p.Report.settle(*report, set, o, &diags)
		s.describe(ctx, p.Report, &diags)
		p.reports(*report, &diags)
	}
	if p.oneShot() {
		p.relaxable(&diags)
	}
	p.reuse(set, &diags)
	p.measures(b, evaluator, &diags)
	p.again(retrain, set, &diags)
	if diags.HasErrors() {
		return nil, diags
	}
	if p.compute(ctx, h, &diags); diags.HasErrors() {
		return nil, diags
	}
	p.Optimizer.Seed = stream.Seed(p.Seed, "optimizer", 0)
	p.Evaluator.Seed = stream.Seed(p.Seed, "evaluator", 0)
	p.Evaluator.Threads = max(1, runtime.NumCPU()/p.Workers)
	if p.Report != nil {
		p.Report.Seed, p.Report.Threads = stream.Seed(p.Seed, reportScope, 0), p.Evaluator.Threads
	}
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
		if o.sets(setting) {
			return true
		}
		switch scope := setting; scope {
		case "seed":
			return o.Seed != nil
		case "budget":
			return o.Budget != nil
		case optimizerScope:
			return o.Optimizer != ""
		case evaluatorScope:
			return o.Evaluator != "" && o.things(b, scope) != 1
		case reportScope:
			return o.Report == nothing || o.Report != "" && o.things(b, scope) != 1
		case retrainScope:
			return o.Retrain != ""
		}
		return false
	}
}

// sets reports whether a setting of a component or a space is given by --set.
func (o Options) sets(setting string) bool {
	scope, name, _ := strings.Cut(setting, ".")
	name = name[strings.LastIndexByte(name, '.')+1:] // whatever slot it belongs to
	for _, s := range o.Settings {
		if name != "" && s.Name == name && (s.Scope == scope || s.Scope == "" && !qualified[scope]) {
			return true
		}
	}
	return false
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
		amount := "100"
		if p.oneShot() {
			amount = "50epochs"
		}
		diags.Add(NothingChosen, diag.Span{Start: diag.Pos{File: p.file}}, "the search has no budget").Help =
			"give one with `--budget " + amount + "`, or write a search block"
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
	if p.Evaluator.Component.Deterministic && !p.oneShot() {
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
	method = cmp.Or(p.Optimizer.method, method[strings.LastIndexByte(method, '/')+1:])
	return fmt.Sprintf("%s-%s-seed%d", p.Space.Name, method, p.Seed)
}
