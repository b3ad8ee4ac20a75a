package diag

import (
	"embed"
	"sort"
	"strings"
)

// One page per code: codes/E0101.md, its first line "# E0101: title". A new
// code needs nothing but its page.
//
//go:embed codes/*.md
var pages embed.FS

// Codes lists the codes that have a page, in order.
func Codes() []string {
	entries, err := pages.ReadDir("codes")
	if err != nil {
		return nil
	}
	var codes []string
	for _, e := range entries {
		codes = append(codes, strings.TrimSuffix(e.Name(), ".md"))
	}
	sort.Strings(codes)
	return codes
}

// Explain returns the page of a code: what it means, an example that causes it
// and how to put that right. Case does not matter.
func Explain(code string) (text string, ok bool) {
	b, err := pages.ReadFile("codes/" + strings.ToUpper(code) + ".md")
	return string(b), err == nil
}

// Title is the heading of a code's page, without the code.
func Title(code string) string {
	text, _ := Explain(code)
	head, _, _ := strings.Cut(text, "\n")
	_, title, _ := strings.Cut(head, ": ")
	return title
}
