package oneshot

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Sharpness says how the dominant eigenvalue of the Hessian of the validation loss in
// the arch parameters is found: by Lanczos iteration, see [Dominant], with products of
// the Hessian and a vector by central differences of the gradient, all on one batch.
type Sharpness struct {
	Products  int     // most products; each takes two gradients
	Radius    float64 // of the difference, in units of arch parameters
	Tolerance float64 // relative change at which the iteration ends
}

// Eigenvalue is the dominant eigenvalue now. The first gradient takes the next batch
// of the validation part and the others the same. A relaxation that draws is given the
// same random numbers each time.
func (s *Search) Eigenvalue(ctx context.Context, h Sharpness, at Moment) (float64, error) {
	const name = "oneshot.eigenvalue"
	n := s.draws[name]
	s.draws[name] = n + 1
	batch := sdk.NextValid
	gradient := func(p Params) (Params, error) {
		_, g, err := s.Gradient(ctx, p, at, s.Env.Rand(name, n), sdk.ArchGradient{Batch: batch})
		batch = sdk.SameValid
		return g, err
	}
	order := 0
	for _, p := range s.params {
		order += len(p)
	}
	return Dominant(order, h.Products, h.Tolerance, s.Env.Rand(name+".start", n), func(v []float64) ([]float64, error) {
		up, err := gradient(moved(s.params, v, h.Radius))
		if err != nil {
			return nil, err
		}
		down, err := gradient(moved(s.params, v, -h.Radius))
		if err != nil {
			return nil, err
		}
		out := make([]float64, 0, order)
		for i := range up {
			for k := range up[i] {
				out = append(out, (up[i][k]-down[i][k])/(2*h.Radius))
			}
		}
		return out, nil
	})
}

// moved is p and scale times v, whose numbers follow those of p.
func moved(p Params, v []float64, scale float64) Params {
	out := cloned(p)
	for i := range out {
		for k := range out[i] {
			out[i][k] += scale * v[0]
			v = v[1:]
		}
	}
	return out
}

// Early looks for a sudden rise of the dominant eigenvalue (Zela, Elsken, Saikia,
// Marrakchi, Brox and Hutter, "Understanding and Robustifying Differentiable
// Architecture Search", ICLR 2020): the minimum that the arch parameters have come to is
// sharp, and an architecture cut from the supernet will be poor. Eigenvalues are
// averaged over the last Window epochs; the alarm is that the average is more than
// Rise times the one Back epochs before, after epoch After.
type Early struct {
	Sharpness
	Window int     // 5 in the paper
	Back   int     // 4
	Rise   float64 // 1.3
	After  int     // 10

	state watched
}

// watched is what an [Early] has seen.
type watched struct {
	Eigenvalues []float64 // by epoch
	Params      []Params  // after the last epochs
}

// Prologue implements [Prologue]: before the first step it finds out if there are arch
// parameters.
func (e *Early) Prologue(_ context.Context, s *Search, at Moment) error {
	for _, p := range s.params {
		if len(p) > 0 {
			return nil
		}
	}
	return sdk.Refuse("guard", "looks at a Hessian in arch parameters, and there are none in this relaxation")
}

// Watch implements [Guard]: at an alarm the search ends with the arch parameters of
// Back epochs before (DARTS-ES).
func (e *Early) Watch(ctx context.Context, s *Search, at Moment) (Verdict, error) {
	alarm, v, err := e.look(ctx, s, at)
	if err != nil || !alarm {
		return v, err
	}
	for i, p := range e.state.Params[0] {
		copy(s.params[i], p)
	}
	v.Stop = true
	v.Text += fmt.Sprintf("; the search ends with the arch parameters of epoch %d", at.Epoch-e.Back+1)
	return v, nil
}

// look adds the eigenvalue of now.
func (e *Early) look(ctx context.Context, s *Search, at Moment) (alarm bool, v Verdict, err error) {
	value, err := s.Eigenvalue(ctx, e.Sharpness, at)
	if err != nil {
		return false, v, err
	}
	w := &e.state
	w.Eigenvalues = append(w.Eigenvalues, value)
	w.Params = append(w.Params, cloned(s.params))
	w.Params = w.Params[max(len(w.Params)-e.Back-1, 0):]
	v.Values = map[string]float64{"eigenvalue": value}
	now, before, ok := e.averages()
	if ok {
		v.Values["eigenvalue_mean"] = now
	}
	if !ok || at.Epoch < e.After || before <= 0 || now <= e.Rise*before {
		return false, v, nil
	}
	v.Text = fmt.Sprintf("the dominant eigenvalue has risen by a factor of %.3g in %d epochs", now/before, e.Back)
	return true, v, nil
}

// averages are those over the last epochs and over those that ended Back before.
func (e *Early) averages() (now, before float64, ok bool) {
	n := len(e.state.Eigenvalues)
	if n < e.Window+e.Back {
		return 0, 0, false
	}
	for i := range e.Window {
		now += e.state.Eigenvalues[n-1-i] / float64(e.Window)
		before += e.state.Eigenvalues[n-1-e.Back-i] / float64(e.Window)
	}
	return now, before, true
}

// Save implements [Stateful].
func (e *Early) Save() ([]byte, error) { return json.Marshal(e.state) }

// Load implements [Stateful].
func (e *Early) Load(b []byte) error {
	e.state = watched{}
	return json.Unmarshal(b, &e.state)
}
