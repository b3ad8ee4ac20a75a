// Package resolve reads a .nas file with everything it imports and gives every
// name a meaning.
//
// One file is one module. Its top level is order-free; a name is, in this order,
// one of its own declarations, a name it imports, or a name of the core module
// that everybody knows (sum, mean, concat). Inside a template, names are
// parameters, dimensions that a parameter's shape introduces, and single
// assignments from top to bottom; a local name may hide a top-level one but
// never another local one. Resolve checks all of that for every declaration,
// used or not, before any meaning is computed; types and shapes are the
// business of compiler/check.
//
// Imports may not form a cycle. `std/…` is embedded, `./…` and `../…` are
// relative to the importing file, `plugin "ns/name"` names a plugin and binds an
// alias for its components, of which `search` blocks speak, and for its operations.
package resolve

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/stdlib"
)

// Reader returns the text of a file. It is os.ReadFile, or an embedded tree.
type Reader func(path string) ([]byte, error)

// Module is one file with its names bound.
type Module struct {
	Path   string // as a user would write it; "std/vision" for embedded ones
	Source []byte
	File   *syntax.File
	Names  map[string]*Symbol // own declarations and imports
	Order  []string           // own declarations in order

	key        string // of the loader
	importPath string // see Import
	broken     bool   // it has syntax errors, so names may be missing
}

// Symbol is what a top-level name stands for, or nothing where an import has
// failed, so that its uses are not reported as well.
type Symbol struct {
	Decl   syntax.Decl    // a declaration …
	Home   *Module        // … and the module that holds it
	Module *Module        // import "./cells.nas" as cells
	Plugin *syntax.Import // import plugin "ns/name" as evo; then Module holds its operations, nil when they are not known
}

// Program is a file and all it imports, in the order they were read.
type Program struct {
	Root    *Module
	Core    *Module
	Modules []*Module

	circular map[*syntax.Let]bool
}

// Circular reports whether the value of a let needs itself, which was reported.
func (p *Program) Circular(d *syntax.Let) bool { return p.circular[d] }

// Source returns the text of a file that the program read, or nil.
func (p *Program) Source(file string) []byte {
	for _, m := range p.Modules {
		if m.Path == file {
			return m.Source
		}
	}
	return nil
}

// Parsed reports whether every module was read without syntax errors, so that
// all declarations are there.
func (p *Program) Parsed() bool {
	for _, m := range p.Modules {
		if m.broken {
			return false
		}
	}
	return p.Root != nil && p.Core != nil
}

