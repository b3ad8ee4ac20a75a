package resolve

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// PluginOps is what a [Reader] is asked for to learn which operations a plugin
// offers: `.nas` text with the signatures of its ops, a module like any other.
// A reader that does not know the plugin answers with fs.ErrNotExist, one whose
// plugin offers no operations with empty text.
func PluginOps(name string) string { return pluginPrefix + name }

const pluginPrefix = "plugin:"

// PluginName is the inverse of PluginOps.
func PluginName(path string) (string, bool) { return strings.CutPrefix(path, pluginPrefix) }

// plugin binds an imported plugin. Its operations are read only where a file
// uses the plugin outside of its searches, which need none.
func (l *loader) plugin(m *Module, im *syntax.Import) *Symbol {
	s := &Symbol{Plugin: im}
	if !selects(m.File, alias(im)) {
		return s
	}
	path := PluginOps(im.Path.Value)
	if known, ok := l.done[path]; ok {
		s.Module = known
		return s
	}
	src, err := l.read(path)
	var known *diag.Diagnostic
	switch {
	case err == nil:
		s.Module = l.module(path, im.Path.Value, src, im.Path.Span())
	case errors.As(err, &known):
		d := *known // what is wrong with the plugin itself
		if !d.Span.Start.Valid() {
			d.Span = im.Path.Span()
		}
		l.diags = append(l.diags, &d)
		s.Module, s.Plugin = nil, nil
	case !errors.Is(err, fs.ErrNotExist):
		l.diags.Add("E0207", im.Path.Span(), "cannot read the operations of the plugin `%s`: %s", im.Path.Value, reason(err))
	}
	return s
}

// selects reports whether a declaration other than a search says `name.x`.
func selects(f *syntax.File, name string) bool {
	found := false
	for _, d := range f.Decls {
		if _, ok := d.(*syntax.Search); ok {
			continue
		}
		syntax.Walk(d, func(n syntax.Node) bool {
			if s, ok := n.(*syntax.Select); ok {
				x, isName := s.X.(*syntax.Name)
				found = found || isName && x.Name == name
			}
			return !found
		})
	}
	return found
}

// Operation finds the operation that `plugin.name` means, or reports that there
// is none.
func Operation(diags *diag.List, s *Symbol, name *syntax.Ident) *Symbol {
	plugin := s.Plugin.Path.Value
	if s.Module == nil {
		d := diags.Add("E0512", name.Span(), "the plugin `%s` is not installed, so its operation `%s` is not known", plugin, name.Name)
		d.Notes = append(d.Notes, diag.Note{Span: s.Plugin.Path.Span(), Text: "imported here"})
		return nil
	}
	op, ok := s.Module.Names[name.Name]
	if ok && op.Decl != nil && op.Home == s.Module && !strings.HasPrefix(name.Name, "_") {
		return op
	}
	d := diags.Add("E0512", name.Span(), "the plugin `%s` offers no operation `%s`", plugin, name.Name)
	if offered := s.Module.Exports(); len(offered) == 0 {
		d.Notes = append(d.Notes, diag.Note{Span: s.Plugin.Path.Span(), Text: "it offers optimizers and evaluators only"})
	} else if best, near := diag.Suggest(name.Name, offered); near {
		d.Help = "did you mean `" + best + "`?"
	} else {
		d.Help = "it offers " + strings.Join(offered, ", ")
	}
	return nil
}
