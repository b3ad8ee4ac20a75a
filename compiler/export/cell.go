package export

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

const (
	panelHead = 26.0
	panelPad  = 14.0
	panelMark = 18.0 // the square before the title
	exit      = 16.0 // the arrow out of a cell

	strandPitch = 2.4  // between the strands of an edge with candidates
	bundle      = 12.0 // all strands together at most
	maxStrands  = 12
	dot         = 3.2 // a candidate of a vertex
	dotPitch    = 9.0
	pickRoom    = 12.0 // below a vertex, for how many edges it keeps
)

// panel measures a cell in its frame.
func (c *composer) panel(p *panel) part {
	l := layOut(p.model, measure{c.vertexSize, c.edgeSize})
	inner := l.width + exit
	w := math.Max(inner, c.headWidth(p)) + 2*panelPad
	h := l.height + panelHead + 2*panelPad
	return part{w, h, func(corner point) {
		fill, line := c.tint(p)
		c.out.add(shape{path: box(corner.x, corner.y, w, h, 7), stroke: line, width: 1.2})
		c.out.add(shape{path: box(corner.x+panelPad, corner.y+11, 11, 11, 2), fill: fill, stroke: line, width: 1})
		c.heading(p, point{corner.x + panelPad + panelMark, corner.y + 21})
		c.cell(p.model, l, point{corner.x + panelPad + (w-2*panelPad-inner)/2, corner.y + panelHead + panelPad})
	}}
}

func (c *composer) headWidth(p *panel) float64 {
	w := panelMark + c.ruler.width(p.title, 13, true)
	if p.note != "" {
		w += 8 + c.ruler.width(p.note, small, false)
	}
	return w
}

// heading prints the title of a panel and the note beside it.
func (c *composer) heading(p *panel, at point) {
	c.out.print(p.title, at, 13, black, true, left)
	c.out.print(p.note, point{at.x + 8 + c.ruler.width(p.title, 13, true), at.y}, small, grey, false, left)
}

// cell draws a placed model.
func (c *composer) cell(m model, l *layering, corner point) {
	at := func(t int) point { return point{corner.x + l.things[t].x, corner.y + l.things[t].y} }
	starts, ends := c.ports(m, l)
	chosen := slices.ContainsFunc(m.edges, func(e edge) bool { return e.maybe || len(c.strands(e)) > 0 })
	labels := make([]int, len(m.edges)) // the thing that carries the label
	for i, e := range m.edges {
		route := l.routes[i]
		stops := []point{c.border(m.vertices[e.from], at(e.from), starts[i], 1)}
		labels[i] = -1
		for _, t := range route[1 : len(route)-1] {
			if l.things[t].w > 0 {
				labels[i] = t
			}
			// Level across the whole layer: lines cross between layers, never
			// under a label or a vertex.
			p, half := at(t), l.columns[l.things[t].layer]/2
			stops = append(stops, point{p.x - half, p.y}, point{p.x + half, p.y})
		}
		stops = append(stops, c.border(m.vertices[e.to], at(e.to), ends[i], -1))
		stops = straighten(stops)
		if s := c.strands(e); len(s) > 0 {
			if e.nested.weighed {
				c.ribbon(stops, e.nested.choices, e.kept)
			} else {
				c.bundle(stops, s, e.maybe)
			}
			continue
		}
		colour, width := c.inkOf(e.label, e.absent, e.nested), 1.4
		if e.label == "" && chosen {
			colour, width = grey, 1.1
		}
		if c.weighed && e.maybe {
			c.out.arrow(smooth(stops), colour, heft(e.kept), e.absent)
			continue
		}
		c.out.arrow(smooth(stops), colour, width, e.absent || e.maybe)
	}
	for i, e := range m.edges { // labels lie on all lines
		if t := labels[i]; t >= 0 {
			p, t := at(t), l.things[t]
			colour := black
			if s := e.strongest(); s != nil {
				colour = c.inkOf(s.label, s.absent, s.inner)
			} else if len(c.strands(e)) == 0 {
				colour = c.inkOf(e.label, e.absent, e.nested)
			}
			first, second := e.lines()
			h := labelH(second)
			c.out.add(shape{path: box(p.x-t.w/2, p.y-h/2, t.w, h, 3), fill: white})
			y := p.y + 0.35*textSize
			if second != "" {
				y -= 5.5
				c.out.print(second, point{p.x, y + 11}, small, colour, false, middle)
			}
			c.out.print(first, point{p.x, y}, textSize, colour, false, middle)
		}
	}
	for i, v := range m.vertices {
		c.vertex(v, at(i))
		if v.output {
			w, _ := c.body(v)
			from := point{at(i).x + w/2 + 1.5, at(i).y}
			c.out.arrow([]segment{{p: from}, {p: point{corner.x + l.width + exit, from.y}, straight: true}}, black, 1.4, false)
		}
	}
}

