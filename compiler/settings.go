package compiler

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler/check"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// settings are the names that a search block may assign.
var settings = []string{"optimizer", "evaluator", "budget", "seed", "retrain", "report"}

// Fixed tells of a setting whose value is given from outside of the file: it is
// neither swept nor read. Settings are seed, budget, optimizer, evaluator, report,
// space, retrain, the arguments of the last five as in "optimizer.population", those
// of what fills a slot as in "optimizer.relax.tau_max", and maximize, minimize,
// require.
type Fixed func(setting string) bool

// searchReader reads a search block at one point of its grid.
type searchReader struct {
	m     *Module
	taken check.Taken
	fixed Fixed
	diags diag.List
}

// at reads the block at a point.
func (s *Search) at(taken check.Taken, fixed Fixed) (*Search, diag.List) {
	r := &searchReader{m: s.module, taken: taken, fixed: fixed}
	return r.search(s), r.diags
}

func (r *searchReader) search(block *Search) *Search {
	d := block.decl
	s := &Search{Name: block.Name, Span: block.Span, module: block.module, decl: d}
	for i, l := range d.Doc {
		if i > 0 {
			s.Doc += "\n"
		}
		s.Doc += strings.TrimSpace(strings.TrimPrefix(l, "///"))
	}
	if !r.fixed("space") {
		s.Space, s.Args = r.space("over", "space", d.Over)
	}
	seen := map[string]diag.Span{}
	for _, st := range d.Body {
		switch st := st.(type) {
		case *syntax.Assign:
			if at, ok := seen[st.Name.Name]; ok {
				e := r.diags.Add("E0203", st.Name.Span(), "`%s` is set twice", st.Name.Name)
				e.Notes = append(e.Notes, diag.Note{Span: at, Text: "first set here"})
				continue
			}
			seen[st.Name.Name] = st.Name.Span()
			if !r.fixed(st.Name.Name) {
				r.setting(s, st)
			}
		case *syntax.Verb:
			if !r.fixed(st.Verb) {
				r.verb(s, st)
			}
		default:
			r.diags.Add("E0550", st.Span(), "a search holds settings, `maximize`, `minimize` and `require`")
		}
	}
	return s
}

// place is an expression and the module whose names it uses.
type place struct {
	e syntax.Expr
	m *resolve.Module
}

// meaning follows brackets, names of `let`, conditions and what the point takes
// of choices, down to the expression that is meant.
func (r *searchReader) meaning(p place) place {
	for range maxLets {
		switch e := p.e.(type) {
		case *syntax.Paren:
			p.e = e.X
			continue
		case *syntax.Choice:
			if i, ok := r.taken[e]; ok {
				p.e = e.Alts[i].Value
				continue
			}
		case *syntax.If:
			v, ok := r.constant(place{e.Cond, p.m})
			if b, isBool := v.(bool); ok && isBool {
				if p.e = e.Then; !b {
					p.e = e.Else
				}
				continue
			}
		case *syntax.Name:
			if l, home := let(e.Name, p.m); l != nil {
				p = place{l.Value, home}
				continue
			}
		}
		return p
	}
	return p
}

// named is the name of the `let` by which an expression says what it means.
func (r *searchReader) named(p place) string {
	for {
		switch e := p.e.(type) {
		case *syntax.Paren:
			p.e = e.X
			continue
		case *syntax.Choice:
			if i, ok := r.taken[e]; ok {
				p.e = e.Alts[i].Value
				continue
			}
		case *syntax.Name:
			if l, _ := let(e.Name, p.m); l != nil {
				return e.Name
			}
		}
		return ""
	}
}

// maxLets bounds how many names stand for one another; more are a cycle.
const maxLets = 1000

// let finds the `let` that a name stands for in a module, and its home.
func let(name string, m *resolve.Module) (*syntax.Let, *resolve.Module) {
	if s, ok := m.Names[name]; ok {
		if l, ok := s.Decl.(*syntax.Let); ok {
			return l, s.Home
		}
	}
	return nil, nil
}

func (r *searchReader) constant(p place) (any, bool) {
	v, diags := check.Constant(r.m.prog, p.m, p.e, r.taken)
	r.diags = append(r.diags, diags...)
	return v, !diags.HasErrors() && v != nil
}

