package compiler

import (
	"context"

	"github.com/nasc-project/nasc/compiler/count"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/unique"
)

// Unique finds one architecture of each isomorphism class of the space, see
// package compiler/unique. The error is an [*unique.UnknownError] where that is not
// feasible, and ctx's error when ctx is cancelled.
func (s *Space) Unique(ctx context.Context) (*unique.Classes, error) {
	return s.classes(ctx, false)
}

// UniqueSoon is Unique where that takes a second or two, and an
// [*unique.UnknownError] elsewhere.
func (s *Space) UniqueSoon(ctx context.Context) (*unique.Classes, error) {
	return s.classes(ctx, true)
}

func (s *Space) classes(ctx context.Context, quick bool) (*unique.Classes, error) {
	admission, ok := count.Admission(s.plan)
	if !ok {
		admission = func() func(space.Genotype) bool {
			return func(g space.Genotype) bool { return s.Admits(g) == nil }
		}
	}
	return unique.Of(ctx, unique.Space{Plan: s.plan, Bind: s.Bind, Admission: admission, Quick: quick})
}
