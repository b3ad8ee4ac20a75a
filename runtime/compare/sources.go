package compare

import (
	"slices"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/format"
	"github.com/nasc-project/nasc/dsl/syntax"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/store"
)

// sameSpaces reports whether the files of runs, where their hashes differ, still say
// the same of spaces: a search block was edited, or the search stands in a file of
// its own that imports the space.
func sameSpaces(runs []*Run) bool {
	if !slices.ContainsFunc(runs, func(r *Run) bool { return r.manifest.Space.Sources != runs[0].manifest.Space.Sources }) {
		return true
	}
	texts := map[string]string{} // by hash of the sources
	for _, r := range runs {
		if sum := r.manifest.Space.Sources; texts[sum] == "" {
			if texts[sum] = spaces(r.manifest); texts[sum] == "" {
				return false
			}
		}
	}
	for _, text := range texts {
		if text != texts[runs[0].manifest.Space.Sources] {
			return false
		}
	}
	return true
}

// spaces is what the files of a run say without search blocks, imports of plugins and
// of one-shot methods, and files that only import; "" when that is not to be told. The standard library
// is not among the files, but in the hash: it is that of this nasc, or the answer
// is "".
func spaces(m *store.Manifest) string {
	module, diags := plan.Reload(m)
	if diags.HasErrors() || module.Hash() != m.Space.Sources {
		return ""
	}
	var files []string
	for _, s := range m.Sources {
		f, diags := syntax.Parse(s.File, []byte(s.Text))
		if diags.HasErrors() {
			return ""
		}
		f.Decls = slices.DeleteFunc(f.Decls, func(d syntax.Decl) bool { _, search := d.(*syntax.Search); return search })
		f.Imports = slices.DeleteFunc(f.Imports, func(i *syntax.Import) bool { return i.Plugin || i.Path.Value == compiler.OneShot })
		f.Trailing = nil
		named := slices.ContainsFunc(f.Imports, func(i *syntax.Import) bool { return i.Alias != nil })
		if len(f.Decls) > 0 || named {
			files = append(files, string(format.File(f)))
		}
	}
	slices.Sort(files)
	return strings.Join(files, "\x00")
}
