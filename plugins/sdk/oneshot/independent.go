package oneshot

import (
	"math/rand/v2"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Independent is a relaxation that treats each decision by itself. [Each] makes a
// [Relaxation] of it.
type Independent interface {
	// Init draws the parameters of a decision.
	Init(d Decision, rng *rand.Rand) []float64
	// Draw makes the weights of a decision's options, and what turns the gradient with
	// respect to them into that with respect to p.
	Draw(d Decision, p []float64, at Moment, rng *rand.Rand) (w []float64, back func(grad []float64) []float64)
	// Mean are the weights that stand for p in a selection.
	Mean(d Decision, p []float64) []float64
}

// Each makes a relaxation of one that treats each decision by itself. Edges that are
// not learned weigh one.
func Each(r Independent) Relaxation {
	return each{r}
}

type each struct{ of Independent }

func (e each) Init(l *Layout, rng *rand.Rand) Params {
	p := make(Params, len(l.Decisions))
	for i, d := range l.Decisions {
		if d.Learned {
			p[i] = e.of.Init(d, rng)
		}
	}
	return p
}

func (e each) Draw(l *Layout, p Params, at Moment, rng *rand.Rand) (sdk.Mixture, Backward) {
	m := make(sdk.Mixture, len(l.Decisions))
	backs := make([]func([]float64) []float64, len(l.Decisions))
	for i, d := range l.Decisions {
		if d.Learned {
			m[i], backs[i] = e.of.Draw(d, p[i], at, rng)
		} else {
			m[i] = ones(len(d.Options))
		}
	}
	return m, func(grad sdk.Mixture) Params {
		out := make(Params, len(grad))
		for i, back := range backs {
			if back != nil {
				out[i] = back(grad[i])
			}
		}
		return out
	}
}

func (e each) Mean(l *Layout, p Params) sdk.Mixture {
	m := make(sdk.Mixture, len(l.Decisions))
	for i, d := range l.Decisions {
		if d.Learned {
			m[i] = e.of.Mean(d, p[i])
		} else {
			m[i] = ones(len(d.Options))
		}
	}
	return m
}

func ones(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
