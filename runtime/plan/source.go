package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	slashpath "path"
	"path/filepath"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/store"
	"github.com/nasc-project/nasc/spaces"
)

// ReadFile reads a .nas file: one on the disk, else one of the shipped spaces.
func ReadFile(name string) ([]byte, error) {
	data, err := os.ReadFile(name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	shipped := strings.TrimPrefix(slashpath.Clean(filepath.ToSlash(name)), "spaces/")
	if embedded, e := spaces.Files.ReadFile(shipped); e == nil {
		return embedded, nil
	}
	return nil, err
}

// Load reads a file with everything it imports, and keeps what was read.
func Load(file string) (*compiler.Module, []store.SourceFile, diag.List) {
	var sources []store.SourceFile
	m, diags := compiler.Load(file, func(name string) ([]byte, error) {
		text, err := ReadFile(name)
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
func Reload(m *store.Manifest) (*compiler.Module, diag.List) {
	text := map[string]string{}
	for _, s := range m.Sources {
		text[s.File] = s.Text
	}
	return compiler.Load(m.Space.File, func(name string) ([]byte, error) {
		if t, ok := text[name]; ok {
			return []byte(t), nil
		}
		return nil, fmt.Errorf("the manifest does not hold %s", name)
	})
}