// straighten leaves out the stops of a level line between its ends.
func straighten(stops []point) []point {
	level := func(a, b point) bool { return math.Abs(a.y-b.y) < 0.3 }
	out := stops[:1]
	for i := 1; i+1 < len(stops); i++ {
		if !level(out[len(out)-1], stops[i]) || !level(stops[i], stops[i+1]) {
			out = append(out, stops[i])
		}
	}
	return append(out, stops[len(stops)-1])
}

// strands are the colours of an edge's candidates; none when nothing is chosen
// there.
func (c *composer) strands(e edge) []candidate {
	if e.nested == nil || e.nested.choices == nil {
		return nil
	}
	return e.nested.choices[:min(len(e.nested.choices), maxStrands)]
}

// pitch is the distance between n strands.
func pitch(n int) float64 { return math.Min(strandPitch, bundle/float64(n)) }

// bundle draws an edge with a strand for every candidate.
func (c *composer) bundle(stops []point, strands []candidate, maybe bool) {
	gap := pitch(len(strands))
	last := len(stops) - 1
	tip := stops[last]
	for k, s := range strands {
		off := gap * (float64(k) - float64(len(strands)-1)/2)
		moved := slices.Clone(stops)
		for i := range moved {
			moved[i].y += off
		}
		moved[0].y, moved[last].y = stops[0].y+0.35*off, tip.y+0.35*off
		moved[last].x -= 4
		colour := c.inkOf(s.label, s.absent, s.inner)
		if maybe {
			colour = lighter(colour)
		}
		c.out.add(shape{path: smooth(moved), stroke: colour, width: 0.72 * gap, dash: s.absent})
	}
	c.out.head(tip, point{tip.x - 1, tip.y}, black)
}

// lighter is a third of the way from a colour to white.
func lighter(colour string) string {
	var r, g, b int
	fmt.Sscanf(colour, "#%02x%02x%02x", &r, &g, &b)
	return fmt.Sprintf("#%02x%02x%02x", (2*r+255)/3, (2*g+255)/3, (2*b+255)/3)
}

// longLabel is the length from which a label has its attributes on a second line.
const longLabel = 18

// lines parts a long label: the operation, and below it the rest.
func lines(label string) (first, second string) {
	if len([]rune(label)) <= longLabel {
		return label, ""
	}
	first, second, _ = strings.Cut(label, ", ")
	return first, second
}

func (e edge) lines() (first, second string) {
	switch {
	case e.quiet:
		return e.short, ""
	case e.strongest() != nil:
		return e.strongest().label, fmt.Sprintf("%.2f", e.strongest().weight)
	case e.nested != nil:
		return e.label, ""
	}
	return lines(e.label)
}

// labelH is the height of a label.
func labelH(second string) float64 {
	if second != "" {
		return 26
	}
	return 15
}

// body is the extent of a vertex as it is drawn.
func (c *composer) body(v vertex) (w, h float64) {
	w = c.ruler.width(v.label, textSize, false)
	if v.round {
		d := math.Max(2*radius, w+8)
		return d, d
	}
	h = boxH
	for _, line := range []string{v.below, v.open} {
		if line != "" {
			w, h = math.Max(w, c.ruler.width(line, small, false)), h+10
		}
	}
	if v.nested != nil && v.nested.choices != nil {
		w, h = math.Max(w, c.dotsWidth(v.nested)), h+8
	}
	return w + 16, h
}

// vertexSize is the room that a vertex needs.
func (c *composer) vertexSize(v vertex) (w, h float64) {
	w, h = c.body(v)
	if v.pick != "" {
		w, h = math.Max(w, c.ruler.width(v.pick, small, false)+4), h+2*pickRoom
	}
	return w, h
}

// edgeSize is the room that the label of an edge needs, and the edge itself.
func (c *composer) edgeSize(e edge) (w, h, thick float64) {
	thick = 4
	if s := c.strands(e); len(s) > 0 {
		thick = 3 + pitch(len(s))*float64(len(s))
		if e.nested.weighed {
			thick = 3 + bundle
		}
	}
	if first, second := e.lines(); first != "" {
		w = math.Max(c.ruler.width(first, textSize, false), c.ruler.width(second, small, false)) + 8
		h = labelH(second)
	}
	return w, math.Max(h, thick), thick
}

