package compiler

import (
	"fmt"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Search is a `search` block: a space, the method that searches it, and how a
// candidate is judged. Of a block that sweeps it is one point, see [Search.Grid].
type Search struct {
	Name         string
	Doc          string
	Space        string
	Args         []Argument
	Optimizer    *Component // nil when the block names none
	Evaluator    *Component
	Report       *Component // what tests the winner in place of the evaluator; nil: nothing
	Retrain      *Target    // where the winner is trained again; nil: as it was found
	Budget       *Budget    // nil when the block names none
	Seed         *uint64
	Objectives   []Objective
	Requirements []*Requirement
	Span         diag.Span

	module *Module
	decl   *syntax.Search
}

// Component is an optimizer or evaluator as a search names it, or a part of one.
type Component struct {
	Plugin    string // "nasc/evolution"
	Version   string // the constraint of its import, "~> 1.0"; empty: any
	Component string // "regularized"; empty: the plugin's own choice
	Name      string // of the `let` that it was given by, "gdas"; empty: it was written out
	Args      []ComponentArg
	Text      string // as the file writes it
	Span      diag.Span
}

// String is the component as the file writes it.
func (c *Component) String() string { return c.Text }

// ComponentArg is one setting of a component: an int64, float64, bool, string,
// or a *Component that fills a slot of it.
type ComponentArg struct {
	Name  string
	Value any
	Span  diag.Span
}

// Target is a space with arguments.
type Target struct {
	Space string
	Args  []Argument
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
	GPUSeconds       BudgetKind = "gpu seconds"       // of all devices together; not deterministic
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
	case GPUSeconds:
		return fmt.Sprintf("gpu(%gs)", b.Amount)
	}
	return fmt.Sprintf("%s(%g)", b.Kind, b.Amount)
}

// Objective is a metric to maximize or minimize.
type Objective struct {
	Metric   string
	Maximize bool
	Span     diag.Span
}

// HasSearches reports whether the file has search blocks.
func (m *Module) HasSearches() bool {
	for _, name := range m.prog.Root.Order {
		if _, ok := m.prog.Root.Names[name].Decl.(*syntax.Search); ok {
			return true
		}
	}
	return false
}

// Searches reads the search blocks of the file, in order. Of one that sweeps it
// gives the first point, and reports what is wrong with any.
func (m *Module) Searches() ([]*Search, diag.List) {
	var out []*Search
	var diags diag.List
	for _, name := range m.prog.Root.Order {
		d, ok := m.prog.Root.Names[name].Decl.(*syntax.Search)
		if !ok {
			continue
		}
		s := &Search{Name: name, Span: d.Name.Span(), module: m, decl: d}
		g, more := s.Grid(nil)
		if g != nil {
			*s, more = g.check()
		}
		out = append(out, s)
		diags = append(diags, more...)
	}
	diags.Sort()
	return out, diags
}

// check reads points that between them take every alternative, and returns the
// first.
func (g *Grid) check() (Search, diag.List) {
	var diags diag.List
	var first *Search
	fitted := map[string]bool{}
	for _, n := range g.Cover(nil) {
		p, more := g.At(n)
		if first == nil {
			first = p.Search
		}
		if s := p.Search; s.Retrain != nil && !more.HasErrors() {
			if key := fmt.Sprint(s.Space, s.Args, *s.Retrain); !fitted[key] {
				fitted[key] = true
				more = append(more, s.fit()...)
			}
		}
		diags = append(diags, more...)
	}
	diags.Sort()
	return *first, diags
}
