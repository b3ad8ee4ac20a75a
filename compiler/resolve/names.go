package resolve

import (
	"sort"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/stdlib"
)

// functions are the numeric functions of the language. `sum` is also the fold
// of tensors that the core module declares.
var functions = map[string]bool{
	"ceil": true, "floor": true, "round": true, "round_to": true, "abs": true, "sqrt": true,
	"log2": true, "min": true, "max": true, "len": true,
}

// Function reports whether name is a numeric function of the language.
func Function(name string) bool { return functions[name] }

// Metrics are the analytic quantities that `require` may constrain in a cell
// or a space.
var Metrics = map[string]bool{"edges": true, "depth": true, "params": true, "macs": true}

// LeftOpen reports whether a parameter of an op says `= open`: another op of the
// body settles it.
func LeftOpen(p *syntax.Param) bool {
	n, ok := p.Default.(*syntax.Name)
	return ok && n.Name == "open"
}

// local is one scope of names inside a template.
type local struct {
	up      *local
	names   map[string]diag.Span
	require bool // holds the metrics
}

func (s *local) find(name string) (diag.Span, bool) {
	for ; s != nil; s = s.up {
		if at, ok := s.names[name]; ok {
			return at, true
		}
	}
	return diag.Span{}, false
}

// walker checks the names of one module.
type walker struct {
	prog  *Program
	mod   *Module
	diags *diag.List
	later map[string]diag.Span // names assigned further down the same body

	lets  map[*syntax.Let][]need
	needs []need // of the let being read
	inLet bool
}

func names(p *Program, m *Module, diags *diag.List) {
	if m.File == nil {
		return
	}
	w := &walker{prog: p, mod: m, diags: diags}
	for _, d := range m.File.Decls {
		switch d := d.(type) {
		case *syntax.Template:
			w.template(d, nil)
		case *syntax.Let:
			w.let(d)
		case *syntax.Search:
			w.expr(d.Over, nil)
		}
	}
	w.circles()
}

func (w *walker) bind(s *local, id *syntax.Ident) {
	if id == nil {
		return
	}
	if at, ok := s.find(id.Name); ok {
		d := w.diags.Add("E0203", id.Span(), "`%s` is declared twice", id.Name)
		d.Notes = append(d.Notes, diag.Note{Span: at, Text: "first declared here"})
		return
	}
	s.names[id.Name] = id.Span()
}

func (w *walker) template(t *syntax.Template, up *local) {
	if t.Count != nil {
		w.expr(t.Count, up)
	}
	s := &local{up: up, names: map[string]diag.Span{}}
	for _, p := range t.Params {
		if p.Name != nil {
			if at, ok := s.names[p.Name.Name]; ok {
				d := w.diags.Add("E0203", p.Name.Span(), "parameter `%s` is declared twice", p.Name.Name)
				d.Notes = append(d.Notes, diag.Note{Span: at, Text: "first declared here"})
			}
			s.names[p.Name.Name] = p.Name.Span()
		}
	}
	for _, p := range t.Params {
		if p.Type != nil {
			w.dims(p.Type, s)
		}
	}
	for _, p := range t.Params {
		if p.Default != nil && !(t.Kind == syntax.Op && LeftOpen(p)) {
			w.expr(p.Default, s)
		}
	}
	if t.Result != nil {
		for _, d := range t.Result.Dims {
			w.expr(d, s)
		}
	}
	if t.Expr != nil {
		w.expr(t.Expr, s)
	}
	w.body(t, s)
}

// dims binds the dimension names that a tensor's shape introduces.
func (w *walker) dims(t *syntax.Type, s *local) {
	for _, d := range t.Dims {
		if n, ok := d.(*syntax.Name); ok {
			if _, known := s.find(n.Name); !known {
				s.names[n.Name] = n.Span()
			}
			continue
		}
		w.expr(d, s)
	}
}

