package draw

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/nasc-project/nasc/runtime/compare"
)

// Band is what surrounds a curve.
type Band string

// The bands.
const (
	Interval  Band = "interval"  // the 95 % bootstrap interval of the mean
	Quartiles Band = "quartiles" // of the runs
)

// Set, String and Type make a band a flag of a command; the empty one is Interval.
func (b *Band) Set(text string) error {
	if *b = Band(text); *b != Interval && *b != Quartiles {
		return fmt.Errorf("it is %s or %s", Interval, Quartiles)
	}
	return nil
}

func (b *Band) String() string { return cmp.Or(string(*b), string(Interval)) }

// Type is what help calls a value.
func (b *Band) Type() string { return "band" }

// Text says in a sentence what is seen.
func (b Band) Text() string {
	if b == Quartiles {
		return "Lines are means over the runs of each group, bands the quartiles of the runs. A curve is where all runs of its group are under way."
	}
	return "Lines are means over the runs of each group, bands their 95 % bootstrap intervals. A curve is where all runs of its group are under way."
}

// Axis is the name of an axis.
func Axis(axis string) string { return axes[axis] }

// axes say what is on an axis.
var axes = map[string]string{
	compare.Evaluations: "evaluations", compare.Simulated: "simulated time (s)", compare.Wall: "wall time (s)",
}

// Curves draws the anytime curves of all groups on one axis.
func Curves(c compare.Curves, stamp string, band Band) (Picture, error) {
	p := plot.New()
	p.BackgroundColor = color.White
	frame(p)
	p.Title.Text = c.Stratum
	p.X.Label.Text = axes[c.Axis]
	p.Y.Label.Text = "best validation " + c.Metric
	if c.Unit != "" {
		p.Y.Label.Text += " (" + c.Unit + ")"
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = grey, grey
	grid.Vertical.Width, grid.Horizontal.Width = vg.Points(0.4), vg.Points(0.4)
	p.Add(grid)
	var lines []*plotter.Line
	for _, g := range c.Groups {
		low, high := ends(g, band)
		var around plotter.XYs
		for i := range g.X {
			around = append(around, plotter.XY{X: g.X[i], Y: low[i]})
		}
		for i := len(g.X) - 1; i >= 0; i-- {
			around = append(around, plotter.XY{X: g.X[i], Y: high[i]})
		}
		area, err := plotter.NewPolygon(around)
		if err != nil {
			return Picture{}, err
		}
		of := line(g.Place)
		shade := palette[g.Place%len(palette)]
		shade.A = 0x2c
		area.Color, area.LineStyle.Width = shade, 0
		var mean plotter.XYs
		for i := range g.X {
			mean = append(mean, plotter.XY{X: g.X[i], Y: g.Mean[i]})
		}
		l, err := plotter.NewLine(mean)
		if err != nil {
			return Picture{}, err
		}
		l.LineStyle = of
		p.Add(area)
		lines = append(lines, l)
	}
	for _, l := range lines { // over all bands
		p.Add(l)
	}
	// The legend has the order that the curves end in.
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := c.Groups[a].Mean, c.Groups[b].Mean
		return cmp.Compare(y[len(y)-1], x[len(x)-1])
	})
	for _, i := range order {
		p.Legend.Add(c.Groups[i].Group, lines[i])
	}
	p.Legend.Top, p.Legend.Left = !c.Maximize, false
	p.X.Min, p.X.Max = 0, 0
	for _, g := range c.Groups {
		p.X.Max = max(p.X.Max, g.X[len(g.X)-1])
	}
	p.Y.Min, p.Y.Max = shown(c, band)
	return picture(width, height, stamp, func(to draw.Canvas) { p.Draw(draw.Crop(to, 3, -8, 3, -5)) })
}

// frame sets letters and lines.
func frame(p *plot.Plot) {
	p.Title.TextStyle = bold(letter, black)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	p.Title.Padding = 4
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Label.TextStyle.Color = style(letter, black).Font, black
		a.Tick.Label.Font, a.Tick.Label.Color = style(small, black).Font, black
		a.LineStyle.Color, a.Tick.LineStyle.Color = black, black
		a.LineStyle.Width, a.Tick.LineStyle.Width = vg.Points(0.6), vg.Points(0.6)
		a.Tick.Length = 3
		a.Label.Padding = 3
		a.Padding = 2
		a.Tick.Marker = ticks{}
	}
	p.Legend.TextStyle = style(small, black)
	p.Legend.ThumbnailWidth = 22
	p.Legend.Padding = 2
	p.Legend.XOffs = -8
	p.Legend.YOffs = 4
}

// ticks are four to eight round numbers on an axis.
type ticks struct{}

// Ticks implements plot.Ticker.
func (ticks) Ticks(low, high float64) (out []plot.Tick) {
	if !(high > low) {
		return []plot.Tick{{Value: low, Label: strconv.FormatFloat(low, 'g', 4, 64)}}
	}
	const most = 7
	power := math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	step := 10 * power
	for _, f := range []float64{1, 2, 5} {
		if (high-low)/(f*power) <= most {
			step = f * power
			break
		}
	}
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		v := i*step + 0 // no -0
		out = append(out, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	return out
}

func ends(g compare.Curve, band Band) (low, high []float64) {
	if band == Quartiles {
		return g.Lower, g.Upper
	}
	return g.Low, g.High
}

// shown is the range of values that a picture shows: what happens from a
// tenth of the axis on. The first results are far below, and would press the
// rest of the curves together.
func shown(c compare.Curves, band Band) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	far := 0.0
	for _, g := range c.Groups {
		far = max(far, g.X[len(g.X)-1])
	}
	for _, g := range c.Groups {
		from, to := ends(g, band)
		for i, x := range g.X {
			if x >= far/10 || i == len(g.X)-1 {
				low, high = min(low, from[i], g.Mean[i]), max(high, to[i], g.Mean[i])
			}
		}
	}
	margin := (high - low) / 20
	if margin == 0 {
		margin = max(math.Abs(high)/100, 1e-9)
	}
	return low - margin, high + margin
}

// Name is the name of a file from words, those that are empty left out.
func Name(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("=._", r):
			return r
		}
		return '-'
	}, strings.Join(parts, "-"))
	for strings.Contains(clean, "--") {
		clean = strings.ReplaceAll(clean, "--", "-")
	}
	return strings.Trim(clean, "-.")
}
