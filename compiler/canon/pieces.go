package canon

import (
	"cmp"
	"slices"
)

// pieces settles what stable colours leave open. Between two classes of rows an
// edge says nothing when all pairs have it, and as much by its absence when most
// have it; so of each pair of classes only the edges that are in the minority
// are kept, or a mark for their absence. What then hangs together is a piece. The
// graph is its colours and its pieces: the colours tell how many edges there are
// between which classes, hence which of them were left out.
type pieces struct {
	colours arena[Colour]
	ints    arena[int32]
	arcs    arena[arc]
	*census
}

// arc says that one node reads another, and how: at which places.
type arc struct {
	from, to int32 // from reads to
	label    Colour
}

// pieceGraph is a graph of nodes by number with labelled arcs, at most one from
// a node to another.
type pieceGraph struct {
	colours []Colour
	arcs    []arc
}

// add adds to a set of colours the pieces of a segment of f, of which colours
// and class are what refinement ended with.
func (p *pieces) add(all Colour, f *Flat, from int, colours []Colour, class []int32, c *census) Colour {
	defer p.colours.release(p.colours.used)
	defer p.ints.release(p.ints.used)
	defer p.arcs.release(p.arcs.used)
	p.census = c

	n := len(colours)
	size, number := p.ints.take(n), p.ints.take(n)
	clear(size)
	for _, k := range class {
		size[k]++
	}
	var g pieceGraph
	g.colours = p.colours.take(n)[:0]
	g.arcs = p.arcs.take(len(f.reads[f.starts[from]:f.starts[from+n]]))[:0]
	for i := range n {
		if size[class[i]] == 1 {
			continue
		}
		number[i] = int32(len(g.colours))
		g.colours = append(g.colours, colours[i])
		own := len(g.arcs)
		for k, r := range f.operands(from + i) {
			if int(r) < from || size[class[int(r)-from]] == 1 {
				continue
			}
			label := isReadInSet
			if !f.joins[from+i] {
				label = isReadInOrder.Number(uint64(k))
			}
			to := number[int(r)-from]
			at := slices.IndexFunc(g.arcs[own:], func(a arc) bool { return a.to == to })
			if at < 0 {
				g.arcs = append(g.arcs, arc{number[i], to, Colour{}.With(label)})
				continue
			}
			a := &g.arcs[own+at]
			a.label = a.label.With(label)
		}
	}
	if len(g.arcs) == 0 {
		return all
	}
	return all.With(p.certificate(g))
}

// certificate is the canonical form of a graph with colours.
func (p *pieces) certificate(g pieceGraph) Colour {
	defer p.colours.release(p.colours.used)
	defer p.ints.release(p.ints.used)

	n := len(g.colours)
	class := p.ints.take(n)
	next := p.colours.take(n)
	sums := p.colours.take(n)
	for classes := p.count(g.colours, class); ; {
		clear(sums)
		for _, a := range g.arcs {
			sums[a.from] = sums[a.from].With(a.label.Then(g.colours[a.to]))
			sums[a.to] = sums[a.to].With(a.label.Then(isRead).Then(g.colours[a.from]))
		}
		for i := range next {
			next[i] = g.colours[i].Then(sums[i])
		}
		if classes == n {
			var all Colour
			for _, c := range next {
				all = all.With(c)
			}
			return all
		}
		finer := p.count(next, class)
		g.colours, next = next, p.colours.take(n)
		if finer == classes {
			return p.split(g)
		}
		classes = finer
	}
}

// split is the canonical form of a graph whose colours are stable.
func (p *pieces) split(g pieceGraph) Colour {
	defer p.colours.release(p.colours.used)
	defer p.ints.release(p.ints.used)
	defer p.arcs.release(p.arcs.used)

	n := len(g.colours)
	class := p.ints.take(n)
	p.count(g.colours, class)
	size := p.ints.take(n)
	clear(size)
	for _, k := range class {
		size[k]++
	}
	kept := p.minority(g, class, size)

	// Components by union of their nodes under the least one.
	root := p.ints.take(n)
	for i := range root {
		root[i] = int32(i)
	}
	find := func(i int32) int32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, a := range kept {
		if x, y := find(a.from), find(a.to); x != y {
			root[max(x, y)] = min(x, y)
		}
	}
	for i := range root {
		root[i] = find(int32(i))
	}
	parts := 0
	for i, r := range root {
		if int(r) == i {
			parts++
		}
	}
	if parts == 1 && len(kept) == len(g.arcs) && n > 1 {
		return p.individualise(g, class, size)
	}

	var all Colour
	number := p.ints.take(n)
	for i, r := range root {
		if int(r) != i {
			continue
		}
		all = all.With(p.piece(pieceGraph{g.colours, kept}, root, r, number))
	}
	return isPiece.Then(all)
}

