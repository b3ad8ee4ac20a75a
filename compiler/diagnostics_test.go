package compiler

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/diag/diagtest"
)

// TestDiagnostics compares what the compiler says with the comments in
// testdata/*.nas, each beside the source that causes it.
func TestDiagnostics(t *testing.T) {
	diagtest.Run(t, "testdata/*.nas", func(file string, src []byte) diag.List {
		m, diags := Load(file, func(name string) ([]byte, error) {
			if name == file {
				return src, nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		})
		diags = append(diags, m.Check()...)
		diags.Sort()
		return diags
	})
}

// TestImportCycle follows a cycle through three files.
func TestImportCycle(t *testing.T) {
	files := map[string]string{
		"a.nas": `import { b } from "./b.nas"` + "\nblock a = b",
		"b.nas": `import { c } from "./c.nas"` + "\nblock b = c",
		"c.nas": `import { a } from "./a.nas"` + "\nblock c = a",
	}
	_, diags := Load("a.nas", func(name string) ([]byte, error) {
		if s, ok := files[name]; ok {
			return []byte(s), nil
		}
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	})
	if len(diags) != 1 || diags[0].Code != "E0205" || diags[0].Message != "import cycle: a.nas -> b.nas -> c.nas -> a.nas" {
		t.Errorf("got %v", diags)
	}
}

// TestExplainPages: every code that the compiler reports has a page for `nasc explain`.
func TestExplainPages(t *testing.T) {
	diagtest.Pages(t, ".", "resolve", "check")
}
