package oneshot

import "context"

// Argmax derives the architecture with the largest mean mixture weights, see
// [Search.Strongest].
func Argmax() Selection { return argmax{} }

type argmax struct{}

func (argmax) Derive(_ context.Context, s *Search) (Choice, error) {
	return s.Strongest(s.Mean()), nil
}

// Threshold derives the architecture that keeps what weighs more than a threshold,
// 0.85 in the paper, see [Search.Above].
func Threshold(threshold float64) Selection { return above{threshold} }

type above struct{ threshold float64 }

func (t above) Derive(_ context.Context, s *Search) (Choice, error) {
	return s.Above(s.Mean(), t.threshold), nil
}
