package diag

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RenderOptions say how diagnostics look.
type RenderOptions struct {
	Color bool // ANSI colours, for terminals
	Width int  // columns of a source line that are shown; 0 means 120
}

// tabWidth is how many columns a tab of the source takes on screen.
const tabWidth = 4

// gutter is the room for line numbers, as wide as in every example.
const gutter = 5

// Render prints diagnostics for people:
//
//	darts.nas:16:26: error E0311: cannot choose 3 of 2 tensors
//	   16 |     node n[4] = sum(edge(3 of prev))
//	      |                          ^^^^^^^^^ at n[0], prev = {a, b}
//	      = help: write `1..2 of prev`
//
// sources gives the text of a file, or nil when there is none to show. Notes
// that have a place show their own line of source, under the file's name unless
// it is the line just shown.
func Render(w io.Writer, list List, sources func(file string) []byte, opts RenderOptions) error {
	r := &painter{opts: opts, sources: sources, lines: map[string]lineIndex{}}
	if r.opts.Width <= 0 {
		r.opts.Width = 120
	}
	for _, d := range list {
		r.diagnostic(d)
	}
	_, err := w.Write(r.out.Bytes())
	return err
}

type painter struct {
	out     bytes.Buffer
	opts    RenderOptions
	sources func(string) []byte
	lines   map[string]lineIndex
}

// lineIndex is a source with the offsets at which its lines start.
type lineIndex struct {
	src    []byte
	starts []int
}

const (
	red    = "31;1"
	yellow = "33;1"
	blue   = "34;1"
	cyan   = "36;1"
	bold   = "1"
)

