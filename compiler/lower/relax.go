package lower

import (
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
)

// Relax makes a supernet of the space. Each decision that cannot be relaxed is a
// diagnostic E0540 with the reason: those that change shapes, repetitions, and
// those that a requirement ties together.
//
// An attribute that is left open is settled as in the architecture that has every
// edge.
func (p *Plan) Relax(o Relaxation) (*Supernet, diag.List) {
	o.Channels = max(o.Channels, 1)
	r := &relaxer{
		plan:    p,
		out:     &Supernet{Name: p.Space.Name, plan: p, relaxation: o},
		numbers: map[string]int{},
		nets:    map[netKey]*Net{},
		fixed:   map[*space.Decision]int64{},
		refused: map[*space.Decision]bool{},
		under:   map[under]bool{},
	}
	r.requirements()
	r.out.Net = r.net(p.Body, 1, nil)
	r.multiplied()
	r.sort()
	r.sites()
	r.diags.Sort()
	if r.diags.HasErrors() {
		return nil, r.diags
	}
	return r.out, nil
}

// relaxer builds one supernet.
type relaxer struct {
	plan    *Plan
	out     *Supernet
	numbers map[string]int // of decisions, by address
	nets    map[netKey]*Net
	fixed   map[*space.Decision]int64 // what is taken where an operation is made for each value of its attributes, and unknowns that are settled
	refused map[*space.Decision]bool
	under   map[under]bool
	diags   diag.List
}

// under says that the candidates of a decision are multiplied by the weight of an edge.
type under struct {
	edge Weight
	on   *space.Decision
}

// netKey tells the nets of one body apart: part is the K of the channels that go
// through it, in shapes as given says.
type netKey struct {
	body  *Body
	part  int
	given string
}

// taken is the architecture that has every edge, and of every other decision the
// first alternative unless it is fixed.
func (r *relaxer) taken(d *space.Decision) int64 {
	if v, ok := r.fixed[d]; ok {
		return v
	}
	if d.Kind == space.Subset {
		return 1<<len(d.Alts) - 1
	}
	return 0
}

// net relaxes a body, for inputs of the shapes that it was checked with or, where 1/part
// of the channels come in, of the given ones.
func (r *relaxer) net(b *Body, part int, given []graph.Shape) *Net {
	key := netKey{b, part, fmt.Sprint(given)}
	if n := r.nets[key]; n != nil {
		return n
	}
	n := &Net{Name: b.Name, Kind: b.Kind}
	r.nets[key] = n
	r.settle(b)
	s := r.site(n, b, "")
	s.part = part
	for i, in := range b.Inputs {
		shape := r.shape(in)
		if part > 1 {
			shape = given[i]
		}
		n.Inputs = append(n.Inputs, graph.Input{Name: in.Name, Shape: shape})
		s.refs[in] = graph.InputRef(i)
	}
	n.Output = s.tensor(b.Output)
	return n
}

// settle gives the unknowns of a body their values, as in the architecture that
// has every edge.
func (r *relaxer) settle(b *Body) {
	if b.Settler == nil {
		return
	}
	g := slices.Repeat(space.Genotype{0}, len(r.plan.Space.Decisions))
	for i, d := range r.plan.Space.Decisions {
		g[i] = r.taken(d)
	}
	bind := r.plan.binder(g)
	defer bind.done()
	f := frame{binder: bind}
	if err := f.prepare(b); err != nil {
		r.diags.Add("E0540", b.Settler.Span, "`%s` cannot be relaxed: %v", b.Name, err)
		return
	}
	for _, n := range b.Nodes {
		if n.Open != nil {
			r.fixed[n.Open] = bind.values[n.Open.ID]
		}
	}
}

// decision is the number of the relaxed decision.
func (r *relaxer) decision(d *space.Decision) int {
	if i, ok := r.numbers[d.Address]; ok {
		return i
	}
	out := &Decision{Address: d.Address, Edges: d.Kind == space.Subset, Min: d.Min, Max: d.Max, On: d}
	for i, a := range d.Alts {
		out.Options = append(out.Options, Option{Label: a.Label, Alternative: i})
	}
	for _, a := range r.plan.Absent[d] {
		out.Options = slices.Insert(out.Options, a.At, Option{Label: a.Label, Alternative: -1, Absent: true})
	}
	return r.declare(out)
}

