package export

import (
	"fmt"
	"math"
)

const (
	rowH    = 18.0
	swatch  = 22.0 // the line before a candidate
	maxRows = 24   // of a list, before it is cut off
)

// list measures a list of candidates in its frame: what a use of it chooses from.
func (c *composer) list(p *panel) part {
	rows := p.list
	more := 0
	if len(rows) > maxRows {
		rows, more = rows[:maxRows], len(rows)-maxRows
	}
	w := c.headWidth(p)
	for _, r := range rows {
		w = math.Max(w, swatch+8+c.ruler.width(r.label, textSize, false))
	}
	w += 2 * panelPad
	h := panelHead + panelPad + rowH*float64(len(rows))
	if more > 0 {
		h += rowH
	}
	return part{w, h, func(corner point) {
		x, y := corner.x+panelPad, corner.y+panelHead+rowH/2+2
		c.out.add(shape{path: box(corner.x, corner.y, w, h, 7), stroke: grey, width: 1, dash: true})
		c.out.add(shape{path: box(x, corner.y+11, 11, 11, 2), fill: white, stroke: black, width: 1, dash: true})
		c.heading(p, point{x + panelMark, corner.y + 21})
		boxes := !c.onEdges(p)
		for _, r := range rows {
			c.sample(r, point{x, y}, boxes)
			c.out.print(r.label, point{x + swatch + 8, y + 0.35*textSize}, textSize, black, false, left)
			y += rowH
		}
		if more > 0 {
			c.out.print(fmt.Sprintf("… and %d more", more), point{x + swatch + 8, y + 0.35*textSize}, textSize, grey, false, left)
		}
	}}
}

// onEdges reports whether a list of candidates stands on edges, not only in boxes.
func (c *composer) onEdges(list *panel) bool {
	for _, p := range c.panels {
		for _, e := range p.model.edges {
			if e.nested != nil && c.ofBody[e.nested] == list {
				return true
			}
		}
	}
	return false
}

// sample is how a candidate looks where it is one of several: a line of its
// colour, or a dot where that stands in boxes, or the square of its own panel.
func (c *composer) sample(r candidate, at point, dots bool) {
	if p := c.ofBody[r.inner]; r.inner != nil && p != nil && p.list == nil && len(p.members) < 2 {
		fill, line := c.tint(p)
		c.out.add(shape{path: box(at.x+swatch/2-5.5, at.y-5.5, 11, 11, 2), fill: fill, stroke: line, width: 1})
		return
	}
	if colour := c.inkOf(r.label, r.absent, r.inner); dots && !r.absent {
		c.out.add(shape{path: circle(point{at.x + swatch/2, at.y}, dot+0.8), fill: colour})
		return
	}
	c.out.add(shape{path: []segment{{p: at}, {p: point{at.x + swatch, at.y}, straight: true}},
		stroke: c.inkOf(r.label, r.absent, r.inner), width: 2.2, dash: r.absent})
}

// parameters measures the list of decisions that numbers of the picture depend on.
func (c *composer) parameters() part {
	p := &panel{title: "parameters", note: "decided once"}
	names, texts := 0.0, 0.0
	for _, g := range c.given {
		names = math.Max(names, c.ruler.width(g.name, textSize, false))
		texts = math.Max(texts, c.ruler.width(g.values, textSize, false))
	}
	w := math.Max(c.headWidth(p)-panelMark, names+14+texts) + 2*panelPad
	h := panelHead + panelPad + rowH*float64(len(c.given))
	return part{w, h, func(corner point) {
		x, y := corner.x+panelPad, corner.y+panelHead+rowH/2+2
		c.out.add(shape{path: box(corner.x, corner.y, w, h, 7), stroke: grey, width: 1, dash: true})
		c.heading(p, point{x, corner.y + 21})
		for _, g := range c.given {
			c.out.print(g.name, point{x, y + 0.35*textSize}, textSize, black, false, left)
			c.out.print(g.values, point{x + names + 14, y + 0.35*textSize}, textSize, black, false, left)
			y += rowH
		}
	}}
}
