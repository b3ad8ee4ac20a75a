package unique

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// sketch is a body of a plan with everything nested in it opened: a table of rows
// in topological order, whose operands may depend on decisions. For one genotype
// it gives the table of a graph, without shapes and costs.
type sketch struct {
	plan    *lower.Plan
	inputs  int
	rows    []row
	selects []selection
	output  ref
	slots   []slot // by decision; the zero slot for a decision that is none
}

// ref is a tensor of a sketch: a row (the inputs come first), or from -1 downwards
// a selection.
type ref int32

// row is an input or an operation.
type row struct {
	label label
	args  []arg
	fold  bool
	rules canon.Algebra
	known bool        // the rules hold for every architecture
	node  *lower.Node // nil for an input
	blank canon.Colour
	slot  int          // the decision whose alternatives only label this row, or -1
	mark  canon.Colour // what stands for the label while it is blank
}

// label is what a row is by itself. It is the same for all architectures, or one
// per alternative of a decision, or computed.
type label struct {
	on     *space.Decision
	values []canon.Colour
}

type arg struct {
	to   ref
	when []lower.Item
}

// selection is the tensor that a decision takes.
type selection struct {
	on    *space.Decision
	cases []ref
}

// opener opens a body.
type opener struct {
	sk *sketch
}

// open makes the sketch of a body.
func open(p *lower.Plan, b *lower.Body) (*sketch, error) {
	if !p.Plain() {
		return nil, unknown("what it decides further depends on several decisions")
	}
	o := opener{&sketch{plan: p, inputs: len(b.Inputs)}}
	refs := make([]ref, len(b.Inputs))
	for i, in := range b.Inputs {
		refs[i] = o.add(row{
			label: fixed(text("input " + strconv.Itoa(i))), known: true, slot: -1,
			blank: shapeColour(in.Shape),
		})
	}
	out, err := o.body(b, refs)
	if err != nil {
		return nil, err
	}
	o.sk.output = out
	return o.sk, nil
}

func (o *opener) add(r row) ref {
	o.sk.rows = append(o.sk.rows, r)
	return ref(len(o.sk.rows) - 1)
}

// body adds one instance of a body that reads the given tensors.
func (o *opener) body(b *lower.Body, inputs []ref) (ref, error) {
	at := make(map[*lower.Node]ref, len(b.Inputs)+len(b.Nodes))
	for i, in := range b.Inputs {
		at[in] = inputs[i]
	}
	for _, n := range b.Nodes {
		if len(o.sk.rows) > maxRows {
			return 0, unknown("its cell is too large")
		}
		args := make([]arg, len(n.Args))
		for i, a := range n.Args {
			r, err := o.tensor(a.Node, at)
			if err != nil {
				return 0, err
			}
			if a.If != nil {
				return 0, unknown("what it reads depends on several decisions")
			}
			args[i] = arg{r, a.When}
		}
		if n.Kind == lower.Call {
			given := make([]ref, len(args))
			for i, a := range args {
				if len(a.when) > 0 {
					return 0, unknown("a nested graph reads what was picked")
				}
				given[i] = a.to
			}
			out, err := o.body(n.Body, given)
			if err != nil {
				return 0, err
			}
			at[n] = out
			continue
		}
		at[n] = o.add(operation(n, args))
	}
	return o.tensor(b.Output, at)
}

// tensor finds a tensor of the body that is being opened; a selection is added
// when it is first met.
func (o *opener) tensor(n *lower.Node, at map[*lower.Node]ref) (ref, error) {
	if r, ok := at[n]; ok {
		return r, nil
	}
	if n.Kind != lower.Select {
		return 0, unknown("it reads tensors of another body")
	}
	if n.On.Kind == space.Subset {
		return 0, unknown("a tensor depends on what was picked")
	}
	s := selection{on: n.On, cases: make([]ref, len(n.Cases))}
	for i, c := range n.Cases {
		if c == nil {
			return 0, unknown("an alternative has no tensor")
		}
		var err error
		if s.cases[i], err = o.tensor(c, at); err != nil {
			return 0, err
		}
	}
	o.sk.selects = append(o.sk.selects, s)
	at[n] = ref(-len(o.sk.selects))
	return at[n], nil
}

func operation(n *lower.Node, args []arg) row {
	r := row{args: args, fold: n.Op.Fold, node: n, slot: -1, blank: shapeColour(n.Shape)}
	r.label = labelOf(n)
	r.known = true
	for rule, scalar := range rules(n) {
		v, constant := scalar.Value()
		if v == true {
			r.rules |= rule
		}
		r.known = r.known && constant
	}
	return r
}

// rules yields the algebra that the op of a node declares.
func rules(n *lower.Node) iter.Seq2[canon.Algebra, *sym.Scalar] {
	return func(yield func(canon.Algebra, *sym.Scalar) bool) {
		f := &n.Flags
		for _, r := range []struct {
			rule canon.Algebra
			s    *sym.Scalar
		}{
			{canon.Absent, f.Absent}, {canon.Identity, f.Identity}, {canon.Commutative, f.Commutative},
			{canon.Sparse, f.Sparse}, {canon.Collapses, f.Collapses},
		} {
			if r.s != nil && !yield(r.rule, r.s) {
				return
			}
		}
	}
}

// text is the colour of a text.
func text(s string) canon.Colour { return canon.Colour{}.Text(s) }

