package draw

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/runtime/stages"
)

// The measures of a heat map.
const (
	heatRow   = vg.Length(8.5) // of an option
	heatGap   = vg.Length(5)   // between decisions
	heatHead  = vg.Length(11)  // the address of a decision
	heatCells = 6 * vg.Centimeter
	heatShape = 1.3 // width over height
	tiny      = vg.Length(6.5)
)

// HeatMap draws the mixture weights of every decision: a row for each option, from the
// first stage on the left to the last on the right, the darker the heavier.
func HeatMap(h *stages.History, title string) (Picture, error) {
	if len(h.Numbers) == 0 {
		return Picture{}, fmt.Errorf("there are no stages")
	}
	text := bold(tiny, black)
	labels := vg.Length(0)
	top := 0.1
	for _, d := range h.Decisions {
		// An even mixture is not to look like one that is settled.
		top = max(top, min(1, 2/float64(len(d.Options))))
		for _, w := range d.Weights {
			if _, high, ok := stages.Range(w); ok {
				top = max(top, high)
			}
		}
		for _, o := range d.Options {
			labels = max(labels, text.Width(export.Brief(o)))
		}
	}
	wide := labels + 6 + heatCells + 26
	columns := heatColumns(h.Decisions, int(math.Sqrt(heatShape*float64(heatHeight(h.Decisions)/wide))+0.5))
	const above, below = vg.Length(20), vg.Length(40)
	high := vg.Length(0)
	for _, c := range columns {
		high = max(high, heatHeight(c))
	}
	w := max(vg.Length(len(columns))*wide+8, bold(letter, black).Width(title)+16)
	return picture(w, above+high+below, "", func(c draw.Canvas) {
		t := bold(letter, black)
		t.YAlign = draw.YTop
		c.FillText(t, vg.Point{X: c.Min.X + 6, Y: c.Max.Y - 4}, title)
		for i, column := range columns {
			at := vg.Point{X: c.Min.X + 6 + vg.Length(i)*wide + labels + 6, Y: c.Max.Y - above}
			for _, d := range column {
				at.Y = heatDecision(c, d, at, labels, top)
			}
			stageAxis(c, h.Numbers, at)
		}
		heatScale(c, vg.Point{X: c.Min.X + 6 + labels + 6, Y: c.Min.Y + 8}, top)
	})
}

// heatColumns parts decisions into so many columns of about the same height.
func heatColumns(all []stages.Decision, n int) [][]stages.Decision {
	n = min(max(n, 1), len(all))
	out := make([][]stages.Decision, n)
	whole, done := heatHeight(all), vg.Length(0)
	for _, d := range all {
		high := heatHeight([]stages.Decision{d})
		i := min(int((done+high/2)/whole*vg.Length(n)), n-1)
		out[i] = append(out[i], d)
		done += high
	}
	return slices.DeleteFunc(out, func(c []stages.Decision) bool { return len(c) == 0 })
}

func heatHeight(column []stages.Decision) vg.Length {
	h := vg.Length(0)
	for _, d := range column {
		h += heatHead + heatRow*vg.Length(len(d.Options)) + heatGap
	}
	return h
}

// heatDecision draws a decision below a point, and returns how far down it goes.
func heatDecision(c draw.Canvas, d stages.Decision, at vg.Point, labels vg.Length, top float64) vg.Length {
	name := bold(tiny, black)
	name.YAlign = draw.YTop
	c.FillText(name, vg.Point{X: at.X, Y: at.Y - 1.5}, d.Address)
	y := at.Y - heatHead
	text := style(tiny, black)
	text.XAlign, text.YAlign = draw.XRight, draw.YCenter
	figures := style(tiny, black)
	figures.YAlign = draw.YCenter
	last, n := d.Last(), len(d.Weights)
	for i, o := range d.Options {
		low := y - heatRow
		middle := y - heatRow/2
		s := text
		if i == d.Strongest() {
			s = bold(tiny, black)
			s.XAlign, s.YAlign = draw.XRight, draw.YCenter
		}
		c.FillText(s, vg.Point{X: at.X - 4, Y: middle}, export.Brief(o))
		for k := range n {
			v := d.Weights[k][i]
			if math.IsNaN(v) {
				continue
			}
			left, right := at.X+heatCells*vg.Length(k)/vg.Length(n), at.X+heatCells*vg.Length(k+1)/vg.Length(n)
			c.FillPolygon(heat(v/top), []vg.Point{{X: left, Y: low}, {X: right, Y: low}, {X: right, Y: y}, {X: left, Y: y}})
		}
		if !math.IsNaN(last[i]) {
			c.FillText(figures, vg.Point{X: at.X + heatCells + 3, Y: middle}, fmt.Sprintf("%.2f", last[i]))
		}
		y = low
	}
	frame := draw.LineStyle{Color: black, Width: vg.Points(0.4)}
	c.StrokeLines(frame, []vg.Point{{X: at.X, Y: y}, {X: at.X + heatCells, Y: y}, {X: at.X + heatCells, Y: at.Y - heatHead}, {X: at.X, Y: at.Y - heatHead}, {X: at.X, Y: y}})
	return y - heatGap
}

