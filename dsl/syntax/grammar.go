package syntax

import (
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The productions of declarations and statements, as participle reads them.
// Tokens gives every production its place. Expr is a production of its own,
// read by exprParser; type names become the names of the printed grammar.

type importRule struct {
	Tokens  []lexer.Token
	Doc     []lexer.Token `parser:"@( Doc* )"`
	Plugin  bool          `parser:"'import' ( @'plugin'"`
	Names   []*nameRule   `parser:"| '{' @@ ( ',' @@ )* ','? '}' 'from' )?"`
	Path    lexer.Token   `parser:"@String"`
	Version *lexer.Token  `parser:"( 'version' @String )?"`
	Alias   *lexer.Token  `parser:"( 'as' @Ident )?"`
}

// nameRule is one name of a list: participle overwrites a []lexer.Token at each
// capture, so repeated names need a production.
type nameRule struct {
	Name lexer.Token `parser:"@Ident"`
}

type declRule struct {
	Tokens   []lexer.Token
	Doc      []lexer.Token `parser:"@( Doc* )"`
	Template *templateRule `parser:"( @@"`
	Let      *letRule      `parser:"| @@"`
	Search   *searchRule   `parser:"| @@ )"`
}

type templateRule struct {
	Tokens []lexer.Token
	Kind   lexer.Token  `parser:"@( 'op' | 'block' | 'cell' | 'space' )"`
	Name   lexer.Token  `parser:"@Ident"`
	Count  Expr         `parser:"( '[' @@ ']' )?"`
	Params []*paramRule `parser:"( '(' ( @@ ( ',' @@ )* ','? )? ')' )?"`
	Result *typeRule    `parser:"( '->' @@ )?"`
	Eq     *lexer.Token `parser:"( @'='"`
	Expr   Expr         `parser:"@@"`
	Brace  *lexer.Token `parser:"| @'{'"`
	Body   []*stmtRule  `parser:"@@* '}' )?"`
}

type paramRule struct {
	Tokens  []lexer.Token
	Name    lexer.Token `parser:"@Ident"`
	Type    *typeRule   `parser:"( ':' @@ )?"`
	Default Expr        `parser:"( '=' @@ )?"`
}

type typeRule struct {
	Tokens []lexer.Token
	Shape  bool        `parser:"( @'['"`
	Dims   []Expr      `parser:"( @@ ( ',' @@ )* )? ']'"`
	Name   lexer.Token `parser:"| @( Ident | 'op' ) )"`
}

type letRule struct {
	Tokens []lexer.Token
	Name   lexer.Token `parser:"'let' @Ident"`
	Value  Expr        `parser:"'=' @@"`
}

type searchRule struct {
	Tokens []lexer.Token
	Name   lexer.Token `parser:"'search' @Ident"`
	Over   Expr        `parser:"'over' @@"`
	Body   []*stmtRule `parser:"'{' @@* '}'"`
}

type stmtRule struct {
	Tokens   []lexer.Token
	Doc      []lexer.Token `parser:"@( Doc* )"`
	Node     *nodeRule     `parser:"( @@"`
	Template *templateRule `parser:"| @@"`
	Verb     *verbRule     `parser:"| @@"`
	Assign   *assignRule   `parser:"| @@ )"`
}

type nodeRule struct {
	Tokens []lexer.Token
	Name   lexer.Token `parser:"'node' @Ident"`
	Count  Expr        `parser:"( '[' @@ ']' )?"`
	Type   *typeRule   `parser:"( ':' @@ )?"`
	Value  Expr        `parser:"'=' @@"`
}

type verbRule struct {
	Tokens []lexer.Token
	Verb   lexer.Token `parser:"@( 'return' | 'require' | 'maximize' | 'minimize' )"`
	Value  Expr        `parser:"@@"`
}

type assignRule struct {
	Tokens []lexer.Token
	Name   lexer.Token `parser:"@Ident"`
	Value  Expr        `parser:"'=' @@"`
}

// build makes the parser of one production. A grammar that does not build is a
// mistake in the tags above, found by any test.
func build[G any]() *participle.Parser[G] {
	return participle.MustBuild[G](participle.Lexer(definition{}), participle.ParseTypeWith(parseExpr))
}

var (
	importParser = build[importRule]()
	declParser   = build[declRule]()
	stmtParser   = build[stmtRule]()
)

// parseTokens reads toks as one production. The end of the production is
// reported at eof.
func parseTokens[G any](p *participle.Parser[G], toks []lexer.Token, eof lexer.Position) (*G, error) {
	lx, err := lexer.Upgrade(&tokenLexer{toks: toks, eof: eof})
	if err != nil {
		return nil, err
	}
	return p.ParseFromLexer(lx)
}

// humanNode puts the first thing of a piece of grammar, as participle prints
// it, into words.
func humanNode(ebnf string) string {
	first := strings.TrimLeft(ebnf, "( ")
	if i := strings.IndexAny(first, " )"); i > 0 && first[0] != '"' {
		first = first[:i]
	}
	switch {
	case strings.HasPrefix(first, `"`):
		if end := strings.IndexByte(first[1:], '"'); end > 0 {
			return "`" + first[1:1+end] + "`"
		}
	case strings.HasPrefix(first, "<ident>"), first == "Param", first == "ParamRule":
		return "a name"
	case strings.HasPrefix(first, "<string>"):
		return "a string"
	case strings.HasPrefix(first, "Expr"):
		return "an expression"
	case strings.HasPrefix(first, "TypeRule"):
		return "a type: a shape such as `[c, h, w]`, or a name such as `int`"
	}
	return first
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
