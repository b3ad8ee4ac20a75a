package syntax

import (
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// span is the stretch of source of a production, without its doc comments.
func span(toks []lexer.Token) node {
	for len(toks) > 1 && toks[0].Type == tokDoc {
		toks = toks[1:]
	}
	if len(toks) == 0 {
		return node{}
	}
	return node{span: diag.Span{Start: startPos(&toks[0]), End: endPos(&toks[len(toks)-1])}}
}

// doc strips the slashes, and the one space behind them, from doc comments.
func doc(toks []lexer.Token) []string {
	var lines []string
	for i := range toks {
		lines = append(lines, strings.TrimPrefix(toks[i].Value[3:], " "))
	}
	return lines
}

func ident(t *lexer.Token) *Ident { return &Ident{node: tokenNode(t), Name: t.Value} }

func (r *importRule) node() (*Import, error) {
	i := &Import{node: span(r.Tokens), Doc: doc(r.Doc), Plugin: r.Plugin}
	for _, n := range r.Names {
		i.Names = append(i.Names, ident(&n.Name))
	}
	var err error
	if i.Path, err = str(&r.Path); err != nil {
		return nil, err
	}
	if r.Version != nil {
		if i.Version, err = str(r.Version); err != nil {
			return nil, err
		}
	}
	if r.Alias != nil {
		i.Alias = ident(r.Alias)
	}
	return i, nil
}

func (r *declRule) node() Decl {
	switch {
	case r.Let != nil:
		return &Let{node: span(r.Tokens), Doc: doc(r.Doc), Name: ident(&r.Let.Name), Value: r.Let.Value}
	case r.Search != nil:
		return &Search{node: span(r.Tokens), Doc: doc(r.Doc), Name: ident(&r.Search.Name), Over: r.Search.Over, Body: body(r.Search.Body)}
	}
	return r.Template.node(r.Doc)
}

func (r *templateRule) node(docs []lexer.Token) *Template {
	t := &Template{
		node: span(r.Tokens), Doc: doc(docs), Kind: TemplateKind(r.Kind.Value), Name: ident(&r.Name),
		Count: r.Count, Result: r.Result.node(), Expr: r.Expr, Body: body(r.Body), Braces: r.Brace != nil,
		HeadEnd: r.headEnd(),
	}
	for _, p := range r.Params {
		t.Params = append(t.Params, &Param{node: span(p.Tokens), Name: ident(&p.Name), Type: p.Type.node(), Default: p.Default})
	}
	return t
}

// headEnd is the place where the head ends: behind the token before `=` or `{`.
func (r *templateRule) headEnd() diag.Pos {
	stop := r.Eq
	if stop == nil {
		stop = r.Brace
	}
	n := len(r.Tokens)
	if stop != nil {
		n, _ = slices.BinarySearchFunc(r.Tokens, stop.Pos.Offset, func(t lexer.Token, off int) int { return t.Pos.Offset - off })
	}
	return endPos(&r.Tokens[n-1])
}

func (r *typeRule) node() *Type {
	if r == nil {
		return nil
	}
	return &Type{node: span(r.Tokens), Shape: r.Shape, Dims: r.Dims, Name: r.Name.Value}
}

func body(rules []*stmtRule) []Stmt {
	var stmts []Stmt
	for _, r := range rules {
		stmts = append(stmts, r.node())
	}
	return stmts
}

func (r *stmtRule) node() Stmt {
	at := span(r.Tokens)
	switch {
	case r.Node != nil:
		return &NodeStmt{node: at, Doc: doc(r.Doc), Name: ident(&r.Node.Name), Count: r.Node.Count, Type: r.Node.Type.node(), Value: r.Node.Value}
	case r.Template != nil:
		return r.Template.node(r.Doc)
	case r.Verb != nil:
		return &Verb{node: at, Doc: doc(r.Doc), Verb: r.Verb.Verb.Value, Value: r.Verb.Value}
	}
	return &Assign{node: at, Doc: doc(r.Doc), Name: ident(&r.Assign.Name), Value: r.Assign.Value}
}
