package check

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// maxNodes bounds the plan of a space.
const maxNodes = 1 << 20

// applyTo applies an operation to tensors. Given a set, an operation on single
// tensors applies to each member.
func (k *checker) applyTo(op value, in operands, c context, at diag.Span) value {
	if c.depth++; c.depth > maxDepth {
		k.tooLarge(at, fmt.Sprintf("templates nested more than %d deep", maxDepth))
	}
	if l, ok := op.(*list); ok {
		return k.applyEach(l, in, c, at)
	}
	if v, ok := k.single(in, c, at); ok && !onSet(op) {
		if s, isSet := v.(*set); isSet && mapped(op) {
			return k.overMembers(s, opName(op), c, at, func(m member, c context) value {
				return k.applyTo(op, operands{given: []value{m.tensor}}, c, at)
			})
		}
	}
	switch op := op.(type) {
	case *template:
		return k.applyTemplate(op, in, c, at)
	case *chosen:
		alts := make([]value, len(op.alts))
		places := k.branches(op.on, c.under)
		for i, a := range op.alts {
			if t, ok := a.(*template); ok && c.picked && declaresAbsent(t.decl) {
				d := k.diags.Add("E0405", at, "this choice may be `%s`, but what was picked is there", t.decl.Name.Name)
				d.Notes = append(d.Notes, diag.Note{Span: op.at, Text: "it was made here, before it met what `of` picked"})
				d.Help = "declare the choice as a block: it is decided for each tensor that is kept, among the others"
				return bad{}
			}
			alts[i] = k.applyTo(a, in, c.in(places[i]), at)
		}
		return k.join(op.on, alts, c, at)
	case *flow, *elastic:
		h := &history{source: in.given}
		if in.hist != nil {
			h.source = []value{k.last(in.hist, c, at)}
		}
		if h = k.push(h, op, c, at); h == nil {
			return bad{}
		}
		return k.last(h, c, at)
	}
	k.diags.Add("E0304", at, "%s cannot be applied to a tensor", describe(op))
	return bad{}
}

// applyEach applies every operation of a list to the same tensors, and makes a set
// of the results.
func (k *checker) applyEach(l *list, in operands, c context, at diag.Span) value {
	out := &set{}
	for i, op := range l.elems {
		here := k.within(c.under, l.there(i))
		v := k.applyTo(op, in, c.in(here), at)
		switch v := v.(type) {
		case *tensor:
			out.members = append(out.members, member{tensor: v, label: opName(op), when: l.there(i), under: here})
		case *set:
			for _, m := range v.members {
				when, err := sym.Apply("and", l.there(i), m.there())
				if err != nil {
					return bad{}
				}
				m.when, m.under = when, k.both(m.under, here)
				out.members = append(out.members, m)
			}
		default:
			return bad{}
		}
	}
	return out
}

// onSet reports whether an operation takes a whole set.
func onSet(op value) bool {
	switch op := op.(type) {
	case *template:
		for _, p := range tensorParams(op.decl) {
			if isSetParam(p) {
				return true
			}
		}
	case *chosen:
		return onSet(op.alts[0])
	case *flow:
		return onSet(op.steps[0])
	}
	return false
}

func opName(op value) string {
	if t, ok := op.(*template); ok {
		return t.decl.Name.Name
	}
	return ""
}

// mapped reports whether an operation takes one tensor, so that a set is
// mapped member by member.
func mapped(op value) bool {
	t, ok := op.(*template)
	return !ok || len(tensorParams(t.decl)) <= 1
}

func (k *checker) applyTemplate(t *template, in operands, c context, at diag.Span) value {
	params := tensorParams(t.decl)
	if len(params) == 0 && t.decl.Kind != syntax.Op {
		return k.applyNamed(t, in, c, at)
	}
	args, ok := k.take(in, len(params), t.decl.Name.Name, c, at)
	if !ok {
		return bad{}
	}
	for i, p := range params {
		switch v := args[i].(type) {
		case *set:
			if !isSetParam(p) {
				k.diags.Add("E0304", at, "`%s` of `%s` is one tensor, not a set; fold it with `sum` or `concat`", p.Name.Name, t.decl.Name.Name)
				return bad{}
			}
		case *tensor:
			if isSetParam(p) {
				args = append([]value(nil), args...)
				args[i] = &set{members: []member{{tensor: v, label: v.node.Name}}}
			}
		}
	}
	switch t.decl.Kind {
	case syntax.Op:
		return k.applyOp(t, params, args, c, at)
	case syntax.Block:
		return k.applyBlock(t, args, c, at)
	case syntax.Cell:
		return k.applyCell(t, args, c, at)
	}
	k.diags.Add("E0304", at, "`%s` is a space and cannot be used inside another", t.decl.Name.Name)
	return bad{}
}

