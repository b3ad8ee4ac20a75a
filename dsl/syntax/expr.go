package syntax

import (
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// MaxNesting is how deep brackets, bodies, prefix words and right-associative
// operators may nest in one another. It keeps every recursion over a tree
// shallow: a Go stack overflow cannot be caught.
const MaxNesting = 200

// maxChain is how many left-associative operators, or calls, indexes and
// selections, may follow one another: each adds one level to the tree.
const maxChain = 1000

// The precedences of infix operators, loosest first. `|` and `->` and `of` are
// looser than all of these and have functions of their own.
const (
	precOr = iota + 1
	precAnd
	precNot
	precCmp
	precRange
	precSum
	precProd
)

var infix = map[string]int{
	"or": precOr, "and": precAnd,
	"==": precCmp, "!=": precCmp, "<": precCmp, "<=": precCmp, ">": precCmp, ">=": precCmp, "in": precCmp,
	"..": precRange,
	"+":  precSum, "-": precSum,
	"*": precProd, "/": precProd, "%": precProd,
}

func infixPrec(t *lexer.Token) int {
	if t.Type != tokPunct && t.Type != tokKeyword {
		return 0
	}
	return infix[t.Value]
}

// exprParser reads expressions by precedence climbing. There is one method per
// level of the grammar that is not a plain infix operator.
type exprParser struct {
	lx    *lexer.PeekingLexer
	last  *lexer.Token // the token read last
	depth int
}

// parseExpr is the production Expr, called by participle.
func parseExpr(lx *lexer.PeekingLexer) (Expr, error) {
	p := &exprParser{lx: lx}
	return p.expr()
}

func (p *exprParser) peek() *lexer.Token { return p.lx.Peek() }

func (p *exprParser) next() *lexer.Token {
	p.last = p.lx.Next()
	return p.last
}

// from makes the node that starts at start and ends at the token read last.
func (p *exprParser) from(start diag.Pos) node {
	return node{span: diag.Span{Start: start, End: endPos(p.last)}}
}

// accept reads the word or punctuation s if it comes next.
func (p *exprParser) accept(s string) bool {
	if !isWord(p.peek(), s) {
		return false
	}
	p.next()
	return true
}

func (p *exprParser) expect(s, where string) error {
	if p.accept(s) {
		return nil
	}
	return unexpected(p.peek(), "`"+s+"`"+where, s)
}

func (p *exprParser) enter() error {
	if p.depth++; p.depth > MaxNesting {
		return tooDeep(p.peek())
	}
	return nil
}

func (p *exprParser) leave() { p.depth-- }

// expr = "if" Expr "then" Expr "else" Expr | Choice .
func (p *exprParser) expr() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if !isWord(p.peek(), "if") {
		return p.choice()
	}
	start := startPos(p.next())
	cond, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.expect("then", " after the condition"); err != nil {
		return nil, err
	}
	then, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.expect("else", ": an `if` has both branches"); err != nil {
		return nil, err
	}
	els, err := p.expr()
	if err != nil {
		return nil, err
	}
	return &If{node: p.from(start), Cond: cond, Then: then, Else: els}, nil
}

// choice = Flow [ "if" Or ] { "|" Flow [ "if" Or ] } .
func (p *exprParser) choice() (Expr, error) {
	start := startPos(p.peek())
	var alts []Alt
	for {
		v, err := p.flow()
		if err != nil {
			return nil, err
		}
		alt := Alt{Value: v}
		if p.accept("if") {
			if alt.Guard, err = p.infix(precOr); err != nil {
				return nil, err
			}
		}
		alts = append(alts, alt)
		if !p.accept("|") {
			break
		}
	}
	if len(alts) == 1 && alts[0].Guard == nil {
		return alts[0].Value, nil
	}
	return &Choice{node: p.from(start), Alts: alts}, nil
}

