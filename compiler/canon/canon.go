// Package canon gives labelled directed acyclic graphs a canonical form: two of
// them get one [Digest] exactly when they are isomorphic, up to collisions of
// 128-bit hashes.
//
// A graph is written into a [Table], row by row, each row after those that it
// reads. [Scratch.Digest] then works in four steps:
//
//  1. Reduction ([Algebra]): absent operands vanish where they may, identities
//     are what they read, and what does not reach the output is gone.
//  2. Series ([Scratch.Series]): the graph is cut at every row through which all
//     paths pass. The canonical form is the chain of those of the segments.
//  3. Refinement: rows are coloured by all that they read and all that reads
//     them, until the colours tell no more. Where they tell all rows apart, the
//     set of colours is the canonical form.
//  4. Pieces: what edges then still say beyond the colours is settled by search,
//     in connected pieces that are small.
//
// Refinement followed by individualisation is the way of McKay and Piperno,
// "Practical graph isomorphism, II", Journal of Symbolic Computation 60 (2014).
// A piece is searched without pruning by automorphisms, so it costs as many
// refinements as it has automorphisms; rows that are interchangeable one by one
// are never in one piece.
package canon

import (
	"encoding/binary"
	"encoding/hex"
)

// Digest identifies a graph up to isomorphism.
type Digest [16]byte

// String is the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Row is one tensor of a table: an entry of the graph, or an operation with the
// rows that it reads.
type Row struct {
	Label   Colour  // what it is: operation and attributes
	Blank   Colour  // what its absence is to a reader that cannot leave it out
	Algebra Algebra // which rules its operation obeys
	Reads   []int32 // earlier rows, in order, the same one perhaps several times
}

// Table is a graph before its reduction. The zero Table is empty.
type Table struct {
	labels  []Colour
	blanks  []Colour
	algebra []Algebra
	starts  []int32 // row i reads reads[starts[i]:starts[i+1]]
	reads   []int32
}

// Reset empties t and keeps its memory.
func (t *Table) Reset() {
	t.labels, t.blanks, t.algebra = t.labels[:0], t.blanks[:0], t.algebra[:0]
	t.starts, t.reads = t.starts[:0], t.reads[:0]
}

// Add appends a row and returns its number. The table keeps a copy of r.Reads.
func (t *Table) Add(r Row) int32 {
	if len(t.starts) == 0 {
		t.starts = append(t.starts, 0)
	}
	t.labels = append(t.labels, r.Label)
	t.blanks = append(t.blanks, r.Blank)
	t.algebra = append(t.algebra, r.Algebra)
	t.reads = append(t.reads, r.Reads...)
	t.starts = append(t.starts, int32(len(t.reads)))
	return int32(len(t.labels) - 1)
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.labels) }

// Scratch is the memory of the canonicalisation; after the first graphs of a
// size there are no allocations. The zero Scratch is ready. One goroutine uses
// it at a time.
type Scratch struct {
	reduction
	series
	refinement
	pieces pieces
	chain  []Colour
}

// Digest is the canonical digest of what row output of t computes.
func (s *Scratch) Digest(t *Table, output int32) Digest {
	f, present := s.reduce(t, output)
	if !present {
		return Chain([]Colour{nothing.Then(t.blanks[output])})
	}
	s.chain = s.Series(f, false, s.chain[:0])
	return Chain(s.chain)
}

// Chain is the digest of a graph by those of its segments.
func Chain(segments []Colour) Digest {
	c := Colour{}.Number(uint64(len(segments)))
	for _, s := range segments {
		c = c.Then(s)
	}
	var d Digest
	binary.BigEndian.PutUint64(d[:8], c[0])
	binary.BigEndian.PutUint64(d[8:], c[1])
	return d
}
