// Package diag is what nasc says when a file is wrong: a stable code, one
// sentence, the place, every cause as a note, and help when there is one fix.
//
// Every phase reports through a [List] and goes on, so that one run of
// `nasc check` shows all independent errors of a file. The package knows
// nothing of syntax or meaning; every other package points at it.
//
// Codes: E01xx syntax, E02xx names, E03xx types and shapes, E04xx decisions
// and constraints, E05xx plugins and searches, E06xx comparisons.
package diag

import (
	"fmt"
	"sort"
)

// Pos is a place in a source file. Line and Col are 1-based; Col counts runes;
// Offset counts bytes from 0. The zero Pos means "nowhere in particular".
type Pos struct {
	File   string
	Offset int
	Line   int
	Col    int
}

// Valid reports whether p names a place in a file.
func (p Pos) Valid() bool { return p.Line > 0 }

// String is the form editors and grep know: file:line:col.
func (p Pos) String() string {
	if !p.Valid() {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Span is the half-open stretch of source [Start, End).
type Span struct {
	Start, End Pos
}

// Note adds a cause to a diagnostic. A note whose Span is valid is shown at
// that place; one without is a plain sentence.
type Note struct {
	Span Span
	Text string
}

// Severity says whether a diagnostic stops the work.
type Severity int

// The severities, worst first.
const (
	Error Severity = iota
	Warning
)

// String is "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is one thing that is wrong.
type Diagnostic struct {
	Severity Severity
	Code     string // "E0311"
	Span     Span
	Message  string // one sentence, lower case, no full stop
	Label    string // printed behind the carets under the source line
	Notes    []Note
	Help     string // the one fix, when there is one
	Source   string // the plugin that said it, e.g. "nasc/evolution 0.1.0"
	Path     string // the attribute it is about, e.g. "parameters.sample"; whoever knows the source turns it into a Span
}

// Error makes a single diagnostic usable as a Go error.
func (d *Diagnostic) Error() string {
	s := fmt.Sprintf("%s %s: %s", d.Severity, d.Code, d.Message)
	if d.Span.Start.Valid() {
		s = d.Span.Start.String() + ": " + s
	}
	return s
}

// List collects diagnostics. The zero List is empty and ready to use.
type List []*Diagnostic

// Add appends an error with a formatted message and returns it, so that a
// caller can attach notes and help.
func (l *List) Add(code string, at Span, format string, args ...any) *Diagnostic {
	d := &Diagnostic{Code: code, Span: at, Message: fmt.Sprintf(format, args...)}
	*l = append(*l, d)
	return d
}

// HasErrors reports whether anything in the list stops the work.
func (l List) HasErrors() bool {
	for _, d := range l {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Err returns the list as an error, or nil when it holds no error.
func (l List) Err() error {
	if l.HasErrors() {
		return l
	}
	return nil
}

// Error is the first diagnostic and how many follow.
func (l List) Error() string {
	switch len(l) {
	case 0:
		return "no errors"
	case 1:
		return l[0].Error()
	}
	return fmt.Sprintf("%s (and %d more)", l[0].Error(), len(l)-1)
}

// Sort orders the list by file, position and code, and drops exact repeats.
func (l *List) Sort() {
	s := *l
	sort.SliceStable(s, func(i, j int) bool {
		a, b := s[i], s[j]
		if a.Span.Start.File != b.Span.Start.File {
			return a.Span.Start.File < b.Span.Start.File
		}
		if a.Span.Start.Offset != b.Span.Start.Offset {
			return a.Span.Start.Offset < b.Span.Start.Offset
		}
		if a.Code != b.Code {
			return a.Code < b.Code
		}
		return a.Message < b.Message
	})
	out := s[:0]
	for i, d := range s {
		if i > 0 && d.Error() == s[i-1].Error() {
			continue
		}
		out = append(out, d)
	}
	*l = out
}

// MaxErrors is how many diagnostics of one file are worth reading.
const MaxErrors = 50

// tooMany is the code that stands for the diagnostics that were cut.
const tooMany = "E0117"

// Limit sorts the list and cuts what is beyond MaxErrors in any one file. A
// phase may stop at that number, too: the list says that there is more.
func (l *List) Limit() {
	l.Sort()
	out := make(List, 0, len(*l))
	for from := 0; from < len(*l); {
		file := (*l)[from].Span.Start.File
		var kept List
		cut := false
		for ; from < len(*l) && (*l)[from].Span.Start.File == file; from++ {
			switch d := (*l)[from]; {
			case d.Code == tooMany, len(kept) == MaxErrors:
				cut = true
			default:
				kept = append(kept, d)
			}
		}
		if out = append(out, kept...); cut && len(kept) > 0 {
			out.Add(tooMany, kept[len(kept)-1].Span, "too many errors: the rest of the file is not reported")
		}
	}
	*l = out
}
