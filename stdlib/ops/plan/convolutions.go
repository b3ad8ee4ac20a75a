package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// convolve is several convolutions of one map with equal geometry, as one with all
// filters. Where a result is normalised, its statistics are gathered while it is
// written.
type convolve struct {
	g       kernel.Conv // of the first; K differs
	x       *value
	members []convolution
}

type convolution struct {
	w, z  *value
	norm  *ops.Normalization // nil: no statistics
	stats *value
}

func (k *convolve) inputs() []*value {
	in := []*value{k.x}
	for _, m := range k.members {
		in = append(in, m.w)
	}
	return in
}

func (k *convolve) outputs() []*value {
	var out []*value
	for _, m := range k.members {
		out = append(out, m.z)
		if m.stats != nil {
			out = append(out, m.stats)
		}
	}
	return out
}

func (k *convolve) zeros(func(factor) bool) {}

func (k *convolve) demand(func(factor) bool) {
	k.x.needed = true
	for _, m := range k.members {
		// Who needs the statistics needs the map that they are of.
		need := m.z.needed || m.stats != nil && m.stats.needed
		m.z.needed = need
		if m.stats != nil {
			m.stats.needed = need
		}
		m.w.needed = m.w.needed || need
	}
}

func (k *convolve) describe() string {
	gathered := 0
	for _, m := range k.members {
		if m.stats != nil {
			gathered++
		}
	}
	s := "convolution " + geometry(k.g, len(k.members))
	if gathered > 0 {
		s += fmt.Sprintf(", %d statistics", gathered)
	}
	return s
}

func geometry(g kernel.Conv, n int) string {
	s := fmt.Sprintf("%dx%d", g.Kernel, g.Kernel)
	if g.Row {
		s = fmt.Sprint(g.Kernel)
	}
	if g.Stride > 1 {
		s += fmt.Sprintf(" stride %d", g.Stride)
	}
	if g.Dilation > 1 {
		s += fmt.Sprintf(" dilation %d", g.Dilation)
	}
	if g.Groups > 1 {
		s += fmt.Sprintf(" groups %d", g.Groups)
	}
	if n > 1 {
		s += fmt.Sprintf(", %d as one", n)
	}
	return s
}

// gradInput is the gradient of a map through several convolutions: one with a
// longer sum.
type gradInput struct {
	g     kernel.Conv
	w, dz []*value
	dx    *value
}

func (k *gradInput) inputs() []*value  { return append(slices.Clone(k.w), k.dz...) }
func (k *gradInput) outputs() []*value { return []*value{k.dx} }

func (k *gradInput) zeros(func(factor) bool) {
	k.dx.zero = !slices.ContainsFunc(k.dz, func(v *value) bool { return !v.zero })
}

func (k *gradInput) demand(func(factor) bool) {
	for i, v := range k.dz {
		if !v.zero {
			v.needed, k.w[i].needed = true, true
		}
	}
}

func (k *gradInput) describe() string {
	return "gradient of the map, convolution " + geometry(k.g, len(k.dz))
}

// gradWeight is the gradients of the filters of several convolutions of a map.
type gradWeight struct {
	g      kernel.Conv
	x      *value
	dz, dw []*value
}

func (k *gradWeight) inputs() []*value  { return append([]*value{k.x}, k.dz...) }
func (k *gradWeight) outputs() []*value { return k.dw }

func (k *gradWeight) zeros(func(factor) bool) {
	for i, v := range k.dz {
		k.dw[i].zero = v.zero
	}
}

func (k *gradWeight) demand(func(factor) bool) {
	for i, v := range k.dz {
		if !v.zero && k.dw[i].needed {
			v.needed, k.x.needed = true, true
		}
	}
}

func (k *gradWeight) describe() string {
	return "gradient of the filters, convolution " + geometry(k.g, len(k.dz))
}

// group tells convolutions that become one: of one map, in one way.
type group struct {
	x *value
	g kernel.Conv // without K
}

// joinConvolutions joins the convolutions of each map, and their gradients.
func (p *program) joinConvolutions() {
	readers := p.readers()
	gone := map[*step]bool{}
	groups := map[group][]convolution{}
	var order []group
	var made []kind
	for _, s := range p.steps {
		k, ok := s.kind.(*primitive)
		if !ok {
			continue
		}
		w, ok := k.op.What().(ops.Convolution)
		if !ok {
			continue
		}
		m := convolution{w: k.in[1], z: k.out}
		pitched := true // all that read the map take it as a part of a wider one
		for _, r := range readers[m.z] {
			switch q := r.kind.(type) {
			case *primitive:
				if z, ok := q.op.What().(ops.Statistics); ok && m.stats == nil {
					m.norm, m.stats = z.Normalization, q.out
					gone[r] = true
				} else {
					pitched = false
				}
			case *combine, *sums, *spread:
			default:
				pitched = false
			}
		}
		gone[s] = true
		if !pitched || w.Geometry.Groups > 1 || m.z.wanted {
			made = append(made, &convolve{w.Geometry, k.in[0], []convolution{m}})
			continue
		}
		at := group{k.in[0], w.Geometry}
		at.g.K = 0
		if groups[at] == nil {
			order = append(order, at)
		}
		groups[at] = append(groups[at], m)
	}
	for _, at := range order {
		g, all := at.g, groups[at]
		var maps []*value
		for _, m := range all {
			g.K += m.z.channels
			maps = append(maps, m.z)
		}
		widen(maps)
		made = append(made, &convolve{g, at.x, all})
	}
	p.drop(gone)
	for _, k := range made {
		p.do(k)
	}
	readers = p.readers() // joining one group leaves what the others are read by
	for _, at := range order {
		p.joinGradients(at, groups[at], readers)
	}
	p.singleGradients()
}