// space reads `darts` or `darts(c: 36)`; setting is what its arguments belong to.
func (r *searchReader) space(word, setting string, e syntax.Expr) (name string, args []Argument) {
	p := r.meaning(place{e, r.m.prog.Root})
	if call, ok := p.e.(*syntax.Call); ok {
		for _, a := range call.Args {
			if a.Name == nil {
				r.diags.Add("E0551", a.Span(), "a space is given its parameters by name")
				continue
			}
			if r.fixed(setting + "." + a.Name.Name) {
				continue
			}
			if v, ok := r.constant(place{a.Value, p.m}); ok {
				args = append(args, Argument{Name: a.Name.Name, Value: v, Span: a.Value.Span()})
			}
		}
		p.e = call.Fun
	}
	n, ok := p.e.(*syntax.Name)
	if !ok {
		r.diags.Add("E0551", p.e.Span(), "`%s` needs the name of a space", word)
		return "", args
	}
	sym, ok := r.m.prog.Root.Names[n.Name]
	if !ok {
		if word != "over" { // of `over`, resolve has said that the name is unknown
			d := r.diags.Add("E0201", n.Span(), "`%s` is not declared", n.Name)
			if best, found := diag.Suggest(n.Name, r.m.Spaces()); found {
				d.Help = "did you mean `" + best + "`?"
			}
		}
		return n.Name, args
	}
	if t, isTemplate := sym.Decl.(*syntax.Template); !isTemplate || t.Kind != syntax.Space {
		if sym.Decl != nil || sym.Plugin != nil || sym.Module != nil {
			r.diags.Add("E0551", n.Span(), "`%s` is not a space", n.Name)
		}
	}
	return n.Name, args
}

func (r *searchReader) setting(s *Search, st *syntax.Assign) {
	here := place{st.Value, r.m.prog.Root}
	switch st.Name.Name {
	case "optimizer":
		s.Optimizer = r.component("optimizer", here)
	case "evaluator":
		s.Evaluator = r.component("evaluator", here)
	case "report":
		s.Report = r.component("report", here)
	case "budget":
		s.Budget = r.budget(here)
	case "retrain":
		t := &Target{Span: st.Value.Span()}
		t.Space, t.Args = r.space("retrain", "retrain", st.Value)
		s.Retrain = t
	case "seed":
		v, ok := r.constant(here)
		if !ok {
			return
		}
		n, isInt := v.(int64)
		if !isInt || n < 0 {
			r.diags.Add("E0550", st.Value.Span(), "a seed is a whole number from 0, not %s", graph.FormatValue(v))
			return
		}
		seed := uint64(n)
		s.Seed = &seed
	default:
		d := r.diags.Add("E0550", st.Name.Span(), "a search has no setting `%s`", st.Name.Name)
		if best, ok := diag.Suggest(st.Name.Name, settings); ok {
			d.Help = "did you mean `" + best + "`?"
		} else {
			d.Help = "settings are " + strings.Join(settings, ", ")
		}
	}
}

func (r *searchReader) verb(s *Search, st *syntax.Verb) {
	switch st.Verb {
	case "maximize", "minimize":
		e := st.Value
		for {
			if p, ok := e.(*syntax.Paren); ok {
				e = p.X
				continue
			}
			c, ok := e.(*syntax.Choice)
			if i, taken := r.taken[c]; ok && taken {
				e = c.Alts[i].Value
				continue
			}
			break
		}
		name, ok := r.metric(place{e, r.m.prog.Root})
		if !ok {
			r.diags.Add("E0550", st.Value.Span(), "`%s` needs the name of a metric", st.Verb)
			return
		}
		s.Objectives = append(s.Objectives, Objective{Metric: name, Maximize: st.Verb == "maximize", Span: e.Span()})
	case "require":
		if q := r.requirement(place{st.Value, r.m.prog.Root}); q != nil {
			s.Requirements = append(s.Requirements, q)
		}
	default:
		r.diags.Add("E0550", st.Span(), "`%s` has no meaning in a search", st.Verb)
	}
}

// isComponent reports whether an expression names something of a plugin.
func isComponent(p place) bool {
	e := p.e
	if call, ok := e.(*syntax.Call); ok {
		e = call.Fun
	}
	if sel, ok := e.(*syntax.Select); ok {
		e = sel.X
	}
	n, ok := e.(*syntax.Name)
	if !ok {
		return false
	}
	s, ok := p.m.Names[n.Name]
	return ok && s.Plugin != nil
}

