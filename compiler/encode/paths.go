package encode

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// MaxPaths bounds how many paths a cell may have.
const MaxPaths = 1 << 14

// ErrTooManyPaths: the paths are too many to number.
var ErrTooManyPaths = errors.New("the paths are too many to number")

// Paths encodes each cell as the set of its paths from input to output. A path is
// the sequence of the operations on it, those of the live graph of the cell:
// identities, absent edges and what adds or joins tensors are none. A cell inside
// another counts as one operation there. What stands outside all cells is the last
// "cell", if something is decided there.
//
// A cell has a column for each path that is possible in the space, the shorter
// ones first and paths of one length in the order of the operations: without the
// last columns it is the truncated path encoding. A cell of NAS-Bench-101 has
// 3^0 + … + 3^5 = 364, one of NAS-Bench-201 with its three operations besides skip
// and none 3^0 + … + 3^3 = 40.
//
// Cells that are equal up to isomorphism have the same vector. The converse does
// not hold: how often a path occurs, and which paths share an operation, is lost.
type Paths struct {
	plan    *lower.Plan
	scopes  map[string]map[string]int // by cell, then path as in the graph
	columns []string
}

// NewPaths numbers the paths of a space. Where a cell has more than [MaxPaths] it
// fails with [ErrTooManyPaths]; [PathsOf] still lists those of an architecture.
func NewPaths(p *lower.Plan) (*Paths, error) {
	out := &Paths{plan: p, scopes: map[string]map[string]int{}}
	scopes, err := scopesOf(p)
	if err != nil {
		return nil, err
	}
	for _, s := range scopes {
		if s.root && !s.decided {
			continue
		}
		s.show()
		names := slices.SortedFunc(maps.Keys(s.shown), func(a, b string) int {
			x, y := s.shown[a], s.shown[b]
			return cmp.Or(cmp.Compare(len(x.letters), len(y.letters)), cmp.Compare(x.input, y.input), slices.Compare(x.letters, y.letters))
		})
		number := map[string]int{}
		for i, name := range names {
			number[name] = len(out.columns) + i
		}
		out.scopes[s.name] = map[string]int{}
		for raw, name := range s.raw {
			out.scopes[s.name][raw] = number[name]
		}
		for _, name := range names {
			out.columns = append(out.columns, s.name+": "+name)
		}
	}
	return out, nil
}

// Columns names the paths: "normal: x -> relu_conv_bn(kernel: 3) -> avg_pool".
// The operations that all paths from one input begin or end with are left out, and
// so are attributes that only tell a cell from the same one at another width.
func (p *Paths) Columns() []string { return p.columns }

// Encode implements [Encoding].
func (p *Paths) Encode(g space.Genotype) ([]float64, error) {
	bound, err := p.plan.Bind(g)
	if err != nil {
		return nil, err
	}
	found, err := pathsOf(bound, func(name string) bool { return p.scopes[name] != nil })
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(p.columns))
	for _, c := range found {
		for _, path := range c.Paths {
			i, ok := p.scopes[c.Name][path]
			if !ok {
				return nil, fmt.Errorf("the path %s of %s is not one of its space", path, c.Name)
			}
			out[i] = 1
		}
	}
	return out, nil
}

// CellPaths are the paths of a cell.
type CellPaths struct {
	Name  string   `json:"name"`
	Paths []string `json:"paths"` // "x -> relu -> avg_pool", sorted
}

// PathsOf lists the paths of each cell of an architecture, in the order in which
// the cells appear, then those of what is outside of all cells. Cells of one name
// are taken together. An architecture with too many is an error.
func PathsOf(g *graph.Graph) ([]CellPaths, error) {
	return pathsOf(g, func(string) bool { return true })
}

func pathsOf(g *graph.Graph, wanted func(cell string) bool) ([]CellPaths, error) {
	var names []string
	all := map[string]map[string]bool{}
	add := func(name string, body *graph.Graph) error {
		if !wanted(name) {
			return nil
		}
		if all[name] == nil {
			all[name] = map[string]bool{}
			names = append(names, name)
		}
		live := opaque(body, map[*graph.Graph]*graph.Graph{}).Live()
		w := walker{known: map[*graph.Graph][]map[string]bool{}}
		for i, ends := range w.through(live) {
			for end := range ends {
				all[name][live.Inputs[i].Name+end] = true
			}
		}
		if w.failed || len(all[name]) > MaxPaths {
			return fmt.Errorf("%s: %w", name, ErrTooManyPaths)
		}
		return nil
	}
	done := map[*graph.Graph]bool{}
	for _, n := range g.Walk() {
		if n.Body == nil || n.Body.Kind != "cell" || done[n.Body] {
			continue
		}
		done[n.Body] = true
		if err := add(n.Body.Name, n.Body); err != nil {
			return nil, err
		}
	}
	if err := add(g.Name, g); err != nil {
		return nil, err
	}
	var out []CellPaths
	for _, name := range names {
		out = append(out, CellPaths{name, slices.Sorted(maps.Keys(all[name]))})
	}
	return out, nil
}

// opaque is g with the cells in it as operations, and without attributes that are
// settled by the wiring.
func opaque(g *graph.Graph, done map[*graph.Graph]*graph.Graph) *graph.Graph {
	if o := done[g]; o != nil {
		return o
	}
	out := *g
	out.Nodes = make([]*graph.Node, len(g.Nodes))
	for i, n := range g.Nodes {
		m := *n
		if n.Body != nil {
			if n.Body.Kind == "cell" {
				m.Body, m.Op = nil, n.Body.Name
			} else {
				m.Body = opaque(n.Body, done)
			}
		}
		if slices.ContainsFunc(n.Attrs, func(a graph.Attr) bool { return a.Open }) {
			m.Attrs = slices.DeleteFunc(slices.Clone(n.Attrs), func(a graph.Attr) bool { return a.Open })
		}
		out.Nodes[i] = &m
	}
	done[g] = &out
	return &out
}

// walker collects paths. They are kept as text: " -> relu -> avg_pool".
type walker struct {
	known  map[*graph.Graph][]map[string]bool
	failed bool
}

// through lists, for each input of a live graph, the ways from it to the output.
func (w *walker) through(g *graph.Graph) []map[string]bool {
	if known, ok := w.known[g]; ok {
		return known
	}
	offset := len(g.Inputs)
	after := make([]map[string]bool, offset+len(g.Nodes))
	at := func(r graph.Ref) *map[string]bool {
		if i, ok := r.IsInput(); ok {
			return &after[i]
		}
		return &after[offset+int(r)]
	}
	*at(g.Output) = map[string]bool{"": true}
	for i := len(g.Nodes) - 1; i >= 0 && !w.failed; i-- {
		n, rest := g.Nodes[i], after[offset+i]
		if len(rest) == 0 || n.Absent {
			continue
		}
		var inside []map[string]bool
		if n.Body != nil {
			inside = w.through(n.Body)
		}
		for k, r := range n.Inputs {
			ways := map[string]bool{"": true}
			switch {
			case inside != nil:
				ways = inside[k]
			case !n.Fold && !n.Identity:
				ways = map[string]bool{" -> " + n.Label(): true}
			}
			to := at(r)
			if *to == nil {
				*to = map[string]bool{}
			}
			for way := range ways {
				for end := range rest {
					(*to)[way+end] = true
				}
			}
			w.failed = w.failed || len(*to) > MaxPaths
		}
	}
	w.known[g] = after[:offset]
	return after[:offset]
}
