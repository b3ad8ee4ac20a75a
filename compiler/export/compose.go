package export

import (
	"math"
	"slices"
)

// Colours and measures of a drawing. Operations keep one colour throughout a
// drawing, from a palette that colour-blind readers can tell apart.
var (
	inks = []string{"#0072b2", "#c04f00", "#00795a", "#9c3f73", "#5b4a9e", "#8a6500", "#2f6f86", "#7d3c1f",
		"#d04a6a", "#4f7a1f", "#1f3f8f", "#a0348f"}

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
	white = "#ffffff"

	margin   = 18.0
	textSize = 12.0
	small    = 10.0
	radius   = 13.0
	boxH     = 24.0
)

// composer puts the parts of a figure in place.
type composer struct {
	*figure
	ruler ruler
	out   scene
	ink   map[string]string
}

// part is a piece of the page beside the skeleton: a cell, a list.
type part struct {
	w, h float64
	draw func(corner point)
}

func (f *figure) scene() (*scene, error) {
	r, err := newRuler()
	if err != nil {
		return nil, err
	}
	c := composer{figure: f, ruler: r, ink: map[string]string{}}
	c.colour()
	parts, lists := c.parts()
	top := margin
	if f.title != "" {
		w := c.ruler.width(f.title, 15, true)
		c.out.print(f.title, point{margin, top + 14}, 15, black, true, left)
		c.out.print(f.note, point{margin + w + 10, top + 14}, small, grey, false, left)
		c.out.w = 2*margin + w + 10 + c.ruler.width(f.note, small, false)
		top += 30
	}
	p := c.best([][]part{slices.Concat(parts, lists), slices.Concat(lists, parts)}, c.out.w, top)
	inner := math.Max(p.stack.h, p.shelvesH)
	x := margin
	if len(f.skeleton) > 0 {
		c.stack(p.stack, point{x, top + (inner-p.stack.h)/2})
		x += p.stack.w + margin
	}
	y := top + (inner-p.shelvesH)/2
	for _, s := range p.shelves {
		sx := x
		for _, q := range s {
			q.draw(point{sx, y})
			sx += q.w + margin
		}
		y += height(s) + margin
	}
	c.out.w, c.out.h = p.w, p.h
	return &c.out, nil
}

// parts are the cells and the lists, measured.
func (c *composer) parts() (cells, lists []part) {
	if len(c.given) > 0 {
		lists = append(lists, c.parameters())
	}
	for _, p := range c.panels {
		if p.list != nil {
			lists = append(lists, c.list(p))
		} else {
			cells = append(cells, c.panel(p))
		}
	}
	return cells, lists
}

// page is one way to arrange a drawing.
type page struct {
	stack    stackLayout
	shelves  [][]part
	shelvesH float64
	w, h     float64
}

// The text block of a page, in points, and the size at which a drawing is printed
// when it fits: text of 12 becomes one of 9 points.
const (
	pageW, pageH = 468.0, 648.0
	printed      = 0.75
)

// scale is how large a drawing comes out on a page.
func (p page) scale() float64 { return math.Min(printed, math.Min(pageW/p.w, pageH/p.h)) }

// best arranges the parts so that they are as large as can be on a page, and then
// as low. The skeleton may go on in a second column and a third, parts stand in
// shelves beside it, in one order or another.
func (c *composer) best(orders [][]part, least, top float64) page {
	var best page
	for columns := 1; columns <= 4; columns++ {
		s, ok := c.columns(columns)
		if !ok {
			break
		}
		for _, parts := range orders {
			for _, width := range widths(parts) {
				p := c.page(s, shelve(parts, width), least, top)
				if best.w == 0 || p.scale() > best.scale()+1e-9 || p.scale() > best.scale()-1e-9 && p.h < best.h-1e-9 {
					best = p
				}
			}
		}
	}
	return best
}

// page measures one arrangement.
func (c *composer) page(s stackLayout, shelves [][]part, least, top float64) page {
	p := page{stack: s, shelves: shelves, w: margin}
	if len(c.skeleton) > 0 {
		p.w += s.w + margin
	}
	widest := 0.0
	for i, row := range shelves {
		w := -margin
		for _, q := range row {
			w += q.w + margin
		}
		widest = math.Max(widest, w)
		p.shelvesH += height(row)
		if i > 0 {
			p.shelvesH += margin
		}
	}
	if widest > 0 {
		p.w += widest + margin
	}
	p.w = math.Max(p.w, least)
	p.h = top + math.Max(s.h, p.shelvesH) + margin
	return p
}

// widths are the shelf widths worth trying: those of some first parts together.
func widths(parts []part) []float64 {
	if len(parts) == 0 {
		return []float64{0}
	}
	widest, sum := 0.0, -margin
	for _, p := range parts {
		widest = math.Max(widest, p.w)
	}
	out := []float64{widest}
	for i := range parts {
		sum = -margin
		for _, p := range parts[i:] {
			if sum += p.w + margin; sum > widest && len(out) < 400 {
				out = append(out, sum)
			}
		}
	}
	return out
}

// shelve sets parts in rows no wider than width.
func shelve(parts []part, width float64) [][]part {
	var out [][]part
	at := math.Inf(1)
	for _, p := range parts {
		if at+margin+p.w > width+1e-9 {
			out, at = append(out, nil), -margin
		}
		out[len(out)-1] = append(out[len(out)-1], p)
		at += margin + p.w
	}
	return out
}

func height(row []part) float64 {
	h := 0.0
	for _, p := range row {
		h = math.Max(h, p.h)
	}
	return h
}

// colour gives the candidates of a space their colours before anything is drawn.
func (c *composer) colour() {
	for _, p := range c.panels {
		for _, x := range p.list {
			c.inkOf(x.label, x.absent, x.inner)
		}
	}
}

// inkOf is the colour of an operation, or of the panel of a nested diagram.
func (c *composer) inkOf(label string, absent bool, nested *diagram) string {
	p := c.ofBody[nested]
	switch {
	case absent:
		return pale
	case nested != nil && p != nil && p.list == nil && len(p.members) < 2:
		return tints[p.index%len(tints)].line
	case label == "":
		return black
	}
	if _, ok := c.ink[label]; !ok {
		c.ink[label] = inks[len(c.ink)%len(inks)]
	}
	return c.ink[label]
}

// tint is the ground and the line of a nested diagram's boxes.
func (c *composer) tint(p *panel) (fill, line string) {
	t := tints[p.index%len(tints)]
	return t.fill, t.line
}