// piece is the canonical form of the nodes under one root.
func (p *pieces) piece(g pieceGraph, root []int32, r int32, number []int32) Colour {
	defer p.colours.release(p.colours.used)
	defer p.arcs.release(p.arcs.used)

	part := pieceGraph{p.colours.take(len(root))[:0], p.arcs.take(len(g.arcs))[:0]}
	for i, c := range g.colours {
		if root[i] == r {
			number[i] = int32(len(part.colours))
			part.colours = append(part.colours, c)
		}
	}
	if len(part.colours) == 1 {
		return part.colours[0]
	}
	for _, a := range g.arcs {
		if root[a.from] == r {
			part.arcs = append(part.arcs, arc{number[a.from], number[a.to], a.label})
		}
	}
	return p.certificate(part)
}

// individualise tells one node of the smallest class from the others, each in
// turn, and takes the least certificate.
func (p *pieces) individualise(g pieceGraph, class, size []int32) Colour {
	defer p.colours.release(p.colours.used)

	best := int32(-1)
	for k, m := range size {
		if m < 2 {
			continue
		}
		if best < 0 || m < size[best] || m == size[best] && g.colours[k].less(g.colours[best]) {
			best = int32(k)
		}
	}
	colours := p.colours.take(len(g.colours))
	var least Colour
	for i, k := range class {
		if k != best {
			continue
		}
		copy(colours, g.colours)
		colours[i] = colours[i].Then(isChosen)
		if c := p.certificate(pieceGraph{colours, g.arcs}); int32(i) == best || c.less(least) {
			least = c
		}
	}
	return isChosen.Then(least)
}

// minority returns the arcs that are kept: of each pair of classes all but those
// of a label that more than half of the pairs of nodes have, and then an arc for
// each pair without any.
func (p *pieces) minority(g pieceGraph, class, size []int32) []arc {
	arcs := p.arcs.take(len(g.arcs))
	copy(arcs, g.arcs)
	slices.SortFunc(arcs, func(a, b arc) int {
		return cmp.Or(
			cmp.Compare(class[a.from], class[b.from]), cmp.Compare(class[a.to], class[b.to]),
			cmp.Compare(a.label[0], b.label[0]), cmp.Compare(a.label[1], b.label[1]),
		)
	})
	kept := p.arcs.take(len(arcs))[:0]
	for len(arcs) > 0 {
		x, y := class[arcs[0].from], class[arcs[0].to]
		n := 1
		for n < len(arcs) && class[arcs[n].from] == x && class[arcs[n].to] == y {
			n++
		}
		pair := arcs[:n]
		arcs = arcs[n:]
		pairs := int(size[x]) * int(size[y])
		most := -1 // where the label of the majority begins
		for i := 0; i < n; {
			j := i + 1
			for j < n && pair[j].label == pair[i].label {
				j++
			}
			if 2*(j-i) > pairs {
				most = i
			} else {
				kept = append(kept, pair[i:j]...)
			}
			i = j
		}
		if most >= 0 && n < pairs {
			kept = p.missing(kept, pair, class, x, y)
		}
	}
	return kept
}

// missing appends an arc for each pair of nodes of two classes that has none.
func (p *pieces) missing(kept, pair []arc, class []int32, x, y int32) []arc {
	defer p.ints.release(p.ints.used)
	seen := p.ints.take(len(class)) // seen[to] is from+1 when the pair has an arc
	clear(seen)
	slices.SortFunc(pair, func(a, b arc) int { return cmp.Compare(a.from, b.from) })
	for from, k := range class {
		if k != x {
			continue
		}
		for len(pair) > 0 && int(pair[0].from) == from {
			seen[pair[0].to] = int32(from) + 1
			pair = pair[1:]
		}
		for to, k := range class {
			if k == y && seen[to] != int32(from)+1 {
				kept = append(kept, arc{int32(from), int32(to), isNotRead})
			}
		}
	}
	return kept
}

// arena is memory that is given back in the reverse order of taking.
type arena[T any] struct {
	block []T
	used  int
}

// take returns n elements with any content.
func (a *arena[T]) take(n int) []T {
	if len(a.block)-a.used < n {
		a.block = make([]T, 2*(a.used+n))
	}
	a.used += n
	return a.block[a.used-n : a.used : a.used]
}

// release gives back what was taken since used was read.
func (a *arena[T]) release(used int) { a.used = used }
