package encode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/sym"
)

// class is what bodies of one structure under the same decisions share: the
// columns, by the position of a tensor in its body, inputs first.
type class struct {
	calls  int // places that call a body of the class
	laid   bool
	exists map[int]int
	attrs  map[int]map[int]map[any]int // by tensor, attribute and value
	links  map[link]int
}

// link is a connection: operand arg of tensor reader is tensor from. The reader
// of the output is theOutput.
type link struct{ reader, arg, from int }

const theOutput = -1

// layout is a body with the columns of its class.
type layout struct {
	*class
	body  *lower.Body
	place map[*lower.Node]int // positions of the tensors
	inner map[*lower.Node]*layout
}

// layouter makes layouts: first finds classes, inside out, then hands out columns
// in the order of the source.
type layouter struct {
	*Adjacency
	bodies  map[*lower.Body]*layout
	classes map[string]*class
	names   map[string]bool // of cells, used to name columns
}

func (l *layouter) body(b *lower.Body) (*layout, error) {
	if known := l.bodies[b]; known != nil {
		return known, nil
	}
	out := &layout{body: b, place: map[*lower.Node]int{}, inner: map[*lower.Node]*layout{}}
	l.bodies[b] = out
	for _, n := range b.Inputs {
		out.place[n] = len(out.place)
	}
	for _, n := range b.Nodes {
		out.place[n] = len(out.place)
		if n.Kind == lower.Call {
			inner, err := l.body(n.Body)
			if err != nil {
				return nil, err
			}
			out.inner[n] = inner
		}
	}
	key, err := out.signature()
	if err != nil {
		return nil, err
	}
	if out.class = l.classes[key]; out.class == nil {
		out.class = &class{exists: map[int]int{}, attrs: map[int]map[int]map[any]int{}, links: map[link]int{}}
		l.classes[key] = out.class
		for _, inner := range out.inner {
			inner.calls++
		}
	}
	return out, nil
}

