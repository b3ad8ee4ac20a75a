package compiler

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/nasc-project/nasc/compiler/check"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// MaxPoints is how many points a sweep may have.
const MaxPoints = 10_000

// Grid is all that a search block says at once. In a search, choices and ranges
// are swept and not searched: each is an axis, and the search is run at every
// point. An axis inside an alternative of another one exists where that
// alternative is taken, just as decisions do, so a grid is a small decision tree
// and is counted and numbered like one.
//
// A choice has one meaning wherever its name is used: a swept `let` is one axis,
// however often it is used.
type Grid struct {
	Axes []Axis // in the order of the source

	search *Search
	fixed  Fixed
	axes   []*axis // at the top
	points *space.Space
	byID   []*axis
}

// Axis is one thing that is swept.
type Axis struct {
	Name   string   // as labels of points say it: "population"
	Path   string   // "optimizer.population"
	Labels []string // of its values
	Span   diag.Span
}

// axis is an Axis with the axes below its alternatives.
type axis struct {
	Axis
	alts []alternative
}

// alternative takes some choices of the source, and opens axes of its own.
type alternative struct {
	label string
	takes check.Taken
	below []*axis
}

// Point is one search of a grid.
type Point struct {
	Number int
	Label  string   // "population=16 seed=2"; empty when nothing is swept
	Parts  []string // of the label
	Search *Search
}

// Grid lays the block out. Settings that are fixed are left out of it.
func (s *Search) Grid(fixed Fixed) (*Grid, diag.List) {
	if fixed == nil {
		fixed = func(string) bool { return false }
	}
	b := &gridBuilder{reader: &searchReader{m: s.module, fixed: fixed}, uses: map[*syntax.Let]int{}, shared: map[*syntax.Let]bool{}}
	b.block(s.decl, func(e syntax.Expr, setting string) { b.count(place{e, s.module.prog.Root}, setting) })
	var top []*axis
	b.block(s.decl, func(e syntax.Expr, setting string) { b.collect(place{e, s.module.prog.Root}, setting, &top) })
	g := &Grid{search: s, fixed: fixed, axes: append(b.tied, top...)}
	if b.reader.diags.HasErrors() {
		return nil, b.reader.diags
	}
	g.name()
	points, err := space.New(s.Name, g.group(g.axes))
	if err == nil && points.Size().Cmp(big.NewInt(MaxPoints)) > 0 {
		err = fmt.Errorf("the sweep has %v points, more than %d", points.Size(), MaxPoints)
	}
	if err != nil {
		d := b.reader.diags.Add("E0554", s.decl.Name.Span(), "%v", err)
		for _, a := range g.Axes {
			d.Notes = append(d.Notes, diag.Note{Span: a.Span, Text: fmt.Sprintf("`%s` takes %d values", a.Name, len(a.Labels))})
		}
		return nil, b.reader.diags
	}
	g.points = points
	named := map[string]*axis{}
	g.each(func(a *axis) { named[a.Name] = a })
	for _, d := range points.Decisions {
		g.byID = append(g.byID, named[d.Address])
	}
	return g, b.reader.diags
}

// Size is the number of points.
func (g *Grid) Size() int { return int(g.points.Size().Int64()) }

// At reads the search of a point; they count from 0, the last axis changes first.
func (g *Grid) At(n int) (*Point, diag.List) {
	p := &Point{Number: n}
	taken := check.Taken{}
	err := g.take(n, func(name string, alt alternative) {
		for e, i := range alt.takes {
			taken[e] = i
		}
		p.Parts = append(p.Parts, name+"="+alt.label)
	})
	if err != nil {
		return nil, diag.List{{Code: "E0554", Message: err.Error()}}
	}
	p.Label = strings.Join(p.Parts, " ")
	var diags diag.List
	p.Search, diags = g.search.at(taken, g.fixed)
	return p, diags
}

// Parts is the label of a point in parts, one for each axis, without its search.
func (g *Grid) Parts(n int) (parts []string, err error) {
	err = g.take(n, func(name string, alt alternative) { parts = append(parts, name+"="+alt.label) })
	return parts, err
}

