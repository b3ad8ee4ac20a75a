package plan

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// EvalOptions are what the command line says of a single evaluation.
type EvalOptions struct {
	File         string
	Search       string
	Space        string
	Evaluator    string
	Architecture string
	Read         resolve.Reader // of files
	Settings     []Setting
	Seed         uint64
	Test         bool
}

// Evaluation is what an evaluator says of one architecture.
type Evaluation struct {
	Split    string             `json:"split"` // validation or test
	Metrics  map[string]float64 `json:"metrics"`
	Units    map[string]string  `json:"units,omitempty"`
	Genotype string             `json:"genotype"`
	Hash     string             `json:"hash"`
	Params   int64              `json:"params"`
	MACs     int64              `json:"macs"`

	source func(string) []byte
}

// Source gives the text that diagnostics of an evaluation are about: that of
// the file, or of the architecture when it is .nas text.
func (e *Evaluation) Source(m *compiler.Module) func(string) []byte {
	return func(file string) []byte {
		if text := m.Source(file); text != nil || e == nil || e.source == nil {
			return text
		}
		return e.source(file)
	}
}

// Evaluate judges one architecture. The evaluator gets the seeds that the first
// trial of a run with the same seed would get.
func Evaluate(ctx context.Context, h *host.Host, m *compiler.Module, o EvalOptions, progress func(wire.Progress)) (*Evaluation, diag.List) {
	out := &Evaluation{Split: "validation", Units: map[string]string{}}
	said := Options{File: o.File, Search: o.Search, Optimizer: "none", Evaluator: o.Evaluator, Settings: o.Settings}
	b, diags := block(m, said)
	if b != nil && !diags.HasErrors() {
		b, diags = judging(b, said)
	}
	if diags.HasErrors() {
		return out, diags
	}
	c := chooser{m, b, h.Names(), &diags}.choose(evaluatorScope, o.Evaluator)
	if diags.HasErrors() {
		return out, diags
	}
	name := o.Space
	var args []compiler.Argument
	if b != nil && (name == "" || name == b.Space) {
		name, args = b.Space, b.Args
	}
	p := start(ctx, h, &started{}, c, &diags)
	if diags.HasErrors() {
		return out, diags
	}
	set, more := distribute(o.Settings, map[string][]string{
		evaluatorScope: parameterNames(p.Component), spaceScope: m.Parameters(name)})
	if diags = append(diags, more...); diags.HasErrors() {
		return out, diags
	}
	for _, s := range set {
		if s.Scope == spaceScope {
			args = setArgument(args, s.Name, literal(s.Text))
		}
	}
	sp, more := m.Space(name, args)
	if diags = append(diags, more...); diags.HasErrors() {
		return out, diags
	}
	newStock().carry(ctx, h, &c, p, &diags)
	p.settle(c, set, said, &diags)
	if diags.HasErrors() {
		return out, diags
	}
	warnings := diags
	var computing []*host.Plugin
	if p.Component.Operations {
		if computing = newStock().operations(ctx, h, m, &diags); diags.HasErrors() {
			return out, diags
		}
	}
	e, err := p.Plugin.Evaluator(ctx, host.EvaluatorConfig{Component: p.Component.Name, Settings: p.Settings,
		Seed: stream.Seed(o.Seed, "evaluator", 0), Threads: runtime.NumCPU(), Operations: computing})
	if err != nil {
		return out, p.place(Explain(err, ""))
	}
	p.Component = e.Component()
	a, diags := ReadArchitecture(sp, o.Architecture, o.Read, func(text string) (space.Genotype, bool, error) {
		return e.Resolve(ctx, text, sp.Space)
	})
	if a != nil && a.Module != nil {
		out.source = a.Module.Source
	}
	if diags.HasErrors() {
		return out, diags
	}
	out.Genotype, out.Hash = a.Space.Format(a.Genotype), a.Graph.Hash().String()
	out.Params, out.MACs = a.Graph.Params(), a.Graph.MACs()
	return out, append(warnings, out.judge(ctx, e, p, wire.Job{Graph: wire.OneGraph(a.Graph), Seed: stream.Seed(o.Seed, "trial", 0)}, o.Test, progress)...)
}

// judging is what a search block says of the evaluator and the space, which must
// be one thing.
func judging(b *compiler.Search, o Options) (*compiler.Search, diag.List) {
	said := o.fixes(b)
	g, diags := b.Grid(func(setting string) bool {
		scope, _, _ := strings.Cut(setting, ".")
		return scope != evaluatorScope && scope != spaceScope || said(setting)
	})
	if g == nil {
		return nil, diags
	}
	if n := g.Size(); n > 1 {
		d := diags.Add(NothingChosen, b.Span, "the search says %d things of the evaluator and the space", n)
		for _, a := range g.Axes {
			d.Notes = append(d.Notes, diag.Note{Span: a.Span, Text: "`" + a.Name + "` is swept"})
		}
		d.Help = "choose with `--set " + g.Axes[0].Name + "=…` or `--evaluator`"
		return nil, diags
	}
	p, more := g.At(0)
	return p.Search, append(diags, more...)
}

func (e *Evaluation) judge(ctx context.Context, h *host.Evaluator, p Part, job wire.Job, test bool, progress func(wire.Progress)) diag.List {
	declared := p.Component.Metrics
	var err error
	if test {
		e.Split, declared = "test", p.Component.TestMetrics
		var result wire.TestMetrics
		result, err = h.Test(ctx, job, progress)
		e.Metrics = result.Values
	} else {
		var result wire.ValidationMetrics
		result, err = h.Evaluate(ctx, job, progress)
		e.Metrics = result.Values
	}
	for _, m := range declared {
		if m.Unit != "" {
			e.Units[m.Name] = m.Unit
		}
	}
	var own *wire.Problem
	if errors.As(err, &own) {
		return diag.List{{Code: NoArchitecture, Message: fmt.Sprintf("the evaluator cannot judge this architecture: %s", own.Message),
			Help: own.Help, Source: h.Source()}}
	}
	return Explain(err, "")
}
