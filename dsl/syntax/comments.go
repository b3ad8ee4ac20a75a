package syntax

import "github.com/alecthomas/participle/v2/lexer"

// attach keeps every comment of the file.
func attach(f *File, comments []lexer.Token) {
	for i := range comments {
		f.Trailing = append(f.Trailing, Comment{Span: tokenSpan(&comments[i]), Text: comments[i].Value})
	}
}
