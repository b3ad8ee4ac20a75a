package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
)

// An evaluator that the command line names takes the place of the block's, and what the block
// says of how architectures are judged goes on to hold: `--evaluator torch/train` trains on the
// data and as long as the train of the file would have. So settings carry over, where both
// evaluators declare them alike. By that a table's data, which is a file of results, is known
// from the folder of images that training has under the same name. An optimizer that the
// command line names is another method, and starts from its defaults.

// replaced is what the block says of the component of a scope that a flag names; nil:
// nothing, or several things, as a warning tells.
func (c chooser) replaced(scope, flag string) (says *compiler.Component) {
	switch b := c.block; {
	case b == nil:
		return nil
	case scope == evaluatorScope:
		says = b.Evaluator
	case scope == reportScope:
		says = b.Report
	default:
		return nil
	}
	if says == nil && (Options{}).things(c.block, scope) > 1 {
		d := c.diags.Add(UnknownSetting, c.block.Span, "the search says several things of the %s, and none of them holds for %s", scope, flag)
		d.Severity, d.Help = diag.Warning, "say it with --set"
	}
	return says
}

// things is how many things a block says of a scope, but for what --set gives. If it is one,
// it is of use where a flag names another component. 0: it is not known.
func (o Options) things(b *compiler.Search, scope string) int {
	g, diags := b.Grid(func(setting string) bool {
		of, _, _ := strings.Cut(setting, ".")
		return of != scope || o.sets(setting)
	})
	if g == nil || diags.HasErrors() {
		return 0
	}
	return g.Size()
}

// carry hands what the block says of the evaluator that a part replaces to the part. A
// warning tells what is left out.
func (s *stock) carry(ctx context.Context, h *host.Host, c *part, to Part, diags *diag.List) {
	was := c.replaces
	if was == nil || len(was.Args) == 0 || diags.HasErrors() {
		return
	}
	name := to.Plugin.Description().Name
	before := to.Component
	if was.Plugin != name || was.Component != "" && was.Component != before.Name {
		var err error
		if before, err = s.declared(ctx, h, was); err != nil {
			d := diags.Add(UnknownSetting, was.Span, "what the search says of %s does not hold for %s: %v", was.Plugin, name, err)
			d.Severity, d.Help = diag.Warning, "say it with --set"
			return
		}
	}
	for _, a := range was.Args {
		if alike(before, to.Component, a.Name) {
			c.args = append(c.args, a)
			continue
		}
		d := diags.Add(UnknownSetting, a.Span, "%s has no setting like the %s of %s, which is left out", name, a.Name, was.Plugin)
		d.Severity, d.Help = diag.Warning, fmt.Sprintf("`nasc plugin info %s` lists those that it has, for --set", name)
	}
}

// declared is the component that a block names, as its plugin declares it.
func (s *stock) declared(ctx context.Context, h *host.Host, c *compiler.Component) (wire.Component, error) {
	key := c.Plugin + "." + c.Component
	if known, ok := s.replaced[key]; ok {
		return known, nil
	}
	p, err := h.Start(ctx, c.Plugin)
	if err != nil {
		return wire.Component{}, err
	}
	defer p.Close()
	component, err := p.Component(wire.EvaluatorKind, c.Component)
	if err == nil {
		s.replaced[key] = component
	}
	return component, err
}

// alike reports whether two components declare a setting with the same type, default and
// choices.
func alike(a, b wire.Component, name string) bool {
	called := func(p wire.Parameter) bool { return p.Name == name }
	i, k := slices.IndexFunc(a.Parameters, called), slices.IndexFunc(b.Parameters, called)
	if i < 0 || k < 0 {
		return false
	}
	p, q := a.Parameters[i], b.Parameters[k]
	return p.Type == q.Type && p.Default == q.Default && slices.Equal(p.Choices, q.Choices)
}