func fixed(c canon.Colour) label { return label{values: []canon.Colour{c}} }

// labelOf writes down the op and its attributes, for each alternative where they
// depend on one decision. A label without values is computed for each genotype.
func labelOf(n *lower.Node) label {
	var on *space.Decision
	for _, a := range n.Attrs {
		if a.Value.Open() {
			continue
		}
		for _, d := range a.Value.Decisions() {
			if on != nil && d != on || d.Kind == space.Subset {
				return label{}
			}
			on = d
		}
	}
	if on == nil {
		c, err := nodeLabel(n, func(*space.Decision) int64 { return 0 })
		if err != nil {
			return label{}
		}
		return fixed(c)
	}
	l := label{on: on, values: make([]canon.Colour, len(on.Alts))}
	for i := range on.Alts {
		var err error
		if l.values[i], err = nodeLabel(n, func(*space.Decision) int64 { return int64(i) }); err != nil {
			return label{}
		}
	}
	return l
}

func nodeLabel(n *lower.Node, taken sym.Taken) (canon.Colour, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q", n.Op.Module, n.Op.Name)
	for _, a := range n.Attrs {
		if a.Value.Open() { // it follows from the wiring
			continue
		}
		v, err := a.Value.Eval(taken)
		if err != nil {
			return canon.Colour{}, err
		}
		fmt.Fprintf(&b, " %s=%T:%v", a.Name, v, v)
	}
	return text(b.String()), nil
}

// shapeColour tells absent tensors of different shapes apart.
func shapeColour(shape []*sym.Scalar) canon.Colour {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = d.String()
	}
	return text("absent " + strings.Join(parts, " "))
}

// ruleDecisions calls f for every decision that the algebra of the row depends on.
func (r *row) ruleDecisions(f func(*space.Decision)) {
	if r.node == nil {
		return
	}
	for _, scalar := range rules(r.node) {
		for _, d := range scalar.Decisions() {
			f(d)
		}
	}
}

// reader turns genotypes into digests. It is used by one goroutine.
type reader struct {
	*sketch
	table   canon.Table
	scratch canon.Scratch
	needed  []bool
	place   []int32
	refs    []int32
}

func (sk *sketch) reader() *reader {
	return &reader{sketch: sk, needed: make([]bool, len(sk.rows)), place: make([]int32, len(sk.rows))}
}

// follow follows selections to the row that the genotype takes.
func (r *reader) follow(t ref, g space.Genotype) ref {
	for t < 0 {
		s := &r.selects[-1-t]
		t = s.cases[g[s.on.ID]]
	}
	return t
}

func present(a *arg, g space.Genotype) bool {
	for _, w := range a.when {
		if g[w.On.ID]>>uint(w.Index)&1 == 0 {
			return false
		}
	}
	return true
}

// digest is the canonical form of the body for one genotype; with blank labels
// where decisions only label.
func (r *reader) digest(g space.Genotype, blank bool) (canon.Digest, error) {
	clear(r.needed)
	out := r.follow(r.output, g)
	r.needed[out] = true
	for i := len(r.rows) - 1; i >= 0; i-- {
		if !r.needed[i] {
			continue
		}
		for k := range r.rows[i].args {
			if a := &r.rows[i].args[k]; present(a, g) {
				r.needed[r.follow(a.to, g)] = true
			}
		}
	}
	r.table.Reset()
	for i := range r.rows {
		row := &r.rows[i]
		if i >= r.inputs && !r.needed[i] {
			continue
		}
		r.refs = r.refs[:0]
		for k := range row.args {
			if a := &row.args[k]; present(a, g) {
				r.refs = append(r.refs, r.place[r.follow(a.to, g)])
			}
		}
		algebra := row.rules
		if !row.known {
			var err error
			if algebra, err = rulesOf(row.node, g); err != nil {
				return canon.Digest{}, err
			}
		}
		if row.fold && len(r.refs) == 0 {
			algebra |= canon.Absent
		}
		l, err := r.label(row, g, blank)
		if err != nil {
			return canon.Digest{}, err
		}
		r.place[i] = r.table.Add(canon.Row{Label: l, Blank: row.blank, Algebra: algebra, Reads: r.refs})
	}
	return r.scratch.Digest(&r.table, r.place[out]), nil
}

func (r *reader) label(row *row, g space.Genotype, blank bool) (canon.Colour, error) {
	if blank && row.slot >= 0 {
		return row.mark, nil
	}
	l := &row.label
	switch {
	case l.on != nil:
		return l.values[g[l.on.ID]], nil
	case len(l.values) == 1:
		return l.values[0], nil
	}
	return nodeLabel(row.node, func(d *space.Decision) int64 { return g[d.ID] })
}

// rulesOf evaluates the algebra of a node for one genotype.
func rulesOf(n *lower.Node, g space.Genotype) (canon.Algebra, error) {
	var out canon.Algebra
	for rule, scalar := range rules(n) {
		v, err := scalar.Eval(func(d *space.Decision) int64 { return g[d.ID] })
		if err != nil {
			return 0, err
		}
		if v == true {
			out |= rule
		}
	}
	return out, nil
}

// sameArgs reports whether two rows read the same under all conditions.
func sameArgs(a, b []arg) bool {
	return slices.EqualFunc(a, b, func(x, y arg) bool { return x.to == y.to && slices.Equal(x.when, y.when) })
}
