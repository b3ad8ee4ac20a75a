package export

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// planner makes diagrams of a plan: what a space says before anything is
// decided. A selection among operations that read the same tensors is one node
// with a list of candidates; a selection among depths is one node that is
// repeated so many times; any other selection is a vertex whose edges are
// candidates. A template inside itself is a reference to the outer one, so the
// picture of a grammar is finite however large its fuel is.
type planner struct {
	values  *values
	weights Weights // of a supernet; nil: of none
	done    map[*lower.Body]*diagram
	inside  map[string]*diagram // the templates around, by kind and name
}

// sketch is one body on its way to a diagram.
type sketch struct {
	*planner
	body    *lower.Body
	out     *diagram
	readers map[*lower.Node]int
	refs    map[*lower.Node]graph.Ref
	ways    map[*lower.Node]way // of selections
	part    map[*lower.Node]bool
}

// way is how a selection is drawn.
type way struct {
	from []*lower.Node // what every candidate reads
	step []*lower.Node // one repetition, for a depth
	d    *diagram      // the candidates, otherwise; nil: a vertex of candidate edges
}

func (p *planner) diagram(b *lower.Body) *diagram {
	if d, ok := p.done[b]; ok {
		return d
	}
	key := b.Kind + " " + b.Name
	if d, ok := p.inside[key]; ok {
		return d
	}
	d := &diagram{name: b.Name, kind: b.Kind}
	p.inside[key] = d
	s := sketch{planner: p, body: b, out: d, readers: map[*lower.Node]int{}, refs: map[*lower.Node]graph.Ref{},
		ways: map[*lower.Node]way{}, part: map[*lower.Node]bool{}}
	for i, in := range b.Inputs {
		d.inputs = append(d.inputs, entry{in.Name, p.values.shape(in.Shape)})
		s.refs[in] = graph.InputRef(i)
	}
	s.read(b.Output)
	for _, n := range b.Nodes {
		if s.readers[n] > 0 {
			s.selections(n)
		}
	}
	s.selection(b.Output)
	for _, n := range b.Nodes {
		if s.readers[n] > 0 && !s.part[n] {
			s.ref(n)
		}
	}
	d.output = s.ref(b.Output)
	delete(p.inside, key)
	p.done[b] = d
	if len(d.nodes) == 1 && d.kind != "space" && d.nodes[0].choice() != nil && d.nodes[0].times == once && d.passes() && d.nodes[0].inner.kind == "choice" {
		inner := d.nodes[0].inner
		d.choices, d.stride, d.weighed, d.nodes = inner.choices, inner.stride, inner.weighed, nil
	}
	return d
}

// passes reports whether the only node of d reads the inputs of d in their order
// and is its output.
func (d *diagram) passes() bool {
	if d.output != 0 || len(d.nodes[0].inputs) != len(d.inputs) || d.nodes[0].picks != nil {
		return false
	}
	for i, r := range d.nodes[0].inputs {
		if r != graph.InputRef(i) {
			return false
		}
	}
	return true
}

// read counts the readers of everything that the output needs.
func (s *sketch) read(n *lower.Node) {
	s.readers[n]++
	if s.readers[n] > 1 {
		return
	}
	for _, a := range n.Args {
		s.read(a.Node)
	}
	for _, c := range n.Cases {
		if c != nil {
			s.read(c)
		}
	}
}

func (s *sketch) selections(n *lower.Node) {
	for _, a := range n.Args {
		s.selection(a.Node)
	}
}

// selection finds how a selection is drawn.
func (s *sketch) selection(n *lower.Node) {
	if n.Kind != lower.Select {
		return
	}
	if _, ok := s.ways[n]; ok {
		return
	}
	s.ways[n] = way{}
	if w, ok := s.depth(n); ok {
		s.ways[n] = w
		return
	}
	for _, c := range n.Cases {
		if c != nil {
			s.selection(c)
		}
	}
	if w, ok := s.candidates(n); ok {
		s.ways[n] = w
	}
}

