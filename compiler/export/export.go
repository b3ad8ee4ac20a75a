// Package export draws architectures.
//
// A drawing shows the skeleton, the chain of the whole network with repeated
// cells folded (normal ×5) and tensor shapes between them, and beside it every
// distinct cell as papers draw it: vertices as numbered circles from left to
// right, operations on the edges.
//
// The way there: figure.go decides what is shown and turns it into a model of
// vertices and labelled edges (model.go), layered.go places a cell, and the
// result is a list of strokes and texts (scene.go) that svg.go and png.go
// write. Everything is placed by the metrics of one font, so both look alike,
// and depends on nothing but the graph, so equal graphs give equal bytes.
// dot.go and text.go write the model without placing it.
package export

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
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
}

// MaxNodes is the largest graph, nested ones apart, that Draw places.
const MaxNodes = 1000

// Draw draws a valid graph.
func Draw(g *graph.Graph, o Options) ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	f := newFigure(g, o.Title)
	switch o.Format {
	case DOT:
		return f.dot(), nil
	case Text:
		return f.text(), nil
	case SVG, PNG:
		for _, b := range append([]*graph.Graph{g}, f.bodies()...) {
			if len(b.Nodes) > MaxNodes {
				return nil, fmt.Errorf("%s has %d nodes, more than the %d of a legible drawing", b.Name, len(b.Nodes), MaxNodes)
			}
		}
		for _, p := range f.panels {
			if n := extent(p.model); n > 4*MaxNodes {
				return nil, fmt.Errorf("%s is too dense to be legible: it has %d edges between %d vertices", p.name, len(p.model.edges), len(p.model.vertices))
			}
		}
		s, err := f.scene()
		if err != nil {
			return nil, err
		}
		if o.Format == SVG {
			return s.svg(), nil
		}
		return s.png(2)
	}
	return nil, fmt.Errorf("there is no drawing format %q", o.Format)
}