func (w *walker) body(t *syntax.Template, s *local) {
	if t.Kind == syntax.Cell || t.Kind == syntax.Block {
		s.names["prev"] = diag.Span{}
	}
	saved := w.later
	w.later = map[string]diag.Span{}
	for _, st := range t.Body {
		switch st := st.(type) {
		case *syntax.NodeStmt:
			w.later[st.Name.Name] = st.Name.Span()
		case *syntax.Assign:
			w.later[st.Name.Name] = st.Name.Span()
		case *syntax.Template:
			w.later[st.Name.Name] = st.Name.Span()
		}
	}
	for _, st := range t.Body {
		switch st := st.(type) {
		case *syntax.NodeStmt:
			if st.Count != nil {
				w.expr(st.Count, s)
			}
			w.expr(st.Value, s)
			w.bind(s, st.Name)
		case *syntax.Assign:
			w.expr(st.Value, s)
			w.bind(s, st.Name)
		case *syntax.Template:
			w.template(st, s)
			w.bind(s, st.Name)
		case *syntax.Verb:
			if st.Verb == "require" && t.Kind != syntax.Op {
				in := &local{up: s, names: map[string]diag.Span{}, require: true}
				for m := range Metrics {
					in.names[m] = diag.Span{}
				}
				w.expr(st.Value, in)
				continue
			}
			w.expr(st.Value, s)
		}
	}
	w.later = saved
}

func (w *walker) expr(e syntax.Expr, s *local) {
	if len(*w.diags) > diag.MaxErrors {
		return
	}
	switch e := e.(type) {
	case nil:
	case *syntax.Name:
		w.name(e, s)
	case *syntax.List:
		for _, x := range e.Elems {
			w.expr(x, s)
		}
	case *syntax.Paren:
		w.expr(e.X, s)
	case *syntax.If:
		w.expr(e.Cond, s)
		w.expr(e.Then, s)
		w.expr(e.Else, s)
	case *syntax.Choice:
		for _, a := range e.Alts {
			w.expr(a.Value, s)
			w.expr(a.Guard, s)
		}
	case *syntax.Flow:
		for _, x := range e.Steps {
			w.expr(x, s)
		}
	case *syntax.Of:
		w.expr(e.Count, s)
		w.expr(e.Set, s)
	case *syntax.Binary:
		w.expr(e.X, s)
		w.expr(e.Y, s)
	case *syntax.Unary:
		w.expr(e.X, s)
	case *syntax.Range:
		w.expr(e.Lo, s)
		w.expr(e.Hi, s)
		w.expr(e.By, s)
	case *syntax.Call:
		w.expr(e.Fun, s)
		w.attributes(e, s)
		for _, a := range e.Args {
			in := s
			if a.Var != nil {
				w.expr(a.In, s)
				in = &local{up: s, names: map[string]diag.Span{}}
				w.bind(in, a.Var)
			}
			w.expr(a.Value, in)
		}
	case *syntax.Index:
		w.expr(e.X, s)
		w.expr(e.I, s)
	case *syntax.Select:
		w.expr(e.X, s)
		w.operation(e, s)
	}
}

// operation checks that a plugin offers what a template uses of it. A `let` may
// as well name a component, which is for a search to know.
func (w *walker) operation(e *syntax.Select, s *local) {
	n, ok := e.X.(*syntax.Name)
	if !ok || s == nil {
		return
	}
	if _, isLocal := s.find(n.Name); isLocal {
		return
	}
	if sym, ok := w.mod.Names[n.Name]; ok && sym.Plugin != nil {
		Operation(w.diags, sym, e.Name)
	}
}

