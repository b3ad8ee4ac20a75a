package syntax

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// productions reads `Name = … .` lines.
func productions(text string) map[string]string {
	m := map[string]string{}
	for _, l := range strings.Split(text, "\n") {
		if name, rhs, ok := strings.Cut(l, " = "); ok && strings.HasSuffix(rhs, " .") {
			m[strings.TrimSpace(name)] = rhs
		}
	}
	return m
}

// TestGrammarFile compares dsl/grammar.ebnf with what the parser is built from.
func TestGrammarFile(t *testing.T) {
	text, err := os.ReadFile("../grammar.ebnf")
	if err != nil {
		t.Fatal(err)
	}
	written := productions(string(text))
	// A production for one identifier is an accident of participle.
	built := strings.ReplaceAll(importParser.String()+"\n"+declParser.String(), "NameRule", "<ident>")
	built = strings.ReplaceAll(built, "Rule", "")
	n := 0
	for name, want := range productions(built) {
		if name == "<ident>" {
			continue
		}
		n++
		if got := written[name]; got != want {
			t.Errorf("%s: the file says\n%s\nthe parser is\n%s", name, got, want)
		}
	}
	if n != 11 {
		t.Errorf("%d productions compared", n)
	}
	// Every word of the grammar is reserved or contextual, and no other is.
	words := map[string]bool{"plugin": true, "from": true, "version": true, "as": true, "over": true}
	contextual := len(words)
	for _, rhs := range written {
		for _, w := range regexp.MustCompile(`"([a-z]+)"`).FindAllStringSubmatch(rhs, -1) {
			if !words[w[1]] && !keywords[w[1]] {
				t.Errorf("`%s` is a word of the grammar but not reserved", w[1])
			}
			words[w[1]] = true
		}
	}
	for w := range keywords {
		if !words[w] {
			t.Errorf("`%s` is reserved for nothing", w)
		}
	}
	if len(words) != contextual+len(keywords) {
		t.Errorf("%d words, %d reserved", len(words), len(keywords))
	}
	// Every infix operator is written at its level, and no other is.
	levels := map[string]int{"Or": precOr, "And": precAnd, "Cmp": precCmp, "Range": precRange, "Sum": precSum, "Prod": precProd}
	seen := 0
	for name, level := range levels {
		for _, w := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(written[name], -1) {
			if w[1] == "by" {
				continue
			}
			seen++
			if infix[w[1]] != level {
				t.Errorf("`%s` binds as %d, the file says %s", w[1], infix[w[1]], name)
			}
		}
	}
	if seen != len(infix) {
		t.Errorf("%d infix operators in the file, %d in the parser", seen, len(infix))
	}
}
