// Package survey looks over a space: what its architectures cost and how many
// of them differ. A space that is small enough is enumerated; of a larger one a
// uniform sample is taken, and the result says so.
package survey

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/big"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
)

// Space is what a survey needs of a space.
type Space interface {
	Size() *big.Int
	All() iter.Seq[space.Genotype]
	Bind(space.Genotype) (*graph.Graph, error)
}

// Range is the least and the most of a quantity.
type Range struct {
	Min int64 `json:"min"`
	Max int64 `json:"max"`
}

func (r *Range) add(v int64) { r.Min, r.Max = min(r.Min, v), max(r.Max, v) }

// Survey is what a space holds.
type Survey struct {
	// Exact: every architecture was looked at; else Looked of them, drawn
	// uniformly, so the ranges are inner bounds.
	Exact  bool `json:"exact"`
	Looked int  `json:"looked"`
	// Unique is how many differ up to isomorphism, where that is known.
	Unique *int `json:"unique,omitempty"`
	// Params and MACs are those of networks as built, with every node, which is
	// what benchmarks count.
	Params Range `json:"params"`
	MACs   Range `json:"macs"`
	Depth  Range `json:"depth"`
	// Live is of their live graphs, without what cannot influence the output.
	Live Costs `json:"live"`
}

// Costs are the ranges of what networks cost.
type Costs struct {
	Params Range `json:"params"`
	MACs   Range `json:"macs"`
}

// Of surveys a space: all of it when it has at most limit architectures, else a
// sample of sample.
func Of(s Space, draw func(i int) space.Genotype, limit int64, sample int) (*Survey, error) {
	out := &Survey{Exact: s.Size().Cmp(big.NewInt(limit)) <= 0}
	widest := Range{math.MaxInt64, math.MinInt64}
	out.Params, out.MACs, out.Depth = widest, widest, widest
	out.Live = Costs{widest, widest}
	genotypes := s.All()
	if !out.Exact {
		genotypes = func(yield func(space.Genotype) bool) {
			for i := range sample {
				if !yield(draw(i)) {
					return
				}
			}
		}
	}
	unique := map[graph.Digest]bool{}
	for g := range genotypes {
		if g == nil && !out.Exact { // the one architecture of a space without choices is nil too
			return nil, errTight
		}
		a, err := s.Bind(g)
		if err != nil {
			return nil, fmt.Errorf("architecture %v: %w", g, err)
		}
		out.Looked++
		out.Params.add(a.Params())
		out.MACs.add(a.MACs())
		out.Depth.add(int64(a.Depth()))
		live := a.Live()
		out.Live.Params.add(live.Params())
		out.Live.MACs.add(live.MACs())
		if out.Exact {
			unique[a.Hash()] = true
		}
	}
	if out.Exact {
		n := len(unique)
		out.Unique = &n
	}
	return out, nil
}

// errTight ends the survey of a space of which no sample can be drawn.
var errTight = errors.New("no architecture was found that meets the requirements")

// Sampler draws the sample of a survey, always the same one.
func Sampler(s *space.Space) func(i int) space.Genotype {
	return func(i int) space.Genotype { return s.Sample(stream.New(0, "survey", uint64(i))) }
}
