package export

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Colours and measures of a drawing. Operations keep one colour throughout a
// drawing, from a palette that colour-blind readers can tell apart.
var (
	inks = []string{"#0072b2", "#c04f00", "#00795a", "#9c3f73", "#5b4a9e", "#8a6500", "#2f6f86", "#7d3c1f"}

	tints = []struct{ fill, line string }{
		{"#dbe9f6", "#3b6ea5"}, {"#fde6cf", "#b8651b"}, {"#dcf0dd", "#3f7f45"},
		{"#eadff3", "#7a4fa0"}, {"#f5dcdc", "#a33c3c"}, {"#e8e6d0", "#77702a"},
		{"#d5f0ef", "#1f7f7c"}, {"#f9e0ef", "#a8407f"}, {"#e3e3e8", "#55556e"},
	}
)

const (
	black = "#1a1a1a"
	grey  = "#6b6b6b"
	pale  = "#9a9a9a"
	mist  = "#f1f1f1"

	margin   = 18.0
	textSize = 12.0
	small    = 10.0
	radius   = 13.0
	boxH     = 24.0
	shapeGap = 22.0 // from one level of the skeleton to the next, with the shape between them
	equalGap = 13.0 // the same where the shape stays as it is
	sheet    = 3.0  // how far the second sheet of a stack stands out

	chip      = 15.0  // a block in a row of blocks
	chipsWide = 7     // in one line
	columnH   = 620.0 // of panels at least, before they need a second column
)

// composer puts the parts of a figure in place.
type composer struct {
	*figure
	ruler ruler
	out   scene
	ink   map[string]string
}

func (f *figure) scene() (*scene, error) {
	r, err := newRuler()
	if err != nil {
		return nil, err
	}
	c := composer{figure: f, ruler: r, ink: map[string]string{}}
	top := margin
	if f.title != "" {
		c.out.print(f.title, point{margin, top + 14}, 15, black, true, left)
		c.out.w = margin*2 + r.width(f.title, 15, true)
		top += 30
	}
	layouts := make([]*layering, len(f.panels))
	tallest := 0.0
	for i, p := range f.panels {
		layouts[i] = layOut(p.model, measure{c.vertexSize, c.labelSize})
		tallest = max(tallest, layouts[i].height+panelExtra)
	}
	tops := c.levels()
	skeleton := tops[len(tops)-1]
	limit := max(tallest, skeleton, columnH)
	columns := f.columns(layouts, limit)
	for h := limit - 10; h >= tallest; h -= 10 { // as many columns, but even
		even := f.columns(layouts, h)
		if len(even) > len(columns) {
			break
		}
		columns = even
	}
	inner := skeleton
	for _, col := range columns {
		inner = max(inner, col.height)
	}
	right := margin
	if len(f.skeleton) > 0 {
		right = 2*margin + c.stack(point{margin, top + (inner-skeleton)/2}, tops)
	}
	for _, col := range columns {
		y, widest := top+(inner-col.height)/2, 0.0
		for i := col.first; i < col.end; i++ {
			w, h := c.panel(f.panels[i], layouts[i], point{right, y})
			y += h + margin
			widest = max(widest, w)
		}
		right += widest + margin
	}
	c.out.w = max(c.out.w, right)
	c.out.h = top + inner + margin
	return &c.out, nil
}

// column is a run of panels one above the other.
type column struct {
	first, end int
	height     float64
}

// columns sets the panels in as many columns as the height asks for.
func (f *figure) columns(layouts []*layering, limit float64) []column {
	var out []column
	for i, l := range layouts {
		h := l.height + panelExtra
		last := len(out) - 1
		if last < 0 || out[last].height+margin+h > limit {
			out = append(out, column{i, i + 1, h})
			continue
		}
		out[last].end, out[last].height = i+1, out[last].height+margin+h
	}
	return out
}

// levels says where every level of the skeleton begins, and after the last one
// where the skeleton ends.
func (c *composer) levels() []float64 {
	tops := make([]float64, len(c.skeleton)+1)
	for i, l := range c.skeleton {
		gap := shapeGap
		if i+1 < len(c.skeleton) && c.skeleton[i+1].shape.Equal(l.shape) {
			gap = equalGap
		}
		if l.times > 1 {
			gap += sheet
		}
		tops[i+1] = tops[i] + l.height() + gap
	}
	return tops
}

