package check

import (
	"slices"

	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// call evaluates f(args): attributes by name make a more specific operation,
// tensors by position apply it.
func (k *checker) call(e *syntax.Call, c context) value {
	if n, ok := unparen(e.Fun).(*syntax.Name); ok {
		if v, done := k.numeric(e, n, c); done {
			return v
		}
	}
	var given []value
	failed := false
	read := func(fun value) {
		for _, a := range e.Args {
			if a.Name == nil {
				v, ok := k.operand(fun, a, c)
				given = append(given, v)
				failed = failed || !ok
			}
		}
	}
	here := c.named("")
	early := k.mayBeAbsent(e.Fun, c)
	if early { // whether absent operations are among the candidates depends on the operands
		read(nil)
		here.picked = c.picked || slices.ContainsFunc(given, anyPicked)
	}
	fun := k.eval(e.Fun, here)
	if isBad(fun) {
		return fun
	}
	if !isOp(fun) {
		k.diags.Add("E0304", e.Fun.Span(), "%s cannot be called", describe(fun))
		return bad{}
	}
	op, ok := k.attributes(fun, e, c)
	if !ok {
		return bad{}
	}
	if !early {
		read(fun)
	}
	switch {
	case failed:
		return bad{}
	case len(given) == 0:
		return op
	}
	c.slot = ""
	return k.applyTo(op, operands{given: given}, c, e.Span())
}

// operand evaluates an argument by position, which is a tensor or a set of them.
func (k *checker) operand(fun value, a *syntax.Arg, c context) (value, bool) {
	v := k.argument(a, c)
	switch v.(type) {
	case bad:
		return v, false
	case *tensor, *set:
		return v, true
	}
	d := k.diags.Add("E0304", a.Value.Span(), "arguments by position are tensors; this is %s", describe(v))
	if t, ok := fun.(*template); ok && len(attributeNames(t.decl)) > 0 {
		d.Help = "give attributes by name, as in `" + attributeNames(t.decl)[0] + ": …`"
	}
	return v, false
}

// mayBeAbsent reports whether an expression is a choice in place with an absent
// operation among its alternatives.
func (k *checker) mayBeAbsent(e syntax.Expr, c context) bool {
	choice, ok := unparen(e).(*syntax.Choice)
	return ok && slices.ContainsFunc(choice.Alts, func(a syntax.Alt) bool {
		return k.absent(candidate{expr: a.Value}, c)
	})
}

// anyPicked reports whether v is a set with a member that `k of` picked.
func anyPicked(v value) bool {
	s, ok := v.(*set)
	return ok && slices.ContainsFunc(s.members, func(m member) bool { return m.picked })
}

// attributes attaches the named arguments of a call to an operation.
func (k *checker) attributes(fun value, e *syntax.Call, c context) (value, bool) {
	named := e.Args
	if slices.ContainsFunc(named, func(a *syntax.Arg) bool { return a.Name == nil }) {
		named = slices.DeleteFunc(slices.Clone(named), func(a *syntax.Arg) bool { return a.Name == nil })
	}
	if len(named) == 0 {
		return fun, true
	}
	t, ok := fun.(*template)
	if !ok {
		k.diags.Add("E0202", named[0].Span(), "only a declared op, block or cell takes attributes")
		return nil, false
	}
	out := *t
	out.at = e.Span()
	out.given = append(make([]attribute, 0, len(t.given)+len(named)), t.given...)
	failed := false
	for _, a := range named {
		p := parameter(t.decl, a.Name.Name)
		if p == nil || isTensorParam(p) {
			k.unknownAttribute(t.decl, a, p)
			failed = true
			continue
		}
		if i := slices.IndexFunc(out.given, func(g attribute) bool { return g.name == a.Name.Name }); i >= 0 {
			d := k.diags.Add("E0203", a.Name.Span(), "`%s` is given twice", a.Name.Name)
			d.Notes = append(d.Notes, diag.Note{Span: out.given[i].at, Text: "first given here"})
			failed = true
			continue
		}
		v := k.eval(a.Value, c.named(a.Name.Name))
		if _, isBad := v.(bad); isBad {
			failed = true
			continue
		}
		out.given = append(out.given, attribute{a.Name.Name, v, a.Value.Span()})
	}
	return &out, !failed
}

func (k *checker) unknownAttribute(t *syntax.Template, a *syntax.Arg, p *syntax.Param) {
	if p != nil {
		d := k.diags.Add("E0202", a.Name.Span(), "`%s` is a tensor of `%s` and is given by position", a.Name.Name, t.Name.Name)
		d.Help = "write `" + t.Name.Name + "(" + k.text(a.Value) + ")`"
		return
	}
	resolve.UnknownAttribute(&k.diags, t, a.Name)
}

func parameter(t *syntax.Template, name string) *syntax.Param {
	for _, p := range t.Params {
		if p.Name.Name == name {
			return p
		}
	}
	return nil
}

func attributeNames(t *syntax.Template) []string {
	var out []string
	for _, p := range t.Params {
		if !isTensorParam(p) {
			out = append(out, p.Name.Name)
		}
	}
	return out
}

// isTensorParam reports whether a parameter is a tensor or a set of tensors: it
// has a shape, the type set, or neither type nor default.
func isTensorParam(p *syntax.Param) bool {
	if p.Type == nil {
		return p.Default == nil
	}
	return p.Type.Shape || p.Type.Name == "set"
}

func isSetParam(p *syntax.Param) bool {
	return p.Type != nil && !p.Type.Shape && p.Type.Name == "set"
}

func tensorParams(t *syntax.Template) []*syntax.Param {
	var out []*syntax.Param
	for _, p := range t.Params {
		if isTensorParam(p) {
			out = append(out, p)
		}
	}
	return out
}

// argument evaluates one argument by position, with its comprehension.
func (k *checker) argument(a *syntax.Arg, c context) value {
	if a.Var == nil {
		return k.eval(a.Value, c.named(""))
	}
	in := k.eval(a.In, c.named(""))
	s, ok := in.(*set)
	if !ok {
		if _, isBad := in.(bad); !isBad {
			k.diags.Add("E0304", a.In.Span(), "`for … in` goes over a set of tensors, not over %s", describe(in))
		}
		return bad{}
	}
	return k.overMembers(s, "", c, a.Value.Span(), func(m member, c context) value {
		e := c.env.child()
		e.bind(a.Var.Name, m.tensor)
		return k.eval(a.Value, c.with(e))
	})
}

// overMembers maps a set of tensors to a set of tensors. Messages call the new
// members by the name of the operation, if it has one.
func (k *checker) overMembers(s *set, name string, c context, at diag.Span, f func(member, context) value) value {
	out := &set{}
	for _, m := range s.members {
		v := f(m, k.member(c.named(""), m))
		t, ok := v.(*tensor)
		if !ok {
			if _, isBad := v.(bad); !isBad {
				k.diags.Add("E0304", at, "each member of a set gives one tensor; this gives %s", describe(v))
			}
			return bad{}
		}
		r := m
		r.tensor = t
		if name != "" {
			r.label = name + "(" + m.label + ")"
		}
		out.members = append(out.members, r)
	}
	return out
}

// numeric evaluates a call of a function of the language. `sum`, which also
// folds tensors, is numeric when its argument is.
func (k *checker) numeric(e *syntax.Call, n *syntax.Name, c context) (value, bool) {
	if _, local := c.env.local(n.Name); local {
		return nil, false
	}
	if !resolve.Function(n.Name) && n.Name != "sum" {
		return nil, false
	}
	if n.Name == "sum" {
		return k.sum(e, n, c)
	}
	var args []value
	for _, a := range e.Args {
		if a.Name != nil {
			k.diags.Add("E0202", a.Name.Span(), "`%s` has no attribute `%s`", n.Name, a.Name.Name)
			return bad{}, true
		}
		v := k.argument(a, c)
		if _, isBad := v.(bad); isBad {
			return v, true
		}
		args = append(args, v)
	}
	return k.function(n.Name, args, e.Span()), true
}

// sum adds the numbers of a list, or folds a set of tensors.
func (k *checker) sum(e *syntax.Call, n *syntax.Name, c context) (value, bool) {
	if len(e.Args) != 1 || e.Args[0].Name != nil {
		return nil, false
	}
	v := k.argument(e.Args[0], c)
	switch v.(type) {
	case bad:
		return v, true
	case *tensor, *set:
		return k.applyTo(k.name(n, c), operands{given: []value{v}}, c.named(""), e.Span()), true
	}
	return k.function(n.Name, []value{v}, e.Span()), true
}

// arity gives the number of arguments of each function; 0 means any list.
var arity = map[string]int{
	"ceil": 1, "floor": 1, "round": 1, "abs": 1, "sqrt": 1, "log2": 1, "round_to": 2, "len": 1,
}

func (k *checker) function(name string, args []value, at diag.Span) value {
	if n := arity[name]; n > 0 && len(args) != n {
		k.diags.Add("E0305", at, "`%s` takes %s, %d given", name, plural(n, "argument"), len(args))
		return bad{}
	}
	switch name {
	case "len":
		var there []*sym.Scalar
		switch v := args[0].(type) {
		case *list:
			for i := range v.elems {
				there = append(there, v.there(i))
			}
		case *set:
			for _, m := range v.members {
				there = append(there, m.there())
			}
		default:
			k.diags.Add("E0304", at, "`len` takes a list or a set, not %s", describe(args[0]))
			return bad{}
		}
		return k.size(there, at)
	case "round_to", "round", "ceil", "floor", "abs":
		if l, ok := args[0].(*list); ok {
			out := &list{when: l.when}
			for _, x := range l.elems {
				v := k.apply1(name, at, append([]value{x}, args[1:]...)...)
				if isBad(v) {
					return v
				}
				out.elems = append(out.elems, v)
			}
			return out
		}
	case "sum", "min", "max":
		if len(args) == 1 {
			switch v := args[0].(type) {
			case *list:
				if v.when != nil {
					return k.fold(name, v.elems, v.when, at)
				}
				args = v.elems
			case *extents:
				return k.foldExtents(name, v, at)
			}
		}
		if len(args) == 0 {
			k.diags.Add("E0305", at, "`%s` needs at least one number", name)
			return bad{}
		}
	}
	return k.apply1(name, at, args...)
}

// size is the number of members that are there.
func (k *checker) size(there []*sym.Scalar, at diag.Span) value {
	n := int64(0)
	total := value(nil)
	for _, w := range there {
		if w.Is(true) {
			n++
			continue
		}
		one := k.apply1("if", at, &scalar{w}, &scalar{sym.Int(1)}, &scalar{sym.Int(0)})
		if total == nil {
			total = one
		} else {
			total = k.apply1("+", at, total, one)
		}
	}
	switch {
	case total == nil:
		return &scalar{sym.Int(n)}
	case n == 0:
		return total
	}
	return k.apply1("+", at, &scalar{sym.Int(n)}, total)
}

// foldExtents folds one dimension of the members of a set.
func (k *checker) foldExtents(name string, x *extents, at diag.Span) value {
	if len(x.scalars) == 0 {
		k.diags.Add("E0302", at, "the set is empty, so it has no `%s`", x.dim)
		return bad{}
	}
	values := make([]value, len(x.scalars))
	when := make([]*sym.Scalar, len(x.scalars))
	alike, always := true, true
	for i, s := range x.scalars {
		values[i], when[i] = &scalar{s}, x.of.members[i].there()
		alike = alike && sym.Same(s, x.scalars[0])
		always = always && x.of.members[i].when == nil
	}
	switch {
	case name != "sum" && alike: // whatever is there
		return values[0]
	case name != "sum" && always:
		return k.apply1(name, at, values...)
	}
	return k.fold(name, values, when, at)
}