// widen makes several maps ranges of one buffer.
func widen(maps []*value) {
	if len(maps) < 2 {
		return
	}
	w := &wide{members: maps}
	for _, v := range maps {
		v.wide = w
	}
}

// gradients are the steps that read the gradient of one convolution's result.
type gradients struct {
	dz            *value
	input, weight *step
}

func isGradInput(k *primitive) bool {
	_, ok := k.op.What().(ops.ConvolutionGradInput)
	return ok
}

func isGradWeight(k *primitive) bool {
	_, ok := k.op.What().(ops.ConvolutionGradWeight)
	return ok
}

// joinGradients joins the gradients of a group of convolutions, if all of the maps'
// are added up.
func (p *program) joinGradients(at group, all []convolution, readers map[*value][]*step) {
	var grads []gradients
	weights := map[*value]*value{} // filters by gradients of results
	for _, s := range readers[at.x] {
		k, ok := s.kind.(*primitive)
		if ok && isGradWeight(k) {
			grads = append(grads, gradients{dz: k.in[1], weight: s})
		}
	}
	for _, m := range all {
		for _, s := range readers[m.w] {
			k, ok := s.kind.(*primitive)
			if !ok || !isGradInput(k) {
				continue
			}
			weights[k.in[1]] = m.w
			i := slices.IndexFunc(grads, func(g gradients) bool { return g.dz == k.in[1] })
			if i < 0 {
				i = len(grads)
				grads = append(grads, gradients{dz: k.in[1]})
			}
			grads[i].input = s
		}
	}
	// Of this group are those whose results have the group's normalisations before.
	grads = slices.DeleteFunc(grads, func(g gradients) bool {
		if _, ok := g.dz.fromSpread(); !ok || g.dz.wanted {
			return true
		}
		if memberOf(all, g.dz) < 0 {
			return true
		}
		n := 0
		for _, s := range []*step{g.input, g.weight} {
			if s != nil {
				n++
			}
		}
		return len(readers[g.dz]) != n
	})
	slices.SortFunc(grads, func(a, b gradients) int { return cmp.Compare(memberOf(all, a.dz), memberOf(all, b.dz)) })
	inputs := filter(grads, func(g gradients) bool { return g.input != nil })
	filters := filter(grads, func(g gradients) bool { return g.weight != nil })
	if len(grads) < 2 || len(inputs) != 0 && len(inputs) != len(grads) || len(filters) != 0 && len(filters) != len(grads) {
		return
	}
	var sum *addition
	for i, g := range inputs {
		s, ok := p.only(readers, g.input.outputs()[0])
		if !ok || i > 0 && s != sum {
			return
		}
		sum = s
	}
	gone := map[*step]bool{}
	geometry := at.g
	var maps []*value
	for _, g := range grads {
		geometry.K += g.dz.channels
		maps = append(maps, g.dz)
	}
	if len(inputs) > 0 {
		k := &gradInput{g: geometry, dz: maps, dx: inputs[0].input.outputs()[0]}
		for i, g := range inputs {
			k.w = append(k.w, weights[g.dz])
			gone[g.input] = true
			if i > 0 {
				sum.in = slices.DeleteFunc(sum.in, func(v *value) bool { return v == g.input.outputs()[0] })
			}
		}
		p.do(k)
	}
	if len(filters) > 0 {
		k := &gradWeight{g: geometry, x: at.x, dz: maps}
		for _, g := range filters {
			k.dw = append(k.dw, g.weight.outputs()[0])
			gone[g.weight] = true
		}
		p.do(k)
	}
	widen(maps)
	p.drop(gone)
	if sum != nil && len(sum.in) == 1 {
		p.drop(map[*step]bool{sum.out.from: true})
		if sum.out.wanted {
			p.do(sum)
			return
		}
		p.replace(sum.out, sum.in[0])
	}
}

// memberOf is the convolution whose result's gradient a spread step makes, or -1.
func memberOf(all []convolution, dz *value) int {
	t, _ := dz.fromSpread()
	return slices.IndexFunc(all, func(m convolution) bool { return m.z == t.x })
}

// only is the addition that alone reads v, once.
func (p *program) only(readers map[*value][]*step, v *value) (*addition, bool) {
	if v.wanted || len(readers[v]) != 1 {
		return nil, false
	}
	k, ok := readers[v][0].kind.(*addition)
	return k, ok
}

// fromSpread is the term of a spread step that makes v.
func (v *value) fromSpread() (spreadTerm, bool) {
	if v.from == nil {
		return spreadTerm{}, false
	}
	k, ok := v.from.kind.(*spread)
	if !ok {
		return spreadTerm{}, false
	}
	i := slices.IndexFunc(k.terms, func(t spreadTerm) bool { return t.out == v })
	return k.terms[i], true
}

func filter[E any](all []E, keep func(E) bool) []E {
	var some []E
	for _, e := range all {
		if keep(e) {
			some = append(some, e)
		}
	}
	return some
}

// singleGradients makes steps of the other gradients of convolutions.
func (p *program) singleGradients() {
	for _, s := range p.steps {
		k, ok := s.kind.(*primitive)
		if !ok {
			continue
		}
		switch w := k.op.What().(type) {
		case ops.ConvolutionGradInput:
			s.kind = &gradInput{w.Geometry, k.in[:1], k.in[1:], k.out}
		case ops.ConvolutionGradWeight:
			s.kind = &gradWeight{w.Geometry, k.in[0], k.in[1:], []*value{k.out}}
		}
	}
}
