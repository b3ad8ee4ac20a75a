package export

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// point is a place in a drawing; x grows to the right, y downwards.
type point struct{ x, y float64 }

// layering places a model in layers from left to right, after Sugiyama, Tagawa
// and Toda (1981): vertices stand in even layers by their longest path from an
// input; an edge passes every layer between its ends, and its label is a thing
// of an odd layer. Sweeps by barycentre with swaps of neighbours reduce
// crossings; heights are then the weighted least squares that make edges
// straight, under the order and distances of each layer.
type layering struct {
	things  []thing
	layers  [][]int
	routes  [][]int   // of every edge, from vertex to vertex
	columns []float64 // width of every layer
	height  float64
	width   float64
}

// thing is a vertex, or the place where an edge passes a layer.
type thing struct {
	layer    int
	w, h     float64
	vertex   bool
	x, y     float64 // of the centre
	up, down []int   // neighbours in the layers to the left and right
	pos      int     // in its layer
}

// measure gives the extent of vertices and of edges.
type measure struct {
	vertex func(vertex) (w, h float64)
	edge   func(edge) (w, h, thick float64) // of its label, and of the edge itself
}

const (
	layerGap = 26 // between layers
	tightGap = 18 // the same beside a layer without labels
	thingGap = 9  // between things of a layer
)

// layOut places a model with its labels half way along the edges, or all at their
// beginning where that is clearly narrower.
func layOut(m model, size measure) *layering {
	l, early := place(m, size, false), place(m, size, true)
	if early.width < 0.95*l.width && early.height < 1.4*l.height {
		return early
	}
	return l
}

func place(m model, size measure, early bool) *layering {
	l := &layering{}
	ranks := ranks(m)
	for i, v := range m.vertices {
		w, h := size.vertex(v)
		l.add(thing{layer: 2 * ranks[i], w: w, h: h, vertex: true})
	}
	for _, e := range m.edges {
		w, h, thick := size.edge(e)
		from, to := 2*ranks[e.from], 2*ranks[e.to]
		label := (from + to) / 2
		if label%2 == 0 {
			label--
		}
		if early {
			label = from + 1
		}
		route := []int{e.from}
		for r := from + 1; r < to; r++ {
			t := thing{layer: r, h: thick}
			if r == label {
				t.w, t.h = w, h
			}
			route = append(route, l.add(t))
		}
		route = append(route, e.to)
		for i := 1; i < len(route); i++ {
			a, b := route[i-1], route[i]
			l.things[a].down = append(l.things[a].down, b)
			l.things[b].up = append(l.things[b].up, a)
		}
		l.routes = append(l.routes, route)
	}
	l.untangle()
	l.setHeights()
	l.setColumns()
	return l
}

// extent is the number of things that a layout of m places.
func extent(m model) int {
	r := ranks(m)
	n := len(m.vertices)
	for _, e := range m.edges {
		n += 2*(r[e.to]-r[e.from]) - 1
	}
	return n
}

// ranks is the longest path from an input to every vertex.
func ranks(m model) []int {
	out := make([]int, len(m.vertices))
	for range m.vertices { // edges are ordered by target, but inputs may be anywhere
		changed := false
		for _, e := range m.edges {
			if out[e.to] <= out[e.from] {
				out[e.to] = out[e.from] + 1
				changed = true
			}
		}
		if !changed {
			break
		}
	}
	return out
}

func (l *layering) add(t thing) int {
	for len(l.layers) <= t.layer {
		l.layers = append(l.layers, nil)
	}
	t.pos = len(l.layers[t.layer])
	l.things = append(l.things, t)
	l.layers[t.layer] = append(l.layers[t.layer], len(l.things)-1)
	return len(l.things) - 1
}

// untangle orders the layers so that few edges cross. Sweeps end in a local
// optimum, so small drawings are tried from several shuffled orders as well.
func (l *layering) untangle() {
	starts := 1
	if len(l.things) < 300 {
		starts = 40
	}
	best, order := cost{math.MaxInt, 0}, []([]int)(nil)
	rng := rand.New(rand.NewPCG(1, 1))
	for start := 0; start < starts && best != (cost{}); start++ {
		for i := range l.layers {
			if start > 0 {
				rng.Shuffle(len(l.layers[i]), func(a, b int) { l.layers[i][a], l.layers[i][b] = l.layers[i][b], l.layers[i][a] })
			}
			l.setOrder(i, l.layers[i])
		}
		for sweep := 0; sweep < 12 && best != (cost{}); sweep++ {
			for i := range l.layers {
				layer, near := i, func(t *thing) []int { return t.up }
				if sweep%2 == 1 {
					layer, near = len(l.layers)-1-i, func(t *thing) []int { return t.down }
				}
				l.sortLayer(l.layers[layer], near)
			}
			l.swap()
			if n := l.cost(); n.less(best) {
				best = n
				order = make([][]int, len(l.layers))
				for i := range l.layers {
					order[i] = slices.Clone(l.layers[i])
				}
			}
		}
	}
	for i := range order {
		l.setOrder(i, order[i])
	}
	// Upside down there are as many crossings.
	if up := l.inversions(); up > 0 {
		for i := range l.layers {
			slices.Reverse(l.layers[i])
			l.setOrder(i, l.layers[i])
		}
		if l.inversions() >= up {
			for i := range l.layers {
				slices.Reverse(l.layers[i])
				l.setOrder(i, l.layers[i])
			}
		}
	}
}

// cost of an order: crossings first, then how far it is from reading downwards.
type cost struct{ crossings, inversions int }

func (c cost) less(d cost) bool {
	return c.crossings < d.crossings || c.crossings == d.crossings && c.inversions < d.inversions
}

