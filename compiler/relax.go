package compiler

import (
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/dsl/diag"
)

// oneShot starts the line of a space's documentation that says what to relax in
// its place.
const oneShot = "One-shot: "

// Relax makes a supernet of the space. What cannot be relaxed is a diagnostic
// E0540. Its help is what the documentation of the space says in a line that
// starts with `One-shot: `, if there is one.
func (s *Space) Relax(o lower.Relaxation) (*lower.Supernet, diag.List) {
	out, diags := s.plan.Relax(o)
	for _, d := range diags {
		if s.oneShot != "" {
			d.Help = s.oneShot
		}
	}
	return out, diags
}

// insteadOf finds the help for those who want to relax a space that cannot be.
func insteadOf(doc string) string {
	for _, paragraph := range strings.Split(doc, "\n\n") {
		if rest, ok := strings.CutPrefix(strings.ReplaceAll(paragraph, "\n", " "), oneShot); ok {
			return rest
		}
	}
	return ""
}
