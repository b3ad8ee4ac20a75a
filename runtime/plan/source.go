package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/store"
)

// Load reads a file with everything it imports through read, and keeps what was
// read.
func Load(file string, read resolve.Reader) (*compiler.Module, []store.SourceFile, diag.List) {
	var sources []store.SourceFile
	m, diags := compiler.Load(file, func(name string) ([]byte, error) {
		text, err := read(name)
		if err == nil {
			sum := sha256.Sum256(text)
			sources = append(sources, store.SourceFile{File: name, SHA256: hex.EncodeToString(sum[:]), Text: string(text)})
		}
		return text, err
	})
	return m, sources, diags
}

// Reload compiles a run's file from the text that its manifest keeps, whatever
// has become of the file since.
func Reload(m *store.Manifest) (*compiler.Module, diag.List) { return reload(m.Space.File, m.Sources) }

func reload(file string, sources []store.SourceFile) (*compiler.Module, diag.List) {
	text := map[string]string{}
	for _, s := range sources {
		text[s.File] = s.Text
	}
	return compiler.Load(file, func(name string) ([]byte, error) {
		if t, ok := text[name]; ok {
			return []byte(t), nil
		}
		if _, ok := resolve.PluginName(name); ok {
			return nil, fs.ErrNotExist // as it was then
		}
		return nil, fmt.Errorf("the manifest does not hold %s", name)
	})
}
