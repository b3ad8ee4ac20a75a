package compiler

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/dsl/diag"
)

// FuzzCompile feeds files to the whole compiler. Every diagnostic has a code with
// a page and a place in the file, and what has none compiles. Whatever compiles
// must sample, bind, validate, and print as a file that compiles to the same
// architecture and no other; nothing may panic or run away.
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
				if !strings.Contains(chunk, "//! E041") { // what is too large takes its time
					f.Add(chunk)
				}
			}
		}
	}
	page, err := os.ReadFile("../docs/language.md")
	if err != nil {
		f.Fatal(err)
	}
	for i, block := range strings.Split(string(page), "\n```") {
		if _, text, ok := strings.Cut(block, "\n"); ok && i%2 == 1 && strings.HasPrefix(block, "nas") {
			f.Add(text + "\n")
		}
	}
	f.Add("op _a(x: [c, h, w], n: int = 1) -> x { params = n }\nspace s(image: [3, 8, 8]) = image -> _a(n: 2 | 3)\n")
	f.Fuzz(func(t *testing.T, src string) {
		m, diags := Load("fuzz.nas", func(name string) ([]byte, error) {
			if name == "fuzz.nas" {
				return []byte(src), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		})
		diags = append(diags, m.Check()...)
		for _, d := range diags {
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
			text, err := s.Print(g)
			if err != nil {
				t.Fatal(err)
			}
			b, err := alone(text, src)
			if said := (diag.List)(nil); errors.As(err, &said) && said[0].Code == "E0206" {
				continue // an operation that stays in its file
			}
			if err != nil || b.Hash() != a.Hash() || b.Params() != a.Params() || b.MACs() != a.MACs() {
				t.Fatalf("%s is printed as another architecture (%v):\n%s", s.Format(g), err, text)
			}
			if g, err := s.Parse(s.Format(g)); err != nil || s.Check(g) != nil {
				t.Fatal(err)
			}
		}
	})
}

// alone binds the architecture that a printed file holds, which may import the
// ops of fuzz.nas.
func alone(text, src string) (*graph.Graph, error) {
	m, diags := Load("arch.nas", func(name string) ([]byte, error) {
		if name == "fuzz.nas" {
			return []byte(src), nil
		}
		return []byte(text), nil
	})
	if diags.HasErrors() {
		return nil, diags
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		return nil, diags
	}
	if s.Size().Cmp(big.NewInt(1)) != 0 {
		return nil, fmt.Errorf("%v architectures", s.Size())
	}
	g, err := s.Unrank(new(big.Int))
	if err != nil {
		return nil, err
	}
	return s.Bind(g)
}
