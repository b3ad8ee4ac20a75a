// Package encode turns architectures into vectors of numbers, which predictors
// and kernels learn from. Every encoding is derived from the space alone, so
// that it cannot disagree with it: its columns are fixed by the space, have
// names, and are 0 or 1.
//
//   - [OneHot] has a column for every alternative of every decision, [Ordinal]
//     the same with the order of ranges and depths kept. They need nothing but
//     the decision tree. Space.Pack is the same information in few bytes.
//   - [NewAdjacency] encodes the live graph: which operation stands where, and
//     which tensor reads which where there is a choice. Architectures that differ
//     only in what reaches no output are equal.
//   - [NewPaths] encodes each cell as the set of its paths from input to output,
//     each a sequence of operations (White, Neiswanger and Savani, "BANANAS",
//     AAAI 2021).
//
// One-hot, ordinal and bytes differ for any two genotypes. Adjacency differs for
// any two architectures of which the live graphs differ. Paths are the same for
// cells that are equal up to isomorphism, and for some that are not.
package encode

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// Encoding gives an architecture as a vector.
type Encoding interface {
	// Columns names the numbers of a vector.
	Columns() []string
	// Encode returns one number for every column.
	Encode(space.Genotype) ([]float64, error)
}

// Kind names an encoding.
type Kind string

// The kinds of encoding.
const (
	OneHotKind    Kind = "onehot"
	OrdinalKind   Kind = "ordinal"
	AdjacencyKind Kind = "adjacency"
	PathKind      Kind = "path"
)

// Kinds lists the kinds of encoding.
var Kinds = []Kind{OneHotKind, OrdinalKind, AdjacencyKind, PathKind}

// New lays out an encoding of a space.
func New(kind Kind, p *lower.Plan) (Encoding, error) {
	switch kind {
	case OneHotKind:
		return OneHot(p.Space), nil
	case OrdinalKind:
		return Ordinal(p.Space), nil
	case AdjacencyKind:
		return NewAdjacency(p)
	case PathKind:
		return NewPaths(p)
	}
	return nil, fmt.Errorf("there is no encoding %q", kind)
}