// depth recognises an elastic repetition: cases that follow one another in a
// chain, as many steps apart as their labels are.
func (s *sketch) depth(n *lower.Node) (way, bool) {
	least, most, last := 0, 0, (*lower.Node)(nil)
	counts := make([]int, len(n.Cases))
	for i, c := range n.Cases {
		count, err := strconv.Atoi(n.On.Alts[i].Label)
		if err != nil || c == nil || i > 0 && count <= counts[i-1] {
			return way{}, false
		}
		counts[i], last = count, c
	}
	least, most = counts[0], counts[len(counts)-1]
	var chain []*lower.Node // from the last case backwards
	at := map[*lower.Node]int{}
	for c := last; ; c = c.Args[0].Node {
		at[c] = len(chain)
		if c == n.Cases[0] && least == 0 {
			break
		}
		if c.Kind != lower.Op && c.Kind != lower.Call || len(c.Args) != 1 || c.Args[0].Picked() {
			if _, ok := at[n.Cases[0]]; !ok {
				return way{}, false
			}
			break
		}
		chain = append(chain, c)
	}
	reach, ok := at[n.Cases[0]]
	if !ok || reach == 0 || reach%(most-least) != 0 {
		return way{}, false
	}
	length := reach / (most - least)
	if len(chain) < length*most {
		return way{}, false
	}
	chain = chain[:length*most]
	for i, c := range n.Cases {
		if at[c] != length*(most-counts[i]) {
			return way{}, false
		}
	}
	first := chain[len(chain)-length:]
	for i, c := range chain {
		only := 1
		if slices.Contains(n.Cases, c) && i > 0 {
			only++
		}
		if s.readers[c] != only || !s.alike(c, first[i%length]) {
			return way{}, false
		}
		s.part[c] = true
	}
	slices.Reverse(first)
	return way{from: []*lower.Node{first[0].Args[0].Node}, step: first}, true
}

// alike reports whether two nodes of one chain are the same step. Shapes that are
// decided on the way may differ.
func (s *sketch) alike(a, b *lower.Node) bool {
	if a.Kind != b.Kind {
		return false
	}
	x, y := s.node(a), s.node(b)
	return x.text() == y.text() && (x.shape == y.shape || decided(a) || decided(b)) && same(x.inner, y.inner, map[*diagram]bool{})
}

// decided reports whether the shape of a node depends on decisions.
func decided(n *lower.Node) bool {
	return slices.ContainsFunc(n.Shape, func(d *sym.Scalar) bool { return len(d.Decisions()) > 0 })
}

// same reports whether two diagrams of one space look the same.
func same(a, b *diagram, known map[*diagram]bool) bool {
	if a == b || a == nil || b == nil {
		return a == b
	}
	if known[a] {
		return true
	}
	known[a] = true
	if a.name != b.name || len(a.nodes) != len(b.nodes) || len(a.choices) != len(b.choices) || a.output != b.output {
		return false
	}
	for i, x := range a.nodes {
		y := b.nodes[i]
		if x.text() != y.text() || !slices.Equal(x.inputs, y.inputs) || !slices.Equal(x.picks, y.picks) || x.times != y.times || !same(x.inner, y.inner, known) {
			return false
		}
	}
	for i, x := range a.choices {
		if x.label != b.choices[i].label || !same(x.inner, b.choices[i].inner, known) {
			return false
		}
	}
	return true
}

// candidates recognises a choice of operations: every case is a chain that only
// this selection reads, and all begin with the same operands.
func (s *sketch) candidates(n *lower.Node) (way, bool) {
	w := way{d: &diagram{kind: "choice"}}
	var chains [][]*lower.Node
	for i, c := range n.Cases {
		if c == nil {
			return way{}, false
		}
		if inner := s.ways[c]; c.Kind == lower.Select && inner.d != nil && (i == 0 || slices.Equal(w.from, inner.from)) {
			w.from, chains = inner.from, append(chains, []*lower.Node{c})
			continue
		}
		var chain []*lower.Node
		for {
			if c.Kind == lower.Input || i > 0 && len(w.from) == 1 && w.from[0] == c {
				break
			}
			if c.Kind == lower.Select || s.readers[c] != 1 {
				return way{}, false
			}
			if slices.ContainsFunc(c.Args, func(a lower.Arg) bool { return a.Picked() }) {
				return way{}, false
			}
			chain = append(chain, c)
			if len(c.Args) != 1 || s.readers[c.Args[0].Node] > 1 || c.Args[0].Node.Kind == lower.Select {
				break
			}
			c = c.Args[0].Node
		}
		slices.Reverse(chain)
		from := []*lower.Node{c}
		if len(chain) > 0 {
			from = nil
			for _, a := range chain[0].Args {
				from = append(from, a.Node)
			}
		}
		if i == 0 {
			w.from = from
		} else if !slices.Equal(w.from, from) {
			return way{}, false
		}
		chains = append(chains, chain)
	}
	w.d.stride = s.sharedStride(chains)
	tell := distinguishing(chains)
	for i, chain := range chains {
		w.d.choices = append(w.d.choices, s.candidate(n.On.Alts[i], chain, w.d.stride, tell))
		for _, c := range chain {
			s.part[c] = true
		}
	}
	w.d.sharpen(n.On)
	s.weigh(w.d, n.On)
	if !w.d.short() {
		w.d.name = "choice"
	}
	return w, true
}

