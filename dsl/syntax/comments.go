package syntax

import (
	"sort"

	"github.com/alecthomas/participle/v2/lexer"
)

// places finds the node at a place in the source. Of several nodes that start,
// or end, together it knows the largest.
type places struct {
	toks   []lexer.Token
	starts map[int]commented
	ends   map[int]commented
	closes map[int]commented // by the offset of the closing bracket
}

// commented is a node that comments can hang on.
type commented interface {
	Node
	Comments() *Comments
}

// attach hangs every comment on the node it belongs to:
//
//   - behind something on its line: Suffix of the largest node that ends there,
//     past a comma or an operator that leads on to the next part;
//   - before a closing bracket: After of what the bracket closes, or Suffix of
//     the last thing in it where that has no After;
//   - otherwise: Before of the largest node that starts next.
//
// What stands behind everything is File.Trailing.
func attach(f *File, toks, comments []lexer.Token) {
	if len(comments) == 0 {
		return
	}
	sort.Slice(comments, func(i, j int) bool { return comments[i].Pos.Offset < comments[j].Pos.Offset })
	p := &places{toks: toks, starts: map[int]commented{}, ends: map[int]commented{}, closes: map[int]commented{}}
	for _, i := range f.Imports {
		Walk(i, p.add)
	}
	for _, d := range f.Decls {
		Walk(d, p.add)
	}
	next := 0
	for i := range comments {
		for next < len(toks) && toks[next].Pos.Offset < comments[i].Pos.Offset {
			next++
		}
		c := Comment{Span: tokenSpan(&comments[i]), Text: comments[i].Value}
		if n, where := p.find(&comments[i], next); n != nil {
			list := where(n.Comments())
			*list = append(*list, c)
		} else {
			f.Trailing = append(f.Trailing, c)
		}
	}
}

func (p *places) add(n Node) bool {
	c := n.(commented)
	at := n.Span()
	if p.starts[at.Start.Offset] == nil {
		p.starts[at.Start.Offset] = c
	}
	if p.ends[at.End.Offset] == nil {
		p.ends[at.End.Offset] = c
	}
	switch n := n.(type) {
	case *Template:
		if n.Braces {
			p.closes[at.End.Offset-1] = c
		}
	case *Search, *Call, *List:
		p.closes[at.End.Offset-1] = c
	}
	return true
}

func before(c *Comments) *[]Comment { return &c.Before }
func suffix(c *Comments) *[]Comment { return &c.Suffix }
func after(c *Comments) *[]Comment  { return &c.After }

// find decides for one comment; next is the index of the token behind it.
func (p *places) find(c *lexer.Token, next int) (commented, func(*Comments) *[]Comment) {
	if next > 0 && p.toks[next-1].Pos.Line == c.Pos.Line {
		// A node that a comment has ended on an earlier line has no room for more.
		if n := p.endingAt(next - 1); n != nil && len(n.Comments().Suffix) == 0 {
			return n, suffix
		}
	}
	if next < len(p.toks) {
		switch t := &p.toks[next]; t.Value {
		case ")", "]", "}":
			if t.Type != tokPunct {
				break
			}
			if n := p.closes[t.Pos.Offset]; n != nil {
				return n, after
			}
			if next == 0 {
				break
			}
			if n := p.endingAt(next - 1); n != nil {
				return n, suffix
			}
		}
	}
	for ; next < len(p.toks); next++ {
		if n := p.starts[p.toks[next].Pos.Offset]; n != nil {
			return n, before
		}
	}
	return nil, nil
}

// endingAt is the node that ends with token i, or with the one before it when
// token i only leads on.
func (p *places) endingAt(i int) commented {
	if t := &p.toks[i]; i > 0 && t.Type == tokPunct && (t.Value == "," || t.Value == "|" || t.Value == "->") {
		i--
	}
	e := endPos(&p.toks[i])
	return p.ends[e.Offset]
}
