package spaces_test

import (
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// area is a rectangle of a picture.
type area struct{ left, top, right, bottom float64 }

func (a area) shrink(by float64) area {
	return area{a.left + by, a.top + by, a.right - by, a.bottom - by}
}
func (a area) meets(b area) bool {
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
func (a area) holds(b area) bool {
	return a.left <= b.left && b.right <= a.right && a.top <= b.top && b.bottom <= a.bottom
}

// mark is one element of an SVG, in the order in which it is painted.
type mark struct {
	text   string
	area   area
	points [][2]float64 // of a path
	closed bool
	filled bool
	white  bool
	stroke bool
}

// marks reads the texts and paths of an SVG.
func marks(t *testing.T, svg []byte) (page area, out []mark) {
	t.Helper()
	var doc struct {
		Width  float64 `xml:"width,attr"`
		Height float64 `xml:"height,attr"`
		Items  []struct {
			XMLName xml.Name
			D       string  `xml:"d,attr"`
			Fill    string  `xml:"fill,attr"`
			Stroke  string  `xml:"stroke,attr"`
			X       float64 `xml:"x,attr"`
			Y       float64 `xml:"y,attr"`
			Size    float64 `xml:"font-size,attr"`
			Anchor  string  `xml:"text-anchor,attr"`
			Weight  string  `xml:"font-weight,attr"`
			Text    string  `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(svg, &doc); err != nil {
		t.Fatal(err)
	}
	for _, it := range doc.Items {
		switch it.XMLName.Local {
		case "text":
			w := textWidth(t, it.Text, it.Size, it.Weight == "bold")
			x := it.X
			if it.Anchor == "middle" {
				x -= w / 2
			}
			out = append(out, mark{text: it.Text, area: area{x, it.Y - 0.74*it.Size, x + w, it.Y + 0.22*it.Size}})
		case "path":
			m := mark{filled: it.Fill != "none", white: it.Fill == "#ffffff", stroke: it.Stroke != ""}
			m.points = flatten(t, it.D)
			first, last := m.points[0], m.points[len(m.points)-1]
			m.closed = math.Hypot(first[0]-last[0], first[1]-last[1]) < 0.1
			m.area = area{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
			for _, p := range m.points {
				m.area.left, m.area.right = min(m.area.left, p[0]), max(m.area.right, p[0])
				m.area.top, m.area.bottom = min(m.area.top, p[1]), max(m.area.bottom, p[1])
			}
			out = append(out, m)
		}
	}
	return area{0, 0, doc.Width, doc.Height}, out
}

// flatten samples the path commands that drawings use: M, L and C.
func flatten(t *testing.T, d string) [][2]float64 {
	t.Helper()
	var out [][2]float64
	for d != "" {
		end := strings.IndexAny(d[1:], "MLC") + 1
		if end == 0 {
			end = len(d)
		}
		var n []float64
		for _, f := range strings.Fields(d[1:end]) {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil {
				t.Fatal(err)
			}
			n = append(n, x)
		}
		switch d[0] {
		case 'M':
			out = append(out, [2]float64{n[0], n[1]})
		case 'L':
			from := out[len(out)-1]
			for k := 1; k <= 40; k++ {
				f := float64(k) / 40
				out = append(out, [2]float64{from[0] + f*(n[0]-from[0]), from[1] + f*(n[1]-from[1])})
			}
		case 'C':
			from := out[len(out)-1]
			for k := 1; k <= 40; k++ {
				f := float64(k) / 40
				u := 1 - f
				at := func(i int) float64 {
					return u*u*u*from[i] + 3*u*u*f*n[i] + 3*u*f*f*n[2+i] + f*f*f*n[4+i]
				}
				out = append(out, [2]float64{at(0), at(1)})
			}
		}
		d = d[end:]
	}
	return out
}

var faces = map[bool]font.Face{}

func textWidth(t *testing.T, text string, size float64, bold bool) float64 {
	t.Helper()
	if faces[bold] == nil {
		ttf := goregular.TTF
		if bold {
			ttf = gobold.TTF
		}
		f, err := opentype.Parse(ttf)
		if err != nil {
			t.Fatal(err)
		}
		if faces[bold], err = opentype.NewFace(f, &opentype.FaceOptions{Size: 64, DPI: 72}); err != nil {
			t.Fatal(err)
		}
	}
	return float64(font.MeasureString(faces[bold], text)) / 64 * size / 64
}

// legible fails where texts or boxes lie on each other, where a line runs through
// a text, where something leaves the picture, and where the font lacks a sign.
func legible(t *testing.T, name string, svg []byte) {
	t.Helper()
	page, all := marks(t, svg)
	for i, m := range all {
		if !page.holds(m.area) {
			t.Errorf("%s: %q leaves the picture: %.0f", name, m.text, m.area)
		}
		for _, r := range m.text {
			if _, ok := glyph(t, r); !ok {
				t.Errorf("%s: the font has no %q", name, r)
			}
		}
		for k, o := range all[:i] {
			switch {
			case m.text != "" && o.text != "":
				if m.area.shrink(0.5).meets(o.area.shrink(0.5)) {
					t.Errorf("%s: %q lies on %q", name, m.text, o.text)
				}
			case m.text == "" && o.text == "" && m.box() && o.box():
				a, b := m.area.shrink(0.5), o.area.shrink(0.5)
				sheet := math.Abs(m.area.left-o.area.left) < 3.1 && math.Abs(m.area.top-o.area.top) < 3.1
				if a.meets(b) && !m.area.holds(b) && !o.area.holds(a) && !sheet {
					t.Errorf("%s: boxes %.0f and %.0f overlap", name, m.area, o.area)
				}
			default:
				text, path := m, o
				if m.text == "" {
					text, path = o, m
				}
				if text.text == "" {
					continue
				}
				if path.box() {
					if a := text.area.shrink(0.5); a.meets(path.area) && !path.area.holds(a) {
						t.Errorf("%s: %q sticks out of its box", name, text.text)
					}
					continue
				}
				if path.stroke && !path.closed && crosses(path, text.area.shrink(1.2)) && !covered(all[k+1:i], text.area) {
					t.Errorf("%s: a line runs through %q", name, text.text)
				}
			}
		}
	}
}

// box reports whether a mark is the outline of a box or a circle.
func (m mark) box() bool { return m.text == "" && m.closed && m.stroke }

func crosses(path mark, a area) bool {
	if !path.area.meets(a) {
		return false
	}
	for _, p := range path.points {
		if p[0] > a.left && p[0] < a.right && p[1] > a.top && p[1] < a.bottom {
			return true
		}
	}
	return false
}

// covered reports whether something white was painted over an area.
func covered(between []mark, a area) bool {
	for _, m := range between {
		if m.white && m.closed && m.area.holds(a.shrink(1)) {
			return true
		}
	}
	return false
}

func glyph(t *testing.T, r rune) (width float64, ok bool) {
	t.Helper()
	textWidth(t, "", 1, false)
	w, ok := faces[false].GlyphAdvance(r)
	return float64(w), ok && r != 0
}
