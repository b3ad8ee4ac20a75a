package export

import (
	"fmt"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/dsl/format"
)

// Source prints an architecture as a .nas file: a space of size one in the
// language it came from (rule 8). Compiling the text gives a graph with the same
// hash. Nested graphs become cells and blocks; those with equal text are
// declared once. The doc comment, if any, goes above the space. Modules that are
// files are imported as from the folder dir, "" for the one where nasc runs.
func Source(g *graph.Graph, doc, dir string) string {
	w := &writer{byText: map[string]string{}, taken: map[string]bool{}}
	w.collect(g)
	imports := w.imports(dir)
	body := w.body(g)
	var params []string
	for _, in := range g.Inputs {
		params = append(params, fmt.Sprintf("%s: %s", in.Name, in.Shape))
	}
	var b strings.Builder
	b.WriteString(imports)
	for _, t := range w.templates {
		b.WriteString("\n" + t)
	}
	b.WriteByte('\n')
	for _, l := range strings.Split(strings.TrimSpace(doc), "\n") {
		if l != "" {
			b.WriteString("/// " + l + "\n")
		}
	}
	fmt.Fprintf(&b, "space %s(%s) -> %s %s", identifier(g.Name), strings.Join(params, ", "), g.Shape(g.Output), body)
	src, diags := format.Source("", []byte(b.String()))
	if diags.HasErrors() {
		return b.String()
	}
	return string(src)
}

