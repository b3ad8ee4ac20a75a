package oneshot

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// policy is a distribution over the choices of a supernet, the controller of ENAS
// (Pham, Guan, Zoph, Le and Dean, "Efficient Neural Architecture Search via Parameter
// Sharing", ICML 2018): an LSTM that takes one decision after another and reads what
// it has taken last.
//
// A mixed operation is one question with an answer for each option that an
// architecture can have. Edges are one question each, whether it is there; answers
// that would leave too few edges or too many are not given. Questions with the same
// answers share what answers are read as and made by.
type policy struct {
	lstm        lstm
	temperature float64    // that logits are divided by
	tanh        float64    // what they are bounded by
	questions   []question // about every option, also when not all are left
	kinds       []int      // how many answers questions of a kind have
	weights     []float64
}

// question is one step of the LSTM.
type question struct {
	decision, edge int   // edge is -1 of a mixed operation
	options        []int // what the answers are; of an edge none: 0 leaves it out and 1 takes it
	kind           int
	min, max       int // edges of the decision
}

// initial bounds the weights that a controller begins with.
const initial = 0.1

func newPolicy(r *sdk.Relaxed, units, layers int, temperature, tanh float64, rng *rand.Rand) *policy {
	p := &policy{lstm: lstm{units, layers}, temperature: temperature, tanh: tanh}
	known := map[string]int{}
	ask := func(q question, key string, answers int) {
		kind, ok := known[key]
		if !ok {
			kind = len(p.kinds)
			known[key] = kind
			p.kinds = append(p.kinds, answers)
		}
		q.kind = kind
		p.questions = append(p.questions, q)
	}
	for i, d := range r.Decisions {
		switch {
		case d.Decision < 0:
		case d.Edges:
			for k := range d.Options {
				ask(question{decision: i, edge: k, min: d.Min, max: d.Max}, "", 2)
			}
		default:
			q := question{decision: i, edge: -1}
			labels := []string{"1"}
			for k, o := range d.Options {
				if o.Alternative >= 0 {
					q.options = append(q.options, k)
					labels = append(labels, o.Label)
				}
			}
			ask(q, strings.Join(labels, "\n"), len(q.options))
		}
	}
	p.weights = make([]float64, p.size())
	for i := range p.weights {
		p.weights[i] = initial * (2*rng.Float64() - 1)
	}
	return p
}

// size is how many weights there are: what the first question reads, of each kind
// what each answer is read as and a row and a bias that make its logit, and those
// of the LSTM.
func (p *policy) size() int {
	n := p.lstm.n
	for _, answers := range p.kinds {
		n += answers * (2*p.lstm.n + 1)
	}
	return n + p.lstm.size()
}

// parts are the parts of a vector of weights, or of their gradients.
type parts struct {
	first              []float64
	read, make, biases [][]float64 // by kind
	lstm               []float64
}

func (p *policy) parts(w []float64) parts {
	var out parts
	cut := func(n int) []float64 {
		v := w[:n]
		w = w[n:]
		return v
	}
	out.first = cut(p.lstm.n)
	for _, answers := range p.kinds {
		out.read = append(out.read, cut(answers*p.lstm.n))
		out.make = append(out.make, cut(answers*p.lstm.n))
		out.biases = append(out.biases, cut(answers))
	}
	out.lstm = w
	return out
}

// episode is one choice and how the policy came to it.
type episode struct {
	answers []int
	steps   [][]moment
	bounded [][]float64 // logits over tanh, within -1 and 1
	probs   [][]float64
	logP    float64 // of the choice
	entropy float64 // of the distributions that answers were drawn from, added up
}

// open tells which answers of a question may be given, when so many edges of its
// decision have been taken.
func (q question) open(d Decision, taken int) []bool {
	if q.edge < 0 {
		out := make([]bool, len(q.options))
		for a, k := range q.options {
			out[a] = slices.Contains(d.From, k)
		}
		return out
	}
	after := 0
	for _, k := range d.From {
		if k > q.edge {
			after++
		}
	}
	return []bool{taken+after >= q.min, taken < q.max && slices.Contains(d.From, q.edge)}
}

