// Package plan runs a Gorgonia graph of ops primitives again and again from
// memory that is laid out once.
//
// Gorgonia's own machines run one operation after the other, each with memory of
// its own. A [Plan] is made for the nodes somebody wants: it drops what they do not
// need (the gradient of the image, for one) and then, since it sees the whole
// network forward and backward before anything runs, replaces many steps by few:
//
//   - Convolutions that read one map are one convolution with the filters of all,
//     and so are their gradients (convolutions.go). The statistics of batch norm
//     are gathered while the convolution writes.
//   - The terms of a node are normalised, weighed, added up and rectified in one
//     pass over memory (combine.go).
//   - Its gradients take two: one gathers all sums, those for the mixture weights
//     among them, one writes the gradients of the maps (nodegrad.go).
//   - Sums of gradients, with the gradients of ReLU and mixtures in them, are one
//     pass each (additions.go); what is the same is computed once (same.go).
//
// A value that nobody reads again leaves its memory to others, in one arena whose
// size is known before it is allocated (arena.go). Whatever only feeds terms of
// mixtures whose factor is zero is not run (active.go). Running a plan is a loop
// over function calls.
package plan

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
	"gorgonia.org/gorgonia"
)

// Options are how a plan is made. The zero value is the usual way.
type Options[T kernel.Float] struct {
	// Unfused runs the graph primitive by primitive, as the yardstick of tests.
	Unfused bool
	// Arena is memory shared with other plans that run at other times; nil: memory
	// of its own.
	Arena *Arena[T]
}

// Plan computes some nodes of a graph. T is the element type of the graph.
type Plan[T kernel.Float] struct {
	program *program
	ws      *kernel.Workers
	arena   *Arena[T]
	size    int // of the arena, in numbers

	views  []kernel.Channels[T] // by value; no data: not in this run
	own    map[*value][]T       // leaves and what is wanted
	runs   []func()             // by step
	base   *T                   // where the views point into
	before map[*value]int       // the steps that compute factors of mixtures
	gates  []factor             // all factors of mixtures
	closed []bool               // those that are zero, in the last run
}

// New plans the computation of wanted. Leaves of the graph must be bound to
// values; a plan reads them wherever they are at that time, so that later
// changes are written into these values, not bound anew.
func New[T kernel.Float](ws *kernel.Workers, o Options[T], wanted ...*gorgonia.Node) (*Plan[T], error) {
	p, err := newProgram(wanted)
	if err != nil {
		return nil, err
	}
	if !o.Unfused {
		p.fuse()
	}
	p.order()
	pl := &Plan[T]{program: p, ws: ws, arena: o.Arena, size: p.place(), own: map[*value][]T{}}
	if pl.arena == nil {
		pl.arena = NewArena[T]()
	}
	if err := pl.bind(); err != nil {
		return nil, err
	}
	return pl, nil
}

// fuse runs the passes.
func (p *program) fuse() {
	p.joinSame()
	p.joinPools()
	norms := p.combineNodes()
	p.spreadNodes(norms)
	p.joinConvolutions()
	p.joinAdditions()
}

// bind finds the memory outside of the arena and makes the function of each step.
func (p *Plan[T]) bind() error {
	p.views = make([]kernel.Channels[T], len(p.program.values))
	for _, v := range p.program.values {
		switch {
		case v.leaf:
			data, ok := v.node.Value().Data().([]T)
			if !ok {
				return fmt.Errorf("%s holds %T", v.node.Name(), v.node.Value().Data())
			}
			p.own[v] = data
		case v.wanted:
			p.own[v] = make([]T, v.size())
		default:
			continue
		}
		p.views[v.id] = kernel.Channels[T]{Data: p.own[v], Pitch: v.channels}
	}
	for _, s := range p.program.steps {
		p.runs = append(p.runs, p.runner(s.kind))
	}
	p.findGates()
	return nil
}

// Memory is the number of bytes that the plan computes in: its part of the arena,
// and what is wanted. Nothing of the arena is allocated before the first run.
func (p *Plan[T]) Memory() int {
	n := p.size
	for _, v := range p.program.wanted {
		if !v.leaf {
			n += v.size()
		}
	}
	return n * int(unsafe.Sizeof(*new(T)))
}

// Run computes the wanted nodes. It returns early, with ctx's error, when ctx is
// cancelled, and when a primitive fails.
func (p *Plan[T]) Run(ctx context.Context) error {
	if len(p.arena.data) < p.size {
		p.arena.data = make([]T, p.size)
	}
	p.prepare()
	for i, s := range p.program.steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !s.skip {
			p.runs[i]()
			if err := s.failed(); err != nil {
				return err
			}
		}
		for _, v := range s.clear {
			kernel.Clear(p.ws, v.pixels, v.channels, p.views[v.id])
		}
	}
	return nil
}

// failed is why a step that was run has failed.
func (s *step) failed() error {
	if k, ok := s.kind.(*primitive); ok {
		return k.op.Err()
	}
	return nil
}

// Value is the memory of a leaf or a wanted node. It stays the same between runs.
func (p *Plan[T]) Value(n *gorgonia.Node) []T {
	v := p.program.of[n]
	if v == nil {
		return nil
	}
	return p.own[v]
}

// Zero reports whether a wanted node was not computed in the last run, but is zero
// since factors of zero cut it off from what it is the gradient of.
func (p *Plan[T]) Zero(n *gorgonia.Node) bool {
	v := p.program.of[n]
	return v != nil && v.zero
}
