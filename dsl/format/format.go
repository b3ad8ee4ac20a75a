// Package format prints syntax trees: `nasc fmt`, labels, sampled architectures.
//
// The layout is canonical in what no author cares about (indentation, spaces,
// alignment, blank lines) and keeps what authors do on purpose: which
// alternatives and steps share a line, whether arguments stand one a line,
// single blank lines, and every comment. Printing what was printed changes
// nothing, and the printed text reads back as the same tree.
//
// The tree first becomes a tree of docs (layout.go), text with possible line
// breaks, in which a group breaks as a whole when it does not fit. Breaks that
// the author made are breaks that must be; since a group that broke for want of
// room is, in the next run, one that the author broke, formatting is idempotent.
package format

import (
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/dsl/syntax"
)

// Source formats a module. A source with errors is not formatted: the result is
// nil, and the list says why.
func Source(path string, src []byte) ([]byte, diag.List) {
	f, errs := syntax.Parse(path, src)
	if errs.HasErrors() {
		return nil, errs
	}
	return File(f), errs
}

// item of a file or body, with what decides about the blank line above it.
type entry struct {
	text       string
	start, end int // lines in the source, 0 when it has none
	kind       string
}

// File prints a module.
func File(f *syntax.File) []byte {
	p := &printer{}
	var entries []entry
	for _, i := range f.Imports {
		entries = append(entries, p.entry(i, i.Doc, p.imports(i), "import"))
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *syntax.Template:
			entries = append(entries, p.entry(d, d.Doc, p.template(d), string(d.Kind)))
		case *syntax.Let:
			content := cat(str("let "), p.ident(d.Name), str(" = "), p.expr(d.Value, lvExpr))
			entries = append(entries, p.entry(d, d.Doc, content, "let"))
		case *syntax.Search:
			entries = append(entries, p.entry(d, d.Doc, p.search(d), "search"))
		}
	}
	for _, c := range f.Trailing {
		entries = append(entries, entry{commentText(c), c.Span.Start.Line, c.Span.Start.Line, "comment"})
	}
	var b strings.Builder
	for i, e := range entries {
		if i > 0 && blankBetween(entries[i-1], e) {
			b.WriteByte('\n')
		}
		b.WriteString(e.text)
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// entry lays out one declaration.
func (p *printer) entry(n syntax.Node, docs []string, content *doc, kind string) entry {
	return entry{
		text:  render(p.documented(n, docs, content), 0),
		start: p.firstLine(n, docs), end: p.lastLine(n), kind: kind,
	}
}

// blankBetween decides about an empty line between two declarations: where the
// author left one, behind the imports, and around all that takes several lines.
func blankBetween(a, b entry) bool {
	if a.end > 0 && b.start > a.end+1 {
		return true
	}
	if a.kind == "comment" || b.kind == "comment" {
		return false
	}
	if a.kind != b.kind && (a.kind == "import" || a.start == 0) {
		return true
	}
	return a.kind != "import" && (strings.Contains(a.text, "\n") || strings.Contains(b.text, "\n"))
}

// firstLine is the line on which a node begins with its comments and docs.
func (p *printer) firstLine(n syntax.Node, docs []string) int {
	first := n.Span().Start.Line
	if first > 0 {
		first -= len(docs)
	}
	if c := p.comments(n).Before; len(c) > 0 {
		first = min(first, c[0].Span.Start.Line)
	}
	return first
}

func (p *printer) lastLine(n syntax.Node) int {
	last := n.Span().End.Line
	for _, c := range p.comments(n).Suffix {
		last = max(last, c.Span.End.Line)
	}
	return last
}

// documented puts comments and doc comments above a declaration or statement.
func (p *printer) documented(n syntax.Node, docs []string, content *doc) *doc {
	var parts []*doc
	c := p.comments(n).Before
	empty := make([]bool, len(c)) // whether an empty line is below
	own := len(docs) > 0          // whether doc comments are a block of their own, above that of n
	for i := range c {
		next := n.Span().Start.Line - len(docs)
		if i+1 < len(c) {
			next = c[i+1].Span.Start.Line
		}
		empty[i] = next > c[i].Span.Start.Line+1
	}
	last := -1
	for i := range c {
		if empty[i] {
			last = i
		}
	}
	for i, cm := range c {
		t := commentText(cm)
		if own && i <= last {
			t = cm.Text
		}
		parts = append(parts, commented(t), freshDoc)
		if empty[i] {
			parts = append(parts, hardDoc)
		}
	}
	for _, d := range docs {
		parts = append(parts, str(strings.TrimRight("/// "+d, " ")), hardDoc)
	}
	parts = append(parts, content, p.suffix(n))
	return cat(parts...)
}
