package export

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
)

// svg writes the scene as a stand-alone file.
func (s *scene) svg() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %s %s" font-family="Go, Arial, Helvetica, sans-serif">`+"\n",
		num(s.w), num(s.h), num(s.w), num(s.h))
	fmt.Fprintf(&b, `<rect width="%s" height="%s" fill="#ffffff"/>`+"\n", num(s.w), num(s.h))
	for _, sh := range s.shapes {
		if sh.text != "" {
			sh.writeText(&b)
			continue
		}
		fmt.Fprintf(&b, `<path d="%s" fill="%s"`, pathData(sh.path), paint(sh.fill))
		if sh.stroke != "" {
			fmt.Fprintf(&b, ` stroke="%s" stroke-width="%.3g" stroke-linejoin="round"`, sh.stroke, sh.width)
		}
		if sh.dash {
			fmt.Fprintf(&b, ` stroke-dasharray="%d %d"`, dashOn, dashOff)
		}
		b.WriteString("/>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

const dashOn, dashOff = 4, 3

func (sh shape) writeText(b *bytes.Buffer) {
	fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" fill="%s"`, num(sh.at.x), num(sh.at.y), num(sh.size), sh.fill)
	if sh.anchor == middle {
		b.WriteString(` text-anchor="middle"`)
	}
	if sh.bold {
		b.WriteString(` font-weight="bold"`)
	}
	b.WriteByte('>')
	xml.EscapeText(b, []byte(sh.text)) // a bytes.Buffer never fails
	b.WriteString("</text>\n")
}

func paint(colour string) string {
	if colour == "" {
		return "none"
	}
	return colour
}

func pathData(path []segment) string {
	var b bytes.Buffer
	for i, s := range path {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%s %s", num(s.p.x), num(s.p.y))
		case s.straight:
			fmt.Fprintf(&b, "L%s %s", num(s.p.x), num(s.p.y))
		default:
			fmt.Fprintf(&b, "C%s %s %s %s %s %s", num(s.a.x), num(s.a.y), num(s.b.x), num(s.b.y), num(s.p.x), num(s.p.y))
		}
	}
	return b.String()
}

// num writes a coordinate with at most one decimal: a tenth of a point is less
// than print shows.
func num(x float64) string {
	x = math.Round(x*10) / 10
	if x == 0 {
		x = 0 // not -0
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}