func (r *painter) paint(color, s string) string {
	if !r.opts.Color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (r *painter) diagnostic(d *Diagnostic) {
	main := red
	if d.Severity == Warning {
		main = yellow
	}
	if where := d.Span.Start.String(); where != "" {
		r.out.WriteString(r.paint(bold, plain(where)) + ": ")
	}
	what := d.Severity.String()
	if d.Code != "" {
		what += " " + d.Code
	}
	r.out.WriteString(r.paint(main, what))
	if d.Source != "" {
		r.out.WriteString(" [" + plain(d.Source) + "]")
	}
	r.out.WriteString(": " + r.paint(bold, plain(d.Message)) + "\n")

	shown := r.source(d, main)
	for _, n := range d.Notes {
		if !n.Span.Start.Valid() || !r.available(n.Span.Start) {
			text := n.Text
			if n.Span.Start.Valid() {
				text += ", " + n.Span.Start.String()
			}
			r.remark("note", text)
			continue
		}
		if n.Span.Start.File != shown.File && shown.Valid() || !shown.Valid() && n.Span.Start.File != d.Span.Start.File {
			fmt.Fprintf(&r.out, "%s %s\n", r.paint(blue, strings.Repeat(" ", gutter)+"-->"), plain(n.Span.Start.String()))
		}
		shown = r.marked(n.Span, n.Text, '-', blue, shown)
	}
	if d.Help != "" {
		r.remark("help", d.Help)
	}
}

// remark prints `= note: …`; further lines are indented under the first.
func (r *painter) remark(kind, s string) {
	indent := strings.Repeat(" ", gutter+len(" = : ")+len(kind))
	s = strings.ReplaceAll(plainLines(s), "\n", "\n"+indent)
	fmt.Fprintf(&r.out, "%s %s %s\n", strings.Repeat(" ", gutter), r.paint(blue, "="), r.paint(cyan, kind+":")+" "+s)
}

// available reports whether the line of p can be shown.
func (r *painter) available(p Pos) bool {
	_, ok := r.line(p)
	return ok
}

// line is the source line of p without its end.
func (r *painter) line(p Pos) ([]byte, bool) {
	if !p.Valid() || r.sources == nil {
		return nil, false
	}
	ix, ok := r.lines[p.File]
	if !ok {
		ix.src = r.sources(p.File)
		if ix.src != nil {
			ix.starts = append(ix.starts, 0)
			for i, c := range ix.src {
				if c == '\n' {
					ix.starts = append(ix.starts, i+1)
				}
			}
		}
		r.lines[p.File] = ix
	}
	if p.Line > len(ix.starts) {
		return nil, false
	}
	from, to := ix.starts[p.Line-1], len(ix.src)
	if p.Line < len(ix.starts) {
		to = ix.starts[p.Line]
	}
	return bytes.TrimRight(ix.src[from:to], "\r\n"), true
}

// source shows the place of the diagnostic itself. Without a label the marks
// are left to notes on the same line, which say more.
func (r *painter) source(d *Diagnostic, color string) Pos {
	if d.Label == "" {
		for _, n := range d.Notes {
			if n.Span.Start.File == d.Span.Start.File && n.Span.Start.Line == d.Span.Start.Line {
				return Pos{}
			}
		}
	}
	return r.marked(d.Span, d.Label, '^', color, Pos{})
}

// marked prints the line of a span with marks and a label under it. The line
// itself is left out when it is the one shown last. It returns what was shown.
func (r *painter) marked(at Span, label string, mark byte, color string, last Pos) Pos {
	raw, ok := r.line(at.Start)
	if !ok {
		if label != "" {
			r.remark("note", label)
		}
		return last
	}
	text, from, to := r.cells(raw, at)
	bar := r.paint(blue, "|")
	if last.File != at.Start.File || last.Line != at.Start.Line {
		fmt.Fprintf(&r.out, "%s %s %s\n", r.paint(blue, fmt.Sprintf("%*d", gutter, at.Start.Line)), bar, strings.TrimRight(text, " "))
	}
	marks := strings.Repeat(string(mark), max(1, to-from))
	if label != "" {
		marks += " " + plain(label)
	}
	fmt.Fprintf(&r.out, "%s %s %s%s\n", strings.Repeat(" ", gutter), bar, strings.Repeat(" ", from), r.paint(color, marks))
	return at.Start
}

// cells is a source line as it appears on screen and the columns of a span in
// it: tabs expanded, wide runes counted twice, what cannot be printed replaced,
// and a line that is too long clipped around the span.
func (r *painter) cells(raw []byte, at Span) (text string, from, to int) {
	type cell struct {
		s string
		w int
	}
	var cells []cell
	first, last := -1, -1
	endCol := at.End.Col
	if at.End.Line > at.Start.Line {
		endCol = 1 << 30
	}
	raw, skipped, cut := r.window(raw, at.Start.Col)
	col, x := 1+skipped, 0
	for i := 0; i < len(raw); col++ {
		c, n := utf8.DecodeRune(raw[i:])
		bom := c == '\uFEFF' && i == 0 && at.Start.Line == 1
		i += n
		if bom {
			col--
			continue
		}
		if col == at.Start.Col {
			first = len(cells)
		}
		if col < endCol {
			last = len(cells) + 1
		}
		switch {
		case c == '\t':
			w := tabWidth - x%tabWidth
			cells = append(cells, cell{strings.Repeat(" ", w), w})
			x += w
		case c == utf8.RuneError && n == 1, !unicode.IsPrint(c):
			cells = append(cells, cell{"\uFFFD", 1})
			x++
		default:
			w := runeWidth(c)
			cells = append(cells, cell{string(c), w})
			x += w
		}
	}
	if first < 0 {
		first = len(cells)
	}
	last = max(last, first)
	lo, hi := 0, len(cells)
	if x > r.opts.Width {
		// Keep the start of the span at a third of the width.
		room := r.opts.Width - 6
		lo = first
		for w := 0; lo > 0 && w < room/3; lo-- {
			w += cells[lo-1].w
		}
		hi = lo
		for w := 0; hi < len(cells) && w < room; hi++ {
			w += cells[hi].w
		}
	}
	var b strings.Builder
	if lo > 0 || skipped > 0 {
		b.WriteString("...")
	}
	col = b.Len()
	for i := lo; i < hi; i++ {
		if i == first {
			from = col
		}
		b.WriteString(cells[i].s)
		col += cells[i].w
		if i < last {
			to = col
		}
	}
	if first >= hi {
		from = col
	}
	if hi < len(cells) || cut {
		b.WriteString("...")
	}
	return b.String(), from, max(to, from)
}

// window cuts a line of many screens down to what lies near a column: skipped is
// how many runes are missing before it, cut whether some are missing behind.
func (r *painter) window(raw []byte, col int) (near []byte, skipped int, cut bool) {
	if len(raw) <= 16*r.opts.Width {
		return raw, 0, false
	}
	for ; skipped < col-2*r.opts.Width && len(raw) > 0; skipped++ {
		_, n := utf8.DecodeRune(raw)
		raw = raw[n:]
	}
	end := 0
	for i := 0; i < 4*r.opts.Width && end < len(raw); i++ {
		_, n := utf8.DecodeRune(raw[end:])
		end += n
	}
	return raw[:end], skipped, end < len(raw)
}

// plain makes a text of foreign origin safe to print on one line.
func plain(s string) string { return strings.ReplaceAll(plainLines(s), "\n", " ") }

// maxText is how much of a message is printed: what quotes a source may be long.
const maxText = 1000

func plainLines(s string) string {
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText/2]) + "…" + string(runes[len(runes)-maxText/2:])
	}
	return strings.Map(func(c rune) rune {
		if c != '\n' && !unicode.IsPrint(c) {
			return '\uFFFD'
		}
		return c
	}, s)
}

// runeWidth is how many columns a printable rune takes: none for marks that
// combine with the rune before, two for East Asian wide forms and pictures.
func runeWidth(c rune) int {
	switch {
	case c < 0x300:
		return 1
	case unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case c >= 0x1100 && c <= 0x115F, c >= 0x2E80 && c <= 0x303E, c >= 0x3041 && c <= 0xA4CF, c >= 0xAC00 && c <= 0xD7A3,
		c >= 0xF900 && c <= 0xFAFF, c >= 0xFE30 && c <= 0xFE6F, c >= 0xFF00 && c <= 0xFF60, c >= 0xFFE0 && c <= 0xFFE6,
		c >= 0x1F300 && c <= 0x1FAFF, c >= 0x20000 && c <= 0x3FFFD:
		return 2
	}
	return 1
}