// signature writes down all of a body that depends on decisions.
func (l *layout) signature() (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d", l.body.Kind, l.body.Name, len(l.body.Inputs))
	for _, n := range l.body.Nodes {
		if n.Kind == lower.Call {
			fmt.Fprintf(&b, "\n%p(", l.inner[n].class)
		} else {
			fmt.Fprintf(&b, "\n%s.%s(", n.Op.Module, n.Op.Name)
		}
		for _, a := range n.Args {
			fmt.Fprintf(&b, " %s", l.reference(a.Node))
			for _, w := range a.When {
				fmt.Fprintf(&b, " if %d:%d", w.On.ID, w.Index)
			}
			if a.If != nil {
				fmt.Fprintf(&b, " if %p", a.If)
			}
		}
		for _, a := range n.Attrs {
			if _, constant := a.Value.Value(); constant || a.Value.Open() {
				continue
			}
			values, err := domain(a.Value)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, " %s:%v", a.Name, values)
			for _, d := range a.Value.Decisions() {
				fmt.Fprintf(&b, " %d", d.ID)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s", l.reference(l.body.Output))
	return b.String(), nil
}

func (l *layout) reference(n *lower.Node) string {
	switch {
	case n == nil:
		return "none"
	case n.Kind != lower.Select:
		return fmt.Sprint(l.place[n])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d[", n.On.ID)
	for _, c := range n.Cases {
		b.WriteString(l.reference(c) + " ")
	}
	return b.String() + "]"
}

// candidates calls f for every tensor that n may stand for.
func candidates(n *lower.Node, f func(*lower.Node)) {
	switch {
	case n == nil:
	case n.Kind != lower.Select:
		f(n)
	default:
		for _, c := range n.Cases {
			candidates(c, f)
		}
	}
}

// use counts where a tensor is read.
type use struct{ fixed, chosen int }

func (l *layout) uses() map[*lower.Node]*use {
	out := map[*lower.Node]*use{}
	count := func(at *lower.Node, chosen bool) {
		candidates(at, func(n *lower.Node) {
			u := out[n]
			if u == nil {
				u = &use{}
				out[n] = u
			}
			if chosen || at.Kind == lower.Select {
				u.chosen++
			} else {
				u.fixed++
			}
		})
	}
	for _, n := range l.body.Nodes {
		for _, a := range n.Args {
			count(a.Node, a.Picked())
		}
	}
	count(l.body.Output, false)
	return out
}

// lay hands out the columns of a class, named below path.
func (l *layouter) lay(b *layout, path string) error {
	if b.laid {
		return nil
	}
	b.laid = true
	if b.body.Kind == "cell" && !l.names[b.body.Name] {
		path = b.body.Name
		l.names[path] = true
	}
	uses := b.uses()
	for _, n := range b.body.Nodes {
		if err := l.tensor(b, n, uses, path); err != nil {
			return err
		}
		for i, a := range n.Args {
			l.connect(b, link{b.place[n], i, 0}, a, uses, path)
		}
	}
	l.connect(b, link{theOutput, 0, 0}, lower.Arg{Node: b.body.Output}, uses, path)
	return nil
}

// tensor hands out the columns of an operation or a call.
func (l *layouter) tensor(b *layout, n *lower.Node, uses map[*lower.Node]*use, path string) error {
	at, name := b.place[n], join(path, n.Name)
	u := uses[n]
	if u == nil {
		return nil // nothing can read it
	}
	if n.Kind == lower.Call {
		inner := b.inner[n]
		if err := l.lay(inner, name); err != nil {
			return err
		}
		if u.fixed == 0 && (inner.body.Output.Kind != lower.Select || inner.calls > 1) {
			b.exists[at] = l.column(name + " = " + inner.body.Name)
		}
		return nil
	}
	if always(n.Flags.Absent) {
		return nil
	}
	for i, a := range n.Attrs {
		if a.Value.Open() || a.Default && follows(a.Value, n) {
			continue
		}
		values, err := l.values(a.Value, join(name, a.Name))
		if err != nil {
			return err
		}
		if values != nil {
			if b.attrs[at] == nil {
				b.attrs[at] = map[int]map[any]int{}
			}
			b.attrs[at][i] = values
		}
	}
	if u.fixed == 0 && b.attrs[at] == nil {
		if b.body.Kind == "block" && b.body.Output.Kind == lower.Select && u.chosen == 1 {
			name = path // one of the operations that the block chooses from
		}
		b.exists[at] = l.column(name + " = " + label(n))
	}
	return nil
}

// follows reports whether a value is told by the shapes of what an operation
// reads, as a default such as `out: int = c` is.
func follows(s *sym.Scalar, n *lower.Node) bool {
	for _, d := range s.Decisions() {
		told := slices.ContainsFunc(n.Args, func(a lower.Arg) bool {
			return slices.ContainsFunc(a.Node.Shape, func(s *sym.Scalar) bool { return slices.Contains(s.Decisions(), d) })
		})
		if !told {
			return false
		}
	}
	return true
}

// connect hands out the columns of an operand that is chosen: for the candidates
// that are read elsewhere as well, for vertices and inputs, and for all where an
// absent operand leaves a gap.
func (l *layouter) connect(b *layout, k link, operand lower.Arg, uses map[*lower.Node]*use, path string) {
	if !operand.Picked() && operand.Node.Kind != lower.Select {
		return
	}
	reader, dense := path, false
	if path == "" {
		reader = b.body.Name
	}
	if k.reader != theOutput {
		n := b.body.Nodes[k.reader-len(b.body.Inputs)]
		reader, dense = join(path, n.Name), operand.Picked() && !always(n.Flags.Sparse)
	}
	candidates(operand.Node, func(n *lower.Node) {
		u := uses[n]
		k.from = b.place[n]
		if _, known := b.links[k]; known || !dense && n.Kind == lower.Op && always(n.Flags.Absent) {
			return
		}
		if dense || n.Kind == lower.Input || n.Vertex != "" || u.fixed+u.chosen > 1 {
			b.links[k] = l.column(reader + " <- " + join(path, n.Name))
		}
	})
}

func (l *layouter) column(name string) int {
	l.columns = append(l.columns, name)
	return len(l.columns) - 1
}

// values hands out a column for each value of a scalar that is decided.
func (l *layouter) values(s *sym.Scalar, name string) (map[any]int, error) {
	if _, constant := s.Value(); constant {
		return nil, nil
	}
	all, err := domain(s)
	if err != nil || len(all) < 2 {
		return nil, err
	}
	out := map[any]int{}
	for _, v := range all {
		out[v] = l.column(fmt.Sprintf("%s = %v", name, v))
	}
	return out, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