// component reads `evo`, `evo(population: 20)`, `evo.regularized(…)`; setting is
// what its arguments belong to.
func (r *searchReader) component(setting string, at place) *Component {
	p := r.meaning(at)
	c := &Component{Name: r.named(at), Text: format.Expr(p.e), Span: p.e.Span()}
	if call, ok := p.e.(*syntax.Call); ok {
		for _, a := range call.Args {
			if a.Name == nil {
				r.diags.Add("E0552", a.Span(), "a component is given its parameters by name")
				continue
			}
			of := setting + "." + a.Name.Name
			if r.fixed(of) {
				continue
			}
			if v, ok := r.argument(of, place{a.Value, p.m}); ok {
				c.Args = append(c.Args, ComponentArg{Name: a.Name.Name, Value: v, Span: a.Span()})
			}
		}
		p.e = call.Fun
	}
	if sel, ok := p.e.(*syntax.Select); ok {
		c.Component = sel.Name.Name
		p.e = sel.X
	}
	n, ok := p.e.(*syntax.Name)
	if !ok {
		r.diags.Add("E0552", p.e.Span(), "a plugin's component is needed here, such as `evo.regularized(population: 20)`")
		return nil
	}
	sym, ok := p.m.Names[n.Name]
	if !ok || sym.Plugin == nil {
		if l, _ := let(n.Name, p.m); l != nil {
			return nil // it needs its own value, which was reported
		}
		r.diags.Add("E0552", n.Span(), "`%s` is not an imported plugin", n.Name).Help = r.meant(n.Name, p.m)
		return nil
	}
	c.Plugin = sym.Plugin.Path.Value
	if sym.Plugin.Version != nil {
		c.Version = sym.Plugin.Version.Value
	}
	return c
}

// argument reads the value of a component's parameter, which setting names.
func (r *searchReader) argument(setting string, at place) (any, bool) {
	if p := r.meaning(at); isComponent(p) {
		c := r.component(setting, at)
		return c, c != nil
	}
	v, ok := r.constant(at)
	if _, isList := v.([]int64); isList {
		r.diags.Add("E0552", at.e.Span(), "a parameter is one number, text, truth value or component")
		return nil, false
	}
	return v, ok
}

func plugins(m *resolve.Module) []string {
	var out []string
	for _, im := range m.File.Imports {
		if !im.Plugin || im.Path == nil {
			continue
		}
		if im.Alias != nil {
			out = append(out, im.Alias.Name)
		} else {
			out = append(out, path.Base(im.Path.Value))
		}
	}
	return out
}

// budgets maps the functions of a budget to what they count.
var budgets = map[string]BudgetKind{
	"evaluations": Evaluations, "epochs": Epochs, "simulated": SimulatedSeconds, "wall": WallSeconds, "gpu": GPUSeconds,
}

func (r *searchReader) budget(at place) *Budget {
	p := r.meaning(at)
	b := &Budget{Kind: Evaluations, Span: p.e.Span()}
	arg := p
	if call, ok := p.e.(*syntax.Call); ok && !isFunction(call) {
		n, isName := call.Fun.(*syntax.Name)
		known := false
		if isName {
			b.Kind, known = budgets[n.Name]
		}
		if !known || len(call.Args) != 1 || call.Args[0].Name != nil {
			d := r.diags.Add("E0553", p.e.Span(), "this is not a budget")
			if isName && !known {
				if best, ok := diag.Suggest(n.Name, slices.Sorted(maps.Keys(budgets))); ok {
					d.Help = "did you mean `" + best + "`?"
					return nil
				}
			}
			d.Help = "budgets are evaluations(100), epochs(500), simulated(12000s), wall(10m), gpu(24h)"
			return nil
		}
		arg.e = call.Args[0].Value
	} else if num, ok := p.e.(*syntax.Number); ok && !num.IsInt {
		b.Kind = SimulatedSeconds
	}
	v, ok := r.constant(arg)
	if !ok {
		return nil
	}
	switch n := v.(type) {
	case int64:
		b.Amount = float64(n)
	case float64:
		b.Amount = n
	}
	if b.Amount <= 0 {
		r.diags.Add("E0553", arg.e.Span(), "a budget is a positive number, not %s", graph.FormatValue(v))
		return nil
	}
	return b
}

// isFunction reports whether a call is one of the language's own functions.
func isFunction(call *syntax.Call) bool {
	n, ok := call.Fun.(*syntax.Name)
	return ok && resolve.Function(n.Name)
}
