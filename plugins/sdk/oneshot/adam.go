package oneshot

import (
	"encoding/json"
	"math"
)

// Adam moves arch parameters by Kingma and Ba, "Adam", ICLR 2015, with the coupled
// weight decay of PyTorch's Adam: Decay times the parameter is added to the gradient.
// DARTS takes a rate of 3e-4 (NAS-Bench-201 too), betas of 0.5 and 0.999 and a decay of
// 1e-3.
type Adam struct {
	Rate, Beta1, Beta2, Decay float64
	state                     adamState
}

type adamParams struct {
	ArchLr    float64 `default:"0" min:"0" doc:"rate of the arch parameters; 0: as published for the update, adam 3e-4 and eg 0.1"`
	ArchDecay float64 `default:"0.001" min:"0" doc:"weight decay of the arch parameters"`
	ArchBeta1 float64 `default:"0.5" min:"0" max:"0.999999" doc:"of adam, for the mean of the gradient"`
	ArchBeta2 float64 `default:"0.999" min:"0" max:"0.999999" doc:"of adam, for the mean of its square"`
}

func newAdam(p adamParams) (Update, error) {
	if p.ArchLr == 0 {
		p.ArchLr = 3e-4
	}
	return &Adam{Rate: p.ArchLr, Beta1: p.ArchBeta1, Beta2: p.ArchBeta2, Decay: p.ArchDecay}, nil
}

type adamState struct {
	Steps         int
	First, Second Params // running means of the gradient and its square
}

// adamEpsilon is added to the root of the second moment.
const adamEpsilon = 1e-8

// Start implements [Update].
func (a *Adam) Start(_ *Layout, p Params) error {
	a.state = adamState{First: zerosLike(p), Second: zerosLike(p)}
	return nil
}

// Step implements [Update].
func (a *Adam) Step(p, grad Params) {
	s := &a.state
	s.Steps++
	c1 := 1 - math.Pow(a.Beta1, float64(s.Steps))
	c2 := 1 - math.Pow(a.Beta2, float64(s.Steps))
	for i := range p {
		for k := range p[i] {
			g := grad[i][k] + a.Decay*p[i][k]
			m := a.Beta1*s.First[i][k] + (1-a.Beta1)*g
			v := a.Beta2*s.Second[i][k] + (1-a.Beta2)*g*g
			s.First[i][k], s.Second[i][k] = m, v
			p[i][k] -= a.Rate / c1 * m / (math.Sqrt(v)/math.Sqrt(c2) + adamEpsilon)
		}
	}
}

// Save implements [Stateful].
func (a *Adam) Save() ([]byte, error) { return json.Marshal(a.state) }

// Load implements [Stateful].
func (a *Adam) Load(b []byte) error {
	a.state = adamState{}
	return json.Unmarshal(b, &a.state)
}