// attributes checks the names of a call's attributes where the callee is a
// declared template, used or not.
func (w *walker) attributes(e *syntax.Call, s *local) {
	n, ok := e.Fun.(*syntax.Name)
	if !ok {
		return
	}
	if _, isLocal := s.find(n.Name); isLocal {
		return
	}
	sym, ok := w.mod.Names[n.Name]
	if !ok && w.prog.Core != nil {
		sym, ok = w.prog.Core.Names[n.Name]
	}
	if !ok {
		return
	}
	if t, isTemplate := sym.Decl.(*syntax.Template); isTemplate {
		for _, a := range e.Args {
			if a.Name != nil && !Declares(t, a.Name.Name) {
				UnknownAttribute(w.diags, t, a.Name)
			}
		}
	}
}

// Declares reports whether a template has a parameter of a name.
func Declares(t *syntax.Template, name string) bool {
	for _, p := range t.Params {
		if p.Name.Name == name {
			return true
		}
	}
	return false
}

// UnknownAttribute reports an attribute that a template does not declare.
func UnknownAttribute(diags *diag.List, t *syntax.Template, name *syntax.Ident) {
	d := diags.Add("E0202", name.Span(), "`%s` has no attribute `%s`", t.Name.Name, name.Name)
	d.Notes = append(d.Notes, diag.Note{Span: t.Name.Span(), Text: "`" + t.Name.Name + "` is declared here"})
	var names []string
	for _, p := range t.Params {
		names = append(names, p.Name.Name)
	}
	if best, ok := diag.Suggest(name.Name, names); ok {
		d.Help = "did you mean `" + best + "`?"
	}
}

func (w *walker) name(e *syntax.Name, s *local) {
	if _, ok := s.find(e.Name); ok {
		return
	}
	if sym, ok := w.mod.Names[e.Name]; ok {
		if l, isLet := sym.Decl.(*syntax.Let); isLet && sym.Home == w.mod && w.inLet {
			w.needs = append(w.needs, need{l, e.Span()})
		}
		return
	}
	if Function(e.Name) {
		return
	}
	if w.prog.Core != nil {
		if _, ok := w.prog.Core.Names[e.Name]; ok {
			return
		}
	}
	if at, ok := w.later[e.Name]; ok {
		d := w.diags.Add("E0208", e.Span(), "`%s` is used before it is declared", e.Name)
		d.Notes = append(d.Notes, diag.Note{Span: at, Text: "declared here; bodies are read from top to bottom"})
		return
	}
	d := w.diags.Add("E0201", e.Span(), "`%s` is not declared", e.Name)
	if best, ok := diag.Suggest(e.Name, w.visible(s)); ok {
		d.Help = "did you mean `" + best + "`?"
		return
	}
	if s != nil && s.require {
		d.Help = "a requirement here is about `depth`, `edges`, `macs`, `params`, parameters and decisions; what is measured belongs in a search"
		return
	}
	for _, m := range w.prog.Modules {
		if sym, ok := m.Names[e.Name]; ok && sym.Home == m && m != w.mod {
			d.Help = "import { " + e.Name + " } from \"" + m.Path + "\""
			return
		}
	}
	if m := declaredIn(e.Name); m != "" {
		d.Help = "import { " + e.Name + " } from \"" + m + "\""
	}
}

// declaredIn finds the standard module that declares a name.
func declaredIn(name string) string {
	for _, m := range stdlib.Modules() {
		src, _ := stdlib.Source(m)
		f, _ := syntax.Parse(m, src)
		if f == nil {
			continue
		}
		for _, d := range f.Decls {
			if id := d.DeclName(); id != nil && id.Name == name {
				return m
			}
		}
	}
	return ""
}

// visible lists every name that could stand here, for "did you mean".
func (w *walker) visible(s *local) []string {
	var out []string
	for ; s != nil; s = s.up {
		for n := range s.names {
			out = append(out, n)
		}
	}
	for n, s := range w.mod.Names {
		if *s != (Symbol{}) { // not where an import has failed
			out = append(out, n)
		}
	}
	if w.prog.Core != nil {
		out = append(out, w.prog.Core.Order...)
	}
	for n := range functions {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}
