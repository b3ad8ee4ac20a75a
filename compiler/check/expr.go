package check

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// maxDepth bounds how deep templates and expressions may be nested in one
// another, so that a recursion without fuel ends in a diagnostic.
const maxDepth = 1000

// maxSteps bounds the work of compiling one space, so that repetitions inside
// repetitions end in a diagnostic within seconds.
const maxSteps = 1_000_000

// maxWork bounds what single steps may cost: the values of tables that are
// computed with, the tensors that ops read, the decisions below alternatives.
const maxWork = 1 << 22

// spend counts work that one step makes beyond itself.
func (k *checker) spend(n int, at diag.Span) {
	if k.work += n; k.work > maxWork {
		k.tooLarge(at, fmt.Sprintf("more than %d values, tensors read and decisions below alternatives", maxWork))
	}
}

// eval computes what an expression means in a context. Errors are reported and
// come back as bad.
func (k *checker) eval(e syntax.Expr, c context) value {
	if c.depth++; c.depth > maxDepth {
		k.tooLarge(e.Span(), fmt.Sprintf("templates nested more than %d deep", maxDepth))
	}
	if k.steps++; k.steps > maxSteps {
		k.tooLarge(e.Span(), fmt.Sprintf("more than %d expressions to evaluate", maxSteps))
	}
	switch e := e.(type) {
	case *syntax.Number:
		if e.IsInt {
			return &scalar{sym.Int(e.Int)}
		}
		return &scalar{sym.Const(e.Value)}
	case *syntax.String:
		return &scalar{sym.Const(e.Value)}
	case *syntax.Bool:
		return &scalar{sym.Const(e.Value)}
	case *syntax.Paren:
		return k.eval(e.X, c)
	case *syntax.Name:
		return k.name(e, c)
	case *syntax.List:
		return k.list(e, c)
	case *syntax.Unary:
		fn := "neg"
		if e.Op == "not" {
			fn = "not"
		}
		return k.apply1(fn, e.Span(), k.eval(e.X, c.named("")))
	case *syntax.Binary:
		return k.binary(e, c)
	case *syntax.If:
		return k.condition(e, c)
	case *syntax.Choice:
		if i, ok := k.taken[e]; ok {
			return k.eval(e.Alts[i].Value, c)
		}
		return k.choice(e, c)
	case *syntax.Of:
		return k.pick(e, c)
	case *syntax.Range:
		if v, ok := k.taken[e]; ok {
			return &scalar{sym.Int(v)}
		}
		return k.rangeDecision(e, c)
	case *syntax.Flow:
		return k.flow(e, c)
	case *syntax.Call:
		return k.call(e, c)
	case *syntax.Index:
		return k.index(e, c)
	case *syntax.Select:
		return k.selectName(e, c)
	}
	k.diags.Add("E0304", e.Span(), "this has no value")
	return bad{}
}

// name looks a name up: local names, then the module, then the language.
func (k *checker) name(e *syntax.Name, c context) value {
	if v, ok := c.env.local(e.Name); ok {
		return v
	}
	if v := k.moduleName(c.env.mod, e.Name, e.Span()); v != nil {
		return v
	}
	if v := k.moduleName(k.prog.Core, e.Name, e.Span()); v != nil {
		return v
	}
	if resolve.Function(e.Name) {
		return &function{e.Name}
	}
	d := k.diags.Add("E0201", e.Span(), "`%s` is not declared", e.Name)
	if resolve.Metrics[e.Name] {
		d.Help = "metrics such as `" + e.Name + "` can be used in `require` only"
	}
	return bad{}
}

func (k *checker) moduleName(m *resolve.Module, name string, at diag.Span) value {
	s, ok := m.Names[name]
	switch {
	case !ok:
		return nil
	case s.Module != nil || s.Plugin != nil:
		return &namespace{s}
	case s.Decl == nil:
		return bad{} // the import has failed and was reported
	}
	switch d := s.Decl.(type) {
	case *syntax.Template:
		return k.templateValue(d, s.Home, k.moduleEnv(s.Home), k.rootHome, at)
	case *syntax.Let:
		return k.let(d, s.Home, at)
	}
	k.diags.Add("E0304", at, "`%s` is a search and has no value", name)
	return bad{}
}