// Hash is the SHA-256 of all sources read, in order, as lower-case hex.
func (p *Program) Hash() string {
	h := sha256.New()
	for _, m := range p.Modules {
		h.Write([]byte(path.Base(filepath.ToSlash(m.Path))))
		h.Write([]byte{0})
		h.Write(m.Source)
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Load reads the file at path and everything it imports. The program is
// returned even when there are diagnostics, so that they can be shown with
// their source; it must not be used further when they hold an error.
func Load(path string, read Reader) (*Program, diag.List) {
	l := &loader{read: read, done: map[string]*Module{}, prog: &Program{}}
	l.prog.Root = l.file(path, diag.Span{})
	l.prog.Core = l.std(stdlib.Core, diag.Span{})
	for _, m := range l.prog.Modules {
		if !m.broken {
			var found diag.List
			names(l.prog, m, &found)
			l.diags = append(l.diags, found...)
		}
	}
	l.diags.Limit()
	return l.prog, l.diags
}

// maxModules and maxText bound what one file may pull in.
const (
	maxModules = 1000
	maxText    = 16 << 20
)

type loader struct {
	read  Reader
	done  map[string]*Module // by key; nil while it is being read
	stack []loading
	prog  *Program
	diags diag.List
	again int // names declared twice so far
	text  int // bytes of all modules
}

// loading is a module whose imports are being read, and where it was imported.
type loading struct {
	key, path string
	at        diag.Span
}

func (l *loader) std(name string, at diag.Span) *Module {
	src, ok := stdlib.Source(name)
	if !ok {
		d := l.diags.Add("E0204", at, "there is no standard module `%s`", name)
		if best, ok := diag.Suggest(name, stdlib.Modules()); ok {
			d.Help = "did you mean `" + best + "`?"
		} else {
			d.Help = "standard modules: " + strings.Join(stdlib.Modules(), ", ")
		}
		return nil
	}
	return l.module(name, name, src, at)
}

func (l *loader) file(p string, at diag.Span) *Module {
	key := filepath.ToSlash(filepath.Clean(p))
	if m, ok := l.done[key]; ok && m != nil {
		return m
	}
	if l.cyclic(key, at) {
		return nil
	}
	src, err := l.read(p)
	if err != nil {
		help := "a shipped space is named as in `spaces/darts/darts.nas`"
		if at.Start.Valid() {
			help = "paths are relative to the importing file; " + help
		} else {
			at.Start.File = p
		}
		d := l.diags.Add("E0207", at, "cannot read %s: %s", p, reason(err))
		if errors.Is(err, fs.ErrNotExist) {
			d.Help = help
		}
		return nil
	}
	if len(l.prog.Modules) >= maxModules {
		l.diags.Add("E0210", at, "more than %d modules are imported", maxModules)
		return nil
	}
	if l.text += len(src); l.text > maxText {
		l.diags.Add("E0210", at, "the modules that are imported have more than %d bytes", maxText)
		return nil
	}
	m := l.module(key, p, src, at)
	if m != nil {
		m.importPath = key
		if !filepath.IsAbs(key) && !strings.HasPrefix(key, "../") {
			m.importPath = "./" + key
		}
	}
	return m
}

// reason is the cause of a file error without the path, which is said already.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}

func (l *loader) cyclic(key string, at diag.Span) bool {
	for i, s := range l.stack {
		if s.key != key {
			continue
		}
		var chain []string
		for _, t := range l.stack[i:] {
			chain = append(chain, t.path)
		}
		chain = append(chain, s.path)
		d := l.diags.Add("E0205", at, "import cycle: %s", strings.Join(chain, " -> "))
		for _, t := range l.stack[i+1:] {
			d.Notes = append(d.Notes, diag.Note{Span: t.at, Text: t.path + " is imported here"})
		}
		d.Help = "move what both need into a third file"
		return true
	}
	return false
}

func (l *loader) module(key, name string, src []byte, at diag.Span) *Module {
	if m, ok := l.done[key]; ok && m != nil {
		return m
	}
	if l.cyclic(key, at) {
		return nil
	}
	m := &Module{Path: name, Source: src, Names: map[string]*Symbol{}, key: key, importPath: name}
	l.prog.Modules = append(l.prog.Modules, m)
	file, diags := syntax.Parse(name, src)
	l.diags = append(l.diags, diags...)
	m.broken = diags.HasErrors()
	m.File = file
	if file == nil {
		l.done[key] = m
		return m
	}
	l.stack = append(l.stack, loading{key: key, path: name, at: at})
	l.declare(m)
	l.imports(m)
	l.stack = l.stack[:len(l.stack)-1]
	l.done[key] = m
	return m
}

func (l *loader) declare(m *Module) {
	for _, d := range m.File.Decls {
		id := d.DeclName()
		if id == nil || id.Name == "" {
			continue
		}
		if old, ok := m.Names[id.Name]; ok {
			l.twice(id, old.Decl.DeclName().Span())
			continue
		}
		if Function(id.Name) && m.Path != stdlib.Core {
			l.diags.Add("E0203", id.Span(), "`%s` is a function of the language and cannot be declared again", id.Name).
				Help = "choose another name, such as `" + id.Name + "_`"
			m.Names[id.Name] = &Symbol{}
			continue
		}
		m.Names[id.Name] = &Symbol{Decl: d, Home: m}
		m.Order = append(m.Order, id.Name)
	}
}

func (l *loader) twice(id *syntax.Ident, first diag.Span) {
	if l.again++; l.again > diag.MaxErrors+1 {
		return
	}
	d := l.diags.Add("E0203", id.Span(), "`%s` is declared twice", id.Name)
	d.Notes = append(d.Notes, diag.Note{Span: first, Text: "first declared here"})
}

func (l *loader) imports(m *Module) {
	for _, im := range m.File.Imports {
		if im.Path == nil {
			continue
		}
		if im.Plugin {
			l.bindImport(m, alias(im), im.Path.Span(), l.plugin(m, im))
			continue
		}
		from := l.target(m, im)
		if from == nil || from.File == nil || from.broken {
			m.unknown(im)
			continue
		}
		if im.Alias != nil {
			l.bindImport(m, im.Alias.Name, im.Alias.Span(), &Symbol{Module: from})
		} else if len(im.Names) == 0 {
			d := l.diags.Add("E0209", im.Span(), "this import binds no name")
			d.Help = "write `import { name } from \"" + im.Path.Value + "\"` or add `as name`"
		}
		for _, id := range im.Names {
			sym, meant := l.exported(from, id, im.Path.Value)
			if sym == nil {
				sym = &Symbol{}
				if _, ok := m.Names[meant]; !ok && meant != "" {
					m.Names[meant] = sym // its uses are right
				}
			}
			l.bindImport(m, id.Name, id.Span(), sym)
		}
	}
}

// unknown binds the names of an import whose module could not be read.
func (m *Module) unknown(im *syntax.Import) {
	names := im.Names
	if im.Alias != nil {
		names = append(names, im.Alias)
	}
	for _, id := range names {
		if _, ok := m.Names[id.Name]; !ok {
			m.Names[id.Name] = &Symbol{}
		}
	}
}

// Import is how a file in the folder where nasc runs would import m.
func (m *Module) Import() string { return m.importPath }

// Key is what the reader was asked for to have the module, cleaned: that of a plugin's
// operations is [PluginOps].
func (m *Module) Key() string { return m.key }

// alias is the name that a plugin import binds: the one given, or the last part
// of the plugin's name.
func alias(im *syntax.Import) string {
	if im.Alias != nil {
		return im.Alias.Name
	}
	return path.Base(im.Path.Value)
}

func (l *loader) target(m *Module, im *syntax.Import) *Module {
	p, at := im.Path.Value, im.Path.Span()
	_, ofPlugin := PluginName(m.key)
	switch {
	case strings.HasPrefix(p, "std/"):
		return l.std(p, at)
	case ofPlugin:
		l.diags.Add("E0204", at, "the operations of a plugin may use standard modules only, not \"%s\"", p)
		return nil
	case strings.HasPrefix(p, "./"), strings.HasPrefix(p, "../"):
		return l.file(filepath.Join(filepath.Dir(m.Path), filepath.FromSlash(p)), at)
	}
	d := l.diags.Add("E0204", at, "cannot tell what module \"%s\" is", p)
	d.Help = "a module is \"std/…\", \"./…\" or \"../…\"; a plugin is imported with `import plugin \"ns/name\"`"
	if strings.HasPrefix(p, "spaces/") {
		d.Help = "a shipped space is imported as `./" + p + "`"
	}
	return nil
}

func (l *loader) bindImport(m *Module, name string, at diag.Span, s *Symbol) {
	if old, ok := m.Names[name]; ok {
		if old.Decl != nil && s.Decl == old.Decl {
			return
		}
		d := l.diags.Add("E0203", at, "`%s` is declared twice", name)
		if old.Decl != nil {
			d.Notes = append(d.Notes, diag.Note{Span: old.Decl.DeclName().Span(), Text: "also declared here"})
		}
		d.Help = "import it under another name with `as`"
		return
	}
	m.Names[name] = s
}

// exported finds a name of another module. Where there is none, it may tell
// which one was meant.
func (l *loader) exported(from *Module, id *syntax.Ident, path string) (sym *Symbol, meant string) {
	sym, ok := from.Names[id.Name]
	if ok && sym.Decl != nil && sym.Home == from && !strings.HasPrefix(id.Name, "_") {
		return sym, ""
	}
	d := l.diags.Add("E0206", id.Span(), "\"%s\" has no `%s`", path, id.Name)
	if ok && sym.Home == from {
		d.Message = "`" + id.Name + "` is private to \"" + path + "\""
		d.Notes = append(d.Notes, diag.Note{Span: sym.Decl.DeclName().Span(), Text: "a name that starts with `_` is not exported"})
		return nil, ""
	}
	if best, ok := diag.Suggest(id.Name, from.Exports()); ok {
		d.Help = "did you mean `" + best + "`?"
		return nil, best
	}
	return nil, ""
}

// Exports lists the names that other modules may import.
func (m *Module) Exports() []string {
	var out []string
	for _, n := range m.Order {
		if !strings.HasPrefix(n, "_") {
			out = append(out, n)
		}
	}
	return out
}
