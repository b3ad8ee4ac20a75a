package check

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// parameters binds the parameters of a template in c.env: tensors with the
// dimensions their shapes name, then attributes, given or by default.
func (k *checker) parameters(t *template, tensors []value, c context) bool {
	e := c.env
	ok := true
	params := tensorParams(t.decl)
	for i, p := range params {
		e.bind(p.Name.Name, tensors[i])
	}
	for i, p := range params {
		if p.Type != nil && p.Type.Shape {
			if tn, isTensor := tensors[i].(*tensor); isTensor {
				ok = k.bindDims(t, p, tn, c) && ok
			}
		}
	}
	if _, isSet := e.find("prev"); !isSet && t.decl.Kind != syntax.Op {
		prev := &set{}
		for i, p := range params {
			switch v := tensors[i].(type) {
			case *tensor:
				prev.members = append(prev.members, member{tensor: v, label: p.Name.Name})
			case *set:
				prev.members = append(prev.members, v.members...)
			}
		}
		e.bind("prev", prev)
	}
	for _, p := range t.decl.Params {
		if !isTensorParam(p) {
			ok = k.bindAttribute(t, p, c) && ok
		}
	}
	for i, p := range params {
		if p.Type != nil && p.Type.Shape && ok {
			if tn, isTensor := tensors[i].(*tensor); isTensor {
				ok = k.checkDims(t, p, tn, c) && ok
			}
		}
	}
	return ok
}

// bindDims checks the rank of a tensor and binds the dimension names that are
// not parameters themselves.
func (k *checker) bindDims(t *template, p *syntax.Param, tn *tensor, c context) bool {
	if len(p.Type.Dims) != len(tn.node.Shape) {
		d := k.diags.Add("E0301", k.site(t), "`%s` needs a tensor of %s, not one of shape %s",
			t.decl.Name.Name, plural(len(p.Type.Dims), "dimension"), shapeText(tn.node.Shape))
		d.Notes = append(d.Notes,
			diag.Note{Span: p.Span(), Text: "`" + p.Name.Name + "` is declared here"},
			diag.Note{Span: tn.node.Span, Text: "the tensor of shape " + shapeText(tn.node.Shape) + " comes from here"})
		switch want, got := len(p.Type.Dims), len(tn.node.Shape); {
		case want == 1 && got == 3:
			d.Help = "`global_pool` turns [c, h, w] into [c]"
		case want == 3 && got == 4 && tn.node.Kind == lower.Input:
			d.Help = "the batch is not written: an image is `[3, 32, 32]`"
		}
		return false
	}
	for i, x := range p.Type.Dims {
		if n, ok := x.(*syntax.Name); ok && parameter(t.decl, n.Name) == nil {
			if _, bound := c.env.find(n.Name); !bound {
				c.env.bind(n.Name, &scalar{tn.node.Shape[i]})
			}
		}
	}
	return true
}

// checkDims compares every dimension that the signature determines.
func (k *checker) checkDims(t *template, p *syntax.Param, tn *tensor, c context) bool {
	for i, x := range p.Type.Dims {
		want, ok := k.scalar(k.eval(x, c.named("")), x.Span())
		if !ok {
			return false
		}
		eq, known := equal(want, tn.node.Shape[i])
		if eq {
			continue
		}
		if !known {
			k.diags.Add("E0308", k.site(t), "cannot prove that dimension %d of `%s` fits `%s`", i+1, p.Name.Name, t.decl.Name.Name)
			return false
		}
		d := k.diags.Add("E0301", k.site(t), "`%s` needs %s here, but the tensor has %s in shape %s",
			t.decl.Name.Name, want, tn.node.Shape[i], shapeText(tn.node.Shape))
		d.Notes = append(d.Notes,
			diag.Note{Span: x.Span(), Text: "the signature asks for " + want.String()},
			diag.Note{Span: tn.node.Span, Text: "the tensor of shape " + shapeText(tn.node.Shape) + " comes from here"})
		return false
	}
	return true
}

