// Package published knows what benchmarks say of the shipped spaces: by which rules
// their sizes are counted, and how they name an architecture.
package published

import (
	"fmt"
	"math/big"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/spaces/nasbench101"
	"github.com/nasc-project/nasc/spaces/nasbench1shot1"
	"github.com/nasc-project/nasc/spaces/nasbench201"
	"github.com/nasc-project/nasc/spaces/nasbenchasr"
	"github.com/nasc-project/nasc/spaces/natssize"
	"github.com/nasc-project/nasc/spaces/transnasbench101"
)

// Number is a size of a space and the rule by which it is counted.
type Number struct {
	Count int    `json:"count"`
	Rule  string `json:"rule"`
}

// counted are the shipped spaces of which several numbers are in use.
var counted = []struct {
	file  string
	size  int64
	count func() []Number
}{
	{"nasbench1shot1/space1.nas", 14580, func() []Number { return oneShot(0, false) }},
	{"nasbench1shot1/space2.nas", 29160, func() []Number { return oneShot(1, true) }},
	{"nasbench1shot1/space3.nas", 1312200, func() []Number { return oneShot(2, false) }},
	{"nasbench201/nasbench201.nas", 15625, cells},
}

// Numbers counts a space by the rules of its publication. Only a space that decides
// what a shipped one decides, in the same order, is known.
func Numbers(s *space.Space) ([]Number, error) {
	for _, c := range counted {
		if s.Size().Cmp(big.NewInt(c.size)) != 0 {
			continue
		}
		m, diags := compiler.Load(c.file, spaces.Files.ReadFile)
		if diags.HasErrors() {
			return nil, fmt.Errorf("%s: %w", c.file, diags)
		}
		shipped, diags := m.Space("", nil)
		if diags.HasErrors() {
			return nil, fmt.Errorf("%s: %w", c.file, diags)
		}
		if shipped.Digest() == s.Digest() {
			return c.count(), nil
		}
	}
	return nil, nil
}

// oneShot counts a search space of NAS-Bench-1Shot1, whose paper counts space 2 by
// another rule than spaces 1 and 3.
func oneShot(i int, raw bool) []Number {
	c := nasbench1shot1.Count(nasbench1shot1.Parents[i])
	rules := []Number{
		{c.Raw, "an operation for every vertex"},
		{c.Read, "an operation for every vertex that is read"},
		{c.AllRead, "an operation for every vertex, wirings in which all are read"},
	}
	paper := &rules[1]
	if raw {
		paper = &rules[0]
	}
	paper.Rule += " (the paper's number)"
	return rules
}

// cells counts those of NAS-Bench-201 by the texts that tell them apart in the paper.
func cells() []Number {
	connected := 0
	skips, zeros := map[string]bool{}, map[string]bool{}
	for n := range nasbench201.Architectures {
		a := nasbench201.At(n)
		skips[a.Unique(false)] = true
		zeros[a.Unique(true)] = true
		if a.Connected() {
			connected++
		}
	}
	return []Number{
		{connected, "a path leads from input to output"},
		{len(skips), "different strings without skips (the paper's rule)"},
		{len(zeros), "different strings without skips and zeros (the paper's rule)"},
	}
}

// Name is what a benchmark calls an architecture.
type Name struct {
	Benchmark string `json:"benchmark"`
	Name      string `json:"name"`
	Note      string `json:"note,omitempty"`
}

// Names are those of an architecture in the benchmarks that it is part of.
func Names(g *graph.Graph) []Name {
	var out []Name
	if a, err := nasbench201.Recognise(g); err == nil {
		out = append(out, Name{Benchmark: "NAS-Bench-201", Name: a.String()})
	}
	if m, width, err := nasbench101.Recognise(g); err == nil {
		if hash, ok := m.Hash(); ok {
			n := Name{Benchmark: "NAS-Bench-101", Name: hash}
			switch {
			case m.Edges() > nasbench101.MaxEdges || len(m.Reads) > nasbench101.Vertices:
				n.Note = fmt.Sprintf("not in the benchmark: %d vertices and %d edges", len(m.Reads), m.Edges())
			case width != nasbench101.Width:
				n.Note = fmt.Sprintf("this module, but with %d channels at first instead of %d", width, nasbench101.Width)
			}
			out = append(out, n)
		}
	}
	if a, err := natssize.Recognise(g); err == nil {
		out = append(out, Name{Benchmark: "NATS-Bench size", Name: a.String()})
	}
	if name, err := transnasbench101.Recognise(g); err == nil {
		out = append(out, Name{Benchmark: "TransNAS-Bench-101", Name: name})
	}
	if a, err := nasbenchasr.Recognise(g); err == nil {
		out = append(out, Name{Benchmark: "NAS-Bench-ASR", Name: a.String(), Note: "hash " + a.Hash()})
	}
	return out
}