// templateValue is a declared template as a value; an array of cells is a list.
func (k *checker) templateValue(d *syntax.Template, m *resolve.Module, e *env, h *home, at diag.Span) value {
	if d.Count == nil {
		return &template{decl: d, mod: m, env: e, home: h, index: -1, at: at}
	}
	if d.Kind != syntax.Cell {
		k.diags.Add("E0303", d.Count.Span(), "only a cell can be declared as an array, not a %s", d.Kind)
		return bad{}
	}
	defer k.deeper(at)()
	c := k.rootContext().with(e)
	n, most, ok := k.extent(d.Count, c, "an array of cells")
	if !ok {
		return bad{}
	}
	l := &list{}
	for i := range most {
		if _, known := n.Value(); !known {
			here, ok := k.apply1(">", d.Count.Span(), &scalar{n}, &scalar{sym.Int(int64(i))}).(*scalar)
			if !ok {
				return bad{}
			}
			l.when = append(l.when, here.Scalar)
		}
		l.elems = append(l.elems, &template{decl: d, mod: m, env: e, home: h, index: i, at: at})
	}
	return l
}

// let evaluates a top-level `let` once, in the scope of the space.
func (k *checker) let(d *syntax.Let, m *resolve.Module, at diag.Span) value {
	if v, ok := k.lets[d]; ok {
		if v == nil && !k.prog.Circular(d) { // through the number of cells of an array
			k.diags.Add("E0211", at, "`%s` needs its own value", d.Name.Name)
		}
		if v == nil {
			return bad{}
		}
		return v
	}
	k.lets[d] = nil
	defer k.deeper(d.Name.Span())()
	c := k.rootContext().with(k.moduleEnv(m))
	c.slot = d.Name.Name
	v := k.eval(d.Value, c)
	k.lets[d] = v
	return v
}

// deeper counts values of the top level that are needed for one another: each
// begins a context of its own, so that eval does not.
func (k *checker) deeper(at diag.Span) (leave func()) {
	if k.deep++; k.deep > maxDepth {
		k.tooLarge(at, fmt.Sprintf("templates nested more than %d deep", maxDepth))
	}
	return func() { k.deep-- }
}

// list evaluates [a, b, c]. A list of tensors and sets of tensors is a set.
func (k *checker) list(e *syntax.List, c context) value {
	c = c.named("")
	l := &list{}
	s, tensors := &set{}, 0
	for _, x := range e.Elems {
		v := k.eval(x, c)
		switch t := v.(type) {
		case bad:
			return v
		case *tensor:
			s.members = append(s.members, member{tensor: t, label: k.text(x)})
			tensors++
		case *set:
			s.members = append(s.members, t.members...)
			tensors++
		}
		l.elems = append(l.elems, v)
	}
	switch {
	case tensors == len(l.elems) && tensors > 0:
		return s
	case tensors > 0:
		k.diags.Add("E0304", e.Span(), "a list holds either tensors or other values, not both")
		return bad{}
	}
	return l
}

func (k *checker) binary(e *syntax.Binary, c context) value {
	if e.Op == "*" && k.opLike(e.X, c) {
		return k.repeat(e, c)
	}
	c = c.named("")
	x := k.eval(e.X, c)
	if e.Op == "in" {
		return k.in(e, x, k.eval(e.Y, c))
	}
	y := k.eval(e.Y, c)
	if l, ok := x.(*list); ok {
		return k.each(e.Op, l, y, e.Span(), true)
	}
	if l, ok := y.(*list); ok {
		return k.each(e.Op, l, x, e.Span(), false)
	}
	if _, ok := x.(*tensor); ok && e.Op == "+" {
		d := k.diags.Add("E0304", e.OpPos, "`+` adds numbers, not tensors")
		d.Help = "write `sum([" + k.text(e.X) + ", " + k.text(e.Y) + "])`"
		return bad{}
	}
	if isOp(x) && e.Op == "+" {
		d := k.diags.Add("E0304", e.OpPos, "`+` adds numbers, not operations")
		d.Help = "write `sum([a(x), b(x)])` for the sum of two operations, `a -> b` for one after the other"
		return bad{}
	}
	return k.apply1(e.Op, e.Span(), x, y)
}