// run asks all questions; answer gives the number of an answer, by its probabilities.
func (p *policy) run(l *Layout, answer func(question int, probs []float64) int) *episode {
	w := p.parts(p.weights)
	e := &episode{}
	x := w.first
	var before []moment
	taken := 0
	for t, q := range p.questions {
		before = p.lstm.step(w.lstm, x, before)
		e.steps = append(e.steps, before)
		if q.edge == 0 {
			taken = 0
		}
		h := before[len(before)-1].h
		n := p.kinds[q.kind]
		open := q.open(l.Decisions[q.decision], taken)
		bounded, probs := make([]float64, n), make([]float64, n)
		sum := 0.0
		for a := range n {
			z := w.biases[q.kind][a]
			for j, v := range h {
				z += w.make[q.kind][a*p.lstm.n+j] * v
			}
			bounded[a] = math.Tanh(z / p.temperature)
			if open[a] {
				probs[a] = math.Exp(p.tanh * bounded[a])
				sum += probs[a]
			}
		}
		for a := range probs {
			if probs[a] /= sum; probs[a] > 0 {
				e.entropy -= probs[a] * math.Log(probs[a])
			}
		}
		a := answer(t, probs)
		e.answers = append(e.answers, a)
		e.bounded, e.probs = append(e.bounded, bounded), append(e.probs, probs)
		e.logP += math.Log(probs[a])
		if q.edge >= 0 {
			taken += a
		}
		x = w.read[q.kind][a*p.lstm.n : (a+1)*p.lstm.n]
	}
	return e
}

// draw takes a choice at random.
func (p *policy) draw(l *Layout, rng *rand.Rand) *episode {
	return p.run(l, func(_ int, probs []float64) int {
		u := rng.Float64()
		last := 0
		for a, v := range probs {
			if v == 0 {
				continue
			}
			if last = a; u < v {
				break
			}
			u -= v
		}
		return last
	})
}

// gradient adds scale times the gradient of an episode's log probability to dw.
func (p *policy) gradient(e *episode, scale float64, dw []float64) {
	w, d := p.parts(p.weights), p.parts(dw)
	later := p.lstm.none()
	for t := len(p.questions) - 1; t >= 0; t-- {
		q := p.questions[t]
		n := p.lstm.n
		h := e.steps[t][p.lstm.layers-1].h
		top := make([]float64, n)
		for a, prob := range e.probs[t] {
			dz := -prob
			if a == e.answers[t] {
				dz++
			}
			dz *= scale * p.tanh * (1 - e.bounded[t][a]*e.bounded[t][a]) / p.temperature
			d.biases[q.kind][a] += dz
			for j, v := range h {
				d.make[q.kind][a*n+j] += dz * v
				top[j] += dz * w.make[q.kind][a*n+j]
			}
		}
		var dx []float64
		dx, later = p.lstm.back(w.lstm, d.lstm, e.steps[t], top, later)
		into := d.first
		if t > 0 {
			last := p.questions[t-1]
			into = d.read[last.kind][e.answers[t-1]*n : (e.answers[t-1]+1)*n]
		}
		for j, v := range dx {
			into[j] += v
		}
	}
}

// choice is what an episode takes of decisions.
func (p *policy) choice(l *Layout, e *episode) Choice {
	c := make(Choice, len(l.Decisions))
	for i, d := range l.Decisions {
		if d.Decision < 0 {
			c[i] = slices.Clone(d.From)
		}
	}
	for t, q := range p.questions {
		a := e.answers[t]
		switch {
		case q.edge < 0:
			c[q.decision] = []int{q.options[a]}
		case a == 1:
			c[q.decision] = append(c[q.decision], q.edge)
		}
	}
	return c
}

// mixture has a one for each option that is left and taken.
func (p *policy) mixture(l *Layout, e *episode) sdk.Mixture {
	c := p.choice(l, e)
	m := make(sdk.Mixture, len(l.Decisions))
	for i, d := range l.Decisions {
		m[i] = make([]float64, len(d.From))
		for k, from := range d.From {
			if slices.Contains(c[i], from) {
				m[i][k] = 1
			}
		}
	}
	return m
}

// likely has for each operation that is left the probability that it had in an episode,
// and a one for each edge that was taken.
func (p *policy) likely(l *Layout, e *episode) sdk.Mixture {
	m := p.mixture(l, e)
	for t, q := range p.questions {
		if q.edge >= 0 {
			continue
		}
		for k, from := range l.Decisions[q.decision].From {
			m[q.decision][k] = 0
			if a := slices.Index(q.options, from); a >= 0 {
				m[q.decision][k] = e.probs[t][a]
			}
		}
	}
	return m
}
