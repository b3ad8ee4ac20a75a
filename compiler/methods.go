package compiler

import (
	"io/fs"
	"slices"
	"sync"

	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/stdlib"
)

// OneShot is the standard module whose names are those of published one-shot methods.
// Each is a `let` for a component of a plugin with its settings, as anybody may write.
const OneShot = "std/oneshot"

// standard is the module OneShot.
var standard = sync.OnceValue(func() *Module {
	m, _ := Load(OneShot, func(name string) ([]byte, error) { // a test reads it for mistakes
		if _, ok := resolve.PluginName(name); ok {
			return nil, fs.ErrNotExist
		}
		src, _ := stdlib.Source(name)
		return src, nil
	})
	return m
})

// Method reads the component that a name stands for: that of a `let` of the file, or
// else of OneShot. It is nil without a diagnostic where there is no such name.
func (m *Module) Method(name string) (*Component, diag.List) {
	for _, in := range []*Module{m, standard()} {
		l, home := let(name, in.prog.Root)
		if l == nil {
			continue
		}
		r := &searchReader{m: in, fixed: func(string) bool { return false }}
		c := r.component("", place{l.Value, home})
		if c != nil {
			c.Name = name
		}
		return c, r.diags
	}
	return nil, nil
}

// Methods are the names for which Method has a component, sorted.
func (m *Module) Methods() []string {
	out := slices.Concat(methods(m.prog, m.prog.Root), methods(standard().prog, standard().prog.Root))
	slices.Sort(out)
	return slices.Compact(out)
}

// methods are the names of a module that stand for components of plugins.
func methods(prog *resolve.Program, m *resolve.Module) []string {
	var out []string
	r := &searchReader{m: &Module{prog: prog}, fixed: func(string) bool { return false }}
	for name := range m.Names {
		if l, home := let(name, m); l != nil && isComponent(r.meaning(place{l.Value, home})) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// meant is the help for those who use a name for a component that it is not.
func (r *searchReader) meant(name string, m *resolve.Module) string {
	if best, ok := diag.Suggest(name, slices.Concat(plugins(m), methods(r.m.prog, m))); ok {
		return "did you mean `" + best + "`?"
	}
	published := methods(standard().prog, standard().prog.Root)
	if slices.Contains(published, name) {
		return "write `import { " + name + " } from \"" + OneShot + "\"` at the top of the file"
	}
	if best, ok := diag.Suggest(name, published); ok {
		return "did you mean `" + best + "` of \"" + OneShot + "\"?"
	}
	return "write `import plugin \"nasc/" + name + "\"` at the top of the file"
}
