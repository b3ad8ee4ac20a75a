package oneshot

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/space/stream"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// synthetic is a supernet of few numbers, in float64. Nodes have values
//
//	v[j] = sum over terms of the product of their mixture weights times what they add,
//
// which is reach * tanh(w) of a candidate that learns its w, and a constant of one that
// does not. The loss on a batch is the half sum of squares of
//
//	v[j] + 0.2 sin(v[j-1]) - target[j] - noise of the batch.
//
// A candidate that reaches the targets is planted, and nothing else does.
type synthetic struct {
	relaxed sdk.Relaxed
	space   *space.Space
	terms   []term
	target  []float64
	noise   float64

	epochs, steps, valid int
	rate, decay          float64

	state  syntheticState
	calls  map[string]int
	decays map[float64]int // if there, weight steps by their weight decay, -1 being none given
	r      sdk.Relaxation  // the one it has been brought to
	drawn  map[string][]float64
}

type term struct {
	node    int
	weights [][2]int // decision and option
	reach   float64
	learns  bool
}

type syntheticState struct {
	W        []float64 // by term
	Step     int
	NextBack int // batches of the validation part taken
}

// candidate of every operation of a synthetic cell.
type candidate struct {
	label  string
	reach  float64
	learns bool
	absent bool
}

// cellOptions say how a synthetic cell is made.
type cellOptions struct {
	nodes      int
	inputs     int // node j has inputs+j edges
	choose     int // of them; 0: all, as in NAS-Bench-201
	edgeNorm   bool
	allReach   bool // the target is for all edges, as they weigh one until some are chosen
	candidates []candidate
	noise      float64
}

// usual are candidates of which the last is the best.
var usual = []candidate{{"zero", 0, false, true}, {"skip", 0.3, false, false}, {"conv1", 0.7, true, false}, {"conv3", 1.6, true, false}}

// newSynthetic makes a cell. With choose, zero is not in the space, as in DARTS.
func newSynthetic(t testing.TB, o cellOptions) *synthetic {
	t.Helper()
	if o.candidates == nil {
		o.candidates = usual
	}
	n := &synthetic{noise: o.noise, epochs: 10, steps: 8, valid: 5, rate: 0.1, calls: map[string]int{}, drawn: map[string][]float64{}}
	root := &space.Group{}
	for j := range o.nodes {
		edges := o.inputs + j
		chosen := o.choose > 0 && edges > o.choose
		var prev *space.Decision
		at := len(n.relaxed.Decisions)
		if chosen {
			prev = &space.Decision{Address: fmt.Sprintf("n[%d].prev", j), Kind: space.Subset, Min: o.choose, Max: o.choose}
			root.Decisions = append(root.Decisions, prev)
		}
		if chosen || o.edgeNorm && edges > 1 {
			n.relaxed.Decisions = append(n.relaxed.Decisions, sdk.RelaxedDecision{Address: fmt.Sprintf("n[%d].prev", j), Edges: true, Min: o.choose, Max: o.choose, Decision: -1, Sites: 1})
			if !chosen {
				d := &n.relaxed.Decisions[at]
				d.Min, d.Max = edges, edges
			}
		} else {
			at = -1
		}
		for e := range edges {
			d := &space.Decision{Address: fmt.Sprintf("n[%d].edge[%d]", j, e), Kind: space.OneOf}
			r := sdk.RelaxedDecision{Address: d.Address, Min: 1, Max: 1, Sites: 1}
			i := len(n.relaxed.Decisions)
			for k, c := range o.candidates {
				a := len(d.Alts)
				if c.absent && o.choose > 0 {
					a = -1
				} else {
					d.Alts = append(d.Alts, &space.Alt{Label: c.label})
				}
				r.Options = append(r.Options, sdk.RelaxedOption{Label: c.label, Alternative: a, Absent: c.absent})
				if c.absent {
					continue
				}
				w := [][2]int{{i, k}}
				if at >= 0 {
					w = append(w, [2]int{at, e})
				}
				n.terms = append(n.terms, term{j, w, c.reach, c.learns})
			}
			n.relaxed.Decisions = append(n.relaxed.Decisions, r)
			if chosen {
				prev.Alts = append(prev.Alts, &space.Alt{Label: fmt.Sprint("e", e), Sub: &space.Group{Decisions: []*space.Decision{d}}})
			} else {
				root.Decisions = append(root.Decisions, d)
			}
			if at >= 0 {
				n.relaxed.Decisions[at].Options = append(n.relaxed.Decisions[at].Options, sdk.RelaxedOption{Label: fmt.Sprint("e", e), Alternative: e, Under: []int{i}})
			}
		}
		kept := edges
		if chosen && !o.allReach {
			kept = o.choose
		}
		n.target = append(n.target, 1.4*float64(kept))
	}
	var err error
	if n.space, err = space.New("synthetic", root); err != nil {
		t.Fatal(err)
	}
	for i, d := range n.relaxed.Decisions {
		for _, s := range n.space.Decisions {
			if s.Address == d.Address {
				n.relaxed.Decisions[i].Decision = s.ID
			}
		}
	}
	n.state.W = make([]float64, len(n.terms))
	for i := range n.state.W {
		n.state.W[i] = 0.1 + 0.01*float64(i%7)
	}
	return n
}

