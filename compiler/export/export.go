// Package export draws architectures and spaces.
//
// A drawing shows the skeleton, the chain of the whole network with repeated
// cells folded (normal ×5) and tensor shapes between them, and beside it every
// distinct cell as papers draw it: vertices as numbered circles from left to
// right, operations on the edges. The drawing of a space shows what is to be
// decided as well: depths as ×1..3, lists of candidates with their colours on the
// edges and boxes that choose among them, and how many edges a vertex keeps.
//
// The way there: architecture (diagram.go) and template.go turn a graph or a plan
// into diagrams, figure.go decides what is shown of them (skeleton.go, fold.go,
// limit.go) and turns cells into models of vertices and labelled edges (model.go),
// supernet.go gives a space mixture weights, layered.go places a cell, compose.go the page, stack.go, cell.go and legend.go
// draw its parts, and the result is a list of strokes and texts (scene.go) that
// svg.go and png.go write. Everything is placed by the metrics of one font, so both
// look alike, and depends on nothing but the graph or plan, so equal ones give
// equal bytes. dot.go and text.go write the figure without placing it.
package export

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/count"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
)

// Format is a file format of drawings.
type Format string

// The formats that Draw writes.
const (
	SVG  Format = "svg"
	PNG  Format = "png" // twice the size of the SVG, for print
	DOT  Format = "dot" // for Graphviz
	Text Format = "txt" // for a terminal
)

// FormatOf finds the format of a file by its ending.
func FormatOf(file string) (Format, error) {
	_, ending, _ := strings.Cut(file[strings.LastIndexAny(file, `/\`)+1:], ".")
	ending = ending[strings.LastIndexByte(ending, '.')+1:]
	switch f := Format(strings.ToLower(ending)); f {
	case SVG, PNG, DOT, Text:
		return f, nil
	}
	return "", fmt.Errorf("cannot draw %q: a drawing ends in .svg, .png, .dot or .txt", file)
}

// Options are the choices that a drawing leaves open.
type Options struct {
	Format Format
	Title  string // printed on top; empty: none
	Note   string // beside the title of a supernet
}

// MaxNodes is the largest graph, nested ones apart, that Draw places.
const MaxNodes = 1000

// Draw draws a valid graph.
func Draw(g *graph.Graph, o Options) ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	d := architecture(g, map[*graph.Graph]*diagram{})
	return newFigure(d, o.Title).compose(d).write(o.Format)
}

// DrawSpace draws what a plan leaves to decide: the skeleton with its repetitions,
// every template once with the candidates of its edges and vertices, and the
// lists of candidates.
func DrawSpace(p *lower.Plan, o Options) ([]byte, error) { return drawPlan(p, nil, population(p), o) }

func drawPlan(p *lower.Plan, w Weights, note string, o Options) ([]byte, error) {
	v := newValues(p.Space)
	planner := planner{values: v, weights: w, done: map[*lower.Body]*diagram{}, inside: map[string]*diagram{}}
	d := planner.diagram(p.Body)
	f := newFigure(d, o.Title)
	f.space, f.weighed, f.note = true, w != nil, note
	f.compose(d)
	f.given = v.parameters()
	return f.write(o.Format)
}

// population is how many architectures there are and what is required of them.
func population(p *lower.Plan) string {
	var conditions []string
	for _, r := range p.Requires {
		if !slices.Contains(conditions, r.Text) {
			conditions = append(conditions, r.Text)
		}
	}
	text := "architectures"
	if n, err := count.Of(p); err == nil {
		text = magnitude(n) + " architectures"
	}
	const short = 40 // of what stands beside the title
	switch all := strings.Join(conditions, ", "); {
	case all == "":
	case len(all) <= short:
		text += " with " + all
	default:
		text += " under `require`"
	}
	return text
}

// magnitude writes a number up to nine digits exactly, and greater ones to two.
func magnitude(n *big.Int) string {
	s := n.String()
	if len(s) > 9 {
		x, _ := new(big.Float).SetInt(n).Float64()
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', 1, 64), "e+")
		if math.IsInf(x, 0) {
			mantissa, exponent = s[:1]+"."+s[1:2], strconv.Itoa(len(s)-1)
		}
		return mantissa + "·10^" + strings.TrimLeft(exponent, "0")
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// write writes the figure in a format.
func (f *figure) write(format Format) ([]byte, error) {
	switch format {
	case DOT:
		return f.dot(), nil
	case Text:
		return f.text(), nil
	case SVG, PNG:
		if n := len(f.skeleton); n > MaxNodes {
			return nil, fmt.Errorf("%s has %d levels, more than the %d of a legible drawing", f.name, n, MaxNodes)
		}
		for _, p := range f.panels {
			if n := len(p.model.vertices); n > MaxNodes {
				return nil, fmt.Errorf("%s has %d vertices, more than the %d of a legible drawing", p.name, n, MaxNodes)
			}
			if n := extent(p.model); n > 4*MaxNodes {
				return nil, fmt.Errorf("%s is too dense to be legible: it has %d edges between %d vertices", p.name, len(p.model.edges), len(p.model.vertices))
			}
		}
		s, err := f.scene()
		if err != nil {
			return nil, err
		}
		if format == SVG {
			return s.svg(), nil
		}
		return s.png(2)
	}
	return nil, fmt.Errorf("there is no drawing format %q", format)
}
