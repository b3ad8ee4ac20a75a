// Package draw makes the pictures of a comparison with gonum/plot: anytime curves
// and critical-difference diagrams, as SVG and PNG, of a size and with letters that
// fit into a column of a paper; and those of a one-shot search: a heat map of its
// mixture weights, and curves over its stages.
//
// Groups keep their colour in all pictures of a comparison. Colours are those of
// Okabe and Ito, which colour-blind readers tell apart, and lines are dashed
// differently too. A comparison of runs that are not comparable has its stamp on
// every picture, in red.
package draw

import (
	"bytes"
	"image/color"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Picture is one picture in both forms.
type Picture struct {
	SVG, PNG []byte
}

// The sizes of pictures: a little more than a column of a two-column paper.
const (
	width  = 12 * vg.Centimeter
	height = 7.5 * vg.Centimeter
	dpi    = 300 // of PNGs
	letter = vg.Length(9)
	small  = vg.Length(8)
)

var (
	black = color.NRGBA{0x22, 0x22, 0x22, 0xff}
	grey  = color.NRGBA{0xdd, 0xdd, 0xdd, 0xff}
	red   = color.NRGBA{0xc0, 0x00, 0x00, 0xff}
)

// palette is Okabe and Ito's, but for black and yellow, which are hard to see as
// bands and lines on white.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // purple
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky
}

// dashes part the lines of groups, also without colour.
var dashes = [][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}, {9, 3}, {3, 1.5}, {8, 2, 1.5, 2, 1.5, 2}}

// line is the style of a group by its place in the comparison.
func line(i int) draw.LineStyle {
	return draw.LineStyle{Color: palette[i%len(palette)], Width: vg.Points(1.4), Dashes: dashes[i%len(dashes)]}
}

// handler lays text out.
var handler text.Handler = text.Plain{Fonts: font.DefaultCache}

func style(size vg.Length, c color.Color) draw.TextStyle {
	return draw.TextStyle{Color: c, Font: font.From(font.Font{Typeface: plot.DefaultFont.Typeface, Variant: "Sans"}, size), Handler: handler}
}

func bold(size vg.Length, c color.Color) draw.TextStyle {
	s := style(size, c)
	s.Font.Weight = xfont.WeightBold
	return s
}

// picture draws once for each form. A stamp has a strip of its own at the top.
func picture(w, h vg.Length, stamp string, paint func(draw.Canvas)) (Picture, error) {
	lines := wrap(stamp, w-8)
	strip := vg.Length(len(lines)) * letter * 1.25
	all := func(c draw.Canvas) {
		s := bold(letter, red)
		s.XAlign, s.YAlign = draw.XCenter, draw.YTop
		for i, text := range lines {
			c.FillText(s, vg.Point{X: c.Center().X, Y: c.Max.Y - 2 - vg.Length(i)*letter*1.25}, text)
		}
		paint(draw.Crop(c, 0, 0, 0, -strip))
	}
	svg := vgsvg.New(w, h+strip)
	all(draw.New(svg))
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h+strip), vgimg.UseDPI(dpi))}
	all(draw.New(png))
	var p Picture
	var b bytes.Buffer
	if _, err := svg.WriteTo(&b); err != nil {
		return p, err
	}
	// Where Liberation Sans is missing, Arial has the same widths.
	p.SVG = bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	b = bytes.Buffer{}
	_, err := png.WriteTo(&b)
	p.PNG = b.Bytes()
	return p, err
}

// wrap breaks a stamp into lines.
func wrap(stamp string, w vg.Length) (lines []string) {
	s := bold(letter, red)
	for _, word := range strings.Fields(stamp) {
		if n := len(lines); n > 0 && s.Width(lines[n-1]+" "+word) <= w {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
