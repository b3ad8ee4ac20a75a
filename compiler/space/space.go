// Package space is the algebra of decisions: exact size, uniform sampling,
// rank and unrank, mutation and neighbourhood, all derived from one tree.
//
// A [Space] is a tree in which groups and decisions alternate. A [Group] is a
// product: all of its decisions are taken. A [Decision] is a sum: it takes one
// alternative (one-of, a value of a range, a depth) or a subset of k items
// (k-of), and the group below each taken alternative joins the product. So a
// decision below an alternative exists only when the alternative is taken.
// A tied decision is one Decision that the graph refers to several times; the
// tree holds it once.
//
// What is decided only under alternatives of two independent decisions cannot
// hang below both. One of the two is then repeated below each alternative of the
// other, as twins: decisions with one address, of which every architecture has at
// most one. Counts need not know about them; mutation, crossover and distance take
// twins as the one question that they are.
//
// The package knows neither ops nor shapes: labels are text, as printed by
// `.nas`. What a decision means for the graph is compiler/lower's business.
//
// Architectures have a total order, their rank: a group reads like a number
// whose first decision is the most significant digit, a decision orders its
// alternatives as declared, and below one alternative the rank of its group
// decides. A Space never changes once it is used and may be used from several
// goroutines. Its methods expect genotypes of this space; what comes from
// elsewhere goes through [Space.Check], Parse, Unpack or FromLabels first.
package space

import (
	"math/big"
	"slices"

	"github.com/nasc-project/nasc/dsl/diag"
)

// Kind tells how a decision is taken.
type Kind string

// The kinds of decision. All but Subset take exactly one alternative.
const (
	OneOf  Kind = "one-of" // a | b | c, 1 of S
	Range  Kind = "range"  // 2..4, 128..224 by 4
	Depth  Kind = "depth"  // op * (1..3): the number of repetitions
	Subset Kind = "subset" // k of S, any of S
)

// Decision is one thing to decide.
type Decision struct {
	ID      int    // position in Space.Decisions, assigned by New
	Address string // "normal.n[1].edge[0]"; unique in every architecture
	Kind    Kind
	Pos     diag.Pos // where the source declares it
	Alts    []*Alt
	Min     int // Subset: least and most items taken; 1 and 1 otherwise
	Max     int

	parent  *Decision   // nil at the root
	via     []int       // the alternatives of parent that it hangs below
	twins   []*Decision // all decisions with this address, when there are several
	size    number      // architectures of this decision and everything below it
	sums    []number    // one-of kinds: architectures below the alternatives before i
	flat    bool        // one-of kinds: nothing to decide below any alternative
	draw    weights     // one-of kinds: how to draw an alternative
	subset  *ways       // Subset: the count of every completion
	lottery *ways       // Subset: the same ratios in smaller numbers, for drawing
}

// Alt is an alternative of a decision, or an item of a subset.
type Alt struct {
	Label string // as `.nas` text: "relu_conv_bn(kernel: 3)", "4"
	Sub   *Group // decided only when this alternative is taken; never nil after New
}

// Group is a product of decisions. The same Decision may hang below several
// alternatives of one parent (depth 2 and depth 3 share their first two
// layers), since only one of them is taken at a time.
type Group struct {
	Decisions []*Decision

	size number
}

// Space is a finished decision tree.
type Space struct {
	Name      string
	Root      *Group
	Decisions []*Decision // every decision once, in order of first appearance

	blank  Genotype            // every decision Inactive
	inside func(Genotype) bool // nil: the space is all of the tree
}

// Size is the exact number of ways to take the decisions, a fresh big integer: the
// number of architectures unless a constraint leaves some out.
func (s *Space) Size() *big.Int { return s.Root.size.Big() }

// Size is the number of architectures of this decision and everything below it, a
// fresh big integer.
func (d *Decision) Size() *big.Int { return d.size.Big() }

// Genotype is the list of decisions taken, indexed by Decision.ID: the index
// of the alternative for the one-of kinds, a bit set of items for Subset, and
// Inactive where the decision does not exist in this architecture.
type Genotype []int64

// Inactive marks a decision that does not exist under the alternatives taken.
const Inactive int64 = -1

// Clone returns an independent copy of g.
func (g Genotype) Clone() Genotype { return append(Genotype(nil), g...) }

// Equal reports whether g and h take the same decisions.
func (g Genotype) Equal(h Genotype) bool { return slices.Equal(g, h) }
