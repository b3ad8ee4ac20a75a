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
	widest := vg.Length(0)
	for i, g := range r.Groups {
		widest = max(widest, names.Width(labelled(g, r.Average[i])))
	}
	half := (k + 1) / 2
	above := head + row*2.6
	below := bar*vg.Length(len(r.Cliques)) + 8 + row*vg.Length(half) + 4
	return picture(max(width, 2*widest+5*vg.Centimeter), above+below, stamp, func(c draw.Canvas) {
		left, right := c.Min.X+widest+16, c.Max.X-widest-16
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
		c.FillText(ticks, vg.Point{X: (end + at(1)) / 2, Y: y + 2}, fmt.Sprintf("CD = %.2f", r.Critical))

		// The cliques.
		thick := draw.LineStyle{Color: black, Width: vg.Points(2.6)}
		for i, clique := range r.Cliques {
			low, high := math.Inf(1), math.Inf(-1)
			for _, g := range clique {
				rank := r.Average[slices.Index(r.Groups, g)]
				low, high = math.Min(low, rank), math.Max(high, rank)
			}
			y := axis - 6 - bar*vg.Length(i)
			c.StrokeLine2(thick, at(high)-2, y, at(low)+2, y)
		}

		// The names: the worse half to the left, the better to the right.
		down := axis - 6 - bar*vg.Length(len(r.Cliques))
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

func labelled(group string, rank float64) string { return fmt.Sprintf("%s (%.2f)", group, rank) }
