package compiler

import (
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Operations are those of a plugin of which the module makes use.
type Operations struct {
	Plugin     string    // "lab/ops"
	Version    string    // the versions that are wanted; empty: any
	Signatures string    // that declare them
	Span       diag.Span // where the plugin is imported
	// Computed: some of them may have to be computed by the plugin's process. Otherwise all
	// are made of operations of others.
	Computed bool
}

// Operations lists the plugins of whose operations the module makes use.
func (m *Module) Operations() []Operations {
	var out []Operations
	for _, in := range m.prog.Modules {
		plugin, ok := resolve.PluginName(in.Key())
		if !ok || len(in.Source) == 0 {
			continue
		}
		o := Operations{Plugin: plugin, Signatures: string(in.Source)}
		if in.File != nil {
			for _, d := range in.File.Decls {
				t, ok := d.(*syntax.Template)
				o.Computed = o.Computed || ok && t.Kind == syntax.Op
			}
		}
		m.imported(&o)
		out = append(out, o)
	}
	return out
}

// imported finds where a plugin is imported, and which versions are wanted there.
func (m *Module) imported(o *Operations) {
	for _, in := range m.prog.Modules {
		if in.File == nil {
			continue
		}
		for _, im := range in.File.Imports {
			if !im.Plugin || im.Path == nil || im.Path.Value != o.Plugin {
				continue
			}
			if !o.Span.Start.Valid() {
				o.Span = im.Path.Span()
			}
			if im.Version != nil && o.Version == "" {
				o.Version, o.Span = im.Version.Value, im.Path.Span()
			}
		}
	}
}
