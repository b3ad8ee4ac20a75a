package compiler

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/nasc-project/nasc/compiler/count"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
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

// UnknownCount says that the number of architectures under a requirement is not
// known. It unwraps to the diagnostic E0436.
type UnknownCount struct {
	Requirement string // as `.nas` text
	Diagnostic  *diag.Diagnostic
}

func (e *UnknownCount) Error() string { return e.Diagnostic.Error() }

// Unwrap is the diagnostic.
func (e *UnknownCount) Unwrap() error { return e.Diagnostic }

// Count is the exact number of architectures: Size where nothing is required, and
// otherwise how many of those meet every requirement. It fails with an
// [*UnknownCount] where that cannot be told.
func (s *Space) Count() (*big.Int, error) {
	n, err := count.Of(s.plan)
	var unknown *count.UnknownError
	if errors.As(err, &unknown) {
		r := unknown.Requirement
		d := &diag.Diagnostic{Code: "E0436", Span: r.Span, Message: fmt.Sprintf("the number of architectures under `require %s` is not known", r.Text)}
		d.Notes = append(d.Notes, diag.Note{Text: fmt.Sprintf("without requirements there are %s", s.Size())})
		return nil, &UnknownCount{r.Text, d}
	}
	return n, err
}

// glances is how many architectures are drawn before a space is suspected of being
// empty.
const glances = 256

// Empty reports a space in which nothing meets the requirements, as far as that can
// be told: a diagnostic E0433, or none.
func (s *Space) Empty() diag.List {
	if !s.Constrained() {
		return nil
	}
	rng := stream.New(0, "glance", 0)
	free := s.Unconstrained()
	for range glances {
		if v, err := s.plan.Violated(free.Sample(rng)); v == nil || err != nil {
			return nil
		}
	}
	if n, err := s.Count(); err != nil || n.Sign() != 0 {
		return nil
	}
	var diags diag.List
	all := s.plan.Requires
	d := diags.Add("E0433", all[0].Span, "nothing in space `%s` meets what is required", s.Name)
	for i, r := range all[1:] {
		if r.Span != all[i].Span {
			d.Notes = append(d.Notes, diag.Note{Span: r.Span, Text: "required together with this"})
		}
	}
	return diags
}

// outside says which requirement an architecture does not meet.
func outside(v *lower.Violation) *diag.Diagnostic {
	d := &diag.Diagnostic{Code: "E0431", Span: v.Span, Message: "this architecture is outside the space"}
	var actual []string
	for _, a := range v.Actual {
		value := fmt.Sprint(a.Value)
		if n, ok := a.Value.(int64); ok {
			value = graph.Group(n)
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
