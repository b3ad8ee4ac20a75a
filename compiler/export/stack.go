package export

import (
	"fmt"
	"math"
	"slices"
)

// How the skeleton is drawn: boxes from top to bottom, shapes between them where
// they change, frames around the levels of a stage.
const (
	shapeGap = 22.0 // from one level of the skeleton to the next, with the shape between them
	equalGap = 13.0 // the same where the shape stays as it is
	sheet    = 3.0  // how far the second sheet of a stack stands out

	frameHead = 17.0 // of a frame, above its first level
	frameFoot = 7.0
	framePad  = 8.0

	chip      = 15.0 // a block in a row of blocks
	chipsWide = 7    // in one line

	columnGap = 30.0
)

// stackLayout says where the levels of the skeleton are.
type stackLayout struct {
	w, h float64
	boxW float64
	x, y []float64 // of every level's corner
	tail []float64 // how far the arrow below a level reaches
	last []bool    // the last one of its column
}

// columns places the skeleton in n columns; false where it cannot be parted.
func (c *composer) columns(n int) (stackLayout, bool) {
	s := stackLayout{}
	if len(c.skeleton) == 0 {
		return s, n == 1
	}
	boxW, shapes := c.levelWidths()
	lead := 0.0
	if len(c.arcs) > 0 {
		lead = 12 + 9*float64(len(c.arcs))
	}
	side := 0.0
	if len(c.frames) > 0 {
		side = framePad
	}
	breaks, ok := c.breaks(n)
	if !ok {
		return s, false
	}
	wide := math.Max(boxW+sheet+2*side, side+boxW/2+7+shapes)
	x, y := lead+side, 0.0
	for i, l := range c.skeleton {
		if slices.Contains(breaks, i) {
			x, y = x+wide+columnGap, 18
		}
		y += c.head(i)
		s.x, s.y = append(s.x, x), append(s.y, y)
		end := i+1 == len(c.skeleton) || slices.Contains(breaks, i+1)
		tail := c.foot(i) + shapeGap
		if !end && c.skeleton[i+1].shape == l.shape && c.foot(i) == 0 && c.head(i+1) == 0 {
			tail = equalGap
		}
		if !end {
			tail += c.head(i + 1)
		}
		if l.stacked() {
			tail += sheet
		}
		s.tail, s.last = append(s.tail, tail), append(s.last, end)
		y += c.levelHeight(l) + tail
		s.h = math.Max(s.h, y)
		if !end {
			y -= c.head(i + 1)
		}
	}
	s.boxW = boxW
	s.w = x - side + wide
	return s, true
}

// levelWidths is the width of all boxes, and of the shapes beside the arrows.
func (c *composer) levelWidths() (w, shapes float64) {
	for _, l := range c.skeleton {
		w = math.Max(w, c.ruler.width(l.text(), textSize, false)+22)
		w = math.Max(w, c.ruler.width(l.open, small, false)+18)
		if len(l.row) > 0 {
			w = math.Max(w, float64(min(len(l.row), chipsWide))*(chip+3)+19)
		}
		if l.inner != nil {
			w = math.Max(w, c.dotsWidth(l.inner)+12)
		}
		shapes = math.Max(shapes, c.ruler.width(l.shape, small, false))
	}
	for _, f := range c.frames {
		w = math.Max(w, 2*c.ruler.width(f.title, small, false)+12)
	}
	return w, shapes
}

// breaks are the levels at which further columns begin: not within a frame, and
// only where nothing but the next level reads the one before.
func (c *composer) breaks(n int) ([]int, bool) {
	if n == 1 {
		return nil, true
	}
	if len(c.arcs) > 0 || len(c.skeleton) < 6*n {
		return nil, false
	}
	tops := make([]float64, len(c.skeleton)+1)
	for i, l := range c.skeleton {
		tops[i+1] = tops[i] + c.head(i) + c.levelHeight(l) + c.foot(i) + shapeGap
	}
	var out []int
	for k := 1; k < n; k++ {
		want, best, least := tops[len(c.skeleton)]*float64(k)/float64(n), -1, 0.0
		for i := 2; i < len(c.skeleton)-1; i++ {
			inside := slices.ContainsFunc(c.frames, func(f frame) bool { return f.first < i && i <= f.last })
			if inside || slices.Contains(out, i) {
				continue
			}
			off := math.Abs(tops[i] - want)
			if c.skeleton[i-1].shape == c.skeleton[i].shape {
				off += 60 // rather between stages
			}
			if best < 0 || off < least {
				best, least = i, off
			}
		}
		if best < 0 || len(out) > 0 && best <= out[len(out)-1] {
			return nil, false
		}
		out = append(out, best)
	}
	return out, true
}

// head and foot are the room that frames take above and below a level.
func (c *composer) head(i int) float64 {
	h := 0.0
	for _, f := range c.frames {
		if f.first == i {
			h += frameHead
		}
	}
	return h
}

func (c *composer) foot(i int) float64 {
	h := 0.0
	for _, f := range c.frames {
		if f.last == i {
			h += frameFoot
		}
	}
	return h
}

// stacked reports whether a level shows a second sheet.
func (l level) stacked() bool { return l.times != once }

// levelHeight is the height of the box of a level.
func (c *composer) levelHeight(l level) float64 {
	lines := (len(l.row) + chipsWide - 1) / chipsWide
	switch {
	case lines > 0:
		return boxH + float64(lines)*(chip+3) + 3
	case l.open != "":
		return boxH + 12
	case l.inner != nil:
		return boxH + 8
	}
	return boxH
}