// stageAxis writes the numbers of stages below the cells.
func stageAxis(c draw.Canvas, numbers []int64, at vg.Point) {
	text := style(tiny, black)
	text.XAlign, text.YAlign = draw.XCenter, draw.YTop
	n := len(numbers)
	line := draw.LineStyle{Color: black, Width: vg.Points(0.4)}
	for _, t := range (wholeTicks{}).Ticks(0, float64(n-1)) {
		k := int(t.Value)
		x := at.X + heatCells*(vg.Length(k)+0.5)/vg.Length(n)
		c.StrokeLine2(line, x, at.Y+heatGap, x, at.Y+heatGap-2)
		c.FillText(text, vg.Point{X: x, Y: at.Y + heatGap - 3}, fmt.Sprint(numbers[k]))
	}
	c.FillText(text, vg.Point{X: at.X + heatCells/2, Y: at.Y + heatGap - 11}, "stage")
}

// wholeTicks are those of ticks that are whole numbers.
type wholeTicks struct{}

// Ticks implements plot.Ticker.
func (wholeTicks) Ticks(low, high float64) (out []plot.Tick) {
	for _, t := range (ticks{}).Ticks(low, high) {
		if t.Value == math.Trunc(t.Value) {
			out = append(out, plot.Tick{Value: t.Value, Label: fmt.Sprint(t.Value)})
		}
	}
	return out
}

// heatScale draws what colours mean.
func heatScale(c draw.Canvas, at vg.Point, top float64) {
	const steps, wide, high = 50, 3 * vg.Centimeter, vg.Length(6)
	for k := range steps {
		left, right := at.X+wide*vg.Length(k)/steps, at.X+wide*vg.Length(k+1)/steps
		c.FillPolygon(heat((float64(k)+0.5)/steps), []vg.Point{{X: left, Y: at.Y}, {X: right, Y: at.Y}, {X: right, Y: at.Y + high}, {X: left, Y: at.Y + high}})
	}
	text := style(tiny, black)
	text.YAlign = draw.YCenter
	c.FillText(text, vg.Point{X: at.X + wide + 4, Y: at.Y + high/2}, fmt.Sprintf("%.3g: mixture weight", top))
	text.XAlign = draw.XRight
	c.FillText(text, vg.Point{X: at.X - 4, Y: at.Y + high/2}, "0")
}

// blues are light to dark (Brewer's).
var blues = []color.NRGBA{{0xff, 0xff, 0xff, 0xff}, {0xc6, 0xdb, 0xef, 0xff}, {0x6b, 0xae, 0xd6, 0xff}, {0x21, 0x71, 0xb5, 0xff}, {0x08, 0x30, 0x6b, 0xff}}

