package format

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// width is the column that lines are kept within where a break is possible.
const width = 100

// indentStep is one level of indentation.
const indentStep = 4

type kind int

const (
	text     kind = iota // the string itself
	concat               // the parts one after the other
	group                // on one line when it fits, else all its lines break
	nest                 // one level further in
	align                // indented as far as the column at which it starts
	line                 // a space, or a line break in a broken group
	soft                 // nothing, or a line break in a broken group
	hard                 // always a line break
	fresh                // a line break unless the line is still empty
	ifBroken             // the string, but only in a broken group
	fill                 // content, separator, content …: every separator breaks only when the next content does not fit
	fillRest             // a fill whose first content is written
	comment              // a line comment: whatever follows goes to the next line
)

// doc is a piece of text with the places where lines may break. The tree of
// syntax becomes a tree of docs, and render decides about the lines.
type doc struct {
	kind  kind
	text  string
	parts []*doc
	hard  bool // holds a line break that must be
}

func str(s string) *doc { return &doc{kind: text, text: s} }

var (
	lineDoc  = &doc{kind: line}
	softDoc  = &doc{kind: soft}
	hardDoc  = &doc{kind: hard, hard: true}
	freshDoc = &doc{kind: fresh, hard: true}
)

func branch(k kind, parts []*doc) *doc {
	d := &doc{kind: k, parts: parts}
	for _, p := range parts {
		d.hard = d.hard || p.hard
	}
	return d
}

func cat(parts ...*doc) *doc     { return branch(concat, parts) }
func grouped(parts ...*doc) *doc { return branch(group, parts) }
func nested(parts ...*doc) *doc  { return branch(nest, parts) }
func filled(parts ...*doc) *doc  { return branch(fill, parts) }
func aligned(parts ...*doc) *doc { return branch(align, parts) }
func spaces(n int) string        { return strings.Repeat(" ", n) }
func padding(n int) *doc         { return &doc{kind: ifBroken, text: spaces(n)} }
func commented(s string) *doc    { return &doc{kind: comment, text: s, hard: true} }

// command is a doc still to be written, where and how.
type command struct {
	d      *doc
	indent int
	flat   bool
}

// renderer writes docs.
type renderer struct {
	out     []byte
	col     int
	empty   bool // nothing on this line yet
	pending bool // a comment ended the line
	stack   []command
}

func render(d *doc, indent int) string {
	r := &renderer{empty: true, stack: []command{{d, indent, false}}}
	r.run()
	return string(r.out)
}

func (r *renderer) run() {
	for len(r.stack) > 0 {
		c := r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
		r.step(c)
	}
}

func (r *renderer) step(c command) {
	switch c.d.kind {
	case text:
		r.write(c.d.text, c.indent)
	case ifBroken:
		if !c.flat {
			r.write(c.d.text, c.indent)
		}
	case comment:
		if !r.empty && !r.pending {
			r.write(" ", c.indent)
		}
		r.write(c.d.text, c.indent)
		r.pending = true
	case concat, nest, align:
		switch c.d.kind {
		case nest:
			c.indent += indentStep
		case align:
			c.indent = r.col
		}
		for i := len(c.d.parts) - 1; i >= 0; i-- {
			r.stack = append(r.stack, command{c.d.parts[i], c.indent, c.flat})
		}
	case group:
		body := command{&doc{kind: concat, parts: c.d.parts}, c.indent, true}
		body.flat = c.flat || !c.d.hard && r.fits(body)
		r.stack = append(r.stack, body)
	case fill, fillRest:
		r.fill(c)
	case line:
		if c.flat {
			r.write(" ", c.indent)
		} else {
			r.newline()
		}
	case soft:
		if !c.flat {
			r.newline()
		}
	case hard:
		r.newline()
	case fresh:
		if !r.empty {
			r.newline()
		}
	}
}

// fill writes the first content, then decides separator by separator.
func (r *renderer) fill(c command) {
	parts := c.d.parts
	if len(parts) == 0 {
		return
	}
	if c.flat {
		r.step(command{&doc{kind: concat, parts: parts}, c.indent, true})
		return
	}
	if c.d.kind == fill {
		if len(parts) > 1 {
			r.stack = append(r.stack, command{&doc{kind: fillRest, parts: parts[1:]}, c.indent, false})
		}
		r.stack = append(r.stack, command{parts[0], c.indent, false})
		return
	}
	if len(parts) > 2 {
		r.stack = append(r.stack, command{&doc{kind: fillRest, parts: parts[2:]}, c.indent, false})
	}
	sep, next := parts[0], parts[1]
	pair := command{&doc{kind: concat, parts: []*doc{sep, next}}, c.indent, true}
	onLine := !r.pending && !sep.hard && !next.hard && r.fits(pair)
	r.stack = append(r.stack, command{next, c.indent, onLine}, command{sep, c.indent, onLine})
}

// measure is a doc being measured, with the next of its parts to look at.
type measure struct {
	d    *doc
	flat bool
	next int
}

// fits reports whether c, and what follows it up to the next place where a line
// may break, stays within the width.
func (r *renderer) fits(c command) bool {
	room := width - r.col
	if r.empty {
		room = width - c.indent
	}
	below := len(r.stack)
	todo := []measure{{c.d, c.flat, 0}}
	for room >= 0 {
		if len(todo) == 0 {
			if below == 0 {
				return true
			}
			below--
			todo = append(todo, measure{r.stack[below].d, r.stack[below].flat, 0})
		}
		c := &todo[len(todo)-1]
		if c.next < len(c.d.parts) {
			c.next++
			todo = append(todo, measure{c.d.parts[c.next-1], c.flat, 0})
			continue
		}
		todo = todo[:len(todo)-1]
		switch c.d.kind {
		case text:
			room -= utf8.RuneCountInString(c.d.text)
		case ifBroken:
			if !c.flat {
				room -= utf8.RuneCountInString(c.d.text)
			}
		case line, soft:
			if !c.flat {
				return true
			}
			if c.d.kind == line {
				room--
			}
		case hard, fresh, comment:
			return true
		}
	}
	return false
}

func (r *renderer) newline() {
	r.out = append(bytes.TrimRight(r.out, " "), '\n')
	r.col, r.empty, r.pending = 0, true, false
}

func (r *renderer) write(s string, indent int) {
	if r.pending {
		r.newline()
	}
	if r.empty {
		if s = strings.TrimLeft(s, " "); s == "" {
			return
		}
		r.out = append(r.out, strings.Repeat(" ", indent)...)
		r.col, r.empty = indent, false
	}
	r.out = append(r.out, s...)
	r.col += utf8.RuneCountInString(s)
}
