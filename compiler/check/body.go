package check

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// body evaluates what a block, cell or space says: an expression, or statements
// from top to bottom up to `return`.
func (k *checker) body(t *syntax.Template, c context) value {
	if t.Expr != nil {
		return k.eval(t.Expr, c)
	}
	c = c.plain()
	if len(t.Body) == 0 {
		d := k.diags.Add("E0304", t.Name.Span(), "%s `%s` has no body", t.Kind, t.Name.Name)
		d.Help = "write `= …` or `{ return … }`"
		return bad{}
	}
	failed := false
	for _, st := range t.Body {
		switch st := st.(type) {
		case *syntax.NodeStmt:
			failed = !k.nodeStmt(st, c) || failed
		case *syntax.Assign:
			failed = !k.assign(st, c) || failed
		case *syntax.Template:
			c.env.bind(st.Name.Name, k.templateValue(st, c.env.mod, c.env,
				&home{under: c.under, scope: c.scope, ties: c.ties}, st.Name.Span()))
		case *syntax.Verb:
			switch st.Verb {
			case "return":
				v := k.eval(st.Value, c)
				if failed {
					return bad{}
				}
				return v
			case "require":
				failed = !k.require(t, st, c) || failed
			default:
				k.diags.Add("E0303", st.Span(), "`%s` belongs in a search, not in a %s", st.Verb, t.Kind)
				failed = true
			}
		}
	}
	if !failed {
		d := k.diags.Add("E0304", t.Name.Span(), "%s `%s` returns nothing", t.Kind, t.Name.Name)
		d.Help = "end its body with `return`"
	}
	return bad{}
}

// assign is `name = expr`, decided once. Assigning `inputs` says which tensors
// the vertices of a cell see first, in place of its parameters.
func (k *checker) assign(st *syntax.Assign, c context) bool {
	v := k.eval(st.Value, c.named(st.Name.Name))
	c.env.bind(st.Name.Name, v)
	if _, isBad := v.(bad); isBad {
		return false
	}
	if st.Name.Name != "inputs" {
		return true
	}
	s, ok := v.(*set)
	if !ok {
		k.diags.Add("E0304", st.Value.Span(), "`inputs` is a set of tensors, not %s", describe(v))
		return false
	}
	named := &set{}
	for i, m := range s.members {
		m.label = fmt.Sprintf("inputs[%d]", i)
		if m.node.Kind != lower.Input && m.frame == c.frame {
			k.vertex(m.tensor, m.label, c.scope.child("inputs", true))
		}
		named.members = append(named.members, m)
	}
	c.env.bind("inputs", named)
	k.prev(c).bind("prev", named)
	return true
}

// prev finds the environment that holds the vertices so far.
func (k *checker) prev(c context) *env {
	for e := c.env; e != nil; e = e.up {
		if _, ok := e.find("prev"); ok {
			return e
		}
	}
	return c.env
}

// nodeStmt adds one vertex, or an array of vertices one after the other.
func (k *checker) nodeStmt(st *syntax.NodeStmt, c context) bool {
	name := st.Name.Name
	if st.Count == nil {
		t, ok := k.oneNode(st, name, nil, c.scope.child(name, false), c)
		if !ok {
			c.env.bind(name, bad{})
			return false
		}
		c.env.bind(name, t)
		return true
	}
	n, most, ok := k.extent(st.Count, c, "an array of nodes")
	if !ok {
		c.env.bind(name, bad{})
		return false
	}
	_, fixed := n.Value()
	all := &set{}
	for i := range most {
		label := fmt.Sprintf("%s[%d]", name, i)
		here := c
		m := member{label: label}
		if !fixed {
			if here = k.beyond(n, i, c, st.Count.Span()); here.under != c.under && !here.under.cond.Is(true) {
				m.under, m.when = here.under, here.under.cond
			}
		}
		m.tensor, ok = k.oneNode(st, label, m.when, c.scope.child(name, true), here)
		if !ok {
			c.env.bind(name, bad{})
			return false
		}
		all.members = append(all.members, m)
	}
	c.env.bind(name, all)
	return true
}

// oneNode adds a vertex, which is there only where when holds (nil: always).
func (k *checker) oneNode(st *syntax.NodeStmt, label string, when *sym.Scalar, s *scope, c context) (*tensor, bool) {
	saved := k.at
	k.at = label
	defer func() { k.at = saved }()
	v := k.eval(st.Value, c.below(s))
	t, ok := v.(*tensor)
	if !ok {
		if _, isBad := v.(bad); !isBad {
			d := k.diags.Add("E0304", st.Value.Span(), "node `%s` must be one tensor, not %s", st.Name.Name, describe(v))
			if _, isSet := v.(*set); isSet {
				d.Help = "fold the set with `sum(…)`, `mean(…)` or `concat(…)`"
			}
		}
		return nil, false
	}
	if st.Type != nil && st.Type.Shape && !k.annotated(st, t, c) {
		return nil, false
	}
	k.vertex(t, label, s)
	e := k.prev(c)
	if before, ok := e.here("prev").(*set); ok { // a space has vertices, but no prev
		m := member{tensor: t, label: label, when: when}
		if when != nil {
			m.under = c.under
		}
		// The sets before share their members: only the last one grows.
		e.bind("prev", &set{members: append(before.members, m)})
	}
	return t, true
}

// vertex names the node that a `node` statement made. A tensor that was there
// before keeps its name.
func (k *checker) vertex(t *tensor, label string, s *scope) {
	if t.node.Kind == lower.Input || t.node.Vertex != "" {
		return
	}
	t.node.Vertex = label
	if t.node.Kind != lower.Select {
		k.vertices[t.node] = s
	}
}

// annotated compares a node with the shape its declaration states.
func (k *checker) annotated(st *syntax.NodeStmt, t *tensor, c context) bool {
	if len(st.Type.Dims) != len(t.node.Shape) {
		k.diags.Add("E0301", st.Type.Span(), "node `%s` has shape %s", st.Name.Name, shapeText(t.node.Shape))
		return false
	}
	for i, x := range st.Type.Dims {
		want, ok := k.scalar(k.eval(x, c), x.Span())
		if !ok {
			return false
		}
		if eq, _ := equal(want, t.node.Shape[i]); !eq {
			d := k.diags.Add("E0301", x.Span(), "node `%s` has shape %s, not %s here", st.Name.Name, shapeText(t.node.Shape), want)
			d.Notes = append(d.Notes, diag.Note{Span: st.Value.Span(), Text: "the shape comes from here"})
			return false
		}
	}
	return true
}