// stack draws the skeleton from a corner.
func (c *composer) stack(s stackLayout, corner point) {
	at := func(i int) point { return point{corner.x + s.x[i], corner.y + s.y[i]} }
	for k, f := range c.frames {
		inner := 0.0 // frames around this one stand out further
		for j, g := range c.frames {
			if j != k && f.first <= g.first && g.last <= f.last {
				inner++
			}
		}
		a, b := at(f.first), at(f.last)
		pad := framePad * math.Min(1, 0.6+0.4*inner)
		top, bottom := a.y-frameHead, b.y+c.levelHeight(c.skeleton[f.last])+frameFoot
		if c.skeleton[f.last].stacked() {
			bottom += sheet
		}
		c.out.add(shape{path: box(a.x-pad, top, s.boxW+sheet+2*pad, bottom-top, 7), fill: "#f7f7fa", stroke: "#c9c9d4", width: 1})
		c.out.print(f.title, point{a.x - pad + 6, top + 12}, small, grey, false, left)
	}
	for i, l := range c.skeleton {
		p := at(i)
		mid, h := p.x+s.boxW/2, c.levelHeight(l)
		start := p.y + h
		fill, line, dash := mist, grey, false
		switch {
		case len(l.row) > 0:
			fill = white
		case l.inner != nil || l.open != "":
			fill, line, dash = white, black, true
		case l.panel != nil:
			fill, line = c.tint(l.panel)
		}
		if l.stacked() { // a second sheet behind the first
			c.out.add(shape{path: box(p.x+sheet, p.y+sheet, s.boxW, h, 5), fill: fill, stroke: line, width: 1, dash: dash})
			start += sheet
		}
		c.out.add(shape{path: box(p.x, p.y, s.boxW, h, 5), fill: fill, stroke: line, width: 1.2, dash: dash})
		c.out.print(l.text(), point{mid, p.y + boxH/2 + 0.35*textSize}, textSize, black, false, middle)
		c.chips(l.row, point{mid, p.y + boxH})
		if l.open != "" {
			c.out.print(l.open, point{mid, p.y + boxH + 5}, small, grey, false, middle)
		} else if l.inner != nil {
			c.dots(l.inner, point{mid, p.y + boxH + 1})
		}
		foot := start + c.foot(i)
		if s.last[i] || c.skeleton[i+1].shape != l.shape {
			c.out.print(l.shape, point{mid + 7, foot + shapeGap/2 + 0.2*small}, small, grey, false, left)
		}
		if s.last[i] && i+1 < len(c.skeleton) {
			c.turn(point{mid, start}, at(i+1), s, c.head(i+1))
			continue
		}
		end := p.y + h + s.tail[i]
		c.out.arrow([]segment{{p: point{mid, start}}, {p: point{mid, end}, straight: true}}, black, 1.2, false)
	}
	for i, arc := range c.arcs {
		x := at(arc[0]).x
		from, to := point{x, at(arc[0]).y + boxH*0.7}, point{x, at(arc[1]).y + boxH*0.3}
		bulge := 16 + 9*float64(i%4)
		c.out.arrow([]segment{{p: from}, {a: point{x - bulge, from.y}, b: point{x - bulge, to.y}, p: to}}, grey, 1.1, false)
	}
}

// turn leads the arrow from the foot of one column to the head of the next.
func (c *composer) turn(from, to point, s stackLayout, head float64) {
	side := 0.0
	if len(c.frames) > 0 {
		side = framePad
	}
	mid, gap := to.x+s.boxW/2, to.x-side-columnGap/2
	low, high := from.y+shapeGap+s.sideFoot(), to.y-head-12
	c.out.arrow(rounded([]point{from, {from.x, low}, {gap, low}, {gap, high}, {mid, high}, to.above(mid)}, 6), black, 1.2, false)
}

// above is the point of a box's upper edge at x.
func (p point) above(x float64) point { return point{x, p.y} }

// rounded is a line through level and upright pieces with round corners.
func rounded(stops []point, r float64) []segment {
	path := []segment{{p: stops[0]}}
	for i := 1; i < len(stops)-1; i++ {
		corner := stops[i]
		ax, ay := direction(corner, stops[i-1])
		bx, by := direction(corner, stops[i+1])
		path = append(path,
			segment{p: point{corner.x + r*ax, corner.y + r*ay}, straight: true},
			segment{a: point{corner.x + r/2*ax, corner.y + r/2*ay}, b: point{corner.x + r/2*bx, corner.y + r/2*by}, p: point{corner.x + r*bx, corner.y + r*by}})
	}
	return append(path, segment{p: stops[len(stops)-1], straight: true})
}

// sideFoot is the room below the last level of a column.
func (s stackLayout) sideFoot() float64 { return frameFoot }

// chips draws the blocks of a row as small squares, each in the colour and with
// the number of its panel, in lines from left to right.
func (c *composer) chips(row []*panel, top point) {
	for k, p := range row {
		line := row[k/chipsWide*chipsWide:]
		n := float64(min(len(line), chipsWide))
		x := top.x - n*(chip+3)/2 + 1.5 + float64(k%chipsWide)*(chip+3)
		y := top.y + float64(k/chipsWide)*(chip+3)
		fill, edge := c.tint(p)
		c.out.add(shape{path: box(x, y, chip, chip, 3), fill: fill, stroke: edge, width: 1})
		c.out.print(fmt.Sprint(p.number), point{x + chip/2, y + chip/2 + 0.35*small}, small, black, false, middle)
	}
}
