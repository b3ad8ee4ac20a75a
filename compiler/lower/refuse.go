package lower

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
)

// refuse reports that a decision cannot be relaxed, with the first reason found.
func (r *relaxer) refuse(d *space.Decision, format string, args ...any) *diag.Diagnostic {
	if r.refused[d] {
		return nil
	}
	r.refused[d] = true
	out := r.diags.Add("E0540", diag.Span{Start: d.Pos}, "`%s` cannot be relaxed: %s", d.Address, fmt.Sprintf(format, args...))
	out.Help = "a space that has it decided can be relaxed; a black-box optimizer searches this one as it is"
	return out
}

// repeats is why a depth cannot be relaxed.
const repeats = "it decides how often something is repeated, and a supernet has every repetition"

// refuseShape refuses a decision that the shape of a tensor depends on.
func (r *relaxer) refuseShape(d *space.Decision, n *Node) {
	if d.Kind == space.Depth {
		r.refuse(d, "%s", repeats)
		return
	}
	r.refuse(d, "it decides the shape of `%s`, and tensors of several shapes cannot be added up", n.Name)
}

// refuseChoice refuses a selection that is no choice among operations.
func (r *relaxer) refuseChoice(n *Node) bool {
	switch n.On.Kind {
	case space.Depth:
		r.refuse(n.On, "%s", repeats)
	case space.Subset:
		r.refuse(n.On, "`%s` depends on which edges there are, and every edge is there in a supernet", n.Name)
	default:
		return false
	}
	return true
}

// requirements refuses what a requirement is about: it holds of an architecture,
// and a supernet holds those outside as well.
func (r *relaxer) requirements() {
	seen := map[diag.Span]bool{}
	for _, q := range r.plan.Requires {
		if seen[q.Span] {
			continue
		}
		seen[q.Span] = true
		on := q.Cond.Decisions()
		if len(on) == 0 {
			on = r.within(q.body, nil, map[*Body]bool{})
		}
		if len(on) == 0 {
			continue
		}
		r.refused[on[0]] = true
		parts := r.violated(q)
		text := "`" + strings.Join(parts, "` and `") + "`"
		verb := "forbids"
		if len(parts) > 1 {
			verb = "forbid"
		}
		d := r.diags.Add("E0540", diag.Span{Start: on[0].Pos}, "`%s` cannot be relaxed: %s %s some architectures, and a supernet holds them all", on[0].Address, text, verb)
		d.Notes = append(d.Notes, diag.Note{Span: q.Span, Text: "required here"})
		d.Help = "relax a space that has only what is allowed; a black-box optimizer searches this one as it is"
	}
}

// violated are the parts of a requirement that the architecture with every edge
// does not meet, or all of them.
func (r *relaxer) violated(q *Requirement) []string {
	parts := q.Parts
	if len(parts) == 0 {
		parts = []Part{{q.Cond, q.Text}}
	}
	g := make(space.Genotype, len(r.plan.Space.Decisions))
	for i, d := range r.plan.Space.Decisions {
		g[i] = r.taken(d)
	}
	b := r.plan.binder(g)
	defer b.done()
	m := Metrics{}
	if built, err := b.body(q.body); err == nil {
		m.bound = built
	}
	var out, all []string
	for _, p := range parts {
		all = append(all, p.Text)
		v, err := p.Cond.EvalWith(r.taken, func(name string) (int64, error) {
			if m.bound == nil {
				return 0, fmt.Errorf("`%s` is not known", name)
			}
			return m.Of(name)
		})
		if err == nil && v == false {
			out = append(out, p.Text)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// within lists the decisions of a body and of those that it calls.
func (r *relaxer) within(b *Body, on []*space.Decision, done map[*Body]bool) []*space.Decision {
	if done[b] {
		return on
	}
	done[b] = true
	var visit func(n *Node)
	seen := map[*Node]bool{}
	visit = func(n *Node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true
		for s := range n.scalars {
			on = with(on, s.Decisions()...)
		}
		if n.Kind == Select {
			on = with(on, n.On)
		}
		for _, a := range n.Args {
			for _, item := range a.When {
				on = with(on, item.On)
			}
			visit(a.Node)
		}
		for _, c := range n.Cases {
			visit(c)
		}
		if n.Body != nil {
			on = r.within(n.Body, on, done)
		}
	}
	for _, n := range b.Nodes {
		visit(n)
	}
	visit(b.Output)
	return on
}
