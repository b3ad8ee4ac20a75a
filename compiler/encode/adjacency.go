package encode

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// Adjacency encodes the live graph of an architecture. Its columns are
//
//   - the operations that may stand in a place ("normal.n[1].edge[0] = skip"), and
//     the values of attributes that are decided;
//   - the connections between a tensor and what reads it, where that is a choice
//     ("module.v[1].sum <- module.v[0]").
//
// What is the same in every architecture, or told by another column, has none: a
// NAS-Bench-101 module has the 21 connections of seven vertices and three
// operations for each of five, a DARTS cell seven operations for each of 14
// edges. A column is 1 when what it names is there and part of the computation of
// the output; an operation fed by absent edges only is not. A body that is used
// again, or again for other shapes, under the same decisions shares its columns.
//
// Equal vectors mean equal live graphs, apart from identities, which this
// encoding keeps: follow a live graph from its output down. Whatever is read
// there without a choice is read in both; where there is a choice, the column of
// what is read is set in both, so both made the same choice.
type Adjacency struct {
	plan    *lower.Plan
	root    *layout
	inputs  [][]map[any]int // of the space: by dimension, the columns of its values
	columns []string
}

// NewAdjacency lays out the columns for a space.
func NewAdjacency(p *lower.Plan) (*Adjacency, error) {
	a := &Adjacency{plan: p}
	l := layouter{Adjacency: a, bodies: map[*lower.Body]*layout{}, classes: map[string]*class{}, names: map[string]bool{}}
	for _, in := range p.Body.Inputs {
		var dims []map[any]int
		for i, d := range in.Shape {
			values, err := l.values(d, fmt.Sprintf("%s[%d]", in.Name, i))
			if err != nil {
				return nil, err
			}
			dims = append(dims, values)
		}
		a.inputs = append(a.inputs, dims)
	}
	root, err := l.body(p.Body)
	if err != nil {
		return nil, err
	}
	a.root = root
	return a, l.lay(root, "")
}

// Columns names the operations, attributes and connections.
func (a *Adjacency) Columns() []string { return a.columns }

// Encode implements [Encoding].
func (a *Adjacency) Encode(g space.Genotype) ([]float64, error) {
	if err := a.plan.Space.Check(g); err != nil {
		return nil, err
	}
	w := liveWork{
		taken: a.plan.Taken(g),
		known: map[instanceKey]*instance{},
		out:   make([]float64, len(a.columns)),
	}
	for i, in := range a.plan.Body.Inputs {
		for k, d := range in.Shape {
			if err := w.set(d, a.inputs[i][k]); err != nil {
				return nil, err
			}
		}
	}
	if err := w.instance(a.root, make([]bool, len(a.plan.Body.Inputs))).mark(); err != nil {
		return nil, err
	}
	return w.out, nil
}