// newNode adds a node with the next free name for what it does.
func (k *checker) newNode(n *lower.Node, s *scope, c context) *tensor {
	if k.nodes++; k.nodes > maxNodes {
		k.tooLarge(n.Span, fmt.Sprintf("more than %d nodes", maxNodes))
	}
	c.frame.body.Nodes = append(c.frame.body.Nodes, n)
	k.named = append(k.named, namedNode{n, s, c.frame.base})
	return &tensor{node: n, frame: c.frame}
}

// namedNode is a node whose name is its scope's address below base.
type namedNode struct {
	node        *lower.Node
	scope, base *scope
}

// applyBlock elaborates a block for the tensors it meets, with decisions of its
// own. A block that takes a set is expanded in place.
func (k *checker) applyBlock(t *template, args []value, c context, at diag.Span) value {
	s := c.scope.child(t.decl.Name.Name, c.indexed)
	inner := c
	inner.scope, inner.slot, inner.indexed = s, "", false
	inner.env = t.env.child()
	if onSet(t) {
		if !k.parameters(t, args, inner) {
			return bad{}
		}
		return k.body(t.decl, inner)
	}
	key := k.sameBlock(t, args, c)
	if b, ok := k.blocks[key]; ok {
		return k.callNode(&frame{body: b}, args, s, c, at)
	}
	inner.frame = newFrame(c.frame, t.decl.Name.Name, string(syntax.Block), s)
	before := k.open
	r := k.enclose(t, args, s, inner, c, at)
	if f := inner.frame; key.usage != "" && k.open == before && len(f.captures) == 0 && !isBad(r) {
		k.blocks[key] = f.body
	}
	return r
}

// applyNamed elaborates a block or cell without tensor parameters: it is the
// operation that its body says, applied to whatever it is given.
func (k *checker) applyNamed(t *template, in operands, c context, at diag.Span) value {
	s := c.scope.child(t.decl.Name.Name, c.indexed)
	inner := c
	inner.scope, inner.slot, inner.indexed = s, "", false
	if t.decl.Kind == syntax.Cell {
		inst := k.instance(t)
		inner = inst.context(c)
		defer func() { inst.ties.sealed = true }()
	}
	inner.env = t.env.child()
	inner.frame = newFrame(c.frame, t.label(), string(t.decl.Kind), inner.scope)
	if !k.parameters(t, nil, inner) {
		return bad{}
	}
	op := k.body(t.decl, inner)
	if _, isBad := op.(bad); isBad {
		return op
	}
	if !isOp(op) {
		d := k.diags.Add("E0304", at, "%s `%s` takes no tensor, and its body is %s", t.decl.Kind, t.decl.Name.Name, describe(op))
		d.Notes = append(d.Notes, diag.Note{Span: t.decl.Name.Span(), Text: "declared here"})
		return bad{}
	}
	n := k.needs(op)
	outer, ok := k.take(in, n, t.decl.Name.Name, c, at)
	if !ok {
		return bad{}
	}
	given := make([]value, len(outer))
	for i, v := range outer {
		name := "x"
		if len(outer) > 1 {
			name = fmt.Sprintf("x%d", i)
		}
		switch v := v.(type) {
		case *tensor:
			given[i] = inner.frame.input(name, v.node.Shape, v.node.Span)
		case *set:
			given[i] = inner.frame.inputs(name, v)
		}
	}
	r := k.applyTo(op, operands{given: given}, inner.plain(), at)
	return k.close(t, r, outer, s, inner, c, at)
}

// needs is the number of tensors that an operation takes.
func (k *checker) needs(op value) int {
	switch op := op.(type) {
	case *template:
		if n := len(tensorParams(op.decl)); n > 0 {
			return n
		}
	case *chosen:
		n := 1
		for _, a := range op.alts {
			n = max(n, k.needs(a))
		}
		return n
	case *flow:
		return k.needs(op.steps[0])
	case *elastic:
		if len(op.steps) > 0 {
			return k.needs(op.steps[0])
		}
	case *list:
		n := 1
		for _, x := range op.elems {
			n = max(n, k.needs(x))
		}
		return n
	}
	return 1
}

