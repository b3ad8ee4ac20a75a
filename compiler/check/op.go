package check

import (
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// applyOp puts a primitive operation into the plan: its signature gives the
// shape of the result, its body the cost and the algebra it obeys.
func (k *checker) applyOp(t *template, params []*syntax.Param, args []value, c context, at diag.Span) value {
	saved := k.use
	k.use = at
	defer func() { k.use = saved }()

	s := c.scope.child(t.decl.Name.Name, c.indexed)
	n := &lower.Node{Kind: lower.Op, Span: at}
	key := used{decl: t.decl, usage: usage(t, args)}
	if !k.reuse(key, n) {
		before := k.open
		if !k.signature(n, t, args, c.below(s)) {
			return bad{}
		}
		if k.open == before && n.Open == nil && n.Settle == nil {
			k.ops[key] = n
		}
	}
	for i := range params {
		switch v := args[i].(type) {
		case *tensor:
			n.Args = append(n.Args, lower.Arg{Node: c.frame.use(v)})
		case *set:
			k.spend(len(v.members), at)
			n.Args = append(n.Args, operandsOf(v, c.frame)...)
		}
	}
	return k.newNode(n, s, c)
}

// signature fills in what the signature and the body of an op say.
func (k *checker) signature(n *lower.Node, t *template, args []value, c context) bool {
	inner := c
	inner.env, inner.slot, inner.picked = t.env.child(), "", false
	k.opened = nil
	if !k.parameters(t, args, inner) {
		return false
	}
	opened := k.opened
	return k.declared(n, t, args, inner) && k.openOp(n, t, opened, c) && k.settler(n, t, c)
}

// declared fills in what the declaration of an op says of its bound parameters.
func (k *checker) declared(n *lower.Node, t *template, args []value, c context) bool {
	n.Op = &lower.Operation{Name: t.decl.Name.Name, Module: t.mod.Import(), Fold: onSet(t), Signature: &signature{k.prog, t.mod, t.decl}}
	return k.attrs(n, t, c) && k.result(n, t, args, c) && k.properties(n, t, c)
}

func (k *checker) attrs(n *lower.Node, t *template, c context) bool {
	given := map[string]bool{}
	for _, g := range t.given {
		given[g.name] = true
	}
	for _, p := range t.decl.Params {
		if isTensorParam(p) {
			continue
		}
		s, ok := c.env.here(p.Name.Name).(*scalar)
		if !ok {
			d := k.diags.Add("E0315", k.site(t), "`%s` of op `%s` is %s", p.Name.Name, t.decl.Name.Name, describe(c.env.here(p.Name.Name)))
			d.Help = "an op takes numbers, texts and truth values; make it a block, which may take operations and lists"
			return false
		}
		usual := !given[p.Name.Name]
		if !usual && p.Default != nil {
			if d, isScalar := k.silent(func() value { return k.eval(p.Default, c.freeze()) }).(*scalar); isScalar {
				usual = sym.Same(d.Scalar, s.Scalar)
			}
		}
		n.Attrs = append(n.Attrs, lower.Attr{Name: p.Name.Name, Value: s.Scalar, Default: usual})
	}
	return true
}

// result computes the shape that the signature promises.
func (k *checker) result(n *lower.Node, t *template, args []value, c context) bool {
	r := t.decl.Result
	if r != nil && !r.Shape {
		if shape, ok := k.shapeOf(r.Name, t, c); ok {
			n.Shape = shape
			return shape != nil
		}
	}
	if r == nil || !r.Shape {
		d := k.diags.Add("E0307", t.decl.Name.Span(), "op `%s` does not say the shape of its result", t.decl.Name.Name)
		d.Help = "add `-> [c, h, w]` after its parameters, or `-> x` for the shape of `x`"
		return false
	}
	for i, x := range r.Dims {
		s, ok := k.scalar(k.eval(x, c), x.Span())
		if !ok {
			return false
		}
		for _, v := range samples(s) {
			if d, isInt := v.(int64); !isInt || d < 1 || d > lower.MaxDim {
				e := k.diags.Add("E0309", k.site(t), "dimension %d of the result of `%s` would be %v", i+1, t.decl.Name.Name, v)
				e.Notes = append(e.Notes, diag.Note{Span: x.Span(), Text: "computed here"})
				if tn, isTensor := args[0].(*tensor); isTensor {
					e.Notes = append(e.Notes, diag.Note{Span: tn.node.Span, Text: "from a tensor of shape " + shapeText(tn.node.Shape)})
				}
				return false
			}
		}
		n.Shape = append(n.Shape, s)
	}
	return true
}

// shapeOf is the shape of a tensor parameter, or of all members of a set. It is
// nil after members that differ were reported.
func (k *checker) shapeOf(name string, t *template, c context) ([]*sym.Scalar, bool) {
	p := parameter(t.decl, name)
	if p == nil || !isTensorParam(p) {
		return nil, false
	}
	s, isSet := c.env.here(name).(*set)
	if !isSet {
		tn, ok := c.env.here(name).(*tensor)
		if !ok {
			return nil, false
		}
		return tn.node.Shape, true
	}
	if len(s.members) == 0 {
		k.diags.Add("E0302", k.site(t), "the set is empty, so it has no shape")
		return nil, true
	}
	rank := len(s.members[0].node.Shape)
	for _, m := range s.members[1:] {
		if len(m.node.Shape) != rank {
			k.mismatch(k.site(t), s.members[0], m)
			return nil, true
		}
	}
	shape := make([]*sym.Scalar, rank)
	dims := make([]*sym.Scalar, len(s.members))
	for j := range shape {
		for i, m := range s.members {
			dims[i] = m.node.Shape[j]
		}
		one, differs, known := common(s, dims)
		switch {
		case !known:
			k.diags.Add("E0308", k.site(t), "cannot prove that all tensors of the set have the same shape")
			return nil, true
		case differs > 0:
			k.mismatch(k.site(t), s.members[0], s.members[differs])
			return nil, true
		}
		shape[j] = one
	}
	return shape, true
}

// properties evaluates the body of an op: params, macs, its algebra, and what it
// requires of its operands.
func (k *checker) properties(n *lower.Node, t *template, c context) bool {
	for _, st := range t.decl.Body {
		switch st := st.(type) {
		case *syntax.Assign:
			s, ok := k.scalar(k.eval(st.Value, c), st.Value.Span())
			if !ok {
				return false
			}
			switch st.Name.Name {
			case "params":
				n.Params = s
			case "macs":
				n.MACs = s
			case "absent":
				n.Flags.Absent = s
			case "identity":
				n.Flags.Identity = s
			case "commutative":
				n.Flags.Commutative = s
			case "sparse", "collapses":
				if !n.Op.Fold {
					k.diags.Add("E0303", st.Span(), "`%s` is about a set of operands, and `%s` takes none", st.Name.Name, t.decl.Name.Name)
					return false
				}
				if st.Name.Name == "sparse" {
					n.Flags.Sparse = s
				} else {
					n.Flags.Collapses = s
				}
			case "settles":
				if n.Settle, ok = k.rule(s, st.Value); !ok {
					return false
				}
			default:
				c.env.bind(st.Name.Name, &scalar{s})
			}
		case *syntax.Verb:
			if st.Verb != "require" {
				k.diags.Add("E0303", st.Span(), "`%s` has no meaning in an op", st.Verb)
				return false
			}
			if !k.requirement(t, st, c) {
				return false
			}
		default:
			k.diags.Add("E0303", st.Span(), "the body of an op holds only costs, its algebra and `require`")
			return false
		}
	}
	return true
}

func (k *checker) requirement(t *template, st *syntax.Verb, c context) bool {
	s, ok := k.scalar(k.eval(st.Value, c), st.Value.Span())
	if !ok {
		return false
	}
	if k.isOpen(s, st.Value.Span(), "a requirement") {
		return false
	}
	holds, known := equal(s, sym.Const(true))
	if holds && known {
		return true
	}
	d := k.diags.Add("E0314", k.site(t), "`%s` does not accept its operands", t.decl.Name.Name)
	d.Notes = append(d.Notes, diag.Note{Span: st.Value.Span(), Text: "it requires `" + k.text(st.Value) + "`"})
	for _, p := range tensorParams(t.decl) {
		if tn, ok := c.env.here(p.Name.Name).(*tensor); ok {
			d.Notes = append(d.Notes, diag.Note{Span: tn.node.Span, Text: "`" + p.Name.Name + "` has shape " + shapeText(tn.node.Shape)})
		}
	}
	return false
}