// heat is the colour of a share.
func heat(share float64) color.Color {
	x := min(max(share, 0), 1) * float64(len(blues)-1)
	i := min(int(x), len(blues)-2)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*(x-float64(i)) + 0.5) }
	a, b := blues[i], blues[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// Entropy draws the entropy of every decision over the stages, and the mean of those
// among candidates.
func Entropy(h *stages.History, title string) (Picture, error) {
	p := chart(title, "entropy")
	p.Y.Min, p.Y.Max = 0, 1
	few := 0
	for _, d := range h.Decisions {
		if !d.Edges {
			few++
		}
	}
	k := 0
	for _, d := range h.Decisions {
		if d.Edges {
			continue
		}
		style := draw.LineStyle{Color: color.NRGBA{0x56, 0xb4, 0xe9, 0x80}, Width: vg.Points(0.7)}
		if few <= len(palette) {
			style = line(k)
			style.Width = vg.Points(1)
		}
		name := ""
		if few <= len(palette) {
			name = d.Address
		} else if k == 0 {
			name = fmt.Sprintf("each of %d decisions", few)
		}
		if err := add(p, h.Numbers, d.Entropy(), name, style); err != nil {
			return Picture{}, err
		}
		k++
	}
	for _, c := range h.Curves {
		if c.Kind == stages.Entropies && few > 1 {
			if err := add(p, h.Numbers, c.Values, "mean", draw.LineStyle{Color: black, Width: vg.Points(2)}); err != nil {
				return Picture{}, err
			}
		}
	}
	return picture(width, height, "", func(to draw.Canvas) { beside(p, to) })
}

// panels are the curves of a search that are drawn together have one unit. The others have a panel each.
func panels(h *stages.History) (out [][]stages.Curve) {
	var percent []stages.Curve
	for _, c := range h.Curves {
		_, _, ok := stages.Range(c.Values)
		switch {
		case !ok || c.Kind == stages.Entropies:
		case c.Unit == "%" && c.Kind != stages.Value:
			percent = append(percent, c)
		default:
			out = append(out, []stages.Curve{c})
		}
	}
	if percent != nil {
		out = slices.Insert(out, 0, percent)
	}
	return out
}

// Search draws the curves of a one-shot search over its stages: the accuracies of the
// architecture that was derived then, in the supernet and where a report has tested it,
// in one panel; everything else in panels of its own. There may be none.
func Search(h *stages.History, title string) (Picture, error) {
	all := panels(h)
	if len(all) == 0 {
		return Picture{}, nil
	}
	columns := 1 + (len(all)-1)/4
	rows := (len(all) + columns - 1) / columns
	var plots []*plot.Plot
	for i, curves := range all {
		name := curves[0].Title()
		if len(curves) > 1 {
			name = "accuracy"
		}
		if curves[0].Unit != "" {
			name += " (" + curves[0].Unit + ")"
		}
		head := ""
		if i == 0 {
			head = title
		}
		p := chart(head, name)
		for k, c := range curves {
			label := c.Title()
			if len(curves) == 1 {
				label = ""
			}
			if err := add(p, h.Numbers, c.Values, label, line(k)); err != nil {
				return Picture{}, err
			}
		}
		// Panels have one axis of stages; and what moves by less than a thousandth is drawn as still.
		p.X.Min = float64(h.Numbers[0])
		p.X.Max = max(float64(h.Numbers[len(h.Numbers)-1]), p.X.Min+1)
		margin := max((p.Y.Max-p.Y.Min)/20, math.Abs(p.Y.Max)/500, 1e-9)
		p.Y.Min, p.Y.Max = p.Y.Min-margin, p.Y.Max+margin
		plots = append(plots, p)
	}
	const high = 5.2 * vg.Centimeter
	return picture(width*vg.Length(columns), high*vg.Length(rows), "", func(to draw.Canvas) {
		for i, p := range plots {
			x, y := vg.Length(i%columns), vg.Length(rows-1-i/columns)
			beside(p, draw.Canvas{Canvas: to.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: to.Min.X + x*width, Y: to.Min.Y + y*high}, Max: vg.Point{X: to.Min.X + (x+1)*width, Y: to.Min.Y + (y+1)*high}}})
		}
	})
}

// chart is a plot over stages.
func chart(title, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	frame(p)
	p.Title.Text = title
	p.X.Label.Text, p.Y.Label.Text = "stage", y
	p.X.Tick.Marker = wholeTicks{}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = grey, grey
	grid.Vertical.Width, grid.Horizontal.Width = vg.Points(0.4), vg.Points(0.4)
	p.Add(grid)
	p.Legend.XOffs, p.Legend.YOffs = 0, 0
	return p
}

// add adds a curve to a chart, with gaps where there is no number. A single point is
// drawn as one.
func add(p *plot.Plot, numbers []int64, values []float64, name string, of draw.LineStyle) error {
	named := name == ""
	var piece plotter.XYs
	flush := func() error {
		defer func() { piece = nil }()
		switch len(piece) {
		case 0:
			return nil
		case 1:
			s, err := plotter.NewScatter(piece)
			if err != nil {
				return err
			}
			s.GlyphStyle = draw.GlyphStyle{Color: of.Color, Radius: vg.Points(1.6), Shape: draw.CircleGlyph{}}
			p.Add(s)
			if !named {
				p.Legend.Add(name, s)
			}
		default:
			l, err := plotter.NewLine(piece)
			if err != nil {
				return err
			}
			l.LineStyle = of
			p.Add(l)
			if !named {
				p.Legend.Add(name, l)
			}
		}
		named = true
		return nil
	}
	for i, v := range values {
		if math.IsNaN(v) {
			if err := flush(); err != nil {
				return err
			}
			continue
		}
		piece = append(piece, plotter.XY{X: float64(numbers[i]), Y: v})
	}
	return flush()
}

// beside draws a chart with its legend to the right, where no curve is.
func beside(p *plot.Plot, to draw.Canvas) {
	legend := p.Legend
	r := legend.Rectangle(to)
	w := r.Max.X - r.Min.X
	p.Legend = plot.NewLegend()
	right := vg.Length(-8)
	if w > 0 {
		right = -w - 12
	}
	p.Draw(draw.Crop(to, 3, right, 3, -5))
	p.Legend = legend // it is drawn once for each form
	legend.Top, legend.Left = true, false
	legend.Draw(draw.Crop(to, 0, -6, 0, -18))
}
