package syntax

import "github.com/nasc-project/nasc/dsl/diag"

// File is one parsed .nas module.
type File struct {
	Path    string
	Imports []*Import
	Decls   []Decl

	// Comments that belong to no node: those after the last declaration.
	Trailing []Comment
}

// Comment is one `// …` line comment, text without the slashes' line end.
type Comment struct {
	Span diag.Span
	Text string // with its leading //
}

// Comments are the comments attached to a node by position: Before stand on
// lines of their own above the node, Suffix ends its last line, and After, which
// only calls, lists and declarations with a body have, stand on lines of their
// own before the closing bracket.
type Comments struct {
	Before []Comment
	Suffix []Comment
	After  []Comment
}

// Node is any part of the tree that has a place in the source.
type Node interface {
	Span() diag.Span
}

// node is embedded in every tree node.
type node struct {
	span     diag.Span
	comments Comments
}

// Span is the stretch of source the node was read from.
func (n *node) Span() diag.Span { return n.span }

// Comments returns the comments attached to the node, for reading and editing.
func (n *node) Comments() *Comments { return &n.comments }

// Ident is a name with its place.
type Ident struct {
	node
	Name string
}

// Import is `import … "path"`.
//
//	import { a, b } from "std/vision"
//	import "./cells.nas" as cells
//	import plugin "nasc/evolution" version "~> 1.0" as evo
type Import struct {
	node
	Doc     []string
	Plugin  bool
	Names   []*Ident
	Path    *String
	Version *String // nil when absent
	Alias   *Ident  // nil when absent
}

// Decl is a top-level declaration: *Template, *Let or *Search.
type Decl interface {
	Node
	declNode()
	DeclName() *Ident
}

// TemplateKind tells the four templates apart.
type TemplateKind string

// The four templates of rule 1.
const (
	Op    TemplateKind = "op"
	Block TemplateKind = "block"
	Cell  TemplateKind = "cell"
	Space TemplateKind = "space"
)

// Template is an op, block, cell or space declaration. Exactly one of Expr
// and Body is set, or neither (an op without costs).
type Template struct {
	node
	Doc    []string
	Kind   TemplateKind
	Name   *Ident
	Count  Expr // cell motif[6], or nil
	Params []*Param
	Result *Type // nil when absent
	Expr   Expr
	Body   []Stmt
	Braces bool // the body was written as { … }, perhaps empty

	HeadEnd diag.Pos // behind the last token before `=` or `{`
}

// Param is one formal parameter. Without type and default it is a tensor.
type Param struct {
	node
	Name    *Ident
	Type    *Type
	Default Expr
}

// Type is a shape `[c, h, w]` or a type name (int, real, bool, string, op, set).
type Type struct {
	node
	Shape bool
	Dims  []Expr
	Name  string
}

// Let is `let name = expr`, decided once.
type Let struct {
	node
	Doc   []string
	Name  *Ident
	Value Expr
}

// Search is `search name over space { … }`.
type Search struct {
	node
	Doc  []string
	Name *Ident
	Over Expr
	Body []Stmt
}

// Stmt is one statement of a body: *NodeStmt, *Template, *Verb or *Assign.
type Stmt interface {
	Node
	stmtNode()
}

// NodeStmt adds a vertex, or an array of vertices, to a cell.
type NodeStmt struct {
	node
	Doc   []string
	Name  *Ident
	Count Expr // node n[3], or nil
	Type  *Type
	Value Expr
}

// Verb is return, require, maximize or minimize with its expression.
type Verb struct {
	node
	Doc   []string
	Verb  string
	Value Expr
}

// Assign is `name = expr`; bodies are single-assignment.
type Assign struct {
	node
	Doc   []string
	Name  *Ident
	Value Expr
}

// Expr is an expression: one of the types below.
type Expr interface {
	Node
	exprNode()
}

// Name is a reference to something declared elsewhere.
type Name struct {
	node
	Name string
}

// Number is a literal. Text keeps what was written (12M, 1_000, 25ms); Value
// is in base units (seconds for time, fractions for %) and IsInt tells whether
// the literal is a whole number without a time or percent unit.
type Number struct {
	node
	Text  string
	Value float64
	Int   int64
	IsInt bool
	Unit  string // "", "K" "M" "G" "Ki" "Mi" "Gi" "ms" "us" "s" "m" "h" "%"
}

// String is a quoted literal; Value is unquoted.
type String struct {
	node
	Text  string // as written, with quotes
	Value string
}

// Bool is true or false.
type Bool struct {
	node
	Value bool
}

// List is [a, b, c].
type List struct {
	node
	Elems []Expr
}

// Paren keeps the brackets the author wrote, for the printer.
type Paren struct {
	node
	X Expr
}

// If is if Cond then Then else Else.
type If struct {
	node
	Cond, Then, Else Expr
}

// Choice is a | b | c, at least two alternatives or one guarded one.
type Choice struct {
	node
	Alts []Alt
}

// Alt is one alternative with its guard, nil when unguarded.
type Alt struct {
	Value Expr
	Guard Expr
}

// Flow is a -> b -> c, at least two steps.
type Flow struct {
	node
	Steps []Expr
}

// Of is `Count of Set`; Quant is "any" or "all" when Count is nil.
type Of struct {
	node
	Quant string
	Count Expr
	Set   Expr
}

// Binary is X Op Y for + - * / % ^ == != < <= > >= in and or.
type Binary struct {
	node
	Op    string
	OpPos diag.Span
	X, Y  Expr
}

// Unary is -X or not X.
type Unary struct {
	node
	Op string
	X  Expr
}

// Range is Lo .. Hi by By; Hi and By may be nil (`1.. of`).
type Range struct {
	node
	Lo, Hi, By Expr
}

// Call is Fun(args).
type Call struct {
	node
	Fun  Expr
	Args []*Arg
}

// Arg is one actual argument: a tensor by position or an attribute by name,
// perhaps with a comprehension `value for Var in In`.
type Arg struct {
	node
	Name  *Ident // nil when by position
	Value Expr
	Var   *Ident // nil without comprehension
	In    Expr
}

// Index is X[I].
type Index struct {
	node
	X, I Expr
}

// Select is X.Name.
type Select struct {
	node
	X    Expr
	Name *Ident
}

func (*Template) declNode() {}
func (*Let) declNode()      {}
func (*Search) declNode()   {}

// DeclName is the name that the declaration binds.
func (d *Template) DeclName() *Ident { return d.Name }

// DeclName is the name that the declaration binds.
func (d *Let) DeclName() *Ident { return d.Name }

// DeclName is the name that the declaration binds.
func (d *Search) DeclName() *Ident { return d.Name }

func (*NodeStmt) stmtNode() {}
func (*Template) stmtNode() {}
func (*Verb) stmtNode()     {}
func (*Assign) stmtNode()   {}

func (*Name) exprNode()   {}
func (*Number) exprNode() {}
func (*String) exprNode() {}
func (*Bool) exprNode()   {}
func (*List) exprNode()   {}
func (*Paren) exprNode()  {}
func (*If) exprNode()     {}
func (*Choice) exprNode() {}
func (*Flow) exprNode()   {}
func (*Of) exprNode()     {}
func (*Binary) exprNode() {}
func (*Unary) exprNode()  {}
func (*Range) exprNode()  {}
func (*Call) exprNode()   {}
func (*Index) exprNode()  {}
func (*Select) exprNode() {}
