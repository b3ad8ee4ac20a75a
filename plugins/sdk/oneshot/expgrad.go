package oneshot

import (
	"math"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// ExpGrad is the update of GAEA (Li, Khodak, Balcan and Talwalkar, "Geometry-Aware
// Gradient Algorithms for Neural Architecture Search", ICLR 2021): exponentiated gradient
// on probabilities x,
//
//	x <- x exp(-Rate dL/dx), then divided by the sum,
//
// from the uniform distribution on. Parameters hold ln x, so a softmax of them is x, and
// Gumbel noise is added to ln x as in GAEA-GDAS.
//
// No probability falls below 1e-5: GAEA-DARTS clamps x before it divides by the sum,
// GAEA-GDAS after (ClampAfter). Entropy times the negative entropy relative to the
// uniform distribution is added to the loss, 0.01 in GAEA-GDAS.
type ExpGrad struct {
	Rate       float64
	ClampAfter bool
	Entropy    float64
}

type expGradParams struct {
	ArchLr    float64 `default:"0" min:"0" doc:"rate of the arch parameters; 0: as published for the update, adam 3e-4 and eg 0.1"`
	EgClamp   string  `default:"before" choices:"before,after" doc:"whether eg clamps probabilities before it divides them by their sum (GAEA-DARTS) or after (GAEA-GDAS)"`
	EgEntropy float64 `default:"0" min:"0" doc:"factor of the negative entropy that eg adds to the loss, 0.01 in GAEA-GDAS"`
}

func newExpGrad(p expGradParams) (Update, error) {
	if p.ArchLr == 0 {
		p.ArchLr = 0.1
	}
	return &ExpGrad{p.ArchLr, p.EgClamp == "after", p.EgEntropy}, nil
}

// leastProbability is where x is clamped.
const leastProbability = 1e-5

// Simplex marks that the exponentials of the parameters of a decision are
// probabilities.
func (*ExpGrad) Simplex() {}

// Start implements [Update].
func (*ExpGrad) Start(l *Layout, p Params) error {
	for i := range p {
		for k := range p[i] {
			p[i][k] = -math.Log(float64(len(p[i])))
		}
	}
	return nil
}

// Step implements [Update].
func (e *ExpGrad) Step(p, grad Params) {
	floor := math.Log(leastProbability)
	for i := range p {
		if len(p[i]) == 0 {
			continue
		}
		uniform := math.Log(float64(len(p[i])))
		top := math.Inf(-1)
		for k, v := range p[i] {
			g := grad[i][k]/math.Exp(v) + e.Entropy*(v+uniform+1)
			v -= e.Rate * g
			if !e.ClampAfter {
				v = max(v, floor)
			}
			p[i][k] = v
			top = max(top, v)
		}
		sum := 0.0
		for _, v := range p[i] {
			sum += math.Exp(v - top)
		}
		for k := range p[i] {
			p[i][k] -= top + math.Log(sum)
			if e.ClampAfter {
				p[i][k] = max(p[i][k], floor)
			}
		}
	}
}

// simplex is an update whose parameters are logarithms of probabilities.
type simplex interface{ Simplex() }

// fitsUpdate is an error about an update that the relaxation gives no sense.
func (p *Parts) fitsUpdate() error {
	_, free := p.Relaxation.(Unbounded)
	if _, ok := p.Update.(simplex); ok && free {
		return sdk.Refuse("update", "moves probabilities, and the weights of this relaxation are none: they do not add up to one")
	}
	return nil
}
