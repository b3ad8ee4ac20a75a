// Package syntax turns the text of a .nas file into a tree. It knows how a
// module is written and nothing of what it means: names, types and decisions
// are the business of the compiler.
//
// [Parse] works in four steps, each a file of this package:
//
//  1. scan.go cuts the text into tokens and keeps comments aside. What is no
//     text, or holds characters the language does not have, is reported here.
//     Reserved words are a kind of token of their own, so that the grammar's
//     identifier never matches one; `plugin`, `from`, `version`, `as` and
//     `over` are plain identifiers that the grammar compares by value.
//
//  2. brackets.go matches brackets over the whole file before anything is
//     parsed. That gives the nesting limit (200, since a stack overflow cannot
//     be caught in Go), finds the brackets that stay open together with the
//     place where that shows, and makes sure that the next step can rely on
//     brackets even in a broken file.
//
//  3. parse.go cuts the tokens into declarations: a declaring word outside all
//     brackets starts one. Each is parsed on its own, so that a mistake in one
//     says nothing about the next. grammar.go holds the productions of
//     declarations and statements as participle reads them; expr.go reads
//     expressions by precedence climbing, one method per level that is more
//     than an infix operator; convert.go makes the tree of ast.go from the
//     productions. A declaration that fails is parsed once more piece by piece
//     (recover.go): head, then every statement of its body.
//
//  4. comments.go hangs every comment on the node it belongs to. Doc comments
//     (`///` before a declaration or statement) are part of the tree instead.
//
// Newlines carry no meaning in the language, but recovery uses them: a word at
// the start of a line tells best where a statement that does not end should
// have ended.
//
// Every node has a [diag.Span]. Numbers keep what was written and their value
// in base units, brackets are kept as [Paren] nodes, so that package format can
// print what it read. The whole grammar is in dsl/grammar.ebnf.
//
// The depth of a tree is limited: at most 200 levels of nesting, each at most
// 1000 left-associative operators deep, so that recursion over a tree is safe.
package syntax
