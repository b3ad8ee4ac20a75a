package compiler

import (
	"fmt"
	"path"
	"strings"

	"github.com/nasc-project/nasc/compiler/check"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Search is a `search` block: a space, the method that searches it, and how a
// candidate is judged.
type Search struct {
	Name       string
	Doc        string
	Space      string
	Args       []Argument
	Optimizer  *Component // nil when the block names none
	Evaluator  *Component
	Budget     *Budget // nil when the block names none
	Seed       *uint64
	Objectives []Objective
	Span       diag.Span
}

// Component is an optimizer or evaluator as a search names it.
type Component struct {
	Plugin    string // "nasc/evolution"
	Version   string // the constraint of its import, "~> 1.0"; empty: any
	Component string // "regularized"; empty: the plugin's own choice
	Args      []ComponentArg
	Span      diag.Span
}

// ComponentArg is one setting of a component: an int64, float64, bool or string.
type ComponentArg struct {
	Name  string
	Value any
	Span  diag.Span
}

// BudgetKind says what a budget counts.
type BudgetKind string

// The kinds of budget.
const (
	Evaluations      BudgetKind = "evaluations"       // finished trials
	Epochs           BudgetKind = "epochs"            // of training, over all trials
	SimulatedSeconds BudgetKind = "simulated seconds" // on the clock of a tabular benchmark
	WallSeconds      BudgetKind = "wall seconds"      // on the clock on the wall; not deterministic
)

// Budget bounds a search.
type Budget struct {
	Kind   BudgetKind
	Amount float64
	Span   diag.Span
}

// String prints a budget as a search block writes it.
func (b Budget) String() string {
	switch b.Kind {
	case SimulatedSeconds:
		return fmt.Sprintf("simulated(%gs)", b.Amount)
	case WallSeconds:
		return fmt.Sprintf("wall(%gs)", b.Amount)
	}
	return fmt.Sprintf("%s(%g)", b.Kind, b.Amount)
}

// Objective is a metric to maximize or minimize.
type Objective struct {
	Metric   string
	Maximize bool
	Span     diag.Span
}

// Searches reads the search blocks of the file, in order.
func (m *Module) Searches() ([]*Search, diag.List) {
	var out []*Search
	r := &searchReader{m: m}
	for _, name := range m.prog.Root.Order {
		if d, ok := m.prog.Root.Names[name].Decl.(*syntax.Search); ok {
			out = append(out, r.search(d))
		}
	}
	r.diags.Sort()
	return out, r.diags
}

type searchReader struct {
	m     *Module
	diags diag.List
}

// settings are the names that a search block may assign.
var settings = []string{"optimizer", "evaluator", "budget", "seed"}

// later are settings of the language that nasc does not act on yet.
var later = map[string]bool{"retrain": true, "report": true}

func (r *searchReader) search(d *syntax.Search) *Search {
	s := &Search{Name: d.Name.Name, Span: d.Name.Span()}
	for i, l := range d.Doc {
		if i > 0 {
			s.Doc += "\n"
		}
		s.Doc += strings.TrimSpace(strings.TrimPrefix(l, "///"))
	}
	r.over(s, d.Over)
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
			r.setting(s, st)
		case *syntax.Verb:
			r.verb(s, st)
		default:
			r.diags.Add("E0550", st.Span(), "a search holds settings, `maximize`, `minimize` and `require`")
		}
	}
	return s
}

func (r *searchReader) over(s *Search, e syntax.Expr) {
	if call, ok := e.(*syntax.Call); ok {
		for _, a := range call.Args {
			if a.Name == nil {
				r.diags.Add("E0551", a.Span(), "a space is given its parameters by name")
				continue
			}
			if v, ok := r.constant(a.Value); ok {
				s.Args = append(s.Args, Argument{Name: a.Name.Name, Value: v, Span: a.Value.Span()})
			}
		}
		e = call.Fun
	}
	n, ok := e.(*syntax.Name)
	if !ok {
		r.diags.Add("E0551", e.Span(), "`over` needs the name of a space")
		return
	}
	s.Space = n.Name
	if sym, ok := r.m.prog.Root.Names[n.Name]; !ok {
		return // resolve has said that the name is unknown
	} else if t, isTemplate := sym.Decl.(*syntax.Template); !isTemplate || t.Kind != syntax.Space {
		r.diags.Add("E0551", n.Span(), "`%s` is not a space", n.Name)
	}
}

func (r *searchReader) constant(e syntax.Expr) (any, bool) {
	v, diags := check.Constant(r.m.prog, r.m.prog.Root, e)
	r.diags = append(r.diags, diags...)
	return v, !diags.HasErrors()
}

