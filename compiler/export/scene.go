package export

import (
	"math"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// scene is a finished drawing: shapes in the order in which they are painted.
type scene struct {
	w, h   float64
	shapes []shape
}

// shape is a path that is filled, stroked or both, or a line of text.
type shape struct {
	path   []segment
	fill   string // "#rrggbb"; empty: not filled
	stroke string // likewise
	width  float64
	dash   bool

	text   string
	at     point // of a text: the middle of its baseline, or its start
	size   float64
	bold   bool
	anchor anchor
}

type anchor int

const (
	middle anchor = iota
	left
)

// segment continues a path to p by a cubic curve with control points a and b, or
// a line when straight. The first segment of a path only says where it starts.
type segment struct {
	a, b, p  point
	straight bool
}

func (s *scene) add(sh shape) { s.shapes = append(s.shapes, sh) }

func (s *scene) print(text string, at point, size float64, colour string, bold bool, a anchor) {
	if text == "" {
		return
	}
	s.add(shape{text: text, at: at, size: size, fill: colour, bold: bold, anchor: a})
}

// circle and box return closed paths.
func circle(c point, r float64) []segment {
	const k = 0.5522847498 // of the radius, to the control points of a quarter
	at := func(x, y float64) point { return point{c.x + r*x, c.y + r*y} }
	return []segment{
		{p: at(1, 0)},
		{a: at(1, k), b: at(k, 1), p: at(0, 1)},
		{a: at(-k, 1), b: at(-1, k), p: at(-1, 0)},
		{a: at(-1, -k), b: at(-k, -1), p: at(0, -1)},
		{a: at(k, -1), b: at(1, -k), p: at(1, 0)},
	}
}

func box(x, y, w, h, r float64) []segment {
	k := r * (1 - 0.5522847498)
	line := func(x, y float64) segment { return segment{p: point{x, y}, straight: true} }
	curve := func(ax, ay, bx, by, px, py float64) segment {
		return segment{a: point{ax, ay}, b: point{bx, by}, p: point{px, py}}
	}
	return []segment{
		{p: point{x + r, y}}, line(x+w-r, y),
		curve(x+w-k, y, x+w, y+k, x+w, y+r), line(x+w, y+h-r),
		curve(x+w, y+h-k, x+w-k, y+h, x+w-r, y+h), line(x+r, y+h),
		curve(x+k, y+h, x, y+h-k, x, y+h-r), line(x, y+r),
		curve(x, y+k, x+k, y, x+r, y),
	}
}

const headLength, headHalf = 7, 2.9

// arrow draws a path with a head at its end.
func (s *scene) arrow(path []segment, colour string, width float64, dash bool) {
	last := &path[len(path)-1]
	tip := last.p
	from := last.b
	if last.straight {
		from = path[len(path)-2].p
	}
	dx, dy := direction(from, tip)
	last.p = point{tip.x - 0.8*headLength*dx, tip.y - 0.8*headLength*dy}
	if !last.straight {
		last.b = point{last.b.x - 0.8*headLength*dx, last.b.y - 0.8*headLength*dy}
	}
	s.add(shape{path: path, stroke: colour, width: width, dash: dash})
	s.head(tip, from, colour)
}

// head draws the head of an arrow that comes from some point.
func (s *scene) head(tip, from point, colour string) {
	dx, dy := direction(from, tip)
	base := point{tip.x - headLength*dx, tip.y - headLength*dy}
	s.add(shape{fill: colour, path: []segment{{p: tip},
		{p: point{base.x - headHalf*dy, base.y + headHalf*dx}, straight: true},
		{p: point{base.x + headHalf*dy, base.y - headHalf*dx}, straight: true}, {p: tip, straight: true}}})
}

// direction is the unit vector from a to b.
func direction(a, b point) (dx, dy float64) {
	dx, dy = b.x-a.x, b.y-a.y
	d := math.Hypot(dx, dy)
	if d == 0 {
		return 1, 0
	}
	return dx / d, dy / d
}

// The font of drawings, read once.
var fonts = sync.OnceValues(func() (f [2]*opentype.Font, err error) {
	if f[0], err = opentype.Parse(goregular.TTF); err == nil {
		f[1], err = opentype.Parse(gobold.TTF)
	}
	return f, err
})

// face is the font at a size in pixels.
func face(size float64, bold bool) (font.Face, error) {
	f, err := fonts()
	if err != nil {
		return nil, err
	}
	which := f[0]
	if bold {
		which = f[1]
	}
	return opentype.NewFace(which, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
}

// ruler measures text.
type ruler struct{ regular, bold font.Face }

func newRuler() (ruler, error) {
	regular, err := face(64, false)
	if err != nil {
		return ruler{}, err
	}
	bold, err := face(64, true)
	return ruler{regular, bold}, err
}

// indexSize is the size of an index below the line, of that of its text.
const indexSize = 0.75

// subscript parts c_{k-1} into c and k-1.
func subscript(text string) (base, index string, ok bool) {
	base, index, ok = strings.Cut(text, "_{")
	return base, strings.TrimSuffix(index, "}"), ok
}

func (r ruler) width(text string, size float64, bold bool) float64 {
	if base, index, ok := subscript(text); ok {
		return r.width(base, size, bold) + r.width(index, indexSize*size, bold)
	}
	f := r.regular
	if bold {
		f = r.bold
	}
	return fixedToFloat(font.MeasureString(f, text)) * size / 64
}

func fixedToFloat(x fixed.Int26_6) float64 { return float64(x) / 64 }
