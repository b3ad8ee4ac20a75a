package nasc_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
)

var code = regexp.MustCompile(`E0[0-9]{3}`)

// sources are what the tree says of diagnostic codes.
type sources struct {
	emitted map[string]string // code -> a file that is no test and has it as a string
	named   map[string]string // a constant, as host.Crashed -> its code
	shown   map[string]bool   // codes in tests and in the files of tests
	used    map[string]bool   // names in Go tests, behind that of their package
}

// TestEveryCode: each code that a diagnostic has stands on a page for `nasc
// explain` and in a test that causes it, and no page is about a code that is gone.
func TestEveryCode(t *testing.T) {
	s := &sources{map[string]string{}, map[string]string{}, map[string]bool{}, map[string]bool{}}
	for _, layer := range layers {
		if err := filepath.WalkDir(layer, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return s.read(path)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for name := range s.used {
		s.shown[s.named[name]] = true
	}
	for c, file := range s.emitted {
		if _, ok := diag.Explain(c); !ok {
			t.Errorf("%s has no page, and %s reports it", c, file)
		}
		if !s.shown[c] {
			t.Errorf("no test causes %s, which %s reports", c, file)
		}
	}
	for _, c := range diag.Codes() {
		if s.emitted[c] == "" {
			t.Errorf("nothing reports %s, %s", c, diag.Title(c))
		}
	}
	t.Logf("%d codes", len(s.emitted))
}

// read takes in one file of the tree.
func (s *sources) read(path string) error {
	test := strings.HasSuffix(path, "_test.go")
	switch {
	case strings.Contains(path, "testdata"):
		if strings.Contains(path, "fuzz") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, c := range code.FindAllString(string(text), -1) {
			s.shown[c] = true
		}
		return err
	case !strings.HasSuffix(path, ".go"):
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	in := f.Name.Name + "."
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && test {
				s.used[x.Name+"."+n.Sel.Name] = true
			}
			ast.Inspect(n.X, visit)
			return false
		case *ast.Ident:
			if test {
				s.used[in+n.Name] = true
			}
		case *ast.ValueSpec:
			for i, v := range n.Values {
				if c := whole(v); c != "" && !test {
					s.named[in+n.Names[i].Name] = c
				}
			}
		case *ast.BasicLit:
			if c := whole(n); c != "" && !test {
				s.emitted[c] = path
			}
			if test && n.Kind == token.STRING {
				for _, c := range code.FindAllString(n.Value, -1) {
					s.shown[c] = true
				}
			}
		}
		return true
	}
	ast.Inspect(f, visit)
	return nil
}

// whole is the code that an expression is, or nothing.
func whole(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		if text, err := strconv.Unquote(lit.Value); err == nil && len(text) == 5 && code.MatchString(text) {
			return text
		}
	}
	return ""
}
