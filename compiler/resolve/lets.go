package resolve

import (
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// let checks the names of a top-level `let` and remembers which other lets of
// the file it needs. Only its own value counts: a template that it names is
// looked into when it is used.
func (w *walker) let(d *syntax.Let) {
	w.needs, w.inLet = nil, true
	w.expr(d.Value, nil)
	w.inLet = false
	if w.lets == nil {
		w.lets = map[*syntax.Let][]need{}
	}
	w.lets[d] = w.needs
}

// need is a let that another one names.
type need struct {
	let *syntax.Let
	at  diag.Span
}

// circles reports every let that needs itself, once for each circle.
func (w *walker) circles() {
	done := map[*syntax.Let]bool{}
	var path []need
	on := map[*syntax.Let]int{}
	var visit func(*syntax.Let)
	visit = func(d *syntax.Let) {
		done[d] = true
		on[d] = len(path)
		for _, n := range w.lets[d] {
			path = append(path, n)
			if from, circle := on[n.let]; circle {
				w.circle(n.let, path[from:])
			} else if !done[n.let] {
				visit(n.let)
			}
			path = path[:len(path)-1]
		}
		delete(on, d)
	}
	for _, d := range w.mod.File.Decls {
		if l, ok := d.(*syntax.Let); ok && !done[l] {
			visit(l)
		}
	}
}

// maxShown is how many lets of a circle are listed.
const maxShown = 10

func (w *walker) circle(d *syntax.Let, path []need) {
	if w.prog.circular == nil {
		w.prog.circular = map[*syntax.Let]bool{}
	}
	for _, n := range path {
		w.prog.circular[n.let] = true
	}
	names := []string{d.Name.Name}
	for i, n := range path {
		if i == maxShown && i < len(path)-1 {
			names = append(names, "…", d.Name.Name)
			path = path[:i]
			break
		}
		names = append(names, n.let.Name.Name)
	}
	e := w.diags.Add("E0211", path[0].at, "`%s` needs its own value: %s", d.Name.Name, strings.Join(names, " -> "))
	for _, n := range path[1:] {
		e.Notes = append(e.Notes, diag.Note{Span: n.at, Text: "`" + n.let.Name.Name + "` is needed here"})
	}
}