// each applies an operator to every element of a list and a number.
func (k *checker) each(op string, l *list, other value, at diag.Span, left bool) value {
	out := &list{when: l.when}
	for _, x := range l.elems {
		a, b := x, other
		if !left {
			a, b = b, a
		}
		v := k.apply1(op, at, a, b)
		if _, ok := v.(bad); ok {
			return v
		}
		out.elems = append(out.elems, v)
	}
	return out
}

// in tests whether a tensor or value is among those of a set or list.
func (k *checker) in(e *syntax.Binary, x, y value) value {
	switch y := y.(type) {
	case bad:
		return y
	case *set:
		t, ok := x.(*tensor)
		if _, isBad := x.(bad); isBad {
			return x
		}
		if ok {
			found := value(&scalar{falsehood})
			for _, m := range y.members {
				if m.node == t.node {
					found = k.apply1("or", e.Span(), found, &scalar{m.there()})
				}
			}
			return found
		}
	case *list:
		found := &scalar{sym.Const(false)}
		for i, v := range y.elems {
			eq, ok := k.apply1("==", e.Span(), x, v).(*scalar)
			if !ok {
				return bad{}
			}
			if y.when != nil {
				if eq, ok = k.apply1("and", e.Span(), &scalar{y.when[i]}, eq).(*scalar); !ok {
					return bad{}
				}
			}
			if found, ok = k.apply1("or", e.Span(), found, eq).(*scalar); !ok {
				return bad{}
			}
		}
		return found
	}
	k.diags.Add("E0304", e.Span(), "`in` needs a set or a list on its right, not %s", describe(y))
	return bad{}
}

// apply1 applies an operator or function to scalar values.
func (k *checker) apply1(fn string, at diag.Span, args ...value) value {
	syms := make([]*sym.Scalar, len(args))
	for i, a := range args {
		s, ok := k.scalar(a, at)
		if !ok {
			return bad{}
		}
		syms[i] = s
		k.spend(s.Size()-1, at)
	}
	r, err := sym.Apply(fn, syms...)
	if err != nil {
		if k.use.Start.Valid() {
			d := k.diags.Add("E0310", k.use, "%s", err)
			d.Notes = append(d.Notes, diag.Note{Span: at, Text: "computed here"})
		} else {
			k.diags.Add("E0310", at, "%s", err)
		}
		return bad{}
	}
	return &scalar{r}
}

// scalar takes a value as a single number, text or truth value.
func (k *checker) scalar(v value, at diag.Span) (*sym.Scalar, bool) {
	switch v := v.(type) {
	case *scalar:
		return v.Scalar, true
	case *extents:
		return k.oneExtent(v, at)
	case bad:
		return nil, false
	}
	k.diags.Add("E0304", at, "a number, text or truth value is needed here, not %s", describe(v))
	return nil, false
}

// whole takes a value as the number of something.
func (k *checker) whole(v any, at diag.Span, what string) (int, bool) {
	n, isInt := v.(int64)
	if !isInt || n < 0 {
		k.diags.Add("E0303", at, "%s needs a whole number, not %v", what, v)
		return 0, false
	}
	if n > maxRepeat {
		k.diags.Add("E0411", at, "%s of %d is more than nasc allows (%d)", what, n, maxRepeat)
		return 0, false
	}
	return int(n), true
}

// extent evaluates the size of an array: its number, and the greatest value that
// this can have.
func (k *checker) extent(e syntax.Expr, c context, what string) (n *sym.Scalar, most int, ok bool) {
	s, ok := k.scalar(k.eval(e, c.named("")), e.Span())
	if !ok {
		return nil, 0, false
	}
	_, most, ok = k.span(s, c, e.Span(), what, func(v any, at diag.Span) bool {
		_, ok := k.whole(v, at, what)
		return ok
	})
	return s, most, ok
}

