// Package check turns the syntax of a space into its meaning: it infers types
// and shapes, finds every decision, and leaves a compiler/lower Plan.
//
// The checker is an interpreter that runs the space once with all decisions
// open. Where the program chooses, it declares a decision in the tree of
// compiler/space and evaluates every alternative; a tensor that depends on a
// decision becomes a selection node, a number becomes a symbolic scalar.
//
// Where a decision lives follows from scope alone. A block is elaborated afresh
// whenever it meets tensors and its decisions get addresses below that use
// (normal.n[1].edge[0]). A cell is elaborated for each shape it meets, but finds
// its decisions again by their place, so they are taken once. What is decided
// inside an alternative hangs below that alternative.
//
// Codes reported here: E0201 to E0206 for names that only evaluation can
// resolve, E03xx for types and shapes, E04xx for decisions.
package check

import (
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// checker holds the state of one elaboration.
type checker struct {
	prog     *resolve.Program
	diags    diag.List
	rootHome *home
	envs     map[*resolve.Module]*env
	lets     map[*syntax.Let]value
	taken    Taken       // of a search's swept choices
	asked    []*question // every decision, by its ID while the space is checked
	open     int         // how often something depended on a decision, or was said about one place
	ops      map[used]*lower.Node
	blocks   map[used]*lower.Body
	vertices map[*lower.Node]*scope // where the name of a vertex comes from
	texts    map[syntax.Expr]string
	leftOut  map[*space.Decision][]lower.AbsentCase // candidates of what was picked, see lower.Plan
	named    []namedNode
	opened   []*space.Decision // by the attributes of the op being applied
	nodes    int
	steps    int
	deep     int
	work     int
	at       string    // the vertex being computed, for messages
	use      diag.Span // the application being checked, for messages
}

func newChecker(p *resolve.Program, name string) *checker {
	k := &checker{
		prog:     p,
		envs:     map[*resolve.Module]*env{},
		lets:     map[*syntax.Let]value{},
		ops:      map[used]*lower.Node{},
		blocks:   map[used]*lower.Body{},
		vertices: map[*lower.Node]*scope{},
		texts:    map[syntax.Expr]string{},
		leftOut:  map[*space.Decision][]lower.AbsentCase{},
	}
	k.rootHome = &home{scope: &scope{}, ties: newTies(name)}
	return k
}

// Space elaborates one space of a program's root module. Arguments given by name
// replace the defaults of its parameters; a tensor parameter takes its shape as
// a list of whole numbers ([]int64).
func Space(p *resolve.Program, t *syntax.Template, m *resolve.Module, args []Argument) (*lower.Plan, diag.List) {
	k := newChecker(p, t.Name.Name)
	plan := k.space(t, m, args)
	k.diags.Sort()
	if k.diags.HasErrors() {
		return nil, k.diags
	}
	return plan, k.diags
}

// maxFile bounds the expressions evaluated and the nodes made for all spaces of a
// file together; a node counts as several expressions.
const maxFile = 4 * maxSteps

// Spaces elaborates spaces of a program's root module one after the other, with
// the defaults of their parameters, for what is wrong with them; more tells what
// else is wrong with one that compiles.
func Spaces(p *resolve.Program, spaces []*syntax.Template, more func(*lower.Plan) diag.List) diag.List {
	var diags diag.List
	steps := 0
	for _, t := range spaces {
		if steps > maxFile {
			diags.Add("E0410", t.Name.Span(), "the spaces before this one took more than %d expressions to evaluate: the rest is not checked", maxFile)
			break
		}
		k := newChecker(p, t.Name.Name)
		plan := k.space(t, p.Root, nil)
		steps += k.steps + 3*k.nodes
		diags = append(diags, k.diags...)
		if plan != nil && !k.diags.HasErrors() {
			diags = append(diags, more(plan)...)
		}
	}
	return diags
}

// Argument replaces a default of a space's parameter.
type Argument struct {
	Name  string
	Value any // int64, float64, bool, string, or []int64 for a tensor's shape
	Span  diag.Span
}

func (k *checker) space(t *syntax.Template, m *resolve.Module, args []Argument) (plan *lower.Plan) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(fatal); !ok {
				panic(r)
			}
			plan = nil
		}
	}()
	v := &template{decl: t, mod: m, env: k.moduleEnv(m), home: k.rootHome, index: -1, at: t.Name.Span()}
	shapes, ok := k.arguments(v, args)
	if !ok {
		return nil
	}
	c := k.rootContext()
	c.env = v.env.child()
	c.frame = newFrame(nil, t.Name.Name, string(syntax.Space), c.scope)
	var tensors []value
	for _, p := range t.Params {
		if isTensorParam(p) {
			if p.Type == nil || !p.Type.Shape {
				d := k.diags.Add("E0306", p.Span(), "the shape of `%s` is not known", p.Name.Name)
				d.Help = "write `" + p.Name.Name + ": [3, 32, 32]`"
				return nil
			}
			continue
		}
		ok = k.bindAttribute(v, p, c) && ok
	}
	if !ok {
		return nil
	}
	for _, p := range t.Params {
		if !isTensorParam(p) {
			continue
		}
		shape, good := shapes[p.Name.Name], true
		if shape == nil {
			shape, good = k.inputShape(p, c)
		}
		if !good {
			return nil
		}
		tn := c.frame.input(p.Name.Name, shape, p.Span())
		c.env.bind(p.Name.Name, tn)
		tensors = append(tensors, tn)
	}
	r := k.body(t, c)
	if isOp(r) && len(tensors) > 0 {
		r = k.applyTo(r, operands{given: tensors}, c, t.Name.Span())
	}
	out, isTensor := r.(*tensor)
	if !isTensor {
		if _, isBad := r.(bad); !isBad {
			d := k.diags.Add("E0304", t.Name.Span(), "space `%s` must return one tensor; this is %s", t.Name.Name, describe(r))
			if _, isSet := r.(*set); isSet {
				d.Help = "fold the set with `sum` or `concat`; to choose one of a list of operations, write `1 of`"
			}
		}
		return nil
	}
	if t.Result != nil && !k.promised(t, out, c) {
		return nil
	}
	c.frame.body.Output = out.node
	k.settled(c.frame)
	return k.finish(t, c.frame.body)
}

