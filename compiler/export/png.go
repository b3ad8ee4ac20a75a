package export

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// maxPixels bounds the size of a picture.
const maxPixels = 100e6

// png paints the scene, scale pixels for a unit.
func (s *scene) png(scale float64) ([]byte, error) {
	w, h := int(math.Ceil(s.w*scale)), int(math.Ceil(s.h*scale))
	if float64(w)*float64(h) > maxPixels {
		return nil, fmt.Errorf("the drawing would have %d×%d pixels; write it as .svg", w, h)
	}
	p := painter{img: image.NewRGBA(image.Rect(0, 0, w, h)), scale: scale}
	draw.Draw(p.img, p.img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, sh := range s.shapes {
		if sh.text != "" {
			if err := p.write(sh); err != nil {
				return nil, err
			}
			continue
		}
		lines := p.flatten(sh.path)
		if sh.fill != "" {
			p.fill([][]point{lines}, sh.fill)
		}
		if sh.stroke != "" {
			p.stroke(lines, sh)
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, p.img)
	return b.Bytes(), err
}

type painter struct {
	img   *image.RGBA
	scale float64
}

func rgb(hex string) color.Color {
	var r, g, b uint8
	fmt.Sscanf(hex, "#%02x%02x%02x", &r, &g, &b)
	return color.RGBA{r, g, b, 255}
}

// flatten turns a path into a polyline in pixels.
func (p *painter) flatten(path []segment) []point {
	out := []point{{path[0].p.x * p.scale, path[0].p.y * p.scale}}
	for i, s := range path[1:] {
		steps := 1
		if !s.straight {
			steps = 24
		}
		from := path[i].p
		for k := 1; k <= steps; k++ {
			t := float64(k) / float64(steps)
			u := 1 - t
			q := s.p
			if !s.straight {
				q = point{
					u*u*u*from.x + 3*u*u*t*s.a.x + 3*u*t*t*s.b.x + t*t*t*s.p.x,
					u*u*u*from.y + 3*u*u*t*s.a.y + 3*u*t*t*s.b.y + t*t*t*s.p.y,
				}
			}
			out = append(out, point{q.x * p.scale, q.y * p.scale})
		}
	}
	return out
}

func (p *painter) fill(outlines [][]point, colour string) {
	left, top, right, bottom := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, o := range outlines {
		for _, q := range o {
			left, right = min(left, q.x), max(right, q.x)
			top, bottom = min(top, q.y), max(bottom, q.y)
		}
	}
	area := image.Rect(int(left)-1, int(top)-1, int(right)+2, int(bottom)+2).Intersect(p.img.Bounds())
	if area.Empty() {
		return
	}
	r := vector.NewRasterizer(area.Dx(), area.Dy())
	at := func(q point) (x, y float32) {
		return float32(q.x - float64(area.Min.X)), float32(q.y - float64(area.Min.Y))
	}
	for _, o := range outlines {
		r.MoveTo(at(o[0]))
		for _, q := range o[1:] {
			r.LineTo(at(q))
		}
		r.ClosePath()
	}
	r.Draw(p.img, area, image.NewUniform(rgb(colour)), image.Point{})
}

// stroke paints a line as the outlines of its pieces, one or many dashes.
func (p *painter) stroke(lines []point, sh shape) {
	pieces := [][]point{lines}
	if sh.dash {
		pieces = dashes(lines, dashOn*p.scale, dashOff*p.scale)
	}
	for _, piece := range pieces {
		if o := outline(piece, sh.width*p.scale/2); o != nil {
			p.fill([][]point{o}, sh.stroke)
		}
	}
}

// outline runs along a smooth line on one side and back on the other.
func outline(line []point, half float64) []point {
	line = slices.CompactFunc(slices.Clone(line), func(a, b point) bool { return math.Hypot(a.x-b.x, a.y-b.y) < 1e-6 })
	n := len(line)
	if n < 2 {
		return nil
	}
	closed := math.Hypot(line[0].x-line[n-1].x, line[0].y-line[n-1].y) < 1e-6
	out := make([]point, 2*n)
	for i, q := range line {
		before, after := line[max(0, i-1)], line[min(n-1, i+1)]
		if closed && (i == 0 || i == n-1) {
			before, after = line[n-2], line[1]
		}
		d := math.Hypot(after.x-before.x, after.y-before.y)
		if d == 0 {
			d = 1
		}
		nx, ny := (after.y-before.y)/d*half, (before.x-after.x)/d*half
		out[i] = point{q.x + nx, q.y + ny}
		out[2*n-1-i] = point{q.x - nx, q.y - ny}
	}
	return out
}

func dashes(lines []point, on, off float64) [][]point {
	var out [][]point
	piece := []point{lines[0]}
	rest, drawing := on, true
	for i := 1; i < len(lines); i++ {
		a, b := lines[i-1], lines[i]
		d := math.Hypot(b.x-a.x, b.y-a.y)
		for d > rest {
			t := rest / d
			a = point{a.x + (b.x-a.x)*t, a.y + (b.y-a.y)*t}
			d -= rest
			if drawing {
				out = append(out, append(piece, a))
			}
			drawing = !drawing
			piece = []point{a}
			rest = off
			if drawing {
				rest = on
			}
		}
		rest -= d
		piece = append(piece, b)
	}
	if drawing {
		out = append(out, piece)
	}
	return out
}

func (p *painter) write(sh shape) error {
	f, err := face(sh.size*p.scale, sh.bold)
	if err != nil {
		return err
	}
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(rgb(sh.fill)), Face: f}
	x := sh.at.x * p.scale
	if sh.anchor == middle {
		x -= fixedToFloat(d.MeasureString(sh.text)) / 2
	}
	d.Dot = fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(sh.at.y * p.scale * 64)}
	d.DrawString(sh.text)
	return nil
}
