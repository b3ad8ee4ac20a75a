package oneshot

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Radius grows linearly from Min to Max over the epochs: Min + (Max - Min) epoch/epochs.
type Radius struct{ Min, Max float64 }

// At is the radius of an epoch.
func (r Radius) At(at Moment) float64 {
	return r.Min + (r.Max-r.Min)*float64(at.Epoch)/float64(max(at.Epochs, 1))
}

type radiusParams struct {
	Epsilon    float64 `default:"0.3" min:"0" max:"1" doc:"most by which weights are perturbed after the last epoch"`
	EpsilonMin float64 `default:"0.03" min:"0" max:"1" doc:"most by which weights are perturbed in the first epoch"`
}

func (p radiusParams) radius() (Radius, error) {
	if p.EpsilonMin > p.Epsilon {
		return Radius{}, sdk.Refuse("epsilon_min", "is %v, more than epsilon, %v", p.EpsilonMin, p.Epsilon)
	}
	return Radius{p.EpsilonMin, p.Epsilon}, nil
}

// RandomPerturbation is that of SDARTS-RS (Chen and Hsieh, "Stabilizing Differentiable
// Architecture Search via Perturbation-based Regularization", ICML 2020): uniform
// numbers up to the radius either way are added to the mixture weights of a weight step,
// which are then clipped to [0, 1] and brought back to their sum.
func RandomPerturbation(r Radius) Perturbation { return randomPerturbation{perturbed{r}} }

type randomPerturbation struct{ perturbed }

func newRandomPerturbation(p radiusParams) (Perturbation, error) {
	r, err := p.radius()
	return RandomPerturbation(r), err
}

func (p randomPerturbation) Perturb(_ context.Context, s *Search, m sdk.Mixture, at Moment) (sdk.Mixture, error) {
	shake(s, m, p.radius.At(at), s.Rand("perturb"))
	return m, nil
}

// Adversarial is the perturbation of SDARTS-ADV in the same paper: projected gradient
// ascent of the loss of the weight step to come, within the radius of each weight, steps
// of 2/Steps times the radius along the sign of the gradient, from a random start, each
// time clipped as in [RandomPerturbation]. If the loss is not above the one without it,
// there is none.
//
// The losses are of batch norm by the batch; the published code takes running averages.
func Adversarial(r Radius, steps int) Perturbation { return adversarial{perturbed{r}, steps} }

type adversarial struct {
	perturbed
	steps int
}

type adversarialParams struct {
	radiusParams
	PgdSteps int `default:"7" min:"1" doc:"steps of the adversarial perturbation"`
}

func newAdversarial(p adversarialParams) (Perturbation, error) {
	r, err := p.radius()
	return Adversarial(r, p.PgdSteps), err
}

func (p adversarial) Perturb(ctx context.Context, s *Search, m sdk.Mixture, at Moment) (sdk.Mixture, error) {
	eps := p.radius.At(at)
	loss := func(m sdk.Mixture) (float64, sdk.Mixture, error) {
		return s.Net().ArchGradient(ctx, m, sdk.ArchGradient{Batch: sdk.NextTrain})
	}
	before, _, err := loss(m)
	if err != nil {
		return nil, err
	}
	x := cloned(m)
	shake(s, x, eps, s.Rand("perturb"))
	for range p.steps {
		there := cloned(x)
		learnedWeights(s, func(i, k int) { there[i][k] = max(there[i][k], faint) })
		_, grad, err := loss(there)
		if err != nil {
			return nil, err
		}
		learnedWeights(s, func(i, k int) {
			step := 0.0
			if g := grad[i][k]; g != 0 {
				step = math.Copysign(2*eps/float64(p.steps), g)
			}
			x[i][k] = m[i][k] + min(max(x[i][k]+step-m[i][k], -eps), eps)
		})
		clip(s, x, m)
	}
	after, _, err := loss(x)
	if err != nil {
		return nil, err
	}
	if before > after {
		return m, nil
	}
	return x, nil
}

// faint is a weight that adds nothing to a sum of ordinary numbers; of a candidate
// without any, a supernet computes no gradient.
const faint = 1e-12

// perturbed has the radius of a perturbation.
type perturbed struct{ radius Radius }

// Values implements [Reporter].
func (p perturbed) Values(at Moment) map[string]float64 {
	return map[string]float64{"epsilon": p.radius.At(at)}
}

// shake adds uniform numbers of at most eps either way to what is learned, and clips.
func shake(s *Search, m sdk.Mixture, eps float64, rng *rand.Rand) {
	from := cloned(m)
	learnedWeights(s, func(i, k int) { m[i][k] += eps * (2*rng.Float64() - 1) })
	clip(s, m, from)
}

// learnedWeights visits the weights that are learned and left.
func learnedWeights(s *Search, visit func(i, k int)) {
	for i, d := range s.Layout().Decisions {
		if d.Learned {
			for _, k := range d.From {
				visit(i, k)
			}
		}
	}
}

// clip brings the weights of each decision that is learned into [0, 1] and to the sum
// they had in from; where all are zero the largest takes all. Weights of an [Unbounded]
// relaxation keep no sum.
func clip(s *Search, m, from sdk.Mixture) {
	_, free := s.Relaxation().(Unbounded)
	for i, d := range s.Layout().Decisions {
		if !d.Learned {
			continue
		}
		best, total, want := d.From[0], 0.0, 0.0
		for _, k := range d.From {
			if m[i][k] > m[i][best] {
				best = k
			}
		}
		for _, k := range d.From {
			m[i][k] = min(max(m[i][k], 0), 1)
			total += m[i][k]
			want += from[i][k]
		}
		if free {
			continue
		}
		if total == 0 {
			m[i][best], total = 1, 1
		}
		for _, k := range d.From {
			m[i][k] *= want / total
		}
	}
}