func (l *layering) cost() cost { return cost{l.crossings(), l.inversions()} }

// inversions counts the vertices of one layer that stand above an earlier one.
// The first layer, with the inputs of a cell, weighs more than all others.
func (l *layering) inversions() int {
	n := 0
	for i, layer := range l.layers {
		weight := 1
		if i == 0 {
			weight = len(l.things) * len(l.things)
		}
		for p, a := range layer {
			for _, b := range layer[p+1:] {
				if l.things[a].vertex && l.things[b].vertex && a > b {
					n += weight
				}
			}
		}
	}
	return n
}

func (l *layering) setOrder(layer int, order []int) {
	l.layers[layer] = order
	for p, t := range order {
		l.things[t].pos = p
	}
}

// sortLayer orders a layer by the mean position of the neighbours.
func (l *layering) sortLayer(layer []int, near func(*thing) []int) {
	mean := map[int]float64{}
	for _, t := range layer {
		sum, n := 0.0, near(&l.things[t])
		for _, o := range n {
			other := l.things[o]
			sum += (float64(other.pos) + 0.5) / float64(len(l.layers[other.layer]))
		}
		if len(n) == 0 {
			mean[t] = (float64(l.things[t].pos) + 0.5) / float64(len(layer))
			continue
		}
		mean[t] = sum / float64(len(n))
	}
	sort.SliceStable(layer, func(a, b int) bool { return mean[layer[a]] < mean[layer[b]] })
	for p, t := range layer {
		l.things[t].pos = p
	}
}

// swap exchanges neighbours in a layer as long as that saves crossings.
func (l *layering) swap() {
	for improved := true; improved; {
		improved = false
		for _, layer := range l.layers {
			for p := 0; p+1 < len(layer); p++ {
				a, b := layer[p], layer[p+1]
				if l.pair(b, a) < l.pair(a, b) {
					layer[p], layer[p+1] = b, a
					l.things[a].pos, l.things[b].pos = p+1, p
					improved = true
				}
			}
		}
	}
}

// pair counts the crossings of the edges of a with those of b when a is above.
func (l *layering) pair(a, b int) int {
	n := 0
	count := func(as, bs []int) {
		for _, x := range as {
			for _, y := range bs {
				if l.things[x].pos > l.things[y].pos {
					n++
				}
			}
		}
	}
	count(l.things[a].up, l.things[b].up)
	count(l.things[a].down, l.things[b].down)
	return n
}

func (l *layering) crossings() int {
	n := 0
	for _, layer := range l.layers {
		for i, a := range layer {
			for _, b := range layer[i+1:] {
				n += l.pair(a, b)
			}
		}
	}
	return n / 2
}

// setHeights moves every layer to where its neighbours are, again and again.
func (l *layering) setHeights() {
	for _, layer := range l.layers {
		y := 0.0
		for _, t := range layer {
			l.things[t].y = y + l.things[t].h/2
			y += l.things[t].h + thingGap
		}
		for _, t := range layer {
			l.things[t].y -= y / 2
		}
	}
	for sweep := range 400 {
		for i := range l.layers {
			layer := l.layers[i]
			if sweep%2 == 1 {
				layer = l.layers[len(l.layers)-1-i]
			}
			l.settle(layer)
		}
	}
	top, bottom := math.Inf(1), math.Inf(-1)
	for _, t := range l.things {
		top, bottom = min(top, t.y-t.h/2), max(bottom, t.y+t.h/2)
	}
	for i := range l.things {
		l.things[i].y -= top
	}
	l.height = bottom - top
}

// settle places one layer as near as possible to its neighbours: the weighted
// least squares under given distances, by pooling adjacent violators.
func (l *layering) settle(layer []int) {
	type pool struct {
		sum, weight float64
		n           int
	}
	var pools []pool
	offset := make([]float64, len(layer)) // of each thing when all touch
	for i, t := range layer {
		if i > 0 {
			before := l.things[layer[i-1]]
			offset[i] = offset[i-1] + before.h/2 + thingGap + l.things[t].h/2
		}
		want, weight := l.wish(t)
		p := pool{(want - offset[i]) * weight, weight, 1}
		for len(pools) > 0 {
			last := pools[len(pools)-1]
			if last.sum/last.weight < p.sum/p.weight {
				break
			}
			p = pool{last.sum + p.sum, last.weight + p.weight, last.n + p.n}
			pools = pools[:len(pools)-1]
		}
		pools = append(pools, p)
	}
	i := 0
	for _, p := range pools {
		for range p.n {
			l.things[layer[i]].y = p.sum/p.weight + offset[i]
			i++
		}
	}
}

// wish is where the neighbours of t would have it, and how much that matters:
// long edges should be straight most of all.
func (l *layering) wish(t int) (y, weight float64) {
	for _, side := range [][]int{l.things[t].up, l.things[t].down} {
		for _, o := range side {
			w := 1.0
			switch {
			case !l.things[t].vertex && !l.things[o].vertex:
				w = 40
			case !l.things[t].vertex || !l.things[o].vertex:
				w = 2
			}
			y += w * l.things[o].y
			weight += w
		}
	}
	if weight == 0 {
		return l.things[t].y, 0.1
	}
	return y / weight, weight
}

func (l *layering) setColumns() {
	x := 0.0
	for i, layer := range l.layers {
		w := 0.0
		for _, t := range layer {
			w = max(w, l.things[t].w)
		}
		if i > 0 {
			gap := float64(layerGap)
			if w == 0 || l.columns[i-1] == 0 {
				gap = tightGap
			}
			x += gap
		}
		for _, t := range layer {
			l.things[t].x = x + w/2
		}
		x += w
		l.columns = append(l.columns, w)
	}
	l.width = x
}
