package oneshot

import (
	"context"
	"fmt"
)

// Adaptive multiplies the weight decay of the weights at each alarm of an [Early] (Zela
// et al., ICLR 2020: R-DARTS with DARTS-ADA), which makes the minimum flatter. In the
// paper the search also goes back to where it was before the eigenvalue rose; here it
// goes on. The next alarm is judged by what comes after this one.
type Adaptive struct {
	Early
	Begin  float64 // weight decay to begin with; 3e-4 in the paper
	Factor float64 // 3
	Most   float64 // 0.0243
}

// Prologue implements [Prologue].
func (a *Adaptive) Prologue(ctx context.Context, s *Search, at Moment) error {
	if at.Epoch == 0 {
		s.SetWeightDecay(a.Begin)
	}
	return a.Early.Prologue(ctx, s, at)
}

// Watch implements [Guard].
func (a *Adaptive) Watch(ctx context.Context, s *Search, at Moment) (Verdict, error) {
	alarm, v, err := a.look(ctx, s, at)
	if err != nil {
		return v, err
	}
	decay := *s.weightDecay
	if alarm && decay < a.Most {
		decay = min(a.Factor*decay, a.Most)
		s.SetWeightDecay(decay)
		a.state = watched{}
		v.Text += fmt.Sprintf("; the weight decay is %.3g from now on", decay)
	}
	v.Values["weight_decay"] = decay
	return v, nil
}

// L2 is a larger weight decay of the weights from the beginning (Zela et al., ICLR
// 2020: R-DARTS with L2, which takes the best of 3e-4, 9e-4, 27e-4 and 81e-4).
type L2 struct{ Decay float64 }

// Prologue implements [Prologue].
func (l L2) Prologue(_ context.Context, s *Search, _ Moment) error {
	s.SetWeightDecay(l.Decay)
	return nil
}

// Watch implements [Guard].
func (l L2) Watch(context.Context, *Search, Moment) (Verdict, error) { return Verdict{}, nil }