// height of the box of a level.
func (l level) height() float64 {
	lines := (len(l.row) + chipsWide - 1) / chipsWide
	if lines == 0 {
		return boxH
	}
	return boxH + float64(lines)*(chip+3) + 3
}

// stack draws the skeleton from a corner and returns its right edge. A shape
// stands where it changes, so that the levels of a stage lie close together.
func (c *composer) stack(corner point, tops []float64) float64 {
	w, shapes := 0.0, 0.0
	for _, l := range c.skeleton {
		w = max(w, c.ruler.width(l.text(), textSize, false)+22)
		if len(l.row) > 0 {
			w = max(w, float64(min(len(l.row), chipsWide))*(chip+3)+19)
		}
		shapes = max(shapes, c.ruler.width(size(l.shape), small, false))
	}
	x := corner.x
	if len(c.arcs) > 0 {
		x += 12 + 9*float64(len(c.arcs))
	}
	mid := x + w/2
	at := func(i int) float64 { return corner.y + tops[i] }
	for i, l := range c.skeleton {
		fill, line := mist, grey
		if l.panel != nil {
			t := tints[l.panel.index%len(tints)]
			fill, line = t.fill, t.line
		}
		if len(l.row) > 0 {
			fill, line = "#ffffff", grey
		}
		h := l.height()
		start := at(i) + h
		if l.times > 1 { // a second sheet behind the first
			c.out.add(shape{path: box(x+sheet, at(i)+sheet, w, h, 5), fill: fill, stroke: line, width: 1})
			start += sheet
		}
		c.out.add(shape{path: box(x, at(i), w, h, 5), fill: fill, stroke: line, width: 1.2})
		c.out.print(l.text(), point{mid, at(i) + boxH/2 + 0.35*textSize}, textSize, black, false, middle)
		c.chips(l.row, point{mid, at(i) + boxH})
		if i+1 == len(c.skeleton) || !c.skeleton[i+1].shape.Equal(l.shape) {
			c.out.print(size(l.shape), point{mid + 7, (start+at(i+1))/2 + 0.2*small}, small, grey, false, left)
		}
		c.out.arrow([]segment{{p: point{mid, start}}, {p: point{mid, at(i + 1)}, straight: true}}, black, 1.2, false)
	}
	for i, arc := range c.arcs {
		from, to := point{x, at(arc[0]) + boxH*0.7}, point{x, at(arc[1]) + boxH*0.3}
		bulge := 16 + 9*float64(i%4)
		c.out.arrow([]segment{{p: from}, {a: point{x - bulge, from.y}, b: point{x - bulge, to.y}, p: to}}, grey, 1.1, false)
	}
	return max(x+w+sheet, mid+7+shapes)
}

// chips draws the blocks of a row as small squares, each in the colour and with
// the number of its panel, in lines from left to right.
func (c *composer) chips(row []*panel, top point) {
	for k, p := range row {
		line := row[k/chipsWide*chipsWide:]
		n := float64(min(len(line), chipsWide))
		x := top.x - n*(chip+3)/2 + 1.5 + float64(k%chipsWide)*(chip+3)
		y := top.y + float64(k/chipsWide)*(chip+3)
		tint := tints[p.index%len(tints)]
		c.out.add(shape{path: box(x, y, chip, chip, 3), fill: tint.fill, stroke: tint.line, width: 1})
		c.out.print(fmt.Sprint(p.number), point{x + chip/2, y + chip/2 + 0.35*small}, small, black, false, middle)
	}
}

const (
	panelHead  = 26.0
	panelPad   = 14.0
	panelMark  = 18.0 // the square before the title
	panelExtra = panelHead + 2*panelPad
)

