package graph

// Live is the part of g that computes its output, as a new graph: what reaches
// no output is gone, an operation fed only by absent edges is absent itself,
// sparse folds lose their absent inputs, and identities, and folds that collapse
// when a single input is left, are replaced by that tensor. The rules reach through nested graphs, which lose
// the inputs they do not use; nodes that shared a body share one again where
// the same of their inputs are absent.
//
// The inputs of g itself stay. An absent tensor that cannot be left out, such
// as one of several inputs of a concat, becomes a node "absent" without inputs;
// so does the output of a graph in which no path leads to it.
func (g *Graph) Live() *Graph {
	l := liver{known: map[liveKey]*liveBody{}}
	b := l.body(g, make([]bool, len(g.Inputs)), true)
	return b.graph
}

type liver struct{ known map[liveKey]*liveBody }

// liveKey tells for which inputs being absent a body was worked out.
type liveKey struct {
	graph  *Graph
	absent string
}

// liveBody is what is left of a graph. Exactly one of the three holds: it is
// absent, it hands an input on, or it is a graph reading some of the inputs.
type liveBody struct {
	absent bool
	pass   int // the input handed on, or -1
	graph  *Graph
	used   []int // which inputs of the original are those of graph
}

// tensor is a tensor of the new graph, or absent.
type tensor struct {
	absent bool
	ref    Ref
}

func (l *liver) body(g *Graph, absent []bool, root bool) *liveBody {
	key := liveKey{g, mask(absent)}
	if b, ok := l.known[key]; ok && !root {
		return b
	}
	w := liveWork{liver: l, old: g, out: &Graph{Name: g.Name, Kind: g.Kind}, absent: absent}
	w.tensors = make([]tensor, len(g.Nodes))
	for i, n := range g.Nodes {
		w.tensors[i] = w.node(n)
	}
	b := w.finish(root)
	if !root {
		l.known[key] = b
	}
	return b
}

func mask(absent []bool) string {
	b := make([]byte, len(absent))
	for i, a := range absent {
		if a {
			b[i] = 1
		}
	}
	return string(b)
}

// liveWork is one graph while it is reduced. References to inputs stay those
// of the old graph until finish.
type liveWork struct {
	*liver
	old     *Graph
	out     *Graph
	absent  []bool
	tensors []tensor
}

func (w *liveWork) tensor(r Ref) tensor {
	if i, ok := r.IsInput(); ok {
		return tensor{absent: w.absent[i], ref: r}
	}
	return w.tensors[r]
}

func (w *liveWork) node(n *Node) tensor {
	if n.Absent {
		return tensor{absent: true}
	}
	if n.Body != nil {
		return w.nested(n)
	}
	var refs []Ref
	for _, r := range n.Inputs {
		if t := w.tensor(r); !t.absent {
			refs = append(refs, t.ref)
		}
	}
	switch {
	case len(refs) == 0 && len(n.Inputs) > 0:
		return tensor{absent: true}
	case n.Identity, n.Collapses && len(refs) == 1 && (n.Sparse || len(n.Inputs) == 1):
		return tensor{ref: refs[0]}
	case len(refs) < len(n.Inputs) && !n.Sparse:
		refs = w.present(n.Inputs)
	}
	return w.add(n, refs)
}

func (w *liveWork) nested(n *Node) tensor {
	absent := make([]bool, len(n.Inputs))
	for i, r := range n.Inputs {
		absent[i] = w.tensor(r).absent
	}
	b := w.body(n.Body, absent, false)
	switch {
	case b.absent:
		return tensor{absent: true}
	case b.pass >= 0:
		return w.tensor(n.Inputs[b.pass])
	}
	used := make([]Ref, len(b.used))
	for i, k := range b.used {
		used[i] = n.Inputs[k]
	}
	t := w.add(n, w.present(used))
	w.out.Nodes[t.ref].Body = b.graph
	return t
}

func (w *liveWork) add(n *Node, refs []Ref) tensor {
	c := *n
	c.Inputs = refs
	w.out.Nodes = append(w.out.Nodes, &c)
	return tensor{ref: Ref(len(w.out.Nodes) - 1)}
}

// present turns refs of the old graph into refs of the new one, with a node for
// what is absent. Absent inputs are the business of the caller.
func (w *liveWork) present(old []Ref) []Ref {
	refs := make([]Ref, len(old))
	for i, r := range old {
		refs[i] = w.tensor(r).ref
		if _, input := r.IsInput(); w.tensor(r).absent && !input {
			refs[i] = w.nothing(w.old.Nodes[r])
		}
	}
	return refs
}

// nothing stands for an absent tensor; one node serves all of a shape.
func (w *liveWork) nothing(of *Node) Ref {
	for i, n := range w.out.Nodes {
		if n.Absent && n.Shape.Equal(of.Shape) {
			return Ref(i)
		}
	}
	w.out.Nodes = append(w.out.Nodes, &Node{Name: of.Name, Op: "absent", Shape: of.Shape, Absent: true})
	return Ref(len(w.out.Nodes) - 1)
}

// finish drops what the output does not need.
func (w *liveWork) finish(root bool) *liveBody {
	out := w.tensor(w.old.Output)
	if !root {
		if out.absent {
			return &liveBody{absent: true, pass: -1}
		}
		if i, ok := out.ref.IsInput(); ok {
			return &liveBody{pass: i}
		}
	}
	if out.absent {
		out.ref = w.nothing(w.old.Nodes[w.old.Output])
	}
	return &liveBody{pass: -1, graph: w.out, used: w.compact(out.ref, root)}
}

// compact keeps the nodes that the output needs and, but for the root, the
// inputs; it returns which inputs those are.
func (w *liveWork) compact(output Ref, root bool) (used []int) {
	inputs := make([]Ref, len(w.old.Inputs))
	need := make([]bool, len(w.out.Nodes))
	needed := func(r Ref) {
		if i, ok := r.IsInput(); ok {
			inputs[i] = 1
			return
		}
		need[r] = true
	}
	needed(output)
	for i := len(need) - 1; i >= 0; i-- {
		if need[i] {
			for _, r := range w.out.Nodes[i].Inputs {
				needed(r)
			}
		}
	}
	for i, in := range w.old.Inputs {
		if root || inputs[i] == 1 {
			inputs[i] = InputRef(len(used))
			used = append(used, i)
			w.out.Inputs = append(w.out.Inputs, in)
		}
	}
	place := make([]Ref, len(need))
	move := func(r Ref) Ref {
		if i, ok := r.IsInput(); ok {
			return inputs[i]
		}
		return place[r]
	}
	kept := w.out.Nodes[:0]
	for i, n := range w.out.Nodes {
		if !need[i] {
			continue
		}
		for k, r := range n.Inputs {
			n.Inputs[k] = move(r)
		}
		place[i] = Ref(len(kept))
		kept = append(kept, n)
	}
	w.out.Nodes = kept
	w.out.Output = move(output)
	return used
}