// site is where a template is used, for messages.
func (k *checker) site(t *template) diag.Span {
	if k.use.Start.Valid() {
		return k.use
	}
	return t.at
}

// bindAttribute binds one attribute: given, or its default evaluated where the
// template is declared.
func (k *checker) bindAttribute(t *template, p *syntax.Param, c context) bool {
	name := p.Name.Name
	for _, g := range t.given {
		if g.name == name {
			v, ok := k.typed(t, p, g.value, g.at)
			c.env.bind(name, v)
			return ok
		}
	}
	if t.decl.Kind == syntax.Op && resolve.LeftOpen(p) {
		v, ok := k.leftOpen(p)
		c.env.bind(name, v)
		return ok
	}
	if p.Default == nil {
		d := k.diags.Add("E0306", k.site(t), "`%s` needs a value for `%s`", t.decl.Name.Name, name)
		d.Notes = append(d.Notes, diag.Note{Span: p.Span(), Text: "it has no default"})
		if p.Type != nil {
			d.Help = fmt.Sprintf("write `%s(%s: …)`", t.decl.Name.Name, name)
		}
		c.env.bind(name, bad{})
		return false
	}
	v := k.eval(p.Default, c.named(name))
	if _, isBad := v.(bad); isBad {
		c.env.bind(name, v)
		return false
	}
	v, ok := k.typed(t, p, v, p.Default.Span())
	c.env.bind(name, v)
	return ok
}

// typed checks a value against a parameter's type: the one written, or that of
// its default.
func (k *checker) typed(t *template, p *syntax.Param, v value, at diag.Span) (value, bool) {
	if _, isBad := v.(bad); isBad {
		return v, false
	}
	want := paramType(p)
	switch want {
	case "":
		return v, true
	case "op":
		if isOp(v) {
			return v, true
		}
		return k.wrongType(t, p, want, describe(v), at)
	case "int", "real", "bool", "string":
	default:
		d := k.diags.Add("E0303", p.Type.Span(), "`%s` is not a type", want)
		d.Help = "types are int, real, bool, string, op, set and shapes such as [c, h, w]"
		return bad{}, false
	}
	s, ok := k.scalarOrNil(v, at)
	if !ok {
		return k.wrongType(t, p, want, describe(v), at)
	}
	got := ""
	for _, x := range samples(s) {
		got = kindOf(x)
		if got != want && !(want == "real" && got == "int") {
			return k.wrongType(t, p, want, got, at)
		}
	}
	if want == "real" && got == "int" {
		return k.apply1("*", at, &scalar{s}, &scalar{sym.Const(1.0)}), true
	}
	return &scalar{s}, true
}

func (k *checker) scalarOrNil(v value, at diag.Span) (*sym.Scalar, bool) {
	switch v := v.(type) {
	case *scalar:
		return v.Scalar, true
	case *extents:
		return k.oneExtent(v, at)
	}
	return nil, false
}

func (k *checker) wrongType(t *template, p *syntax.Param, want, got string, at diag.Span) (value, bool) {
	d := k.diags.Add("E0303", at, "`%s` of `%s` is %s, not %s", p.Name.Name, t.decl.Name.Name, want, got)
	d.Notes = append(d.Notes, diag.Note{Span: p.Span(), Text: "declared here"})
	return bad{}, false
}

// paramType is the type of an attribute, from its annotation or its default.
func paramType(p *syntax.Param) string {
	if p.Type != nil {
		return p.Type.Name
	}
	switch x := unparen(p.Default).(type) {
	case *syntax.Number:
		if x.IsInt {
			return "int"
		}
		return "real"
	case *syntax.Bool:
		return "bool"
	case *syntax.String:
		return "string"
	case *syntax.Range:
		return "int"
	}
	return ""
}

// samples lists the constants that a scalar can be, as far as it is a table.
func samples(s *sym.Scalar) []any {
	if v, ok := s.Value(); ok {
		return []any{v}
	}
	var out []any
	if _, cases, ok := s.Table(); ok {
		for _, c := range cases {
			out = append(out, samples(c)...)
		}
	}
	return out
}
