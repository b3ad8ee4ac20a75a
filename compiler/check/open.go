package check

import (
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/stdlib/widths"
)

// leftOpen is the value of an attribute that says `= open`: an unknown, which an
// op of the same body settles when an architecture is bound.
func (k *checker) leftOpen(p *syntax.Param) (value, bool) {
	if p.Type == nil || p.Type.Name != "int" {
		d := k.diags.Add("E0323", p.Span(), "`%s` cannot be left open: only whole numbers are settled", p.Name.Name)
		d.Help = "write `" + p.Name.Name + ": int = open`"
		return bad{}, false
	}
	d := &space.Decision{Address: p.Name.Name}
	k.opened = append(k.opened, d)
	return &scalar{sym.Unknown(d)}, true
}

// openOp notes that an op has left an attribute open.
func (k *checker) openOp(n *lower.Node, t *template, opened []*space.Decision, c context) bool {
	switch len(opened) {
	case 0:
		return true
	case 1:
		n.Open = opened[0]
		c.frame.open = append(c.frame.open, n)
		return true
	}
	var names []string
	for _, d := range opened {
		names = append(names, "`"+d.Address+"`")
	}
	k.diags.Add("E0323", t.decl.Name.Span(), "op `%s` leaves %s open; a rule settles one attribute of an op",
		t.decl.Name.Name, strings.Join(names, " and "))
	return false
}

// rule finds the rule that `settles = "…"` names.
func (k *checker) rule(s *sym.Scalar, at syntax.Expr) (widths.Rule, bool) {
	v, _ := s.Value()
	name, ok := v.(string)
	if !ok {
		k.diags.Add("E0321", at.Span(), "`settles` is the name of a rule, a text")
		return nil, false
	}
	r, ok := widths.Find(name)
	if !ok {
		d := k.diags.Add("E0321", at.Span(), "there is no rule %q for what is left open", name)
		d.Notes = append(d.Notes, diag.Note{Text: "the rules are " + strings.Join(widths.Names(), ", ")})
		if best, found := diag.Suggest(name, widths.Names()); found {
			d.Help = "did you mean \"" + best + "\"?"
		}
	}
	return r, ok
}

// settler makes n the operation that settles its body, if its op settles.
func (k *checker) settler(n *lower.Node, t *template, c context) bool {
	if n.Settle == nil {
		return true
	}
	b := c.frame.body
	if b.Settler != nil {
		d := k.diags.Add("E0322", n.Span, "a second operation would settle `%s`", b.Name)
		d.Notes = append(d.Notes, diag.Note{Span: b.Settler.Span, Text: "the first is this `" + b.Settler.Op.Name + "`"})
		return false
	}
	if len(n.Shape) == 0 || k.isOpen(n.Shape[0], n.Span, "the width from which `"+t.decl.Name.Name+"` settles") {
		return false
	}
	b.Settler = n
	return true
}

// settled reports whether nothing in a body stays open.
func (k *checker) settled(f *frame) bool {
	if len(f.open) == 0 || f.body.Settler != nil {
		return true
	}
	n := f.open[0]
	d := k.diags.Add("E0320", n.Span, "`%s` leaves `%s` open, and nothing in `%s` settles it", n.Op.Name, n.Open.Address, f.body.Name)
	d.Help = "give `" + n.Open.Address + "` a value, or end the body with an op that says `settles = …`"
	return false
}

// isOpen reports a number that must be known but is settled only when an
// architecture is bound.
func (k *checker) isOpen(s *sym.Scalar, at diag.Span, what string) bool {
	if !s.Open() || len(s.Measures()) > 0 {
		return false
	}
	d := k.diags.Add("E0323", at, "%s cannot depend on what an op leaves open", what)
	d.Notes = append(d.Notes, diag.Note{Text: "it is settled when an architecture is built"})
	return true
}