// panel draws a cell in its frame and returns the extent of the frame.
func (c *composer) panel(p *panel, l *layering, corner point) (w, h float64) {
	tint := tints[p.index%len(tints)]
	w = max(l.width, panelMark+c.ruler.width(p.title, 13, true)) + 2*panelPad
	h = l.height + panelExtra
	c.out.add(shape{path: box(corner.x, corner.y, w, h, 7), stroke: tint.line, width: 1.2})
	c.out.add(shape{path: box(corner.x+panelPad, corner.y+11, 11, 11, 2), fill: tint.fill, stroke: tint.line, width: 1})
	c.out.print(p.title, point{corner.x + panelPad + panelMark, corner.y + 21}, 13, black, true, left)
	c.cell(p.model, l, point{corner.x + panelPad + (w-2*panelPad-l.width)/2, corner.y + panelHead + panelPad})
	return w, h
}

// cell draws a placed model.
func (c *composer) cell(m model, l *layering, corner point) {
	at := func(t int) point { return point{corner.x + l.things[t].x, corner.y + l.things[t].y} }
	starts, ends := ports(l)
	labels := make([]int, len(m.edges)) // the thing that carries the label
	for i, e := range m.edges {
		route := l.routes[i]
		stops := []point{border(m.vertices[e.from], l.things[e.from], at(e.from), starts[i], 1)}
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
		stops = append(stops, border(m.vertices[e.to], l.things[e.to], at(e.to), ends[i], -1))
		c.out.arrow(smooth(stops), c.inkOf(e), 1.4, e.absent)
	}
	for i, e := range m.edges { // labels lie on all lines
		if t := labels[i]; t >= 0 {
			p, t := at(t), l.things[t]
			c.out.add(shape{path: box(p.x-t.w/2, p.y-t.h/2, t.w, t.h, 3), fill: "#ffffff"})
			c.out.print(e.label, point{p.x, p.y + 0.35*textSize}, textSize, c.inkOf(e), false, middle)
		}
	}
	for i, v := range m.vertices {
		c.vertex(v, l.things[i], at(i))
	}
}

func (c *composer) inkOf(e edge) string {
	switch {
	case e.absent:
		return pale
	case e.nested != nil:
		return tints[c.ofBody[e.nested].index%len(tints)].line
	case e.label == "":
		return black
	}
	if _, ok := c.ink[e.label]; !ok {
		c.ink[e.label] = inks[len(c.ink)%len(inks)]
	}
	return c.ink[e.label]
}

func (c *composer) vertex(v vertex, t thing, p point) {
	fill, line, width := "#ffffff", black, 1.3
	switch {
	case v.nested != nil:
		tint := tints[c.ofBody[v.nested].index%len(tints)]
		fill, line = tint.fill, tint.line
	case v.input:
		fill = mist
	}
	if v.output {
		width = 2.6
	}
	path := box(p.x-t.w/2, p.y-t.h/2, t.w, t.h, 5)
	if v.round {
		path = circle(p, t.w/2)
	}
	c.out.add(shape{path: path, fill: fill, stroke: line, width: width})
	y := p.y + 0.35*textSize
	if v.below != "" {
		y -= 6
		c.out.print(v.below, point{p.x, y + 13}, small, grey, false, middle)
	}
	c.out.print(v.label, point{p.x, y}, textSize, black, false, middle)
}

func (c *composer) vertexSize(v vertex) (w, h float64) {
	w = c.ruler.width(v.label, textSize, false)
	if v.round {
		d := max(2*radius, w+8)
		return d, d
	}
	h = boxH
	if v.below != "" {
		w, h = max(w, c.ruler.width(v.below, small, false)), h+10
	}
	return w + 16, h
}

func (c *composer) labelSize(e edge) (w, h float64) {
	return c.ruler.width(e.label, textSize, false) + 8, 15
}

// ports spreads the edges at a vertex by the heights they come from or go to:
// for every edge, how far from the middle it starts and ends.
func ports(l *layering) (starts, ends []float64) {
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
			gap := min(7, 0.66*l.things[v].h/float64(max(1, len(edges)-1)))
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
func border(v vertex, t thing, p point, off, side float64) point {
	half := t.w / 2
	if v.round {
		half = math.Sqrt(max(0, half*half-off*off))
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