func (r *searchReader) setting(s *Search, st *syntax.Assign) {
	switch st.Name.Name {
	case "optimizer":
		s.Optimizer = r.component(st.Value)
	case "evaluator":
		s.Evaluator = r.component(st.Value)
	case "budget":
		s.Budget = r.budget(st.Value)
	case "seed":
		v, ok := r.constant(st.Value)
		if !ok {
			return
		}
		n, isInt := v.(int64)
		if !isInt || n < 0 {
			r.diags.Add("E0550", st.Value.Span(), "a seed is a whole number from 0, not %v", v)
			return
		}
		seed := uint64(n)
		s.Seed = &seed
	default:
		if later[st.Name.Name] {
			r.diags.Add("E0490", st.Name.Span(), "not supported yet: `%s` in a search", st.Name.Name)
			return
		}
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
		n, ok := st.Value.(*syntax.Name)
		if !ok {
			r.diags.Add("E0550", st.Value.Span(), "`%s` needs the name of a metric", st.Verb)
			return
		}
		s.Objectives = append(s.Objectives, Objective{Metric: n.Name, Maximize: st.Verb == "maximize", Span: n.Span()})
	case "require":
		r.diags.Add("E0490", st.Span(), "not supported yet: `require` in a search")
	default:
		r.diags.Add("E0550", st.Span(), "`%s` has no meaning in a search", st.Verb)
	}
}

// component reads `evo`, `evo(population: 20)`, `evo.regularized(…)`.
func (r *searchReader) component(e syntax.Expr) *Component {
	c := &Component{Span: e.Span()}
	if _, ok := e.(*syntax.Choice); ok {
		r.diags.Add("E0490", e.Span(), "not supported yet: sweeping several values in a search")
		return nil
	}
	if call, ok := e.(*syntax.Call); ok {
		for _, a := range call.Args {
			if a.Name == nil {
				r.diags.Add("E0552", a.Span(), "a component is given its parameters by name")
				continue
			}
			v, ok := r.constant(a.Value)
			if _, isList := v.([]int64); isList {
				r.diags.Add("E0552", a.Value.Span(), "a parameter is one number, text or truth value")
				continue
			}
			if ok {
				c.Args = append(c.Args, ComponentArg{Name: a.Name.Name, Value: v, Span: a.Span()})
			}
		}
		e = call.Fun
	}
	if sel, ok := e.(*syntax.Select); ok {
		c.Component = sel.Name.Name
		e = sel.X
	}
	n, ok := e.(*syntax.Name)
	if !ok {
		r.diags.Add("E0552", e.Span(), "a plugin's component is needed here, such as `evo.regularized(population: 20)`")
		return nil
	}
	sym, ok := r.m.prog.Root.Names[n.Name]
	if !ok || sym.Plugin == nil {
		d := r.diags.Add("E0552", n.Span(), "`%s` is not an imported plugin", n.Name)
		d.Help = "write `import plugin \"nasc/" + n.Name + "\"` at the top of the file"
		if best, found := diag.Suggest(n.Name, r.plugins()); found {
			d.Help = "did you mean `" + best + "`?"
		}
		return nil
	}
	c.Plugin = sym.Plugin.Path.Value
	if sym.Plugin.Version != nil {
		c.Version = sym.Plugin.Version.Value
	}
	return c
}

func (r *searchReader) plugins() []string {
	var out []string
	for _, im := range r.m.prog.Root.File.Imports {
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
	"evaluations": Evaluations, "epochs": Epochs, "simulated": SimulatedSeconds, "wall": WallSeconds,
}

func (r *searchReader) budget(e syntax.Expr) *Budget {
	b := &Budget{Kind: Evaluations, Span: e.Span()}
	arg := e
	if call, ok := e.(*syntax.Call); ok {
		n, isName := call.Fun.(*syntax.Name)
		known := false
		if isName {
			b.Kind, known = budgets[n.Name]
		}
		if !known || len(call.Args) != 1 || call.Args[0].Name != nil {
			d := r.diags.Add("E0553", e.Span(), "this is not a budget")
			d.Help = "budgets are evaluations(100), epochs(500), simulated(12000s), wall(10m)"
			return nil
		}
		arg = call.Args[0].Value
	} else if num, ok := e.(*syntax.Number); ok && !num.IsInt {
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
		r.diags.Add("E0553", arg.Span(), "a budget is a positive number, not %v", v)
		return nil
	}
	return b
}