// sharedStride is the stride of all candidates, which then stands with their use
// instead of with each of them; empty when there is none.
func (s *sketch) sharedStride(chains [][]*lower.Node) string {
	stride := ""
	for i, chain := range chains {
		if len(chain) != 1 || chain[0].Kind == lower.Select {
			return ""
		}
		n := s.node(chain[0])
		if n.inner != nil || i > 0 && n.stride != stride {
			return ""
		}
		stride = n.stride
	}
	return stride
}

// distinguishing are the attributes that some candidate gives and another one of
// the same op leaves at their default.
func distinguishing(chains [][]*lower.Node) map[string]bool {
	out := map[string]bool{}
	for _, chain := range chains {
		for _, n := range chain {
			for _, a := range n.Attrs {
				if !a.Default {
					out[n.Op.Name+"."+a.Name] = true
				}
			}
		}
	}
	return out
}

// candidate describes one alternative: an operation as figures write it, and
// anything longer as the source does.
func (s *sketch) candidate(a *space.Alt, chain []*lower.Node, stride string, tell map[string]bool) candidate {
	if len(chain) == 1 && chain[0].Kind == lower.Select {
		d := s.ways[chain[0]].d
		if label := d.inline(); len([]rune(label)) <= 60 {
			d.name = ""
			return candidate{label: label, inner: d}
		}
		return candidate{label: d.name, inner: d}
	}
	if len(chain) == 1 {
		n := s.describe(chain[0], tell)
		if n.stride != "" {
			n.label = strings.Replace(n.label, stride, "", 1)
		}
		c := candidate{label: n.text(), absent: n.absent, inner: n.inner}
		if n.inner != nil && n.inner.choices == nil {
			c.label = Brief(a.Label)
		}
		return c
	}
	c := candidate{label: Brief(a.Label)}
	if len(chain) > 1 {
		c.inner = &diagram{name: c.label, kind: "group", inputs: make([]entry, len(chain[0].Args))}
		for i, l := range chain {
			n := s.node(l)
			n.inputs = []graph.Ref{graph.Ref(i - 1)}
			if i == 0 {
				for k := range l.Args {
					n.inputs = append(n.inputs[:k], graph.InputRef(k))
				}
			}
			c.inner.nodes, c.inner.output = append(c.inner.nodes, n), graph.Ref(i)
		}
	}
	return c
}

// sharpen falls back to the text of the source where candidates read the same.
func (d *diagram) sharpen(on *space.Decision) {
	count := map[string]int{}
	for _, c := range d.choices {
		count[c.label]++
	}
	for i, c := range d.choices {
		if count[c.label] > 1 {
			d.choices[i].label = Brief(on.Alts[i].Label)
		}
	}
}

// ref returns the place of a node, and adds it when it is not there yet.
func (s *sketch) ref(n *lower.Node) graph.Ref {
	if r, ok := s.refs[n]; ok {
		return r
	}
	var out *node
	if n.Kind == lower.Select {
		out = s.chosen(n)
	} else {
		out = s.node(n)
		picked := false
		for i, a := range n.Args {
			out.inputs = append(out.inputs, s.ref(a.Node))
			out.kept = append(out.kept, s.kept(n, i))
			text := pick(a.When)
			if a.If != nil {
				text = "in some"
			}
			picked = picked || text != ""
			out.picks = append(out.picks, text)
		}
		if !picked {
			out.picks = nil
		}
	}
	s.out.nodes = append(s.out.nodes, out)
	s.refs[n] = graph.Ref(len(s.out.nodes) - 1)
	return s.refs[n]
}

// pick writes how many of the operands beside this one are kept.
func pick(when []lower.Item) string {
	if len(when) == 0 {
		return ""
	}
	d := when[0].On
	n := len(d.Alts)
	switch {
	case d.Min == 0 && d.Max == n:
		return fmt.Sprintf("any of %d", n)
	case d.Min == d.Max:
		return fmt.Sprintf("%d of %d", d.Min, n)
	}
	return fmt.Sprintf("%d..%d of %d", d.Min, d.Max, n)
}