// flow = Pick { "->" Pick } .
func (p *exprParser) flow() (Expr, error) {
	start := startPos(p.peek())
	first, err := p.pick()
	if err != nil || !isWord(p.peek(), "->") {
		return first, err
	}
	steps := []Expr{first}
	for p.accept("->") {
		s, err := p.pick()
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return &Flow{node: p.from(start), Steps: steps}, nil
}

// pick = ( "any" | "all" ) "of" Pick | Or [ "of" Pick ] .
func (p *exprParser) pick() (Expr, error) {
	t := p.peek()
	start := startPos(t)
	of := &Of{}
	if isWord(t, "any") || isWord(t, "all") {
		of.Quant = p.next().Value
		if err := p.expect("of", " after `"+of.Quant+"`"); err != nil {
			return nil, err
		}
	} else {
		x, err := p.infix(precOr)
		if err != nil || !p.accept("of") {
			return x, err
		}
		of.Count = x
	}
	err := p.enter()
	if err == nil {
		of.Set, err = p.pick()
	}
	p.leave()
	if err != nil {
		return nil, err
	}
	of.node = p.from(start)
	return of, nil
}

// infix reads operators of precedence min and tighter.
func (p *exprParser) infix(min int) (Expr, error) {
	start := startPos(p.peek())
	var x Expr
	var err error
	limit := precProd // the tightest operator that may follow x
	if isWord(p.peek(), "not") && min <= precNot {
		p.next()
		y, err := p.infix(precNot + 1)
		if err != nil {
			return nil, err
		}
		x, limit = &Unary{node: p.from(start), Op: "not", X: y}, precAnd
	} else if x, err = p.unary(); err != nil {
		return nil, err
	}
	for chain := 0; ; chain++ {
		t := p.peek()
		prec := infixPrec(t)
		if prec == 0 || prec < min {
			return x, nil
		}
		if prec > limit {
			return nil, notChained(t, x)
		}
		if chain == maxChain {
			return nil, tooLong(t)
		}
		op := p.next()
		if prec == precRange {
			if x, err = p.rangeTail(start, x); err != nil {
				return nil, err
			}
			limit = precCmp
			continue
		}
		y, err := p.infix(prec + 1)
		if err != nil {
			return nil, err
		}
		x = &Binary{node: p.from(start), Op: op.Value, OpPos: tokenSpan(op), X: x, Y: y}
		if limit = prec; prec == precCmp {
			limit = precAnd
		}
	}
}

// rangeTail reads what follows `lo ..`: [ Sum ] [ "by" Sum ]. A name before `=`
// belongs to the next statement: no expression has `=` in it.
func (p *exprParser) rangeTail(start diag.Pos, lo Expr) (Expr, error) {
	r := &Range{Lo: lo}
	var err error
	if startsOperand(p.peek()) && !p.defines() {
		if r.Hi, err = p.infix(precSum); err != nil {
			return nil, err
		}
	}
	if p.accept("by") {
		if r.By, err = p.infix(precSum); err != nil {
			return nil, err
		}
	}
	r.node = p.from(start)
	return r, nil
}

// defines reports whether a name and `=` come next.
func (p *exprParser) defines() bool {
	if p.peek().Type != tokIdent {
		return false
	}
	mark := p.lx.MakeCheckpoint()
	p.lx.Next()
	eq := isWord(p.peek(), "=")
	p.lx.LoadCheckpoint(mark)
	return eq
}

// unary = [ "-" ] Postfix [ "^" Unary ] .
func (p *exprParser) unary() (Expr, error) {
	start := startPos(p.peek())
	minus := p.accept("-")
	inner := startPos(p.peek())
	x, err := p.postfix()
	if err != nil {
		return nil, err
	}
	if isWord(p.peek(), "^") {
		op := p.next()
		var y Expr
		err := p.enter()
		if err == nil {
			y, err = p.unary()
		}
		p.leave()
		if err != nil {
			return nil, err
		}
		x = &Binary{node: p.from(inner), Op: "^", OpPos: tokenSpan(op), X: x, Y: y}
	}
	if minus {
		x = &Unary{node: p.from(start), Op: "-", X: x}
	}
	return x, nil
}

// postfix = Primary { "(" … ")" | "[" Expr "]" | "." ident } .
func (p *exprParser) postfix() (Expr, error) {
	start := startPos(p.peek())
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	for chain := 0; ; chain++ {
		t := p.peek()
		if t.Type != tokPunct || t.Value != "(" && t.Value != "[" && t.Value != "." {
			return x, nil
		}
		if chain == maxChain {
			return nil, tooLong(t)
		}
		p.next()
		switch t.Value {
		case "(":
			args, err := p.args()
			if err != nil {
				return nil, err
			}
			x = &Call{node: p.from(start), Fun: x, Args: args}
		case "[":
			i, err := p.expr()
			if err != nil {
				return nil, err
			}
			if err := p.expect("]", " after the index"); err != nil {
				return nil, err
			}
			x = &Index{node: p.from(start), X: x, I: i}
		case ".":
			name, err := p.ident("after `.`")
			if err != nil {
				return nil, err
			}
			x = &Select{node: p.from(start), X: x, Name: name}
		}
	}
}

func (p *exprParser) ident(where string) (*Ident, error) {
	t := p.peek()
	if t.Type != tokIdent {
		return nil, expectedName(t, where)
	}
	p.next()
	return &Ident{node: tokenNode(t), Name: t.Value}, nil
}

// args reads actual arguments up to and with the closing bracket.
func (p *exprParser) args() ([]*Arg, error) {
	var args []*Arg
	for !p.accept(")") {
		a, err := p.arg()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if !p.accept(",") && !isWord(p.peek(), ")") {
			t, next := p.peek(), ""
			if isWord(t, "=") {
				p.next()
				next = p.peek().Value
			}
			return nil, afterArg(a, t, next)
		}
	}
	return args, nil
}

// arg = [ ident ":" ] Expr [ "for" ident "in" Expr ] .
func (p *exprParser) arg() (*Arg, error) {
	first := p.peek()
	a := &Arg{}
	if first.Type == tokIdent {
		mark := p.lx.MakeCheckpoint()
		p.next()
		if p.accept(":") {
			a.Name = &Ident{node: tokenNode(first), Name: first.Value}
		} else {
			p.lx.LoadCheckpoint(mark)
		}
	} else if first.Type == tokKeyword {
		mark := p.lx.MakeCheckpoint()
		p.next()
		if p.accept(":") {
			return nil, reserved(first, "the name of an argument")
		}
		p.lx.LoadCheckpoint(mark)
	}
	var err error
	if a.Value, err = p.expr(); err != nil {
		return nil, err
	}
	if p.accept("for") {
		if a.Var, err = p.ident("after `for`"); err != nil {
			return nil, err
		}
		if err := p.expect("in", " after `for "+a.Var.Name+"`"); err != nil {
			return nil, err
		}
		if a.In, err = p.expr(); err != nil {
			return nil, err
		}
	}
	a.node = p.from(startPos(first))
	return a, nil
}

// primary = number | string | "true" | "false" | ident | "(" Expr ")" | "[" … "]" .
func (p *exprParser) primary() (Expr, error) {
	t := p.peek()
	switch {
	case t.Type == tokIdent:
		p.next()
		return &Name{node: tokenNode(t), Name: t.Value}, nil
	case t.Type == tokNumber:
		p.next()
		n, err := number(t)
		if err != nil {
			return nil, err
		}
		return n, nil
	case t.Type == tokString:
		p.next()
		s, err := str(t)
		if err != nil {
			return nil, err
		}
		return s, nil
	case isWord(t, "true"), isWord(t, "false"):
		p.next()
		return &Bool{node: tokenNode(t), Value: t.Value == "true"}, nil
	case isWord(t, "("):
		p.next()
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.expect(")", ""); err != nil {
			return nil, err
		}
		return &Paren{node: p.from(startPos(t)), X: x}, nil
	case isWord(t, "["):
		p.next()
		return p.list(startPos(t))
	}
	return nil, expectedExpr(t, p.last)
}

// list reads the elements of a list up to and with the closing bracket.
func (p *exprParser) list(start diag.Pos) (Expr, error) {
	l := &List{}
	for !p.accept("]") {
		if len(l.Elems) > 0 {
			if err := p.expect(",", " or `]` after this element"); err != nil {
				return nil, err
			}
		}
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		l.Elems = append(l.Elems, x)
	}
	l.node = p.from(start)
	return l, nil
}

// tokenNode is the node of a single token.
func tokenNode(t *lexer.Token) node { return node{span: tokenSpan(t)} }
