package format

import (
	"math"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/dsl/syntax"
)

// commentable is a node that comments may hang on: every node of the tree.
type commentable interface{ Comments() *syntax.Comments }

func (p *printer) comments(n syntax.Node) *syntax.Comments {
	if c, ok := n.(commentable); ok && !p.bare {
		return c.Comments()
	}
	return &syntax.Comments{}
}

func (p *printer) hasComments(n syntax.Node) bool {
	c := p.comments(n)
	return len(c.Before)+len(c.Suffix)+len(c.After) > 0
}

// node prints a node with the comments around it.
func (p *printer) node(n syntax.Node, content *doc) *doc {
	if !p.hasComments(n) {
		return content
	}
	return cat(p.before(n), content, p.suffix(n))
}

// before prints the comments above a node, each on a line of its own.
func (p *printer) before(n syntax.Node) *doc {
	var parts []*doc
	for _, c := range p.comments(n).Before {
		parts = append(parts, freshDoc, commented(commentText(c)))
	}
	if len(parts) > 0 {
		parts = append(parts, freshDoc)
	}
	return cat(parts...)
}

func (p *printer) suffix(n syntax.Node) *doc {
	var parts []*doc
	for _, c := range p.comments(n).Suffix {
		parts = append(parts, commented(commentText(c)))
	}
	return cat(parts...)
}

func (p *printer) after(n syntax.Node) *doc {
	var parts []*doc
	for _, c := range p.comments(n).After {
		parts = append(parts, freshDoc, commented(commentText(c)))
	}
	return cat(parts...)
}

// commentText is the comment as printed. One that looks like a doc comment but
// documents nothing becomes a plain one, lest it document what it moves to.
func commentText(c syntax.Comment) string {
	t := c.Text
	if strings.HasPrefix(t, "///") && !strings.HasPrefix(t, "////") {
		return "//" + t[3:]
	}
	return t
}

// newLine reports whether the author put b on a later line than the end of a.
func (p *printer) newLine(a, b syntax.Node) bool {
	return !p.bare && a.Span().End.Line < b.Span().Start.Line
}

func (p *printer) ident(id *syntax.Ident) *doc { return p.node(id, str(id.Name)) }

// formatNumber writes a number that was not read from a source.
func formatNumber(n *syntax.Number) string {
	if n.IsInt {
		return strconv.FormatInt(n.Int, 10)
	}
	s := strconv.FormatFloat(n.Value, 'g', -1, 64)
	if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) || strings.ContainsAny(s, ".e") {
		return s
	}
	return s + ".0"
}
