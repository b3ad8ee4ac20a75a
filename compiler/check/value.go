package check

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// value is what an expression means: a *scalar, *tensor, *set, *list, *extents,
// an operation (one of the op… types), *namespace, or *bad.
type value interface{}

// bad stands for an expression whose error has been reported; whatever is
// computed from it stays silent.
type bad struct{}

// scalar is a number, text or truth value, perhaps depending on decisions.
type scalar struct{ *sym.Scalar }

// tensor is one node of the plan, seen from the frame that built it.
type tensor struct {
	node  *lower.Node
	frame *frame
}

// member is one tensor of a set. It is there only where when holds (nil: always);
// decisions about it exist in the branch under.
type member struct {
	*tensor
	label  string
	when   *sym.Scalar
	under  *branch
	picked bool
}

// there says when the member is there.
func (m member) there() *sym.Scalar {
	if m.when == nil {
		return truth
	}
	return m.when
}

// set is a collection of tensors: prev, an array of vertices, what `k of` left.
type set struct{ members []member }

// list is [a, b, c] of anything but tensors alone. After `k of`, an element is
// there only where its part of when holds (nil: all are, always).
type list struct {
	elems []value
	when  []*sym.Scalar
}

// there says when element i is there.
func (l *list) there(i int) *sym.Scalar {
	if l.when == nil {
		return truth
	}
	return l.when[i]
}

// extents is one dimension of every member of a set (`xs.c`): a list where a
// function folds it, a single number where all agree.
type extents struct {
	dim     string
	of      *set
	scalars []*sym.Scalar
}

// namespace is what `import … as name` binds: a module, or a plugin.
type namespace struct{ sym *resolve.Symbol }

func (n *namespace) plugin() bool { return n.sym.Plugin != nil }

// template is a declared op, block or cell with the attributes given so far.
type template struct {
	decl  *syntax.Template
	mod   *resolve.Module
	env   *env
	given []attribute
	home  *home // cells: where their decisions live
	index int   // cells in an array; -1 otherwise
	at    diag.Span
}

// label is the name of a template in an architecture: that of its declaration,
// with the index for a cell of an array.
func (t *template) label() string {
	if t.index < 0 {
		return t.decl.Name.Name
	}
	return fmt.Sprintf("%s[%d]", t.decl.Name.Name, t.index)
}

// attribute is one named argument of a call.
type attribute struct {
	name  string
	value value
	at    diag.Span
}

// chosen is an operation that a decision picks: alts[i] in case i.
type chosen struct {
	on   split
	alts []value
	at   diag.Span
}

// flow is a chain of operations without a source: `a -> b`.
type flow struct{ steps []value }

// elastic applies as many of its steps as depth says. Step i exists in branch
// under[i].
type elastic struct {
	depth *sym.Scalar
	steps []value
	under []*branch
	at    diag.Span
}

// function is a numeric function of the language.
type function struct{ name string }

// isOp reports whether v can be applied to tensors. A list of operations gives the
// set of their results.
func isOp(v value) bool {
	switch v := v.(type) {
	case *template, *chosen, *flow, *elastic:
		return true
	case *list:
		for _, x := range v.elems {
			if !isOp(x) {
				return false
			}
		}
		return len(v.elems) > 0
	}
	return false
}

// describe names a value's type for messages.
func describe(v value) string {
	switch v := v.(type) {
	case *scalar:
		if c, ok := v.Value(); ok {
			switch c.(type) {
			case string:
				return "a text"
			case bool:
				return "a truth value"
			}
		}
		return "a number"
	case *tensor:
		return "a tensor"
	case *set:
		return "a set of tensors"
	case *list:
		return "a list"
	case *extents:
		return "the `" + v.dim + "` of a set"
	case *namespace:
		if v.plugin() {
			return "a plugin"
		}
		return "a module"
	case *function:
		return "a function"
	}
	return "an operation"
}

// env binds names inside templates; at the top it hands over to the module.
type env struct {
	up    *env
	mod   *resolve.Module
	names []binding
	index map[string]int // of the names, when they are many
}

// binding is one name of an env.
type binding struct {
	name  string
	value value
}

func (e *env) child() *env { return &env{up: e, mod: e.mod} }

// few is how many names are looked through one by one.
const few = 16

// bind gives a name of e a value.
func (e *env) bind(name string, v value) {
	if i := e.position(name); i >= 0 {
		e.names[i].value = v
		return
	}
	e.names = append(e.names, binding{name, v})
	switch n := len(e.names); {
	case n > few+1:
		e.index[name] = n - 1
	case n == few+1:
		e.index = make(map[string]int, 2*n)
		for i, b := range e.names {
			e.index[b.name] = i
		}
	}
}

func (e *env) position(name string) int {
	if e.index != nil {
		if i, ok := e.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range e.names {
		if e.names[i].name == name {
			return i
		}
	}
	return -1
}

// find looks in e alone.
func (e *env) find(name string) (value, bool) {
	if i := e.position(name); i >= 0 {
		return e.names[i].value, true
	}
	return nil, false
}

func (e *env) here(name string) value {
	v, _ := e.find(name)
	return v
}

func (e *env) local(name string) (value, bool) {
	for ; e != nil; e = e.up {
		if v, ok := e.find(name); ok {
			return v, true
		}
	}
	return nil, false
}

// frame is the body that is being filled.
type frame struct {
	up       *frame
	body     *lower.Body
	captures []*tensor                   // outer tensors, one per input past the declared ones
	imported map[*lower.Node]*lower.Node // outer node -> input of this body
	base     *scope                      // node names are addresses below it
	open     []*lower.Node               // operations with something that is to be settled
}

func newFrame(up *frame, name, kind string, base *scope) *frame {
	return &frame{
		up:       up,
		body:     &lower.Body{Name: name, Kind: kind},
		imported: map[*lower.Node]*lower.Node{},
		base:     base,
	}
}

// input declares the next input of the body.
func (f *frame) input(name string, shape []*sym.Scalar, at diag.Span) *tensor {
	n := &lower.Node{Kind: lower.Input, Name: name, Shape: shape, Span: at}
	f.body.Inputs = append(f.body.Inputs, n)
	return &tensor{node: n, frame: f}
}

// inputs declares an input for every member of a set, which is given where the
// member is there. What is decided about the members inside does not depend on it.
func (f *frame) inputs(name string, s *set) *set {
	out := &set{}
	for _, m := range s.members {
		if m.there().Is(false) {
			continue
		}
		label := fmt.Sprintf("%s[%d]", name, len(out.members))
		t := f.input(label, m.node.Shape, m.node.Span)
		t.node.When = m.when
		out.members = append(out.members, member{tensor: t, label: label, when: m.when})
	}
	return out
}

// use returns the node that stands for t inside f. A tensor of an enclosing
// body becomes one more input of every body in between.
func (f *frame) use(t *tensor) *lower.Node {
	if t.frame == f {
		return t.node
	}
	if n, ok := f.imported[t.node]; ok {
		return n
	}
	if f.up == nil {
		return t.node
	}
	outer := f.up.use(t)
	in := &lower.Node{Kind: lower.Input, Name: t.node.Name, Shape: t.node.Shape, Span: t.node.Span}
	f.body.Inputs = append(f.body.Inputs, in)
	f.imported[t.node] = in
	f.captures = append(f.captures, &tensor{node: outer, frame: f.up})
	return in
}
