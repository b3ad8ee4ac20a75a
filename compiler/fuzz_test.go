package compiler

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
)

// FuzzCompile feeds files to the whole compiler. Every diagnostic has a code with
// a page and a place in the file, and what has none compiles. Whatever compiles
// must sample, bind, validate and print; nothing may panic or run away.
func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{"../spaces/*/*.nas", "../stdlib/*.nas", "../dsl/syntax/testdata/*.nas", "testdata/*.nas", "testdata/newcomer/*.nas"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for _, chunk := range strings.Split(string(src), "\n---\n") {
				f.Add(chunk)
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		m, diags := Load("fuzz.nas", func(name string) ([]byte, error) {
			if name == "fuzz.nas" {
				return []byte(src), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		})
		for _, d := range append(diags, m.Check()...) {
			if _, ok := diag.Explain(d.Code); !ok || d.Message == "" || d.Span.Start.File == "fuzz.nas" && d.Span.Start.Offset > len(src) {
				t.Fatalf("unsound diagnostic %+v", d)
			}
		}
		if diags.HasErrors() {
			return
		}
		if searches, diags := m.Searches(); !diags.HasErrors() {
			for _, s := range searches {
				for _, q := range s.Requirements {
					if again, err := ParseRequirement(q.Text); err != nil || again.Text != q.Text {
						t.Fatalf("the requirement %q is read again as %v, %v", q.Text, again, err)
					}
				}
			}
		}
		for _, name := range m.Spaces() {
			s, diags := m.Space(name, nil)
			if diags.HasErrors() {
				continue
			}
			if s == nil {
				t.Fatalf("%s does not compile, and nothing is said about it", name)
			}
			g := s.Sample(stream.New(1, "fuzz", 0))
			a, err := s.Bind(g)
			if err != nil {
				continue // a dimension that is impossible for this genotype
			}
			if err := a.Validate(); err != nil {
				t.Fatalf("%s: %v", s.Format(g), err)
			}
			if _, err := s.Print(g); err != nil {
				t.Fatal(err)
			}
		}
	})
}
