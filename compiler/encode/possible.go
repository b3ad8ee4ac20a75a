package encode

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/sym"
)

// scope is a cell of a plan, or what is outside of all cells, and every path that
// may be in it.
type scope struct {
	name    string
	root    bool
	decided bool                       // something in it, cells apart, is
	letters []graph.Node               // the operations, in order of appearance
	number  map[string]int             // their positions, by label
	widths  map[attribute]map[any]bool // the values of attributes in the body at hand
	common  map[attribute]any          // those of one value in each body, and varies if not the same
	bodies  []ways                     // of each body called so

	raw   map[string]string   // a path as in the graph: as shown
	shown map[string]sequence // by what is shown
}

// attribute is one of an operation.
type attribute struct{ op, name string }

// varies stands for the value of an attribute that is another in another body,
// as the width of a cell is where it is used again at the next stage.
var varies = new(int)

// severalValues stands for those of an attribute that tells operations of one
// body apart.
var severalValues = new(int)

// sequence is a path: an input of the body and letters.
type sequence struct {
	input   int
	letters []rune
}

// ways are the paths of one body by input.
type ways struct {
	inputs []string
	paths  []paths
}

// paths is a set of paths: the numbers of their letters as the runes of a text.
type paths map[string]bool

// scopesOf lists the cells of a plan in order of appearance, the space last.
func scopesOf(p *lower.Plan) ([]*scope, error) {
	var order []*scope
	byName := map[string]*scope{}
	done := map[*lower.Body]bool{}
	var visit func(b *lower.Body) error
	add := func(b *lower.Body) error {
		s := byName[b.Name]
		if s == nil {
			s = &scope{name: b.Name, root: b == p.Body, number: map[string]int{}, common: map[attribute]any{}}
			byName[b.Name] = s
			order = append(order, s)
		}
		return s.body(b)
	}
	visit = func(b *lower.Body) error {
		if done[b] {
			return nil
		}
		done[b] = true
		if b.Kind == "cell" {
			if err := add(b); err != nil {
				return err
			}
		}
		for _, n := range b.Nodes {
			if n.Kind == lower.Call {
				if err := visit(n.Body); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := visit(p.Body); err != nil {
		return nil, err
	}
	err := add(p.Body)
	return order, err
}

// body adds the paths of a body of the scope.
func (s *scope) body(b *lower.Body) error {
	f := finder{scope: s, known: map[*lower.Body][]paths{}}
	s.widths = map[attribute]map[any]bool{}
	s.decided = s.decided || b.Output.Kind == lower.Select
	for _, n := range b.Nodes { // letters in order of the source
		if _, err := f.steps(n); err != nil {
			return err
		}
	}
	for at, values := range s.widths {
		var value any = severalValues
		if len(values) == 1 {
			for v := range values {
				value = v
			}
		}
		switch before, known := s.common[at]; {
		case !known || value == severalValues:
			s.common[at] = value
		case before != value && before != severalValues:
			s.common[at] = varies
		}
	}
	paths, err := f.through(b)
	if err != nil {
		return err
	}
	w := ways{paths: paths}
	for _, in := range b.Inputs {
		w.inputs = append(w.inputs, in.Name)
	}
	s.bodies = append(s.bodies, w)
	return nil
}

// finder finds the paths of one body with its blocks opened.
type finder struct {
	*scope
	known map[*lower.Body][]paths
}

// through lists, for each input of a body, the ways from it to the output.
func (f *finder) through(b *lower.Body) ([]paths, error) {
	if known := f.known[b]; known != nil {
		return known, nil
	}
	after := map[*lower.Node]paths{}
	if err := f.extend(after, b.Output, "", paths{"": true}); err != nil {
		return nil, err
	}
	for i := len(b.Nodes) - 1; i >= 0; i-- {
		n := b.Nodes[i]
		if len(after[n]) == 0 {
			continue
		}
		var steps paths
		var inside []paths
		var err error
		if n.Kind == lower.Call && n.Body.Kind != "cell" {
			inside, err = f.through(n.Body)
		} else {
			steps, err = f.steps(n)
		}
		if err != nil {
			return nil, err
		}
		for k, a := range n.Args {
			if inside != nil {
				steps = inside[k]
			}
			for way := range steps {
				if err := f.extend(after, a.Node, way, after[n]); err != nil {
					return nil, err
				}
			}
		}
	}
	out := make([]paths, len(b.Inputs))
	for i, in := range b.Inputs {
		out[i] = after[in]
	}
	f.known[b] = out
	return out, nil
}

// extend notes that from what may stand at a place, a way leads to the rests.
func (f *finder) extend(after map[*lower.Node]paths, at *lower.Node, way string, rests paths) (err error) {
	candidates(at, func(n *lower.Node) {
		if after[n] == nil {
			after[n] = paths{}
		}
		for rest := range rests {
			after[n][way+rest] = true
		}
		if len(after[n]) > MaxPaths {
			err = fmt.Errorf("%s: %w", f.name, ErrTooManyPaths)
		}
	})
	return err
}

// steps lists what an operation may add to a path: a letter, or none.
func (f *finder) steps(n *lower.Node) (paths, error) {
	for _, a := range n.Args {
		f.decided = f.decided || a.Picked() || a.Node.Kind == lower.Select
	}
	switch {
	case n.Kind == lower.Call && n.Body.Kind == "cell":
		return paths{f.letter(graph.Node{Op: n.Body.Name}): true}, nil
	case n.Kind == lower.Call:
		f.decided = f.decided || n.Body.Output.Kind == lower.Select
		for _, inner := range n.Body.Nodes {
			if _, err := f.steps(inner); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case n.Op.Fold:
		return paths{"": true}, nil
	}
	scalars := []*sym.Scalar{n.Flags.Absent, n.Flags.Identity}
	var shown []lower.Attr
	for _, a := range n.Attrs {
		if !a.Default && !a.Value.Open() { // as graph.Node.Label and opaque have it
			shown = append(shown, a)
			scalars = append(scalars, a.Value)
		}
	}
	out := paths{}
	err := eachCase(scalars, func(taken sym.Taken) {
		switch {
		case flag(n.Flags.Absent, taken):
			return
		case flag(n.Flags.Identity, taken):
			out[""] = true
			return
		}
		g := graph.Node{Op: n.Op.Name}
		for _, a := range shown {
			v, err := a.Value.Eval(taken)
			if err != nil {
				return
			}
			g.Attrs = append(g.Attrs, graph.Attr{Name: a.Name, Value: v})
			f.width(attribute{g.Op, a.Name}, v)
		}
		out[f.letter(g)] = true
	})
	f.decided = f.decided || len(out) > 1
	if len(f.letters) > MaxPaths {
		err = fmt.Errorf("%s: %w", f.name, ErrTooManyPaths)
	}
	return out, err
}

// width notes a value of an attribute.
func (s *scope) width(at attribute, v any) {
	if s.widths[at] == nil {
		s.widths[at] = map[any]bool{}
	}
	s.widths[at][v] = true
}

// letter is an operation as a path of one.
func (s *scope) letter(n graph.Node) string {
	label := n.Label()
	i, known := s.number[label]
	if !known {
		i = len(s.letters)
		s.number[label] = i
		s.letters = append(s.letters, n)
	}
	return string(rune(i))
}

// show decides how paths are written and counted: without what all paths from
// one input of one body begin or end with, and without attributes that vary with
// the body alone.
func (s *scope) show() {
	plain := make([]string, len(s.letters))
	short := make([]string, len(s.letters))
	rank := make([]int, len(s.letters)) // of the first letter that is shown the same
	first := map[string]int{}
	for i, n := range s.letters {
		plain[i] = n.Label()
		kept := n
		kept.Attrs = nil
		for _, a := range n.Attrs {
			if s.common[attribute{n.Op, a.Name}] != varies {
				kept.Attrs = append(kept.Attrs, a)
			}
		}
		short[i] = kept.Label()
		if _, known := first[short[i]]; !known {
			first[short[i]] = i
		}
		rank[i] = first[short[i]]
	}
	s.raw, s.shown = map[string]string{}, map[string]sequence{}
	for _, b := range s.bodies {
		for i, all := range b.paths {
			first, last := ends(all)
			for path := range all {
				letters := []rune(path)
				shown := sequence{input: i}
				for _, l := range letters[first : len(letters)-last] {
					shown.letters = append(shown.letters, rune(rank[l]))
				}
				text := written(b.inputs[i], short, shown.letters)
				s.raw[written(b.inputs[i], plain, letters)] = text
				s.shown[text] = shown
			}
		}
	}
}

// written is a path as text.
func written(input string, words []string, letters []rune) string {
	var b strings.Builder
	b.WriteString(input)
	for _, l := range letters {
		b.WriteString(" -> " + words[l])
	}
	return b.String()
}

// ends is how many letters all paths begin with, and end with after that.
func ends(all paths) (first, last int) {
	var one []rune
	begun := false
	for path := range all {
		letters := []rune(path)
		if !begun {
			one, begun = letters, true
			first, last = len(one), len(one)
		}
		first, last = min(first, len(letters)), min(last, len(letters))
		for first > 0 && string(letters[:first]) != string(one[:first]) {
			first--
		}
		for last > 0 && string(letters[len(letters)-last:]) != string(one[len(one)-last:]) {
			last--
		}
	}
	for path := range all { // what is counted as the beginning is no end
		last = min(last, len([]rune(path))-first)
	}
	return first, last
}