// finish gives everything its final name and closes the decision tree.
func (k *checker) finish(t *syntax.Template, body *lower.Body) *lower.Plan {
	for _, q := range k.asked {
		q.d.Address = q.scope.address()
	}
	for _, n := range k.named {
		s := n.scope
		if v, ok := k.vertices[n.node]; ok {
			s = v
		}
		n.node.Name = s.addressBelow(n.base)
	}
	if k.diags.HasErrors() {
		return nil
	}
	root, answers := k.tree()
	sp, err := space.New(t.Name.Name, root)
	if err != nil {
		k.diags.Add("E0410", t.Name.Span(), "%s", err)
		return nil
	}
	plan := lower.NewPlan(sp, body, answers)
	plan.Absent = k.leftOut
	return plan
}

// arguments checks what is given for the parameters of a space.
func (k *checker) arguments(t *template, args []Argument) (map[string][]*sym.Scalar, bool) {
	shapes := map[string][]*sym.Scalar{}
	ok := true
	for _, a := range args {
		p := parameter(t.decl, a.Name)
		if p == nil {
			d := k.diags.Add("E0202", a.Span, "space `%s` has no parameter `%s`", t.decl.Name.Name, a.Name)
			var names []string
			for _, p := range t.decl.Params {
				names = append(names, p.Name.Name)
			}
			if best, found := diag.Suggest(a.Name, names); found {
				d.Help = "did you mean `" + best + "`?"
			}
			ok = false
			continue
		}
		dims, isShape := a.Value.([]int64)
		if isShape != isTensorParam(p) {
			k.diags.Add("E0303", a.Span, "`%s` of space `%s` cannot be %v", a.Name, t.decl.Name.Name, a.Value)
			ok = false
			continue
		}
		if isShape {
			for _, d := range dims {
				shapes[a.Name] = append(shapes[a.Name], sym.Int(d))
			}
			if len(dims) != len(p.Type.Dims) {
				k.diags.Add("E0301", a.Span, "`%s` has %s, %d given", a.Name, plural(len(p.Type.Dims), "dimension"), len(dims))
				ok = false
			}
			continue
		}
		t.given = append(t.given, attribute{a.Name, &scalar{sym.Const(a.Value)}, a.Span})
	}
	return shapes, ok
}

// inputShape evaluates the declared shape of a space's input.
func (k *checker) inputShape(p *syntax.Param, c context) ([]*sym.Scalar, bool) {
	var shape []*sym.Scalar
	for _, x := range p.Type.Dims {
		s, ok := k.scalar(k.eval(x, c), x.Span())
		if !ok {
			return nil, false
		}
		for _, v := range samples(s) {
			if n, isInt := v.(int64); !isInt || n < 1 || n > lower.MaxDim {
				k.diags.Add("E0309", x.Span(), "a dimension of `%s` would be %v", p.Name.Name, v)
				return nil, false
			}
		}
		shape = append(shape, s)
	}
	return shape, true
}

// promised compares the result of a template with the shape it declares.
func (k *checker) promised(t *syntax.Template, out *tensor, c context) bool {
	if !t.Result.Shape {
		k.diags.Add("E0303", t.Result.Span(), "the result of a %s is a shape such as [c, h, w]", t.Kind)
		return false
	}
	dims := t.Result.Dims
	bad := len(dims) != len(out.node.Shape)
	for i := 0; i < len(dims) && !bad; i++ {
		want, ok := k.scalar(k.eval(dims[i], c), dims[i].Span())
		if !ok {
			return false
		}
		eq, _ := equal(want, out.node.Shape[i])
		bad = !eq
	}
	if bad {
		d := k.diags.Add("E0301", t.Result.Span(), "%s `%s` returns shape %s", t.Kind, t.Name.Name, shapeText(out.node.Shape))
		d.Notes = append(d.Notes, diag.Note{Span: out.node.Span, Text: "the result comes from here"})
	}
	return !bad
}

func (k *checker) rootContext() context {
	return context{scope: k.rootHome.scope, ties: k.rootHome.ties}
}

func (k *checker) moduleEnv(m *resolve.Module) *env {
	if e, ok := k.envs[m]; ok {
		return e
	}
	e := &env{mod: m}
	k.envs[m] = e
	return e
}

// text prints an expression on one line, as labels and messages show it.
func (k *checker) text(e syntax.Expr) string {
	t, ok := k.texts[e]
	if !ok {
		t = format.Expr(e)
		k.texts[e] = t
	}
	return t
}
