// Package starter holds the projects that `nasc plugin new` writes: a plugin that
// builds, runs and has its test, to be changed into what its author has in mind.
//
// A project is the files of its language and kind and those of common, with what stands
// in {{ }} filled in. A file's name ends in .tmpl here, so that Go does not take it for
// its own.
package starter

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed go python
var files embed.FS

// Kinds are the kinds of plugin that there are projects of.
func Kinds() []string { return []string{"evaluator", "oneshot", "op", "optimizer"} }

// Languages are the languages that there are projects in.
func Languages() []string { return []string{"go", "python"} }

// Project is what is filled in.
type Project struct {
	Language string // "go"
	Kind     string // "optimizer"
	Name     string // "me/annealing"
	Nasc     string // version of nasc to build with, "v0.1.0"
	Source   string // folder of nasc's source to build with instead; may be empty
	Protocol int
}

// Owner and Base are the halves of the name.
func (p Project) Owner() string { owner, _, _ := strings.Cut(p.Name, "/"); return owner }

// Base is the name without its owner.
func (p Project) Base() string { return path.Base(p.Name) }

// Component is the name of the component: as the plugin, in the letters of an
// identifier.
func (p Project) Component() string { return strings.ReplaceAll(p.Base(), "-", "_") }

// Part is the part that the component has in a search; of an operation, "op".
func (p Project) Part() string {
	if p.Kind == "oneshot" {
		return "optimizer"
	}
	return p.Kind
}

// Write writes the project into a folder that does not exist yet, and lists its files.
func (p Project) Write(dir string) ([]string, error) {
	if !slices.Contains(Kinds(), p.Kind) || !slices.Contains(Languages(), p.Language) {
		return nil, fmt.Errorf("there is no project of a plugin of kind %s in %s", p.Kind, p.Language)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	var written []string
	for _, part := range []string{"common", p.Kind} {
		root := p.Language + "/" + part
		err := fs.WalkDir(files, root, func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, at)
			if err != nil {
				return err
			}
			made, err := p.fill(at, string(text))
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(strings.TrimPrefix(at, root+"/"), ".tmpl")
			to := filepath.Join(dir, filepath.FromSlash(strings.ReplaceAll(name, "dot-", ".")))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			written = append(written, to)
			return os.WriteFile(to, made, 0o644)
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(written)
	return written, nil
}

func (p Project) fill(name, text string) ([]byte, error) {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}
