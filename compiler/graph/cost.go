package graph

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Params is the number of trainable parameters with every instance of a nested
// graph counted: sharing a body shares its structure, not its weights. All
// nodes count, as benchmarks count them; for what reaches the output only, ask
// g.Live().Params(). A sum beyond an int64 is the largest int64.
func (g *Graph) Params() int64 {
	return g.total(map[*Graph]int64{}, func(n *Node) int64 { return n.Params })
}

// MACs is the number of multiply-accumulates for one example, counted like
// Params.
func (g *Graph) MACs() int64 {
	return g.total(map[*Graph]int64{}, func(n *Node) int64 { return n.MACs })
}

func (g *Graph) total(known map[*Graph]int64, cost func(*Node) int64) int64 {
	if t, ok := known[g]; ok {
		return t
	}
	var t int64
	for _, n := range g.Nodes {
		c := cost(n)
		if n.Body != nil {
			c = n.Body.total(known, cost)
		}
		if t > math.MaxInt64-c {
			t = math.MaxInt64
			break
		}
		t += c
	}
	known[g] = t
	return t
}

// Depth is the number of operations on the longest path from an input to the
// output, nested graphs opened. Folds (sum, mean, concat), identities and
// absent edges do not count, and a path through an absent edge is no path.
func (g *Graph) Depth() int {
	d := depther{known: map[*Graph][]int{}}
	deepest := 0
	for _, n := range d.fromInputs(g) {
		deepest = max(deepest, n)
	}
	return deepest
}

// noPath is the depth of what no input reaches.
const noPath = -1

type depther struct{ known map[*Graph][]int }

// fromInputs gives, for each input, the operations on the longest path from it
// to the output, or noPath.
func (d depther) fromInputs(g *Graph) []int {
	if known, ok := d.known[g]; ok {
		return known
	}
	// Backwards: after[r] is the longest way from tensor r to the output.
	offset := len(g.Inputs)
	after := make([]int, offset+len(g.Nodes))
	for i := range after {
		after[i] = noPath
	}
	at := func(r Ref) *int {
		if i, ok := r.IsInput(); ok {
			return &after[i]
		}
		return &after[offset+int(r)]
	}
	*at(g.Output) = 0
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := g.Nodes[i]
		rest := *at(Ref(i))
		if rest == noPath || n.Absent {
			continue
		}
		var through []int
		if n.Body != nil {
			through = d.fromInputs(n.Body)
		}
		for k, r := range n.Inputs {
			cost := 1
			switch {
			case through != nil:
				cost = through[k]
			case n.Identity || n.Fold:
				cost = 0
			}
			if cost != noPath {
				*at(r) = max(*at(r), rest+cost)
			}
		}
	}
	d.known[g] = after[:offset]
	return after[:offset]
}

// Row is one line of the cost table.
type Row struct {
	Path   string // the names of the nodes from the top, joined by dots
	Level  int    // how deeply nested, from 0
	Label  string // the operation or the nested graph
	Shape  Shape
	Params int64 // of the node and everything in it
	MACs   int64
}

// Rows lists the nodes in order, the inside of a nested graph below the first
// node that holds it.
func (g *Graph) Rows() []Row {
	t := tabler{shown: map[*Graph]bool{}, params: map[*Graph]int64{}, macs: map[*Graph]int64{}}
	t.add(g, "", 0)
	return t.rows
}

type tabler struct {
	rows         []Row
	shown        map[*Graph]bool
	params, macs map[*Graph]int64
}

func (t *tabler) add(g *Graph, prefix string, level int) {
	for _, n := range g.Nodes {
		row := Row{Path: prefix + n.Name, Level: level, Label: n.Label(), Shape: n.Shape, Params: n.Params, MACs: n.MACs}
		if n.Body != nil {
			row.Params = n.Body.total(t.params, func(n *Node) int64 { return n.Params })
			row.MACs = n.Body.total(t.macs, func(n *Node) int64 { return n.MACs })
		}
		t.rows = append(t.rows, row)
		if n.Body != nil && !t.shown[n.Body] {
			t.shown[n.Body] = true
			t.add(n.Body, prefix+n.Name+".", level+1)
		}
	}
}

// Text is the cost table for reading: one line per node and the totals.
func (g *Graph) Text() string {
	lines := [][]string{{"node", "operation", "output", "params", "MACs"}}
	for _, r := range g.Rows() {
		lines = append(lines, []string{
			strings.Repeat("  ", r.Level) + r.Path, r.Label, r.Shape.String(), Group(r.Params), Group(r.MACs),
		})
	}
	lines = append(lines, []string{"total", "", g.Shape(g.Output).String(), Group(g.Params()), Group(g.MACs())})
	width := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, cell := range l {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%-*s  %-*s  %-*s  %*s  %*s\n",
			width[0], l[0], width[1], l[1], width[2], l[2], width[3], l[3], width[4], l[4])
	}
	return b.String()
}

// Group writes a number with a blank between groups of three digits: 13 402 112.
func Group(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
