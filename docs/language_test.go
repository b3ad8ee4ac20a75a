// Package docs_test runs what the pages show: docs/language.md here, and the tutorials in
// tutorials_test.go.
//
// A fenced block of docs/language.md says by the words behind its fence what is done with it:
//
//	nas FILE     a complete file; a console block must use it
//	nas prelude  declarations in which the blocks below stand
//	nas spaces   `body // size` on each line: a body of a space and its size
//	nas values   `expr // value` on each line
//	nas refused  `body // message` on each line: refused with this code and message
//	console      `$ nasc …` lines and what nasc prints
//	ebnf         dsl/grammar.ebnf
//	words        the reserved words
//	(none)       not tested
package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/check"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/resolve"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

const page = "language.md"

// fence is one fenced block of a page.
type fence struct {
	line       int // of its first line
	kind, name string
	text       string
}

// read returns the page and its blocks.
func read(t *testing.T) (string, []fence) {
	t.Helper()
	return blocks(t, page)
}

// blocks returns a page and its blocks.
func blocks(t *testing.T, page string) (string, []fence) {
	t.Helper()
	src, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var out []fence
	open := false
	for i, l := range strings.Split(string(src), "\n") {
		info, isFence := strings.CutPrefix(l, "```")
		switch {
		case isFence && !open:
			kind, name, _ := strings.Cut(info, " ")
			out = append(out, fence{line: i + 2, kind: kind, name: name})
			open = true
		case isFence:
			open = false
		case open:
			out[len(out)-1].text += l + "\n"
		}
	}
	if open {
		t.Fatalf("%s: the last block has no end", page)
	}
	return string(src), out
}

// commented splits `code // comment` lines, with the number of each line.
func commented(t *testing.T, f fence, each func(line int, code, comment string)) {
	t.Helper()
	for i, l := range strings.Split(strings.TrimSuffix(f.text, "\n"), "\n") {
		code, comment, ok := strings.Cut(l, "//")
		if !ok {
			t.Errorf("%s:%d: no comment says what to expect", page, f.line+i)
			continue
		}
		each(f.line+i, strings.TrimSpace(code), strings.TrimSpace(comment))
	}
}

