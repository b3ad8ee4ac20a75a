package oneshot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// Projection selects by what the supernet loses (Wang, Cheng, Chen, Tang and Hsieh,
// "Rethinking Architecture Selection in Differentiable NAS", ICLR 2021: DARTS-PT). How
// good an operation is, is not how much it weighs but how much worse the supernet is
// without it.
//
// After the last epoch the mixed operations are decided one after another in random
// order: each option that is left is taken out by itself, the supernet is measured on
// the validation part, and the option without which it is worst is kept. Then come the
// edges that the space chooses among, in the same way: those without which it is worst
// are kept. After each decision but the last the weights are trained on, under what has
// been decided; arch parameters stay. Each decision is a stage.
//
// Of options without which it is equally good, the one that weighs most is kept.
type Projection struct {
	// Tune is how many epochs the weights are trained after each decision; 5 in the
	// paper. All together they take at most half of the epochs of the search, and are
	// shortened to that.
	Tune int
	// Batches of the validation part that are measured on; 0: all.
	Batches int
}

// Derive is what weighs most, as long as it is not decided otherwise.
func (Projection) Derive(_ context.Context, s *Search) (Choice, error) {
	return s.Strongest(s.Mean()), nil
}

// Epochs implements [Staged].
func (p Projection) Epochs(s *Search) int {
	return min(p.Tune*max(p.stages(s)-1, 0), s.Epochs()/2)
}

// stages is how many decisions there are to take.
func (p Projection) stages(s *Search) int {
	n := 0
	for _, d := range s.Relaxed().Decisions {
		if d.Decision >= 0 && (d.Edges && len(d.Options) > d.Max || !d.Edges && len(d.Options) > 1) {
			n++
		}
	}
	return n
}

// open lists the decisions that are not taken: mixed operations, and when there are
// none, edges.
func (p Projection) open(s *Search) []int {
	var operations, edges []int
	for i, d := range s.Relaxed().Decisions {
		switch left := len(s.left(i)); {
		case d.Decision < 0:
		case d.Edges && left > d.Max:
			edges = append(edges, i)
		case !d.Edges && left > 1:
			operations = append(operations, i)
		}
	}
	if len(operations) > 0 {
		return operations
	}
	return edges
}

// left are the options of a decision that are left.
func (s *Search) left(i int) []int {
	var out []int
	for k := range s.Relaxed().Decisions[i].Options {
		if s.Kept(i, k) {
			out = append(out, k)
		}
	}
	return out
}

// Stage implements [Staged].
func (p Projection) Stage(ctx context.Context, s *Search, n int) (Outcome, error) {
	open := p.open(s)
	if len(open) == 0 {
		return Outcome{Choice: s.Strongest(s.Mean()), Done: true}, nil
	}
	i := open[s.Rand("projection").IntN(len(open))]
	kept, values, err := p.decide(ctx, s, i)
	if err != nil {
		return Outcome{}, err
	}
	if err := s.Keep(i, kept); err != nil {
		return Outcome{}, err
	}
	d := s.Relaxed().Decisions[i]
	var labels []string
	for _, k := range kept {
		labels = append(labels, d.Options[k].Label)
	}
	out := Outcome{Values: values, Text: fmt.Sprintf("%s: %s", d.Address, strings.Join(labels, ", ")), Done: len(open) == 1 && len(p.open(s)) == 0}
	if !out.Done {
		if err := p.tune(ctx, s, &out); err != nil {
			return Outcome{}, err
		}
	}
	out.Choice = s.Strongest(s.Mean())
	return out, nil
}

// decide measures the supernet without each option of a decision, and returns those
// that are to be kept.
func (p Projection) decide(ctx context.Context, s *Search, i int) ([]int, map[string]float64, error) {
	d := s.Relaxed().Decisions[i]
	var order []int
	for _, k := range s.left(i) {
		if d.Options[k].Alternative >= 0 {
			order = append(order, k)
		}
	}
	mean := s.Mean()
	ms := []sdk.Mixture{mean}
	for _, k := range order {
		m := cloned(mean)
		m[i][k] = 0
		ms = append(ms, m)
	}
	scores, err := s.Measure(ctx, ms, sdk.Score{Batches: p.Batches})
	if err != nil {
		return nil, nil, err
	}
	without := map[int]float64{}
	for j, k := range order {
		without[k] = scores[j+1]
	}
	weight := func(k int) float64 {
		if d.Edges {
			return s.strength(i, k, mean)
		}
		return mean[i][k]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(without[a], without[b]), cmp.Compare(weight(b), weight(a)))
	})
	n := 1
	if d.Edges {
		n = d.Max
	}
	kept := slices.Clone(order[:min(n, len(order))])
	slices.Sort(kept)
	return kept, map[string]float64{"supernet": scores[0], "drop": scores[0] - without[order[0]]}, nil
}

// tune trains the weights on for the part of a stage.
func (p Projection) tune(ctx context.Context, s *Search, out *Outcome) error {
	per := s.Net().Size().Steps
	stages := max(p.stages(s)-1, 1)
	steps := p.Epochs(s) * per / stages
	end := Moment{Epoch: s.Epochs(), Epochs: s.Epochs(), Steps: per}
	values, err := s.Train(ctx, end, steps, false)
	if err != nil {
		return err
	}
	maps.Copy(out.Values, values)
	out.Epochs = float64(steps) / float64(per)
	return nil
}