// take visits the alternatives that a point takes.
func (g *Grid) take(n int, visit func(axis string, alt alternative)) error {
	genotype, err := g.points.Unrank(big.NewInt(int64(n)))
	if err != nil {
		return err
	}
	for d := range g.points.Active(genotype) {
		visit(d.Address, g.byID[d.ID].alts[genotype[d.ID]])
	}
	return nil
}

// each visits every axis, those above first.
func (g *Grid) each(visit func(*axis)) {
	var walk func([]*axis)
	walk = func(all []*axis) {
		for _, a := range all {
			visit(a)
			for _, alt := range a.alts {
				walk(alt.below)
			}
		}
	}
	walk(g.axes)
}

// name gives every axis the last part of its path as a name, or all of the path
// where two would be called alike.
func (g *Grid) name() {
	last := func(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
	short, long := map[string]int{}, map[string]int{}
	g.each(func(a *axis) { short[last(a.Path)]++ })
	g.each(func(a *axis) {
		a.Name = last(a.Path)
		if short[a.Name] > 1 {
			a.Name = a.Path
		}
		if long[a.Name]++; long[a.Name] > 1 {
			a.Name = fmt.Sprintf("%s#%d", a.Name, long[a.Name])
		}
		g.Axes = append(g.Axes, a.Axis)
	})
}

func (g *Grid) group(all []*axis) *space.Group {
	out := &space.Group{}
	for _, a := range all {
		d := &space.Decision{Address: a.Name, Kind: space.OneOf, Pos: a.Span.Start, Min: 1, Max: 1}
		for _, alt := range a.alts {
			d.Alts = append(d.Alts, &space.Alt{Label: alt.label, Sub: g.group(alt.below)})
		}
		out.Decisions = append(out.Decisions, d)
	}
	return out
}

// Cover lists points that between them take every alternative of every axis but
// those that are left out, the first point first.
func (g *Grid) Cover(without func(Axis) bool) []int {
	var out []int
	type taken struct{ axis, alternative int64 }
	seen := map[taken]bool{}
	for n := range g.Size() {
		genotype, err := g.points.Unrank(big.NewInt(int64(n)))
		if err != nil {
			break // no point has a number beyond the size
		}
		fresh := n == 0
		for id, a := range genotype {
			if at := (taken{int64(id), a}); a != space.Inactive && !seen[at] && (without == nil || !without(g.byID[id].Axis)) {
				seen[at], fresh = true, true
			}
		}
		if fresh {
			out = append(out, n)
		}
	}
	return out
}

// gridBuilder finds the axes of a block.
type gridBuilder struct {
	reader *searchReader
	uses   map[*syntax.Let]int
	shared map[*syntax.Let]bool // already laid out
	tied   []*axis              // of `let`s that are used more than once
	depth  int
}

// block visits the expressions of a block that may be swept, with the setting
// that each belongs to.
func (b *gridBuilder) block(d *syntax.Search, visit func(syntax.Expr, string)) {
	if !b.reader.fixed("space") {
		visit(d.Over, "space")
	}
	for _, st := range d.Body {
		switch st := st.(type) {
		case *syntax.Assign:
			if !b.reader.fixed(st.Name.Name) {
				visit(st.Value, st.Name.Name)
			}
		case *syntax.Verb:
			if !b.reader.fixed(st.Verb) {
				visit(st.Value, st.Verb)
			}
		}
	}
}

// inner visits the parts of an expression that is no axis itself; an argument
// has a path of its own.
func (b *gridBuilder) inner(p place, path string, visit func(place, string)) {
	switch e := p.e.(type) {
	case *syntax.Call:
		visit(place{e.Fun, p.m}, path)
		for _, a := range e.Args {
			at := path
			if a.Name != nil {
				at += "." + a.Name.Name
			}
			if !b.reader.fixed(at) {
				visit(place{a.Value, p.m}, at)
			}
		}
	case *syntax.Paren:
		visit(place{e.X, p.m}, path)
	case *syntax.List:
		for _, x := range e.Elems {
			visit(place{x, p.m}, path)
		}
	case *syntax.If:
		for _, x := range []syntax.Expr{e.Cond, e.Then, e.Else} {
			visit(place{x, p.m}, path)
		}
	case *syntax.Binary:
		visit(place{e.X, p.m}, path)
		visit(place{e.Y, p.m}, path)
	case *syntax.Unary:
		visit(place{e.X, p.m}, path)
	case *syntax.Index:
		visit(place{e.X, p.m}, path)
		visit(place{e.I, p.m}, path)
	}
}

// count counts the uses of each `let`, whose own parts are looked at once.
func (b *gridBuilder) count(p place, path string) {
	switch e := p.e.(type) {
	case *syntax.Name:
		if l, home := let(e.Name, p.m); l != nil {
			if b.uses[l]++; b.uses[l] == 1 {
				b.count(place{l.Value, home}, e.Name)
			}
		}
	case *syntax.Choice:
		for _, a := range e.Alts {
			b.count(place{a.Value, p.m}, path)
		}
	default:
		b.inner(p, path, b.count)
	}
}

// collect finds the axes of an expression.
func (b *gridBuilder) collect(p place, path string, into *[]*axis) {
	if b.depth++; b.depth > maxLets {
		if !b.reader.diags.HasErrors() {
			b.reader.diags.Add("E0410", p.e.Span(), "names that stand for one another, more than %d deep", maxLets)
		}
		return
	}
	defer func() { b.depth-- }()
	switch e := p.e.(type) {
	case *syntax.Name:
		l, home := let(e.Name, p.m)
		switch {
		case l == nil:
		case b.uses[l] < 2:
			b.collect(place{l.Value, home}, e.Name, into)
		case !b.shared[l]:
			b.shared[l] = true
			b.collect(place{l.Value, home}, e.Name, &b.tied)
		}
	case *syntax.Choice, *syntax.Range:
		a := &axis{Axis: Axis{Path: path, Span: e.Span()}}
		b.alternatives(p, path, a, nil)
		if len(a.alts) == 0 {
			if !b.reader.diags.HasErrors() {
				b.reader.diags.Add("E0403", e.Span(), "nothing is left to sweep")
			}
			return
		}
		seen := map[string]int{}
		for i := range a.alts {
			l := &a.alts[i].label
			if seen[*l]++; seen[*l] > 1 {
				*l = fmt.Sprintf("%s #%d", *l, seen[*l])
			}
			a.Labels = append(a.Labels, *l)
		}
		*into = append(*into, a)
	case *syntax.Of:
		d := b.reader.diags.Add("E0550", e.Span(), "a search sweeps one value at a time; `of` has no meaning here")
		d.Help = "write the values with `|`"
	default:
		b.inner(p, path, func(p place, path string) { b.collect(p, path, into) })
	}
}

// alternatives adds those of a choice or range to an axis, where `before` has
// been taken to come here. A choice or range as an alternative is spliced in.
func (b *gridBuilder) alternatives(p place, path string, a *axis, before check.Taken) {
	with := func(e syntax.Expr, i int64) check.Taken {
		out := check.Taken{e: i}
		for e, i := range before {
			out[e] = i
		}
		return out
	}
	switch e := p.e.(type) {
	case *syntax.Range:
		values, diags := check.RangeValues(b.reader.m.prog, p.m, e)
		b.reader.diags = append(b.reader.diags, diags...)
		for _, v := range values {
			a.alts = append(a.alts, alternative{label: graph.FormatValue(v), takes: with(e, v)})
		}
	case *syntax.Choice:
		for i, alt := range e.Alts {
			if alt.Guard != nil {
				v, ok := b.reader.constant(place{alt.Guard, p.m})
				if b2, isBool := v.(bool); ok && !isBool {
					b.reader.diags.Add("E0303", alt.Guard.Span(), "a condition must be true or false, not %v", v)
				} else if !b2 {
					continue
				}
			}
			inner := alt.Value
			for {
				paren, ok := inner.(*syntax.Paren)
				if !ok {
					break
				}
				inner = paren.X
			}
			switch inner.(type) {
			case *syntax.Choice, *syntax.Range:
				b.alternatives(place{inner, p.m}, path, a, with(e, int64(i)))
				continue
			}
			one := alternative{label: format.Expr(alt.Value), takes: with(e, int64(i))}
			b.collect(place{inner, p.m}, path, &one.below)
			if call, ok := inner.(*syntax.Call); ok && len(one.below) > 0 {
				one.label = format.Expr(call.Fun) // its arguments are axes of their own
			}
			a.alts = append(a.alts, one)
		}
	}
}
