package lower

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// Bind builds the architecture of one genotype. It fails when the genotype is
// not of the plan's space, or when a shape or attribute has no meaning there.
//
// The graph may be edited with its methods. Its nodes and lists of inputs are only
// to be read: graphs of one plan share those that are the same in both. A Clone
// shares nothing.
func (p *Plan) Bind(g space.Genotype) (*graph.Graph, error) {
	if err := p.Space.Check(g); err != nil {
		return nil, err
	}
	b := p.binder(g)
	defer b.done()
	return b.body(p.Body)
}

// binder holds what is shared while one genotype is bound.
type binder struct {
	plan   *Plan
	values []int64 // what is taken of each decision, then the unknowns
	taken  sym.Taken
	bodies []*graph.Graph // by index; nil until built

	room  []int64 // for values, when there are unknowns
	flags []bool  // for frames
	refs  []graph.Ref

	operands []graph.Ref // of the node that is being built
	frames   []*frame    // used again
	depth    int         // how many of them are in use
	loose    frame       // for nodes of rigid bodies that are not kept
}

// binder returns a binder of the plan, used ones first.
func (p *Plan) binder(g space.Genotype) *binder {
	b, ok := p.idle.Get().(*binder)
	if !ok {
		b = &binder{plan: p, bodies: make([]*graph.Graph, p.bodies)}
		b.taken = b.value
	}
	b.values = g
	if p.unknowns > 0 {
		b.values = append(b.room[:0], g...)
		for range p.unknowns {
			b.values = append(b.values, 0)
		}
		b.room = b.values
	}
	return b
}

// value is what is taken of a decision.
func (b *binder) value(d *space.Decision) int64 {
	if len(b.plan.answers) > 0 {
		if all, ok := b.plan.answers[d]; ok {
			return answered(all, b.values)
		}
	}
	return b.values[d.ID]
}

// done gives the binder back. What it built stays.
func (b *binder) done() {
	b.values = nil
	clear(b.bodies)
	for _, f := range b.frames {
		*f = frame{}
	}
	b.depth, b.loose = 0, frame{}
	b.flags, b.refs = b.flags[:0], b.refs[:0]
	b.plan.idle.Put(b)
}

// body is the graph of a body, which is built once.
func (b *binder) body(body *Body) (*graph.Graph, error) {
	if g := b.bodies[body.index]; g != nil {
		return g, nil
	}
	if body.rigid != nil {
		s := body.rigid.slabs()
		return b.walk(body, &s)
	}
	if b.depth == len(b.frames) {
		b.frames = append(b.frames, new(frame))
	}
	f := b.frames[b.depth]
	*f = frame{binder: b}
	b.depth++
	if err := f.trace(body); err != nil {
		return nil, err
	}
	b.depth--
	b.bodies[body.index] = f.out
	return f.out, nil
}

// inputs adds to all the inputs of the graph of a body.
func (b *binder) inputs(body *Body, all []graph.Input) ([]graph.Input, error) {
	for _, in := range body.Inputs {
		if !b.there(in.When) {
			continue
		}
		shape, err := b.inputShape(in)
		if err != nil {
			return nil, err
		}
		all = append(all, graph.Input{Name: in.Name, Shape: shape})
	}
	return all, nil
}

// follow follows selections to the node that the genotype takes.
func (b *binder) follow(n *Node) (*Node, error) {
	for n.Kind == Select {
		i := b.value(n.On)
		if n.On.Kind == space.Subset && i >= 0 {
			i = i >> uint(n.Item) & 1
		}
		if i < 0 || int(i) >= len(n.Cases) || n.Cases[i] == nil {
			return nil, fmt.Errorf("%s: decision %s is not taken here", n.Name, n.On.Address)
		}
		n = n.Cases[i]
	}
	return n, nil
}

func (b *binder) present(a Arg) bool {
	for _, w := range a.When {
		if v := b.value(w.On); v < 0 || v>>uint(w.Index)&1 == 0 {
			return false
		}
	}
	return b.there(a.If)
}

func (b *binder) there(when *sym.Scalar) bool {
	if when == nil {
		return true
	}
	v, err := when.Eval(b.taken)
	return err == nil && v == true
}