// enclose elaborates a body in a frame of its own, its tensors as inputs.
func (k *checker) enclose(t *template, args []value, s *scope, inner, c context, at diag.Span) value {
	given := make([]value, len(args))
	for i, p := range tensorParams(t.decl) {
		switch v := args[i].(type) {
		case *tensor:
			given[i] = inner.frame.input(p.Name.Name, v.node.Shape, v.node.Span)
		case *set:
			given[i] = inner.frame.inputs(p.Name.Name, v)
		}
	}
	if !k.parameters(t, given, inner) {
		return bad{}
	}
	r := k.body(t.decl, inner)
	if isOp(r) {
		r = k.applyTo(r, operands{given: given}, inner.plain(), at)
	}
	return k.close(t, r, args, s, inner, c, at)
}

// close ends a frame and puts a call of its body into the frame around it.
func (k *checker) close(t *template, r value, args []value, s *scope, inner, c context, at diag.Span) value {
	out, ok := r.(*tensor)
	if !ok {
		if _, isBad := r.(bad); !isBad {
			k.diags.Add("E0304", at, "`%s` must return one tensor; this is %s", inner.frame.body.Name, describe(r))
		}
		return bad{}
	}
	if t.decl.Result != nil && !k.promised(t.decl, out, inner) {
		return bad{}
	}
	inner.frame.body.Output = inner.frame.use(out)
	if !k.settled(inner.frame) {
		return bad{}
	}
	return k.callNode(inner.frame, args, s, c, at)
}

func (k *checker) callNode(f *frame, args []value, s *scope, c context, at diag.Span) value {
	n := &lower.Node{Kind: lower.Call, Body: f.body, Span: at, Shape: f.body.Output.Shape}
	for _, a := range args {
		switch v := a.(type) {
		case *tensor:
			n.Args = append(n.Args, lower.Arg{Node: c.frame.use(v)})
		case *set:
			n.Args = append(n.Args, operandsOf(v, c.frame)...)
		}
	}
	for _, t := range f.captures {
		n.Args = append(n.Args, lower.Arg{Node: c.frame.use(t)})
	}
	return k.newNode(n, s, c)
}

// operandsOf are the members of a set as operands: those that may be there, each
// where it is.
func operandsOf(s *set, f *frame) []lower.Arg {
	var out []lower.Arg
	for _, m := range s.members {
		if m.there().Is(false) {
			continue
		}
		a := lower.Arg{Node: f.use(m.tensor)}
		if d, item, ok := m.there().Item(); ok {
			a.When = []lower.Item{{On: d, Index: item}}
		} else {
			a.If = m.when
		}
		out = append(out, a)
	}
	return out
}

// applyCell uses a cell: its decisions stand once, where it is declared, and its
// body is elaborated once for each combination of shapes and attributes.
func (k *checker) applyCell(t *template, args []value, c context, at diag.Span) value {
	inst := k.instance(t)
	callScope := c.scope.child(t.decl.Name.Name, c.indexed)
	key := usage(t, args)
	if b, ok := inst.bodies[key]; ok && key != "" {
		return k.callNode(&frame{body: b}, args, callScope, c, at)
	}
	inner := inst.context(c)
	inner.env = t.env.child()
	inner.frame = newFrame(c.frame, t.label(), string(syntax.Cell), inner.scope)
	before := len(k.diags)
	r := k.enclose(t, args, callScope, inner, c, at)
	inst.ties.sealed = true
	if len(k.diags) == before && len(inner.frame.captures) == 0 && key != "" {
		inst.bodies[key] = inner.frame.body
	}
	return r
}

// context is where the body of the cell is elaborated: at the cell's own place,
// whoever uses it.
func (inst *cellInstance) context(c context) context {
	s := inst.scope
	if inst.ties.sealed {
		s = s.again()
	}
	return context{under: inst.under, scope: s, ties: inst.ties, depth: c.depth}
}

// instance finds the one set of decisions of a cell.
func (k *checker) instance(t *template) *cellInstance {
	name := t.decl.Name.Name
	key := fmt.Sprintf("%s %s %p %d", t.home.scope.raw(), name, t.decl, t.index)
	if inst, ok := t.home.ties.cells[key]; ok {
		return inst
	}
	inst := &cellInstance{
		scope:  t.home.scope.keyed("cell "+name, name, t.index >= 0),
		under:  t.home.under,
		ties:   newTies(name),
		bodies: map[string]*lower.Body{},
	}
	if t.index >= 0 {
		inst.scope.index = t.index
	}
	t.home.ties.cells[key] = inst
	return inst
}