// reader serves one file.
func reader(text string) resolve.Reader {
	return func(name string) ([]byte, error) {
		if name == "example.nas" {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

// compile compiles a body of a space among the declarations of prelude.
func compile(prelude, body string) (*compiler.Space, diag.List) {
	if !strings.HasPrefix(body, "{") {
		body = "= " + body
	}
	m, diags := compiler.Load("example.nas", reader(prelude+"space s(image: [8, 16, 16]) "+body+"\n"))
	if diags.HasErrors() {
		return nil, diags
	}
	return m.Space("", nil)
}

// constant evaluates an expression that holds no decision.
func constant(expr string) (string, diag.List) {
	prog, diags := resolve.Load("example.nas", reader("let v = "+expr+"\n"))
	if diags.HasErrors() {
		return "", diags
	}
	v, diags := check.Constant(prog, prog.Root, prog.Root.Names["v"].Decl.(*syntax.Let).Value, nil)
	if l, ok := v.([]int64); ok {
		return strings.ReplaceAll(fmt.Sprint(l), " ", ", "), diags
	}
	return graph.FormatValue(v), diags
}

func TestSnippets(t *testing.T) {
	_, fences := read(t)
	prelude, seen := "", 0
	for _, f := range fences {
		switch f.kind + " " + f.name {
		case "nas prelude":
			prelude = f.text
		case "nas spaces":
			commented(t, f, func(line int, code, want string) {
				seen++
				s, diags := compile(prelude, code)
				if len(diags) > 0 {
					t.Errorf("%s:%d: %v", page, line, diags)
				} else if got, err := s.Count(); err != nil || got.String() != want {
					t.Errorf("%s:%d: %s architectures, %v, the page says %s", page, line, got, err, want)
				}
			})
		case "nas values":
			commented(t, f, func(line int, code, want string) {
				seen++
				got, diags := constant(code)
				if len(diags) > 0 {
					t.Errorf("%s:%d: %v", page, line, diags)
				} else if got != want {
					t.Errorf("%s:%d: the value is %s, the page says %s", page, line, got, want)
				}
			})
		case "nas refused":
			commented(t, f, func(line int, code, want string) {
				seen++
				_, diags := compile(prelude, code)
				if len(diags) != 1 || diags[0].Code+": "+diags[0].Message != want {
					t.Errorf("%s:%d: nasc says %v", page, line, diags)
				}
			})
		}
	}
	if prelude == "" || seen == 0 {
		t.Fatal("the page has no snippets")
	}
}

// TestConsoles runs every command of the page on the files of the page.
func TestConsoles(t *testing.T) {
	_, fences := read(t)
	dir := t.TempDir()
	nasc := filepath.Join(dir, "nasc")
	if out, err := exec.Command("go", "build", "-o", nasc, "../cmd/nasc").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	// A file may be used before the file that it imports is shown.
	used := map[string]bool{}
	for _, f := range fences {
		if f.kind != "nas" || !strings.HasSuffix(f.name, ".nas") {
			continue
		}
		if _, twice := used[f.name]; twice {
			t.Fatalf("%s:%d: a second %s", page, f.line, f.name)
		}
		used[f.name] = false
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range fences {
		if f.kind != "console" {
			continue
		}
		got := ""
		for _, l := range strings.Split(f.text, "\n") {
			line, ok := strings.CutPrefix(l, "$ ")
			if !ok {
				continue
			}
			args := strings.Fields(strings.ReplaceAll(line, "'", ""))
			for _, a := range args {
				if _, ok := used[a]; ok {
					used[a] = true
				}
			}
			if args[0] != "nasc" {
				t.Fatalf("%s:%d: not a command of nasc: %s", page, f.line, line)
			}
			c := exec.Command(nasc, args[1:]...)
			c.Dir = dir
			out, _ := c.CombinedOutput() // the exit code of a command that reports an error is 1
			got += l + "\n" + string(out)
		}
		if got != f.text {
			t.Errorf("%s:%d: nasc prints\n%s\nthe page shows\n%s", page, f.line, got, f.text)
		}
	}
	for name, ok := range used {
		if !ok {
			t.Errorf("%s is used by no command", name)
		}
	}
}

// TestKnownBlocks: nothing on the page escapes the tests by a slip in its fence.
func TestKnownBlocks(t *testing.T) {
	_, fences := read(t)
	for _, f := range fences {
		known := []string{"console ", "ebnf ", "words ", " ", "nas prelude", "nas spaces", "nas values", "nas refused"}
		if !slices.Contains(known, f.kind+" "+f.name) && !(f.kind == "nas" && strings.HasSuffix(f.name, ".nas")) {
			t.Errorf("%s:%d: what is a block `%s %s`?", page, f.line, f.kind, f.name)
		}
	}
}

func TestGrammar(t *testing.T) {
	_, fences := read(t)
	want, err := os.ReadFile("../dsl/grammar.ebnf")
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(fences, func(f fence) bool { return f.kind == "ebnf" })
	if at < 0 || fences[at].text != string(want) {
		t.Errorf("the grammar on the page is not that of dsl/grammar.ebnf")
	}
}

func TestReservedWords(t *testing.T) {
	_, fences := read(t)
	at := slices.IndexFunc(fences, func(f fence) bool { return f.kind == "words" })
	if at < 0 {
		t.Fatal("the page lists no reserved words")
	}
	shown := strings.Fields(fences[at].text)
	grammar, err := os.ReadFile("../dsl/grammar.ebnf")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, w := range regexp.MustCompile(`"([a-z]+)"`).FindAllStringSubmatch(string(grammar), -1) {
		if syntax.IsKeyword(w[1]) && !slices.Contains(want, w[1]) {
			want = append(want, w[1])
		}
	}
	slices.Sort(want)
	if !slices.Equal(shown, want) {
		t.Errorf("the page has\n%v\nthe language\n%v", shown, want)
	}
}

// TestDiagnosticFields compares the table of fields with what -json writes.
func TestDiagnosticFields(t *testing.T) {
	at := diag.Span{Start: diag.Pos{File: "f", Line: 1, Col: 1}, End: diag.Pos{File: "f", Line: 1, Col: 2, Offset: 1}}
	d := &diag.Diagnostic{Code: "E0101", Message: "m", Span: at, Label: "l", Help: "h", Source: "s", Notes: []diag.Note{{Span: at, Text: "n"}}}
	var line bytes.Buffer
	var written map[string]any
	if err := diag.JSON(&line, diag.List{d}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(line.Bytes(), &written); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	var walk func(path string, v any)
	walk = func(path string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			want = append(want, path)
		}
		for name, v := range m {
			walk(strings.TrimPrefix(path+"."+name, "."), v)
		}
	}
	walk("", written)
	src, _ := read(t)
	_, table, _ := strings.Cut(src, "| Field | Holds |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n") {
		names, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
		for _, m := range regexp.MustCompile("`([a-z.]+)`").FindAllStringSubmatch(names, -1) {
			got = append(got, m[1])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the page has the fields\n%v\nnasc writes\n%v", got, want)
	}
}

// TestCodes compares the table of diagnostics with their pages.
func TestCodes(t *testing.T) {
	src, _ := read(t)
	var got, want []string
	for _, m := range regexp.MustCompile(`(?m)^\| (E\d{4}) \| (.*) \|$`).FindAllStringSubmatch(src, -1) {
		got = append(got, m[1]+" "+m[2])
	}
	for _, c := range diag.Codes() {
		want = append(want, c+" "+diag.Title(c))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the page has\n%s\nnasc has\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
