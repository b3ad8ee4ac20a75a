// Package lower turns a checked space into things that run.
//
// What compiler/check makes of a space is a [Plan]: the decision tree of
// compiler/space beside a graph in which decisions are still open. A plan is
// built from [Body] values, one per template instance; a cell that meets equal
// shapes again reuses its body, so fifteen equal cells are one body. The nodes
// of a body are inputs, operations, calls of other bodies, and selections: the
// tensor that a decision picks among its alternatives. Shapes, attributes and
// costs are symbolic scalars over decisions.
//
// [Plan.Bind] takes one genotype and follows the plan from its output, asking
// the genotype at each selection; what no taken alternative reaches is never
// built. The result is a compiler/graph Graph.
//
// An operation may leave an attribute open, to be settled by how its result is
// read. The plan holds an unknown in its place, and shapes and costs are symbolic
// over it as over decisions; when a body is bound, the operation that settles (the
// body's Settler) gives it a value by a rule of stdlib/widths.
package lower

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/stdlib/widths"
)

// Plan is a space ready to be bound. NewPlan makes one.
type Plan struct {
	Space    *space.Space
	Body     *Body
	Requires []*Requirement // of all bodies, in the order of the source

	// Absent are, by decision, the candidates that stand for no edge and are left
	// out since `k of` picks only what is there. A supernet weighs them.
	Absent map[*space.Decision][]AbsentCase

	bodies     int
	unknowns   int
	prototypes int
	idle       sync.Pool // of binders
	answers    Answers
}

// AbsentCase is a candidate that a decision leaves out.
type AbsentCase struct {
	Label string
	At    int // its place among all candidates
}

// Answers tells where the tree keeps the answer to a decision that nodes and
// scalars refer to, when it is not that very decision of the tree: it may be
// repeated below several alternatives, so that at most one of several has it.
type Answers map[*space.Decision][]Answer

// Answer is a decision of the tree. Where a subset is decided as one of all its
// sets, Sets are the bit sets of its alternatives.
type Answer struct {
	On   *space.Decision
	Sets []int64
}

// Plain reports whether the tree has every decision that the plan refers to, once
// and as it is referred to.
func (p *Plan) Plain() bool { return len(p.answers) == 0 }

// Taken looks decisions up in one genotype.
func (p *Plan) Taken(g space.Genotype) sym.Taken {
	if len(p.answers) == 0 {
		return func(d *space.Decision) int64 { return g[d.ID] }
	}
	return func(d *space.Decision) int64 {
		all, ok := p.answers[d]
		if !ok {
			return g[d.ID]
		}
		return answered(all, g)
	}
}

// answered is the answer that exists under what is taken.
func answered(all []Answer, values []int64) int64 {
	for _, a := range all {
		switch v := values[a.On.ID]; {
		case v == space.Inactive:
		case a.Sets != nil:
			return a.Sets[v]
		default:
			return v
		}
	}
	return space.Inactive
}

// NewPlan makes a plan of a decision tree and the body of the whole space, and
// numbers what is in it.
func NewPlan(s *space.Space, body *Body, answers Answers) *Plan {
	p := &Plan{Space: s, Body: body, answers: answers}
	p.number(body, map[*Body]bool{})
	slices.SortStableFunc(p.Requires, func(a, b *Requirement) int {
		return cmp.Or(strings.Compare(a.Span.Start.File, b.Span.Start.File), a.Span.Start.Offset-b.Span.Start.Offset)
	})
	return p
}

// number gives every body, and every tensor within its body, an index.
func (p *Plan) number(b *Body, done map[*Body]bool) {
	if done[b] {
		return
	}
	done[b] = true
	b.index = p.bodies
	p.bodies++
	for _, r := range b.Requires {
		r.body = b
		p.Requires = append(p.Requires, r)
	}
	for i, n := range b.Inputs {
		b.sparse = b.sparse || n.When != nil
		n.index = i
		n.keep(p)
	}
	for i, n := range b.Nodes {
		n.index = len(b.Inputs) + i
		if n.Open != nil { // after all decisions
			n.Open.ID = len(p.Space.Decisions) + p.unknowns
			p.unknowns++
		}
		n.keep(p)
		if n.Body != nil {
			p.number(n.Body, done)
		}
	}
	b.rigid = p.rigid(b)
}

// Body is the inside of one template instance.
type Body struct {
	Name   string // the template's name
	Kind   string // "space", "cell" or "block"
	Inputs []*Node
	Nodes  []*Node // operations and calls in the order of the source
	Output *Node

	Requires []*Requirement

	// Settler is the operation of the body that settles what others leave open,
	// or nil.
	Settler *Node

	index  int    // among the bodies of the plan
	sparse bool   // not every input is always given
	rigid  *rigid // nil for a body that is not rigid
}

// Kind tells the nodes of a plan apart.
type Kind int

// The kinds of plan node.
const (
	Input  Kind = iota // an entry of the body
	Op                 // a declared operation
	Select             // the case that a decision takes, or an item of a subset
	Call               // another body
)

// Node is one tensor of a body.
type Node struct {
	Kind   Kind
	Name   string // its address below the body
	Vertex string // set when a `node` statement names it
	Span   diag.Span
	Shape  []*sym.Scalar

	Args []Arg // operands of an Op, in order; inputs of a Call

	Op     *Operation      // Op
	Attrs  []Attr          // Op
	Params *sym.Scalar     // Op
	MACs   *sym.Scalar     // Op
	Flags  Flags           // Op
	Open   *space.Decision // Op: the unknown that an attribute is left to, see sym.Unknown
	Settle widths.Rule     // Op: how it settles the unknowns of its body
	On     *space.Decision // Select
	Item   int             // Select, where On is a subset: the item whose presence decides
	Cases  []*Node         // Select: one per alternative; of an item absent, then present
	When   *sym.Scalar     // Input: where it is given; nil is always
	Body   *Body           // Call

	index      int // among the inputs and nodes of its body; selections have none
	prototypes *prototypes
}

// Arg is one operand. An operand of a fold over a picked set is there only
// where every item of When is taken, and If, which may be nil, is true.
type Arg struct {
	Node *Node
	When []Item
	If   *sym.Scalar
}

// Picked reports whether the operand is there in some architectures only.
func (a Arg) Picked() bool { return len(a.When) > 0 || a.If != nil }

// Item is one item of a subset decision.
type Item struct {
	On    *space.Decision
	Index int
}

// Operation names a declared op.
type Operation struct {
	Name   string
	Module string
	Fold   bool // takes a set of tensors

	Signature Signature
}

// Signature is the declaration of an op, which can be evaluated again.
type Signature interface {
	// Of is the op applied to operands of such shapes, with such attributes and the
	// defaults of all others: what it says of its result, its costs and its algebra.
	Of(operands []graph.Shape, given []graph.Attr) (*Node, error)
}

// Attr is one attribute of an op, still symbolic.
type Attr struct {
	Name    string
	Value   *sym.Scalar
	Default bool
}

// Flags is the algebra an op declares; a nil scalar means false.
type Flags struct {
	Absent      *sym.Scalar
	Identity    *sym.Scalar
	Commutative *sym.Scalar
	Sparse      *sym.Scalar
	Collapses   *sym.Scalar
}
