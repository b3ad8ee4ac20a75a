package graph

// Live is the part of g that computes its output, as a new graph: what reaches
// no output is gone, an operation fed only by absent edges is absent itself,
// sparse folds lose their absent inputs, and identities, and folds that collapse
// when a single input is left, are replaced by that tensor. The rules reach
// through nested graphs, which lose the inputs they do not use; nodes that shared
// a body share one again where the same of their inputs are absent.
//
// The inputs of g itself stay. An absent tensor that cannot be left out, such
// as one of several inputs of a concat, becomes a node "absent" without inputs;
// so does the output of a graph in which no path leads to it.
func (g *Graph) Live() *Graph {
	var d reducer
	p := d.part(partKey{graph: g})
	for t := range p.inputs { // nothing nested in g is like g, so this wiring is its own
		p.tensors[t].need = true
	}
	return p.build()
}

// Disconnected reports whether the output of g depends on none of its inputs: every path
// to it leads through an absent edge, such as `zero`.
func (g *Graph) Disconnected() bool {
	live := g.Live()
	if _, input := live.Output.IsInput(); input {
		return false
	}
	return live.Nodes[live.Output].Absent
}

// build makes the graph of a part, once.
func (p *part) build() *Graph {
	if p.live != nil {
		return p.live
	}
	g := p.graph
	b := builder{part: p, out: &Graph{Name: g.Name, Kind: g.Kind}, place: make([]Ref, len(p.tensors))}
	for i, in := range g.Inputs {
		if p.used(i) {
			b.place[p.number(InputRef(i))] = InputRef(len(b.out.Inputs))
			b.out.Inputs = append(b.out.Inputs, in)
		}
	}
	for i, n := range g.Nodes {
		if p.stays(i) {
			b.place[p.number(Ref(i))] = b.add(n, p.sub(i))
		}
	}
	b.out.Output = b.at(g.Output)
	p.live = b.out
	return p.live
}

// builder fills the graph of a part.
type builder struct {
	*part
	out   *Graph
	place []Ref // by tensor of the old graph: where it is in the new one
}

// add puts a node that stays into the new graph.
func (b *builder) add(n *Node, sub *part) Ref {
	c := *n
	c.Inputs = nil
	for k, r := range n.Inputs {
		switch {
		case sub != nil && !sub.used(k):
		case sub == nil && n.Sparse && b.fate(r) == gone:
		default:
			c.Inputs = append(c.Inputs, b.at(r))
		}
	}
	if sub != nil {
		c.Body = sub.build()
	}
	return b.append(&c)
}

func (b *builder) append(n *Node) Ref {
	b.out.Nodes = append(b.out.Nodes, n)
	return Ref(len(b.out.Nodes) - 1)
}

// at is where the tensor r of the old graph is in the new one. For an absent
// tensor there is a node, one for all of a shape, unless it is an input.
func (b *builder) at(r Ref) Ref {
	if t := b.operand(b.number(r), false); t != gone {
		return b.place[t]
	}
	of := b.graph.Nodes[r]
	for i, n := range b.out.Nodes {
		if n.Absent && n.Shape.Equal(of.Shape) {
			return Ref(i)
		}
	}
	return b.append(&Node{Name: of.Name, Op: "absent", Shape: of.Shape, Absent: true})
}
