// Package diagtest keeps expected diagnostics beside the source that causes
// them, for the tests of every phase that reports through package diag.
//
// A test file is a sequence of chunks split by lines that consist of `---`.
// Each chunk is one source. Where a diagnostic is expected, a comment at the end
// of the line on which its span starts gives code and, as a quoted Go string, a
// regular expression that the message, label, notes and help together match:
//
//	block edge = zero | | skip //! E0101 "expected an expression, found `\\|`"
//
// Several expectations may follow one another. A line that starts with `//!^`
// speaks of the line before it, for sources in which a comment would become part
// of a token. A chunk without expectations must be free of diagnostics.
package diagtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/dsl/diag"
)

// Check runs one source through the phases under test.
type Check func(file string, src []byte) diag.List

// Run checks every chunk of the files that match pattern.
func Run(t *testing.T, pattern string, check Check) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files match %s (%v)", pattern, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		line := 1
		for _, chunk := range bytes.SplitAfter(text, []byte("\n---\n")) {
			src := bytes.TrimSuffix(chunk, []byte("---\n"))
			t.Run(fmt.Sprintf("%s:%d", filepath.Base(file), line), func(t *testing.T) {
				checkChunk(t, filepath.Base(file), line, src, check)
			})
			line += bytes.Count(chunk, []byte{'\n'})
		}
	}
}

// expectation is one diagnostic that a comment announces.
type expectation struct {
	line int
	code string
	re   *regexp.Regexp
}

var (
	comment = regexp.MustCompile(`//!(\^?)(.*)`)
	expect  = regexp.MustCompile("^\\s*(E[0-9]{4})\\s+(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)")
)

func expectations(t *testing.T, src []byte) []expectation {
	t.Helper()
	var list []expectation
	for i, l := range strings.Split(string(src), "\n") {
		m := comment.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		line := i + 1
		if m[1] == "^" {
			line--
		}
		for rest := m[2]; strings.TrimSpace(rest) != ""; {
			e := expect.FindStringSubmatch(rest)
			if e == nil {
				t.Fatalf("line %d: malformed expectation %q", i+1, rest)
			}
			pattern, err := strconv.Unquote(e[2])
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			re, err := regexp.Compile(pattern)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			list = append(list, expectation{line, e[1], re})
			rest = rest[len(e[0]):]
		}
	}
	return list
}

func checkChunk(t *testing.T, file string, first int, src []byte, check Check) {
	t.Helper()
	wanted := expectations(t, src)
	for _, d := range check(file, src) {
		text := Text(d)
		found := false
		for i, w := range wanted {
			if w.line == d.Span.Start.Line && w.code == d.Code && w.re.MatchString(text) {
				wanted = append(wanted[:i], wanted[i+1:]...)
				found = true
				break
			}
		}
		if !found {
			t.Errorf("%s:%d: not expected: %s %s", file, first-1+d.Span.Start.Line, d.Code, text)
		}
	}
	for _, w := range wanted {
		t.Errorf("%s:%d: missing: %s %q", file, first-1+w.line, w.code, w.re)
	}
}

// Text is everything a diagnostic says, in one line: message, label, notes, help.
func Text(d *diag.Diagnostic) string {
	s := d.Message
	if d.Label != "" {
		s += "; " + d.Label
	}
	for _, n := range d.Notes {
		s += "; note: " + n.Text
		if n.Span.Start.Valid() {
			s += fmt.Sprintf(" (%d:%d)", n.Span.Start.Line, n.Span.Start.Col)
		}
	}
	if d.Help != "" {
		s += "; help: " + d.Help
	}
	return s
}
