// Package compiler is the door to the language: it reads a .nas file and gives
// its spaces, ready to be counted, sampled and bound, and its searches.
//
// The work is done below: compiler/resolve binds names, compiler/check infers
// types and shapes and finds the decisions, compiler/space is their algebra,
// compiler/lower binds a genotype to a compiler/graph Graph.
//
//	module, diags := compiler.Load("spaces/darts/darts.nas", os.ReadFile)
//	space, diags := module.Space("", nil)
//	g, err := space.Bind(space.Sample(rng))
package compiler

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/compiler/check"
	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Module is one file with everything it imports.
type Module struct {
	prog *resolve.Program
}

// Load reads the file at path, and what it imports, through read. The module is
// returned even with diagnostics, so that Source can show where they are.
func Load(path string, read resolve.Reader) (*Module, diag.List) {
	p, diags := resolve.Load(path, read)
	return &Module{prog: p}, diags
}

// Source returns the text of a file that the module read, or nil.
func (m *Module) Source(file string) []byte { return m.prog.Source(file) }

// Hash is the SHA-256 of all sources read, in order, as lower-case hex.
func (m *Module) Hash() string { return m.prog.Hash() }

// Doc returns the documentation of a declaration of the file, without slashes.
func (m *Module) Doc(name string) string {
	if s, ok := m.prog.Root.Names[name]; ok {
		if t, ok := s.Decl.(*syntax.Template); ok {
			lines := make([]string, len(t.Doc))
			for i, l := range t.Doc {
				lines[i] = strings.TrimSpace(strings.TrimPrefix(l, "///"))
			}
			return strings.Join(lines, "\n")
		}
	}
	return ""
}

// Spaces lists the spaces that the file declares, in order.
func (m *Module) Spaces() []string {
	var out []string
	for _, name := range m.prog.Root.Order {
		if t, ok := m.prog.Root.Names[name].Decl.(*syntax.Template); ok && t.Kind == syntax.Space {
			out = append(out, name)
		}
	}
	return out
}

// Check elaborates every space of the file that has defaults for all of its
// parameters, and reads every search. It adds to what Load reported, so that one
// unknown name does not hide the other mistakes of a file.
func (m *Module) Check() diag.List {
	var diags diag.List
	if !m.prog.Parsed() {
		return nil
	}
	if f := m.prog.Root.File; len(f.Decls) == 0 && len(f.Imports) == 0 {
		at := diag.Span{Start: diag.Pos{File: m.prog.Root.Path}}
		d := diags.Add("E0551", at, "this file declares nothing")
		d.Help = "see `spaces/quickstart/quickstart.nas` for a first space"
	}
	var spaces []*syntax.Template
	for _, name := range m.Spaces() {
		if t := m.template(name); complete(t) {
			spaces = append(spaces, t)
		}
	}
	diags = append(diags, check.Spaces(m.prog, spaces, func(p *lower.Plan) diag.List { return newSpace(p).Empty() })...)
	_, d := m.Searches()
	diags = append(diags, d...)
	diags.Limit()
	return diags
}

func complete(t *syntax.Template) bool {
	for _, p := range t.Params {
		if p.Default == nil && p.Type != nil && !p.Type.Shape {
			return false
		}
	}
	return true
}

func (m *Module) template(name string) *syntax.Template {
	if s, ok := m.prog.Root.Names[name]; ok {
		if t, ok := s.Decl.(*syntax.Template); ok && t.Kind == syntax.Space {
			return t
		}
	}
	return nil
}

// Space is a compiled space: the algebra of its decisions, and the plan that
// turns each genotype into a graph.
type Space struct {
	*space.Space
	plan    *lower.Plan
	oneShot string // see Relax
}

// Argument replaces the default of a space's parameter.
type Argument = check.Argument

// Space compiles a space of the file. An empty name means the only one.
func (m *Module) Space(name string, args []Argument) (*Space, diag.List) {
	var diags diag.List
	at := diag.Span{Start: diag.Pos{File: m.prog.Root.Path}}
	spaces := m.Spaces()
	switch {
	case name == "" && len(spaces) == 1:
		name = spaces[0]
	case name == "" && len(spaces) == 0:
		d := diags.Add("E0551", at, "this file declares no space")
		d.Help = "write `space name(image: [3, 32, 32]) = image -> …`"
		return nil, diags
	case name == "":
		d := diags.Add("E0551", at, "this file declares %d spaces: %s", len(spaces), strings.Join(spaces, ", "))
		d.Help = "name one with `--space`"
		return nil, diags
	}
	t := m.template(name)
	home := m.prog.Root
	if s, ok := home.Names[name]; ok && t != nil {
		home = s.Home
	}
	if t == nil {
		d := diags.Add("E0551", at, "this file has no space `%s`", name)
		if best, ok := diag.Suggest(name, spaces); ok {
			d.Help = "did you mean `" + best + "`?"
		} else if len(spaces) > 0 {
			d.Help = "it has " + strings.Join(spaces, ", ")
		}
		return nil, diags
	}
	plan, diags := check.Space(m.prog, t, home, args)
	if plan == nil {
		return nil, diags
	}
	s := newSpace(plan)
	s.oneShot = insteadOf(m.Doc(name))
	return s, diags
}

// Bind builds the architecture of one genotype.
func (s *Space) Bind(g space.Genotype) (*graph.Graph, error) {
	out, err := s.plan.Bind(g)
	if err != nil {
		return nil, fmt.Errorf("space %s: %w", s.Name, err)
	}
	return out, nil
}

// Draw draws the space itself: its skeleton, its templates, and what is to be
// chosen in them.
func (s *Space) Draw(o export.Options) ([]byte, error) {
	return export.DrawSpace(s.plan, o)
}

// DrawSupernet draws the space with mixture weights on what is to be chosen.
func (s *Space) DrawSupernet(w export.Weights, o export.Options) ([]byte, error) {
	return export.DrawSupernet(s.plan, w, o)
}

// Print writes the architecture of a genotype as a .nas file of size one.
func (s *Space) Print(g space.Genotype) (string, error) {
	a, err := s.Bind(g)
	if err != nil {
		return "", err
	}
	n, err := s.Rank(g)
	if err != nil {
		return "", err
	}
	return export.Source(a, fmt.Sprintf("Architecture #%s of %s.", n, s.Name), ""), nil
}