func (c *composer) vertex(v vertex, p point) {
	fill, line, width, dash := white, black, 1.3, false
	switch {
	case v.nested != nil && v.nested.choices != nil || v.open != "":
		dash = true
	case v.nested != nil && c.ofBody[v.nested] != nil:
		fill, line = c.tint(c.ofBody[v.nested])
	case v.input:
		fill = mist
	}
	if v.output {
		width = 2.6
	}
	w, h := c.body(v)
	path := box(p.x-w/2, p.y-h/2, w, h, 5)
	if v.round {
		path = circle(p, w/2)
	}
	c.out.add(shape{path: path, fill: fill, stroke: line, width: width, dash: dash})
	y := p.y - h/2 + boxH/2 + 0.35*textSize
	if v.round {
		y = p.y + 0.35*textSize
	}
	c.write(v.label, point{p.x, y})
	for _, line := range []string{v.below, v.open} {
		if line != "" {
			if y == p.y-h/2+boxH/2+0.35*textSize {
				y += 2
			}
			y += 10.5
			c.out.print(line, point{p.x, y}, small, grey, false, middle)
		}
	}
	if v.nested != nil && v.nested.choices != nil {
		c.dots(v.nested, point{p.x, p.y + h/2 - 8})
	}
	if v.pick != "" {
		c.out.print(v.pick, point{p.x, p.y + h/2 + small}, small, grey, false, middle)
	}
}

// write prints a label in the middle, c_{k-1} with its index below the line.
func (c *composer) write(label string, at point) {
	base, index, ok := subscript(label)
	if !ok {
		c.out.print(label, at, textSize, black, false, middle)
		return
	}
	x := at.x - c.ruler.width(label, textSize, false)/2
	c.out.print(base, point{x, at.y}, textSize, black, false, left)
	c.out.print(index, point{x + c.ruler.width(base, textSize, false), at.y + 3}, indexSize*textSize, black, false, left)
}

// dots draws a dot for every candidate of a box.
func (c *composer) dots(d *diagram, middle point) {
	all := d.choices[:min(len(d.choices), maxStrands)]
	x := middle.x - dotPitch*float64(len(all)-1)/2
	for _, s := range all {
		colour, r := c.inkOf(s.label, s.absent, s.inner), dot
		if d.weighed {
			r = 0.8 + 3.4*math.Sqrt(min(max(s.weight, 0), 1))
		}
		if s.absent {
			c.out.add(shape{path: circle(point{x, middle.y}, r), fill: white, stroke: colour, width: 1})
		} else {
			c.out.add(shape{path: circle(point{x, middle.y}, r), fill: colour})
		}
		x += dotPitch
	}
}

func (c *composer) dotsWidth(d *diagram) float64 {
	return dotPitch * float64(min(len(d.choices), maxStrands))
}

// ports spreads the edges at a vertex by the heights they come from or go to:
// for every edge, how far from the middle it starts and ends.
func (c *composer) ports(m model, l *layering) (starts, ends []float64) {
	out, in := map[int][]int{}, map[int][]int{}
	for i, r := range l.routes {
		out[r[0]] = append(out[r[0]], i)
		in[r[len(r)-1]] = append(in[r[len(r)-1]], i)
	}
	starts, ends = make([]float64, len(l.routes)), make([]float64, len(l.routes))
	spread := func(groups map[int][]int, next func(route []int) int, to []float64) {
		for v, edges := range groups {
			edges = slices.Clone(edges)
			sort.SliceStable(edges, func(a, b int) bool {
				return l.things[next(l.routes[edges[a]])].y < l.things[next(l.routes[edges[b]])].y
			})
			_, h := c.body(m.vertices[v])
			gap := math.Min(7, 0.66*h/float64(max(1, len(edges)-1)))
			for k, e := range edges {
				to[e] = gap * (float64(k) - float64(len(edges)-1)/2)
			}
		}
	}
	spread(out, func(r []int) int { return r[1] }, starts)
	spread(in, func(r []int) int { return r[len(r)-2] }, ends)
	return starts, ends
}

// border is the point of a vertex's outline at a height off its middle, on the
// right side (1) or the left (-1).
func (c *composer) border(v vertex, p point, off, side float64) point {
	w, _ := c.body(v)
	half := w / 2
	if v.round {
		half = math.Sqrt(math.Max(0, half*half-off*off))
	}
	return point{p.x + side*half, p.y + off}
}

// smooth is a curve through the stops that never overshoots: level at its ends
// and at every turning point, otherwise as steep as the line between the
// neighbours (a monotone cubic Hermite spline).
func smooth(stops []point) []segment {
	slope := make([]float64, len(stops))
	for i := 1; i < len(stops)-1; i++ {
		before, after := stops[i-1], stops[i+1]
		if stops[i].x == before.x || stops[i].x == after.x || (stops[i].y-before.y)*(after.y-stops[i].y) <= 0 {
			continue
		}
		steepest := 3 * min(math.Abs(stops[i].y-before.y)/(stops[i].x-before.x), math.Abs(after.y-stops[i].y)/(after.x-stops[i].x))
		slope[i] = (after.y - before.y) / (after.x - before.x)
		slope[i] = math.Copysign(min(math.Abs(slope[i]), steepest), slope[i])
	}
	path := []segment{{p: stops[0]}}
	for i, p := range stops[1:] {
		from := stops[i]
		dx := (p.x - from.x) / 2
		path = append(path, segment{
			a: point{from.x + dx, from.y + dx*slope[i]}, b: point{p.x - dx, p.y - dx*slope[i+1]}, p: p,
		})
	}
	return path
}