// chosen is the node of a selection.
func (s *sketch) chosen(n *lower.Node) *node {
	w := s.ways[n]
	switch {
	case w.step != nil:
		var out *node
		if len(w.step) == 1 {
			out = s.node(w.step[0])
		} else {
			out = &node{inner: s.group(w.step), shape: s.values.shape(n.Shape)}
			out.label = out.inner.name
		}
		out.inputs = []graph.Ref{s.ref(w.from[0])}
		if n.Vertex != "" {
			out.vertex, out.name = true, n.Vertex
		}
		out.times = s.values.times(n.On)
		return out
	case w.d != nil:
		out := &node{inner: w.d, shape: s.values.shape(n.Shape), vertex: n.Vertex != "", name: n.Vertex, times: once}
		if out.label = w.d.name; out.label == "" {
			out.label = w.d.inline()
		}
		out.label += w.d.stride
		for _, f := range w.from {
			out.inputs = append(out.inputs, s.ref(f))
		}
		return out
	}
	out := &node{op: "one of", label: "one of", fold: true, shape: s.values.shape(n.Shape), vertex: n.Vertex != "", name: n.Vertex, times: once}
	weights := s.planner.weights.of(n.On)
	for i, c := range n.Cases {
		if c == nil {
			continue
		}
		r := s.ref(c)
		at := slices.Index(out.inputs, r)
		if at < 0 {
			at = len(out.inputs)
			out.inputs, out.kept = append(out.inputs, r), append(out.kept, 0)
		}
		if weights == nil {
			out.kept[at] = 1
		} else {
			out.kept[at] += weights[i]
		}
	}
	for range out.inputs {
		out.picks = append(out.picks, fmt.Sprintf("1 of %d", len(out.inputs)))
	}
	return out
}

// group is a diagram of the steps that a repetition repeats.
func (s *sketch) group(step []*lower.Node) *diagram {
	d := &diagram{kind: "block", inputs: []entry{{"x", s.values.shape(step[0].Args[0].Node.Shape)}}}
	var names []string
	for i, n := range step {
		m := s.node(n)
		m.inputs = []graph.Ref{graph.Ref(i - 1)}
		d.nodes = append(d.nodes, m)
		names = append(names, m.label)
	}
	d.output = graph.Ref(len(step) - 1)
	d.name = strings.Join(names, " → ")
	return d
}

// inline writes a choice in one line: "relu | skip".
func (d *diagram) inline() string {
	labels := make([]string, len(d.choices))
	for i, c := range d.choices {
		labels[i] = c.label
	}
	return strings.Join(labels, " | ")
}

// short reports whether a choice can stand where it is made, without a list.
func (d *diagram) short() bool { return len([]rune(d.inline())) <= 24 }

// node describes an operation or a call, without its operands. A block of one
// node is that node, as it is in an architecture.
func (s *sketch) node(n *lower.Node) *node { return s.describe(n, nil) }

// describe is node with the attributes to tell though they have their default.
func (s *sketch) describe(n *lower.Node, tell map[string]bool) *node {
	out := &node{shape: s.values.shape(n.Shape), vertex: n.Vertex != "", name: n.Vertex, times: once}
	if n.Kind == lower.Call {
		d := s.diagram(n.Body)
		out.op, out.label, out.inner = d.name, d.name, d
		if d.kind == "block" && s.done[n.Body] != nil && len(d.nodes) == 1 && d.passes() {
			only := d.nodes[0]
			out.op, out.label, out.stride, out.inner, out.open, out.absent, out.times = only.op, only.label, only.stride, only.inner, only.open, only.absent, only.times
		}
		if c := out.choice(); c != nil {
			if !strings.HasSuffix(out.label, c.stride) {
				out.label += c.stride
			}
		}
		return out
	}
	var attrs []attribute
	for _, a := range n.Attrs {
		text, value := s.values.attribute(a)
		attrs = append(attrs, attribute{a.Name, text, value, a.Default && !tell[n.Op.Name+"."+a.Name]})
	}
	w := words(n.Op.Name, attrs, isSequenceOf(n.Shape))
	out.op, out.fold = n.Op.Name, n.Op.Fold
	out.label, out.stride, out.open = w.String(), w.stride, strings.Join(w.open, ", ")
	if n.Flags.Absent != nil {
		v, _ := n.Flags.Absent.Value()
		out.absent = v == true
	}
	return out
}

// Brief shortens the text of an alternative: arguments that hand a name on, or
// compute with it, say nothing to a reader of the picture.
func Brief(label string) string {
	parts := strings.Split(label, " -> ")
	for i, p := range parts {
		name, args, ok := strings.Cut(p, "(")
		if !ok || !strings.HasSuffix(args, ")") {
			continue
		}
		var keep []string
		for _, a := range strings.Split(strings.TrimSuffix(args, ")"), ", ") {
			key, value, named := strings.Cut(a, ": ")
			if !named {
				continue
			}
			if value == "true" || value == "false" || strings.HasPrefix(value, `"`) || value[0] >= '0' && value[0] <= '9' && !strings.ContainsAny(value, "*+-/ ") {
				keep = append(keep, key+" "+value)
			}
		}
		if len(keep) > 0 {
			name += "(" + strings.Join(keep, ", ") + ")"
		}
		parts[i] = name
	}
	return strings.Join(parts, " → ")
}
