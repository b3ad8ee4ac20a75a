package compiler

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
)

// newSpace hands the requirements of a plan to the algebra of its decisions.
func newSpace(plan *lower.Plan) *Space {
	s := &Space{Space: plan.Space, plan: plan}
	if s.Constrained() {
		plan.Space.Constrain(func(g space.Genotype) bool {
			// What cannot be bound is reported by Bind, not passed over.
			v, err := plan.Violated(g)
			return v == nil || err != nil
		})
	}
	return s
}

// Constrained reports whether the space has requirements, so that some of the
// ways to take its decisions may be outside.
func (s *Space) Constrained() bool { return len(s.plan.Requires) > 0 }

// Admits returns nil for an architecture that meets every requirement, and
// otherwise a diagnostic E0431 with the requirement, its place and what the
// architecture has instead. A genotype that is not of this space is another error.
func (s *Space) Admits(g space.Genotype) error {
	v, err := s.plan.Violated(g)
	switch {
	case err != nil:
		return fmt.Errorf("space %s: %w", s.Name, err)
	case v == nil:
		return nil
	}
	return outside(v)
}

// outside says which requirement an architecture does not meet.
func outside(v *lower.Violation) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: "E0431", Span: v.Span, Message: "this architecture is outside the space"}
	var actual []string
	for _, a := range v.Actual {
		value := fmt.Sprint(a.Value)
		if n, ok := a.Value.(int64); ok {
			value = digits(n)
		}
		if len(v.Actual) > 1 {
			value = a.Name + " is " + value
		} else {
			value = "is " + value
		}
		actual = append(actual, value)
	}
	d.Label = strings.Join(actual, ", ")
	if v.Cause != nil {
		d.Notes = append(d.Notes, diag.Note{Text: "the requirement cannot be computed: " + v.Cause.Error()})
	}
	return d
}

// digits writes a number with a blank between groups of three digits.
func digits(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
