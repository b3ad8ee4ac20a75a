// Package unique counts the architectures of a space that differ: exactly, up to
// isomorphism under the algebra that the ops declare. An identity is the tensor
// it reads, an absent edge is no edge, what reaches no output is gone.
//
// Small spaces are gone through one by one. Of larger ones the package uses what
// a cell space has in common with no other: all decisions lie in one body, which
// a fixed chain of operations uses again and again. Then two networks are the same
// exactly when that body is, so only the body is looked at, as a small table of
// rows in which the decisions are still open (a [sketch]). And many decisions only
// name the operation of a vertex or an edge: they label the wiring and do not
// change it. So wirings are taken once, up to isomorphism, with such labels left
// blank; then each wiring that is left is labelled in every way, and the labelled
// graphs are told apart. NAS-Bench-101 has 2^21 wirings and 3^5 labellings of each,
// 509,607,936 modules; some hundred thousand are ever built.
//
// Nothing is estimated: a space for which neither way is feasible is an
// [*UnknownError].
package unique

import (
	"context"
	"fmt"
	"runtime"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// The limits of a count: a minute or two, not hours.
const (
	maxWhole    = 4 << 20  // architectures that are bound and hashed one by one
	maxWirings  = 64 << 20 // wirings of a cell
	maxClasses  = 16 << 20 // different architectures that are kept in memory
	maxRows     = 1 << 14  // rows of a sketch
	maxSlotSize = 1 << 20  // labellings of one wiring

	quickWhole   = 20_000
	quickWirings = 1 << 17
)

// UnknownError tells why the number of different architectures is not known.
type UnknownError struct{ Reason string }

func (e *UnknownError) Error() string { return e.Reason }

func unknown(format string, args ...any) error {
	return &UnknownError{fmt.Sprintf(format, args...)}
}

// Classes holds one architecture of each isomorphism class of a space.
type Classes struct {
	// Method says in a few words how they were found.
	Method string

	members []member
	expand  func() func(member) space.Genotype // one for each walk
}

// member names one architecture: the rank of its wiring and the number of its
// labelling, or its own rank.
type member struct {
	wiring  uint64
	labels  uint32
	classID canon.Digest
}

// Len is the number of classes.
func (c *Classes) Len() int { return len(c.members) }

// All yields one architecture of each class, always the same ones in the same
// order.
func (c *Classes) All(yield func(space.Genotype) bool) {
	expand := c.expand()
	for _, m := range c.members {
		if !yield(expand(m)) {
			return
		}
	}
}

// Space is what the package needs of a space.
type Space struct {
	Plan *lower.Plan
	// Bind builds one architecture of the plan.
	Bind func(space.Genotype) (*graph.Graph, error)
	// Admission makes functions that report whether an architecture meets the
	// requirements of the space, one for each goroutine.
	Admission func() func(space.Genotype) bool
	// Quick gives up what takes more than a second or two.
	Quick bool
}

// Of finds the classes of a space. It stops with ctx's error when ctx is
// cancelled.
func Of(ctx context.Context, s Space) (*Classes, error) {
	workers := runtime.GOMAXPROCS(0)
	most := uint64(maxWhole)
	if s.Quick {
		most = quickWhole
	}
	sk, reason := sketchOf(s.Plan)
	if sk != nil {
		c, err := sk.classes(ctx, s, workers)
		if _, no := err.(*UnknownError); !no {
			return c, err
		}
		reason = err.Error()
	}
	size := s.Plan.Space.Size()
	if size.IsUint64() && size.Uint64() <= most {
		return whole(ctx, s, size.Uint64(), workers)
	}
	return nil, unknown("there are %s architectures, more than the %d that are compared one by one, and %s", size, most, reason)
}