// noises are those of a batch.
func (n *synthetic) noises(part string, batch int) []float64 {
	key := fmt.Sprint(part, batch)
	if all := n.drawn[key]; all != nil {
		return all
	}
	r := stream.New(9, part, uint64(batch))
	out := make([]float64, len(n.target))
	for i := range out {
		out[i] = n.noise * r.NormFloat64()
	}
	n.drawn[key] = out
	return out
}

// loss is that on a batch, with its gradients with respect to mixture and weights.
func (n *synthetic) loss(m sdk.Mixture, w, noise []float64) (loss float64, dm sdk.Mixture, dw []float64) {
	v, adds := make([]float64, len(n.target)), make([]float64, len(n.terms))
	product := func(t term) float64 {
		p := 1.0
		for _, x := range t.weights {
			p *= m[x[0]][x[1]]
		}
		return p
	}
	for i, t := range n.terms {
		if adds[i] = t.reach; t.learns {
			adds[i] *= math.Tanh(w[i])
		}
		v[t.node] += product(t) * adds[i]
	}
	res := make([]float64, len(v))
	for j := range v {
		res[j] = v[j] - n.target[j] - noise[j]
		if j > 0 {
			res[j] += 0.2 * math.Sin(v[j-1])
		}
		loss += res[j] * res[j] / 2
	}
	dv := slices.Clone(res)
	for j := 1; j < len(v); j++ {
		dv[j-1] += res[j] * 0.2 * math.Cos(v[j-1])
	}
	dm, dw = zerosLike(m), make([]float64, len(w))
	for i, t := range n.terms {
		for k, x := range t.weights {
			rest := 1.0
			for q, y := range t.weights {
				if q != k {
					rest *= m[y[0]][y[1]]
				}
			}
			dm[x[0]][x[1]] += dv[t.node] * rest * adds[i]
		}
		if t.learns {
			th := math.Tanh(w[i])
			dw[i] = dv[t.node] * product(t) * t.reach * (1 - th*th)
		}
	}
	return loss, dm, dw
}

func (n *synthetic) check(m sdk.Mixture) error {
	if len(m) != len(n.relaxed.Decisions) {
		return fmt.Errorf("a mixture of %d decisions", len(m))
	}
	for i, d := range n.relaxed.Decisions {
		if len(m[i]) != len(d.Options) {
			return fmt.Errorf("%s: %d weights of %d options", d.Address, len(m[i]), len(d.Options))
		}
	}
	return nil
}

func (n *synthetic) Size() sdk.SupernetSize { return sdk.SupernetSize{Steps: n.steps, Valid: n.valid} }
func (n *synthetic) Relaxed() *sdk.Relaxed  { return &n.relaxed }
func (n *synthetic) Epochs() int            { return n.epochs }

func (n *synthetic) WeightStep(_ context.Context, m sdk.Mixture, o sdk.WeightStep) (float64, error) {
	n.calls["weight"]++
	if err := n.check(m); err != nil {
		return 0, err
	}
	loss, _, dw := n.loss(m, n.state.W, n.noises("train", n.state.Step%n.steps))
	decay, given := n.decay, -1.0
	if o.WeightDecay != nil {
		decay, given = *o.WeightDecay, *o.WeightDecay
	}
	if n.decays != nil {
		n.decays[given]++
	}
	for i, t := range n.terms {
		if on := !slices.ContainsFunc(t.weights, func(x [2]int) bool { return m[x[0]][x[1]] == 0 }); on {
			n.state.W[i] -= n.rate * (dw[i] + decay*n.state.W[i])
		}
	}
	n.state.Step++
	return loss, nil
}