func (r *relaxer) declare(d *Decision) int {
	i := len(r.out.Decisions)
	r.out.Decisions = append(r.out.Decisions, d)
	r.numbers[d.Address] = i
	return i
}

// weight is the mixture weight of alternative i of d.
func (r *relaxer) weight(d *space.Decision, i int) Weight {
	n := r.decision(d)
	for k, o := range r.out.Decisions[n].Options {
		if o.Alternative == i {
			return Weight{n, k}
		}
	}
	return Weight{n, i}
}

// sort brings the decisions into the order of the space; weights that Relaxation adds
// come before the first decision that they are weighed with.
func (r *relaxer) sort() {
	all := r.out.Decisions
	order, key := make([]int, len(all)), make([]int, len(all))
	for i, d := range all {
		order[i], key[i] = i, 2*len(all)
		if d.On != nil {
			key[i] = 2*d.On.ID + 1
			continue
		}
		for _, o := range d.Options {
			for _, u := range o.Under {
				key[i] = min(key[i], 2*all[u].On.ID)
			}
		}
	}
	each := func(visit func(t *Term)) {
		for _, n := range r.nets {
			for _, m := range n.Nodes {
				for k := range m.Terms {
					visit(&m.Terms[k])
				}
			}
		}
	}
	each(func(t *Term) {
		for _, w := range t.Weights {
			for _, v := range t.Weights {
				if on := all[v.Decision].On; all[w.Decision].On == nil && on != nil {
					key[w.Decision] = min(key[w.Decision], 2*on.ID)
				}
			}
		}
	})
	slices.SortStableFunc(order, func(i, k int) int { return key[i] - key[k] })
	place := make([]int, len(all))
	for to, from := range order {
		place[from] = to
	}
	sorted := make([]*Decision, len(all))
	for from, to := range place {
		sorted[to] = all[from]
	}
	for _, d := range sorted {
		for k := range d.Options {
			for j, u := range d.Options[k].Under {
				d.Options[k].Under[j] = place[u]
			}
			slices.Sort(d.Options[k].Under)
			d.Options[k].Under = slices.Compact(d.Options[k].Under) // decisions may have an address in common
		}
	}
	r.out.Decisions = sorted
	each(func(t *Term) {
		t.Weights = slices.Clone(t.Weights) // several terms may share them
		for k := range t.Weights {
			t.Weights[k].Decision = place[t.Weights[k].Decision]
		}
	})
}

// weighs notes what the weights of an operand, which are those of edges, multiply.
func (s *site) weighs(weights []Weight, operand *Node) {
	if len(weights) == 0 {
		return
	}
	for _, on := range s.choices(operand, map[*Node]bool{}) {
		for _, w := range weights {
			s.under[under{w, on}] = true
		}
	}
}

// choices are the decisions among what a tensor is, up to the next vertex.
func (s *site) choices(n *Node, seen map[*Node]bool) (all []*space.Decision) {
	if n == nil || n.Vertex != "" || seen[n] {
		return nil
	}
	seen[n] = true
	switch {
	case n.Kind == Select && n.On.Kind != space.Subset:
		all = append(all, n.On)
		for _, c := range n.Cases {
			all = append(all, s.choices(c, seen)...)
		}
	case n.Kind == Op && isSum(n):
		for _, a := range n.Args {
			all = append(all, s.choices(a.Node, seen)...)
		}
	case n.Kind == Op:
		all = s.variable(n)
	case n.Kind == Call && n.Body.Kind == "block":
		all = s.choices(n.Body.Output, seen)
	}
	return all
}

// multiplied tells each edge which candidates its weight multiplies.
func (r *relaxer) multiplied() {
	for u := range r.under {
		if i, ok := r.numbers[u.on.Address]; ok { // it was not refused
			o := &r.out.Decisions[u.edge.Decision].Options[u.edge.Option]
			o.Under = append(o.Under, i)
		}
	}
}

// sites counts the mixtures that each decision weighs.
func (r *relaxer) sites() {
	r.out.Net.Walk(func(_ string, n *MixedNode) {
		seen := map[int]bool{}
		for _, t := range n.Terms {
			for _, w := range t.Weights {
				if !seen[w.Decision] {
					seen[w.Decision] = true
					r.out.Decisions[w.Decision].Sites++
				}
			}
		}
	})
}