func sorted[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// writer prints the bodies of one architecture.
type writer struct {
	ops       map[string]map[string]bool // by module
	modules   map[string]string          // the names of those that ops are written with: lab.conv
	templates []string                   // in the order in which they are needed
	byText    map[string]string          // text of a template -> its name
	taken     map[string]bool            // names that mean something at top level
}

// collect reserves the names of all ops, so that no cell or vertex hides one.
func (w *writer) collect(g *graph.Graph) {
	w.ops = map[string]map[string]bool{}
	done := map[*graph.Graph]bool{}
	var walk func(*graph.Graph)
	walk = func(g *graph.Graph) {
		if done[g] {
			return
		}
		done[g] = true
		for _, n := range g.Nodes {
			if n.Body != nil {
				walk(n.Body)
				continue
			}
			w.taken[n.Op] = true
			if n.Module != "std/core" && n.Module != "" {
				if w.ops[n.Module] == nil {
					w.ops[n.Module] = map[string]bool{}
				}
				w.ops[n.Module][n.Op] = true
			}
		}
	}
	walk(g)
	w.taken[identifier(g.Name)] = true
}

// imports prints the import of every module. Those of a plugin, and ops of which
// another module has one of the same name, are called by the module's name.
func (w *writer) imports(dir string) string {
	w.modules = map[string]string{}
	var b strings.Builder
	imported := map[string]bool{}
	for _, m := range sorted(w.ops) {
		local := isFile(m)
		double := false
		for op := range w.ops[m] {
			double = double || imported[op]
		}
		if local || strings.HasPrefix(m, "std/") {
			at := m
			if local {
				at = from(dir, m)
			}
			if !double {
				for op := range w.ops[m] {
					imported[op] = true
				}
				fmt.Fprintf(&b, "import { %s } from %q\n", strings.Join(sorted(w.ops[m]), ", "), at)
				continue
			}
			w.modules[m] = fresh(w.taken, identifier(strings.TrimSuffix(path.Base(m), ".nas")))
			fmt.Fprintf(&b, "import %q as %s\n", at, w.modules[m])
			continue
		}
		w.modules[m] = fresh(w.taken, identifier(path.Base(m)))
		fmt.Fprintf(&b, "import plugin %q as %s\n", m, w.modules[m])
	}
	return b.String()
}

// isFile reports whether a module is a file and neither standard nor a plugin's.
func isFile(module string) bool {
	return strings.HasPrefix(module, "./") || strings.HasPrefix(module, "../") || filepath.IsAbs(module)
}

// from is how a file in dir imports the file of a module.
func from(dir, module string) string {
	if dir == "" && !filepath.IsAbs(module) {
		return module
	}
	folder, err := filepath.Abs(dir)
	if err != nil {
		return module
	}
	file, err := filepath.Abs(module)
	if err != nil {
		return module
	}
	if file, err = filepath.Rel(folder, file); err != nil {
		return module
	}
	if file = filepath.ToSlash(file); !strings.HasPrefix(file, "../") {
		file = "./" + file
	}
	return file
}

// fresh makes an identifier that nothing else uses.
func fresh(taken map[string]bool, name string) string {
	out := name
	for i := 2; taken[out] || reserved[out]; i++ {
		out = fmt.Sprintf("%s_%d", name, i)
	}
	taken[out] = true
	return out
}

// reserved are the words that cannot name a vertex or a cell.
var reserved = map[string]bool{
	"import": true, "op": true, "block": true, "cell": true, "space": true, "search": true, "let": true, "node": true,
	"return": true, "require": true, "maximize": true, "minimize": true, "of": true, "in": true, "for": true, "by": true,
	"any": true, "all": true, "if": true, "then": true, "else": true, "and": true, "or": true, "not": true, "true": true,
	"false": true, "prev": true, "inputs": true, "sum": true, "mean": true, "concat": true, "min": true, "max": true,
	"ceil": true, "floor": true, "round": true, "round_to": true, "abs": true, "sqrt": true, "log2": true, "len": true,
}

// identifier turns a node's address into a name: n[1].edge[0] -> n1_edge0.
func identifier(address string) string {
	var b strings.Builder
	for _, r := range address {
		switch {
		case r == '.':
			b.WriteByte('_')
		case r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "x"
	}
	return b.String()
}

// template declares a nested graph and returns the name it is called by.
func (w *writer) template(g *graph.Graph) string {
	body := w.body(g)
	var params []string
	names := map[string]bool{}
	for _, in := range g.Inputs {
		params = append(params, fresh(names, identifier(in.Name)))
	}
	key := g.Kind + " " + g.Name + "(" + strings.Join(params, ", ") + ") " + body
	if name, ok := w.byText[key]; ok {
		return name
	}
	name := fresh(w.taken, identifier(g.Name))
	w.byText[key] = name
	kind := g.Kind
	if kind != "cell" {
		kind = "block"
	}
	w.templates = append(w.templates, fmt.Sprintf("%s %s(%s) %s", kind, name, strings.Join(params, ", "), body))
	return name
}

// body prints the statements of a graph. A node that is used once, right where a
// chain goes on, needs no name.
func (w *writer) body(g *graph.Graph) string {
	uses := make([]int, len(g.Nodes))
	for _, n := range g.Nodes {
		for _, r := range n.Inputs {
			if r >= 0 {
				uses[r]++
			}
		}
	}
	names := map[string]bool{}
	for t := range w.taken {
		names[t] = true
	}
	refs := map[graph.Ref]phrase{}
	for i, in := range g.Inputs {
		refs[graph.InputRef(i)] = named(fresh(names, identifier(in.Name)))
	}
	var b strings.Builder
	b.WriteString("{\n")
	for i, n := range g.Nodes {
		r := graph.Ref(i)
		text := w.node(g, i, refs)
		if n.Vertex != "" && !strings.HasPrefix(n.Vertex, "inputs") {
			name := fresh(names, identifier(n.Vertex))
			fmt.Fprintf(&b, "node %s = %s\n", name, text.chain)
			refs[r] = named(name)
			continue
		}
		if uses[i] == 1 && r != g.Output || uses[i] == 0 {
			refs[r] = text
			continue
		}
		name := fresh(names, identifier(n.Name))
		fmt.Fprintf(&b, "%s = %s\n", name, text.chain)
		refs[r] = named(name)
	}
	fmt.Fprintf(&b, "return %s\n}\n", refs[g.Output].chain)
	return b.String()
}

// phrase is a tensor in two forms: as the head of a chain, and as an argument.
type phrase struct{ chain, arg string }

func named(name string) phrase { return phrase{name, name} }

// node prints one node: a chain where it has one operand, a call otherwise.
func (w *writer) node(g *graph.Graph, i int, refs map[graph.Ref]phrase) phrase {
	n := g.Nodes[i]
	callee := n.Label()
	if module := w.modules[n.Module]; module != "" {
		callee = module + "." + callee
	}
	if n.Body != nil {
		callee = w.template(n.Body)
	}
	if len(n.Inputs) == 1 && !n.Fold {
		in := refs[n.Inputs[0]]
		out := phrase{chain: extend(in.chain, callee)}
		out.arg = out.chain
		if !strings.Contains(in.chain, " -> ") {
			out.arg = call(callee, in.arg)
		}
		return out
	}
	var args []string
	for _, r := range n.Inputs {
		args = append(args, refs[r].arg)
	}
	operands := strings.Join(args, ", ")
	switch {
	case n.Fold && len(n.Inputs) == 0:
		operands = "0 of [" + refs[alike(g, i)].arg + "]"
	case n.Fold:
		operands = "[" + operands + "]"
	}
	return named(call(callee, operands))
}

// alike is a tensor from which a fold of nothing can take its shape: one of the
// same shape as node i, else of the same resolution.
func alike(g *graph.Graph, i int) graph.Ref {
	best, fit := graph.InputRef(0), 0
	try := func(r graph.Ref) {
		s, want := g.Shape(r), g.Nodes[i].Shape
		switch {
		case s.Equal(want) && fit < 2:
			best, fit = r, 2
		case len(s) == len(want) && s[1:].Equal(want[1:]) && fit < 1:
			best, fit = r, 1
		}
	}
	for k := range g.Inputs {
		try(graph.InputRef(k))
	}
	for k := range i {
		try(graph.Ref(k))
	}
	return best
}

// call puts operands in front of a callee's attributes.
func call(callee, operands string) string {
	name, attrs, ok := strings.Cut(callee, "(")
	if !ok {
		return name + "(" + operands + ")"
	}
	return name + "(" + operands + ", " + attrs
}

// extend adds a step to a chain; a step that repeats the last one is counted.
func extend(chain, step string) string {
	at := strings.LastIndex(chain, " -> ")
	if at >= 0 {
		last, count, many := strings.Cut(chain[at+len(" -> "):], " * ")
		n := 1
		if many {
			n, _ = strconv.Atoi(count)
		}
		if last == step && n > 0 {
			return fmt.Sprintf("%s -> %s * %d", chain[:at], step, n+1)
		}
	}
	return chain + " -> " + step
}
