package plan

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
)

const fuzzed = `import { conv_bn_relu, skip, zero, global_pool, linear } from "std/vision"

block edge = zero | skip | conv_bn_relu(kernel: 1 | 3)

cell mixed(a) {
    node n[3] = sum(edge(1 of prev))
    return n[2]
}

space s(image: [3, 8, 8]) -> [10]
    = image -> conv_bn_relu(out: 8) * (1..3) -> mixed -> global_pool -> linear(out: 10)
`

// FuzzReadArchitecture feeds what a user may call an architecture: numbers,
// genotypes, files and text. What is accepted is one architecture of its space,
// and its genotype and number lead back to it; what is not is told with a code.
func FuzzReadArchitecture(f *testing.F) {
	read := func(name string) ([]byte, error) {
		if name == "s.nas" {
			return []byte(fuzzed), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	m, diags := compiler.Load("s.nas", read)
	if diags.HasErrors() {
		f.Fatal(diags)
	}
	s, diags := m.Space("", nil)
	if diags.HasErrors() {
		f.Fatal(diags)
	}
	n := 0
	for g := range s.All() {
		if n++; n > 50 {
			break
		}
		text, err := s.Print(g)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s.Format(g))
		f.Add(text)
	}
	for _, text := range []string{"", "#0", "#17", "#-1", "#1e9", "#99999999999999999999999999", "# 1", "s.nas", "t.nas", fuzzed, "space ", "a=b", "{0,1},2", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, diags := ReadArchitecture(s, text, read, nil)
		if diags.HasErrors() {
			for _, d := range diags {
				if _, ok := diag.Explain(d.Code); !ok || d.Message == "" {
					t.Fatalf("unsound diagnostic %+v", d)
				}
			}
			return
		}
		if err := a.Graph.Validate(); err != nil {
			t.Fatal(err)
		}
		rank, err := a.Space.Rank(a.Genotype)
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []string{"#" + rank.String(), a.Space.Format(a.Genotype)} {
			b, diags := ReadArchitecture(a.Space, again, read, nil)
			if diags.HasErrors() || !b.Genotype.Equal(a.Genotype) || b.Graph.Hash() != a.Graph.Hash() {
				t.Fatalf("%q is %q, which is another architecture: %v", strings.TrimSpace(text), again, diags)
			}
		}
	})
}
