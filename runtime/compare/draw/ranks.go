package draw

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/nasc-project/nasc/runtime/compare"
)

// Ranks draws a critical-difference diagram (Demšar 2006, figure 1): average ranks
// on an axis whose best end is to the right, the critical difference above it, and
// a bar for each set of groups that it does not tell apart.
func Ranks(r *compare.Ranks, title, stamp string) (Picture, error) {
	k := len(r.Groups)
	order := make([]int, k) // worst first, from left to right
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case r.Average[a] > r.Average[b]:
			return -1
		case r.Average[a] < r.Average[b]:
			return 1
		}
		return 0
	})
	const (
		row  = letter * 1.5
		bar  = vg.Length(6)
		head = vg.Length(14)
	)
	names := style(letter, black)
	half := (k + 1) / 2
	var wide [2]vg.Length // of the names on the left and on the right
	for i, g := range order {
		side := i / half
		wide[side] = max(wide[side], names.Width(labelled(r.Groups[g], r.Average[g])))
	}
	bars, levels := bars(r)
	above := head + row*2.8
	below := bar*vg.Length(levels) + 8 + row*vg.Length(half) + 4
	return picture(max(width, wide[0]+wide[1]+7*vg.Centimeter), above+below, stamp, func(c draw.Canvas) {
		left, right := c.Min.X+wide[0]+18, c.Max.X-wide[1]-18
		axis := c.Max.Y - above
		at := func(rank float64) vg.Length { return left + (right-left)*vg.Length((float64(k)-rank)/float64(k-1)) }
		thin := draw.LineStyle{Color: black, Width: vg.Points(0.6)}
		t := bold(letter, black)
		t.XAlign, t.YAlign = draw.XCenter, draw.YTop
		c.FillText(t, vg.Point{X: c.Center().X, Y: c.Max.Y - 3}, title)

		// The axis, with a tick for every rank.
		c.StrokeLine2(thin, left, axis, right, axis)
		ticks := style(small, black)
		ticks.XAlign, ticks.YAlign = draw.XCenter, draw.YBottom
		for rank := 1; rank <= k; rank++ {
			x := at(float64(rank))
			c.StrokeLine2(thin, x, axis, x, axis+4)
			c.FillText(ticks, vg.Point{X: x, Y: axis + 5}, fmt.Sprint(rank))
		}

		// The critical difference, from the best end when it fits there.
		y := axis + row*1.7
		end := at(math.Min(float64(k), 1+r.Critical))
		c.StrokeLine2(thin, end, y, at(1), y)
		for _, x := range []vg.Length{end, at(1)} {
			if x == end && 1+r.Critical > float64(k) {
				continue // it goes on beyond the axis
			}
			c.StrokeLine2(thin, x, y-2.5, x, y+2.5)
		}
		ticks.YAlign = draw.YBottom
		c.FillText(ticks, vg.Point{X: (end + at(1)) / 2, Y: y + 4}, fmt.Sprintf("CD = %.2f", r.Critical))

		// The cliques.
		thick := draw.LineStyle{Color: black, Width: vg.Points(2.6)}
		for _, b := range bars {
			y := axis - 6 - bar*vg.Length(b.level)
			c.StrokeLine2(thick, at(b.high)-2, y, at(b.low)+2, y)
		}

		// The names: the worse half to the left, the better to the right.
		down := axis - 6 - bar*vg.Length(levels)
		for i, g := range order {
			x, text := at(r.Average[g]), labelled(r.Groups[g], r.Average[g])
			level, edge, s := i, left-6, names
			s.XAlign = draw.XRight
			if i >= half {
				level, edge = k-1-i, right+6
				s.XAlign = draw.XLeft
			}
			y := down - row*(vg.Length(level)+0.6)
			c.StrokeLines(draw.LineStyle{Color: palette[g%len(palette)], Width: vg.Points(1)},
				[]vg.Point{{X: x, Y: axis}, {X: x, Y: y}, {X: edge, Y: y}})
			s.YAlign = draw.YCenter
			text = " " + text + " "
			c.FillText(s, vg.Point{X: edge, Y: y}, text)
		}
	})
}

// clique is the bar of a clique, from the best rank to the worst.
type clique struct {
	low, high float64
	level     int
}

// bars puts the bars of cliques on as few levels as keep them apart.
func bars(r *compare.Ranks) (out []clique, levels int) {
	for _, groups := range r.Cliques {
		c := clique{low: math.Inf(1), high: math.Inf(-1)}
		for _, g := range groups {
			rank := r.Average[slices.Index(r.Groups, g)]
			c.low, c.high = min(c.low, rank), max(c.high, rank)
		}
		const apart = 0.15 // of a rank
		for slices.ContainsFunc(out, func(o clique) bool {
			return o.level == c.level && c.low < o.high+apart && o.low < c.high+apart
		}) {
			c.level++
		}
		out, levels = append(out, c), max(levels, c.level+1)
	}
	return out, levels
}

func labelled(group string, rank float64) string { return fmt.Sprintf("%s (%.2f)", group, rank) }