// condition is if … then … else ….
func (k *checker) condition(e *syntax.If, c context) value {
	s, ok := k.scalar(k.eval(e.Cond, c.named("")), e.Cond.Span())
	if !ok {
		return bad{}
	}
	if s.Open() {
		return k.apply1("if", e.Span(), &scalar{s}, k.eval(e.Then, c), k.eval(e.Else, c))
	}
	return k.cases([]*sym.Scalar{s}, c, e.Span(), func(v []any, c context) value {
		b, isBool := v[0].(bool)
		if !isBool {
			k.diags.Add("E0303", e.Cond.Span(), "a condition must be true or false, not %v", v[0])
			return bad{}
		}
		if b {
			return k.eval(e.Then, c)
		}
		return k.eval(e.Else, c)
	})
}

func (k *checker) index(e *syntax.Index, c context) value {
	c = c.named("")
	x := k.eval(e.X, c)
	if _, ok := x.(bad); ok {
		return x
	}
	s, ok := k.scalar(k.eval(e.I, c), e.I.Span())
	if !ok {
		return bad{}
	}
	return k.present(x, []*sym.Scalar{s}, c, e.Span(), func(x value, v []any, c context) value { return k.element(e, x, v[0]) })
}

func (k *checker) element(e *syntax.Index, x value, i any) value {
	n, isInt := i.(int64)
	if !isInt {
		k.diags.Add("E0303", e.I.Span(), "an index is a whole number, not %v", i)
		return bad{}
	}
	size := 0
	switch x := x.(type) {
	case *list:
		if size = len(x.elems); n >= 0 && int(n) < size {
			return x.elems[n]
		}
	case *set:
		if size = len(x.members); n >= 0 && int(n) < size {
			return x.members[n].tensor
		}
	default:
		k.diags.Add("E0304", e.X.Span(), "%s cannot be indexed", describe(x))
		return bad{}
	}
	k.diags.Add("E0312", e.I.Span(), "index %d is outside the %d elements, which count from 0", n, size)
	return bad{}
}

// selectName is x.name: a dimension of a tensor or set, or a name of a module.
func (k *checker) selectName(e *syntax.Select, c context) value {
	x := k.eval(e.X, c.named(""))
	switch x := x.(type) {
	case bad:
		return x
	case *namespace:
		if x.plugin() {
			if op := resolve.Operation(&k.diags, x.sym, e.Name); op != nil {
				return k.moduleName(x.sym.Module, e.Name.Name, e.Span())
			}
			return bad{}
		}
		mod := x.sym.Module
		sym, ok := mod.Names[e.Name.Name]
		if ok && sym.Decl != nil && sym.Home == mod && !strings.HasPrefix(e.Name.Name, "_") {
			return k.moduleName(mod, e.Name.Name, e.Span())
		}
		d := k.diags.Add("E0206", e.Name.Span(), "\"%s\" has no `%s`", mod.Path, e.Name.Name)
		if best, ok := diag.Suggest(e.Name.Name, mod.Exports()); ok {
			d.Help = "did you mean `" + best + "`?"
		}
		return bad{}
	case *tensor:
		if i := dimension(e.Name.Name, len(x.node.Shape)); i >= 0 {
			return &scalar{x.node.Shape[i]}
		}
	case *set:
		out := &extents{dim: e.Name.Name, of: x}
		for _, m := range x.members {
			i := dimension(e.Name.Name, len(m.node.Shape))
			if i < 0 {
				d := k.diags.Add("E0313", e.Span(), "a tensor of shape %s has no dimension `%s`", shapeText(m.node.Shape), e.Name.Name)
				d.Notes = append(d.Notes, diag.Note{Span: m.node.Span, Text: "the tensor comes from here"})
				return bad{}
			}
			out.scalars = append(out.scalars, m.node.Shape[i])
		}
		return out
	}
	k.diags.Add("E0313", e.Name.Span(), "%s has no `%s`", describe(x), e.Name.Name)
	return bad{}
}

// dimension is the position of a named dimension in a shape: [c, h, w], or [c].
func dimension(name string, rank int) int {
	i := strings.Index("chw", name)
	if len(name) != 1 || i < 0 || i >= rank {
		return -1
	}
	return i
}
