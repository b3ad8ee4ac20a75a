package oneshot

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Controller draws one architecture for each step, from a distribution that is trained
// by reinforcement (Pham, Guan, Zoph, Le and Dean, "Efficient Neural Architecture Search
// via Parameter Sharing", ICML 2018: ENAS). The weights of the supernet move under what
// it draws; after each epoch the controller itself takes steps, along the gradient of
// REINFORCE with what the supernet says of the validation part as reward. The reward
// plus Entropy times the entropy of what was drawn from, minus a running mean of that,
// is the advantage. The defaults are those of the published code on NAS-Bench-201.
type Controller struct {
	Units, Layers int     // of the LSTM; 32 and 2
	Temperature   float64 // that logits are divided by; 5
	Tanh          float64 // what logits are bounded by; 2.5
	Rate          float64 // of Adam with betas 0 and 0.999; 1e-3
	Entropy       float64 // weight in the reward; 1e-4
	Decay         float64 // of the mean reward; 0.99
	Steps         int     // after each epoch; 50
	Samples       int     // of a step; 20
	Clip          float64 // most that the norm of a gradient may be; 5

	policy *policy
	state  controlled
}

// controlled is what a controller remembers.
type controlled struct {
	Weights  []float64
	Second   []float64 // moment of Adam; the first is the gradient
	Taken    int       // steps
	Baseline *float64  // nil: no reward yet
	Reward   float64   // mean of the last epoch
}

// Init implements [Relaxation]: it has no arch parameters.
func (c *Controller) Init(l *Layout, rng *rand.Rand) Params {
	r := &sdk.Relaxed{}
	for _, d := range l.Decisions {
		r.Decisions = append(r.Decisions, d.RelaxedDecision)
	}
	c.policy = newPolicy(r, c.Units, c.Layers, c.Temperature, c.Tanh, rng)
	n := len(c.policy.weights)
	c.state = controlled{Weights: c.policy.weights, Second: make([]float64, n)}
	return nil
}

// Draw implements [Relaxation].
func (c *Controller) Draw(l *Layout, _ Params, _ Moment, rng *rand.Rand) (sdk.Mixture, Backward) {
	return c.policy.mixture(l, c.policy.draw(l, rng)), nil
}

// Mean implements [Relaxation]: the probabilities of operations when each decision
// before took what was most likely, and whether an edge is then taken.
func (c *Controller) Mean(l *Layout, _ Params) sdk.Mixture {
	e := c.policy.run(l, func(_ int, probs []float64) int { return floats.MaxIdx(probs) })
	return c.policy.likely(l, e)
}

// Sample implements [Sampler].
func (c *Controller) Sample(s *Search, rng *rand.Rand) Choice {
	return c.policy.choice(s.Layout(), c.policy.draw(s.Layout(), rng))
}

// Epilogue implements [Epilogue]: it trains the controller.
func (c *Controller) Epilogue(ctx context.Context, s *Search, _ Moment) error {
	rng := s.Rand("controller")
	valid := s.Net().Size().Valid
	c.state.Reward = 0
	for range c.Steps {
		episodes := make([]*episode, c.Samples)
		ms := make([]sdk.Mixture, c.Samples)
		for i := range episodes {
			episodes[i] = c.policy.draw(s.Layout(), rng)
			ms[i] = OneHot(s.Relaxed(), c.policy.choice(s.Layout(), episodes[i]))
		}
		batch := 0
		if valid > 0 {
			batch = c.state.Taken % valid
		}
		rewards, err := s.Measure(ctx, ms, sdk.Score{First: batch, Batches: 1})
		if err != nil {
			return err
		}
		c.reinforce(episodes, rewards)
	}
	if math.IsNaN(floats.Sum(c.state.Weights)) {
		return fmt.Errorf("the controller diverged")
	}
	return nil
}

// reinforce takes a step: it moves the weights along the mean gradient of the
// advantages times the log probabilities.
func (c *Controller) reinforce(episodes []*episode, rewards []float64) {
	st := &c.state
	grad := make([]float64, len(st.Weights))
	for i, e := range episodes {
		reward := rewards[i] + c.Entropy*e.entropy
		if st.Baseline == nil {
			first := reward
			st.Baseline = &first
		}
		*st.Baseline -= (1 - c.Decay) * (*st.Baseline - reward)
		c.policy.gradient(e, -(reward-*st.Baseline)/float64(len(episodes)), grad)
		st.Reward += rewards[i] / float64(c.Steps*c.Samples)
	}
	if norm := floats.Norm(grad, 2); c.Clip > 0 && norm > c.Clip {
		floats.Scale(c.Clip/norm, grad)
	}
	st.Taken++
	const beta = 0.999
	bias := math.Sqrt(1 - math.Pow(beta, float64(st.Taken)))
	for i, g := range grad {
		st.Second[i] = beta*st.Second[i] + (1-beta)*g*g
		st.Weights[i] -= c.Rate * g / (math.Sqrt(st.Second[i])/bias + adamEpsilon)
	}
}

// Values implements [Reporter].
func (c *Controller) Values(Moment) map[string]float64 {
	v := map[string]float64{"reward": c.state.Reward}
	if c.state.Baseline != nil {
		v["baseline"] = *c.state.Baseline
	}
	return v
}

// Save implements [Stateful].
func (c *Controller) Save() ([]byte, error) { return json.Marshal(c.state) }

// Load implements [Stateful].
func (c *Controller) Load(b []byte) error {
	var s controlled
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if n := len(c.policy.weights); len(s.Weights) != n || len(s.Second) != n {
		return fmt.Errorf("the state is of a controller with %d weights instead of %d", len(s.Weights), n)
	}
	c.state = s
	c.policy.weights = s.Weights
	return nil
}
