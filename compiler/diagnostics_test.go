package compiler

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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

// unshown are the codes of the language that no source beside a comment can
// cause; the tests that cause them are named.
var unshown = map[string]string{
	"E0104": "limits_test.go", "E0112": "limits_test.go", "E0117": "limits_test.go",
	"E0118": "limits_test.go", "E0210": "limits_test.go",
	"E0105": "../dsl/syntax/parse_test.go",
	"E0431": "../dsl/diag/diag_test.go", // about a genotype, not a file
}

// TestEveryCodeIsShown: each code of a file that is wrong stands in a test beside
// the source that causes it. (TestEveryCode of the whole tree is about all codes,
// but content with less.)
func TestEveryCodeIsShown(t *testing.T) {
	var shown strings.Builder
	for _, pattern := range []string{"testdata/*.nas", "../dsl/syntax/testdata/*.nas", "../cmd/nasc/testdata/script/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			shown.Write(text)
		}
	}
	for _, code := range diag.Codes() {
		if code >= "E05" || strings.Contains(shown.String(), code) {
			continue
		}
		text, _ := os.ReadFile(unshown[code])
		if !strings.Contains(string(text), code) {
			t.Errorf("no test shows what causes %s, %s", code, diag.Title(code))
		}
	}
}