func (n *synthetic) ArchGradient(_ context.Context, m sdk.Mixture, o sdk.ArchGradient) (float64, sdk.Mixture, error) {
	n.calls["arch"]++
	if err := n.check(m); err != nil {
		return 0, nil, err
	}
	var noise []float64
	train := n.noises("train", n.state.Step%n.steps)
	switch o.Batch {
	case sdk.NextTrain:
		noise = train
	case sdk.NextValid:
		noise = n.noises("valid", n.state.NextBack%n.valid)
		n.state.NextBack++
	case sdk.SameValid:
		noise = n.noises("valid", (n.state.NextBack-1)%n.valid)
	}
	w := n.state.W
	if !o.Unrolled {
		loss, dm, _ := n.loss(m, w, noise)
		return loss, dm, nil
	}
	_, _, dw := n.loss(m, w, train)
	after := slices.Clone(w)
	for i := range after {
		after[i] -= n.rate * (dw[i] + n.decay*w[i])
	}
	loss, dm, back := n.loss(m, after, noise)
	norm := 0.0
	for _, v := range back {
		norm += v * v
	}
	if norm == 0 { // nothing that learns is there
		return loss, dm, nil
	}
	radius := o.Radius / math.Sqrt(norm)
	up, down := slices.Clone(w), slices.Clone(w)
	for i, v := range back {
		up[i] += radius * v
		down[i] -= radius * v
	}
	_, plus, _ := n.loss(m, up, train)
	_, minus, _ := n.loss(m, down, train)
	for i := range dm {
		for k := range dm[i] {
			dm[i][k] -= n.rate * (plus[i][k] - minus[i][k]) / (2 * radius)
		}
	}
	return loss, dm, nil
}

func (n *synthetic) Score(_ context.Context, ms []sdk.Mixture, o sdk.Score) ([]sdk.ValidationMetrics, error) {
	var out []sdk.ValidationMetrics
	for _, m := range ms {
		if err := n.check(m); err != nil {
			return nil, err
		}
		sum := 0.0
		batches := o.Batches
		if batches == 0 {
			batches = n.valid
		}
		for b := range batches {
			n.calls["score"]++
			loss, _, _ := n.loss(m, n.state.W, n.noises("valid", (o.First+b)%n.valid))
			sum += loss
		}
		loss := sum / float64(batches)
		out = append(out, sdk.ValidationMetrics{Values: map[string]float64{"loss": loss, "accuracy": math.Exp(-loss)}})
	}
	return out, nil
}

func (n *synthetic) Relax(_ context.Context, r sdk.Relaxation) error {
	n.r = r
	return nil
}

func (n *synthetic) Check(_ context.Context, gs []space.Genotype) ([]bool, error) {
	out := make([]bool, len(gs))
	for i, g := range gs {
		out[i] = n.space.Check(g) == nil
	}
	return out, nil
}

// saved is the supernet's part of what is saved after a stage.
func (n *synthetic) saved(t testing.TB) []byte {
	b, err := json.Marshal(n.state)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// search is a search over the space of a synthetic supernet.
func (n *synthetic) search(seed uint64) sdk.Search {
	return sdk.Search{Env: sdk.Env{Seed: seed}, Space: n.space, Objectives: []sdk.Objective{{Metric: "accuracy", Maximize: true}}}
}

// planted is the share of decisions that exist in an architecture and take the
// candidate of this label.
func (n *synthetic) planted(g space.Genotype, label string) float64 {
	all, right := 0, 0
	for _, l := range n.space.Labels(g) {
		if l.Label[0] == '{' {
			continue
		}
		if all++; l.Label == label {
			right++
		}
	}
	return float64(right) / float64(all)
}

// run does the stages of a search to its end.
func run(t testing.TB, o sdk.OneShot, n *synthetic) []sdk.Stage {
	t.Helper()
	if err := o.Begin(n); err != nil {
		t.Fatal(err)
	}
	var all []sdk.Stage
	for range 10_000 {
		s, err := o.Stage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, s); s.Done {
			return all
		}
	}
	t.Fatal("the search does not end")
	return nil
}

// resumes checks that a search that is killed after any stage goes on as if it had not
// been: make makes it anew.
func resumes(t *testing.T, start func() (sdk.OneShot, *synthetic)) {
	t.Helper()
	ctx := context.Background()
	type point struct {
		stage    string
		own, net []byte
	}
	text := func(s sdk.Stage) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	record := func(o sdk.OneShot, n *synthetic, s sdk.Stage) point {
		b, err := o.Save()
		if err != nil {
			t.Fatal(err)
		}
		return point{text(s), b, n.saved(t)}
	}
	var whole []point
	o, n := start()
	if err := o.Begin(n); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		s, err := o.Stage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, record(o, n, s))
		done = s.Done
	}
	for i := range len(whole) - 1 {
		o, n := start()
		if err := o.Begin(n); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(whole[i].net, &n.state); err != nil {
			t.Fatal(err)
		}
		if err := o.Load(whole[i].own); err != nil {
			t.Fatal(err)
		}
		s, err := o.Stage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := record(o, n, s); got.stage != whole[i+1].stage || string(got.own) != string(whole[i+1].own) || string(got.net) != string(whole[i+1].net) {
			t.Fatalf("stage %d after a resumption:\n%s\n%s\n%s\nwithout:\n%s\n%s\n%s", i+1, got.stage, got.own, got.net, whole[i+1].stage, whole[i+1].own, whole[i+1].net)
		}
	}
}
