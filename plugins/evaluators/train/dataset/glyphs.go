package dataset

import (
	"image"
	"image/draw"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomediumitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/gofont/gomonoitalic"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/gofont/gosmallcaps"
	"golang.org/x/image/font/gofont/gosmallcapsitalic"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// The parts of glyphs use different fonts, so that a test accuracy is about
// letters and not about outlines seen before. The small capitals share their
// digits with the plain font of the same slant and stay on its side.
var (
	glyphTrain = [][]byte{goregular.TTF, gosmallcaps.TTF, gobolditalic.TTF, gomono.TTF, gomonobold.TTF, gomediumitalic.TTF}
	glyphValid = [][]byte{gobold.TTF, gomonoitalic.TTF}
	glyphTest  = [][]byte{goitalic.TTF, gosmallcapsitalic.TTF, gomedium.TTF, gomonobolditalic.TTF}
)

// alphabet is the classes in order; the first ten are the default.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// glyphs draws digits and capitals. Every example has its own affine distortion,
// stroke width, contrast (dark on light or light on dark), uneven light, pieces
// of other glyphs at its edge, an occluding bar and noise.
func glyphs(o Options) (*Set, error) {
	classes, size := o.Classes, o.Size
	if classes == 0 {
		classes = 10
	}
	if size == 0 {
		size = 16
	}
	if classes < 2 || classes > len(alphabet) {
		return nil, refuse("classes", "is %d; glyphs have 2 to %d", classes, len(alphabet))
	}
	if size < 8 || size > 128 {
		return nil, refuse("size", "is %d; glyphs have 8 to 128 pixels", size)
	}
	if o.Path != "" {
		return nil, refuse("data", "is %q, but glyphs are drawn and need no file", o.Path)
	}
	s := &Set{Name: "glyphs", Channels: 1, H: size, W: size, Classes: classes, Facts: map[string]string{}}
	if o.Color {
		s.Channels = 3
	}
	for i, part := range []struct {
		to    *Split
		fonts [][]byte
		n     int
	}{
		{&s.Train, glyphTrain, orElse(o.Train, 2000)},
		{&s.Valid, glyphValid, orElse(o.Valid, 1000)},
		{&s.Test, glyphTest, orElse(o.Test, 2000)},
	} {
		p, err := newPen(part.fonts, size, s.Channels, uint64(i))
		if err != nil {
			return nil, err
		}
		for n := range part.n {
			// Classes take turns, so that every beginning of a part is balanced.
			class := n % classes
			part.to.Pixels = append(part.to.Pixels, p.example(classes, class)...)
			part.to.Labels = append(part.to.Labels, byte(class))
		}
	}
	s.Facts["dataset.split"] = "every part has fonts of its own"
	s.Facts["dataset.alphabet"] = strings.ToLower(alphabet[:classes])
	return s, nil
}

func orElse(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// em is the size at which outlines are kept.
const em = 256

// outline is a letter and the middle of its bounding box.
type outline struct {
	segments []sfnt.Segment
	mx, my   float64
}

// outlines reads all letters of a font.
func outlines(ttf []byte) ([]outline, error) {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, err
	}
	var buf sfnt.Buffer
	var all []outline
	for _, r := range alphabet {
		index, err := f.GlyphIndex(&buf, r)
		if err != nil {
			return nil, err
		}
		segments, err := f.LoadGlyph(&buf, index, fixed.I(em), nil)
		if err != nil {
			return nil, err
		}
		b := sfnt.Segments(segments).Bounds()
		all = append(all, outline{slices.Clone(segments), float64(b.Min.X+b.Max.X) / 128, float64(b.Min.Y+b.Max.Y) / 128})
	}
	return all, nil
}

// pen draws examples in the fonts of one part.
type pen struct {
	fonts          [][]outline // [font][letter of the alphabet]
	size, channels int
	rand           *rand.Rand
	raster         *vector.Rasterizer
	mask           *image.Alpha
}

func newPen(fonts [][]byte, size, channels int, part uint64) (*pen, error) {
	p := &pen{size: size, channels: channels, rand: rand.New(rand.NewPCG(0x676c797068, part)),
		raster: vector.NewRasterizer(size, size), mask: image.NewAlpha(image.Rect(0, 0, size, size))}
	for _, b := range fonts {
		letters, err := outlines(b)
		if err != nil {
			return nil, refuse("dataset", "has a font that cannot be read: %v", err)
		}
		p.fonts = append(p.fonts, letters)
	}
	return p, nil
}

// between draws a number from [a,b).
func (p *pen) between(a, b float64) float64 { return a + (b-a)*p.rand.Float64() }

// example draws one image, channel by channel.
func (p *pen) example(classes, class int) []byte {
	n := float64(p.size)
	ink := make([]float64, p.size*p.size)
	f := p.fonts[p.rand.IntN(len(p.fonts))]
	p.draw(ink, f[class], 1, p.between(-0.1, 0.1)*n, p.between(-0.1, 0.1)*n)
	// A neighbour on one side, mostly outside of the image.
	side := p.between(0, 2*math.Pi)
	other := f[p.rand.IntN(classes)]
	p.draw(ink, other, p.between(0.2, 0.6), 0.66*n*math.Cos(side), 0.66*n*math.Sin(side))

	out := make([]byte, 0, p.channels*len(ink))
	barAngle, barAt, barWidth := p.between(0, math.Pi), p.between(-0.35, 0.35)*n, p.between(0, 0.12)*n
	bc, bs := math.Cos(barAngle), math.Sin(barAngle)
	barInk := p.between(0, 1)
	for i := range ink {
		x, y := float64(i%p.size)-n/2, float64(i/p.size)-n/2
		if math.Abs(bc*x+bs*y-barAt) < barWidth/2 {
			ink[i] = barInk
		}
	}
	noise := p.between(4, 20)
	for range p.channels {
		paper := p.between(30, 100)
		contrast := p.between(60, 140)
		light, dir := p.between(0, 45)/n, p.between(0, 2*math.Pi)
		lx, ly := light*math.Cos(dir), light*math.Sin(dir)
		for i, v := range ink {
			x, y := float64(i%p.size)-n/2, float64(i/p.size)-n/2
			g := paper + contrast*v + lx*x + ly*y + noise*p.rand.NormFloat64()
			out = append(out, byte(math.Round(min(max(g, 0), 255))))
		}
	}
	return out
}

// draw adds a distorted glyph, centred at (cx,cy) from the middle, to ink.
func (p *pen) draw(ink []float64, o outline, strength, cx, cy float64) {
	// Turn, shear and stretch; digits are about 0.72 em high.
	turn, shear := p.between(-0.3, 0.3), p.between(-0.25, 0.25)
	sx := p.between(0.75, 1.2) * float64(p.size) / em
	sy := p.between(0.85, 1.2) * float64(p.size) / em
	c, s := math.Cos(turn), math.Sin(turn)
	at := func(q fixed.Point26_6) (float32, float32) {
		x, y := (float64(q.X)/64-o.mx)*sx, (float64(q.Y)/64-o.my)*sy
		x += shear * y
		return float32(c*x - s*y + cx + float64(p.size)/2), float32(s*x + c*y + cy + float64(p.size)/2)
	}
	p.raster.Reset(p.size, p.size)
	p.raster.DrawOp = draw.Src
	for _, g := range o.segments {
		x0, y0 := at(g.Args[0])
		switch g.Op {
		case sfnt.SegmentOpMoveTo:
			p.raster.ClosePath()
			p.raster.MoveTo(x0, y0)
		case sfnt.SegmentOpLineTo:
			p.raster.LineTo(x0, y0)
		case sfnt.SegmentOpQuadTo:
			x1, y1 := at(g.Args[1])
			p.raster.QuadTo(x0, y0, x1, y1)
		case sfnt.SegmentOpCubeTo:
			x1, y1 := at(g.Args[1])
			x2, y2 := at(g.Args[2])
			p.raster.CubeTo(x0, y0, x1, y1, x2, y2)
		}
	}
	p.raster.ClosePath()
	p.raster.Draw(p.mask, p.mask.Bounds(), image.Opaque, image.Point{})
	stroke := p.between(0.6, 1.8) // below 1 thicker, above 1 thinner
	for i, a := range p.mask.Pix {
		ink[i] = max(ink[i], strength*math.Pow(float64(a)/255, stroke))
	}
}
