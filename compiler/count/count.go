// Package count tells how many architectures of a space meet its requirements,
// exactly or not at all.
//
// A requirement depends on some of the decisions: on those that tell where its scope
// exists, on those that its condition names, and on those that its metrics depend
// on once everything that makes no difference to them is left out (see term). Sets of
// requirements that share no decision are counted apart and multiplied, and so is
// the number of ways to take all other decisions. One such set is counted
//
//   - by trying every combination of its decisions, where they are few: the wirings
//     of a cell of NAS-Bench-101 for `edges <= 9`;
//   - by a dynamic programme over sums, where the condition is about params or MACs,
//     which add up over the operations: the networks of Once-for-all for
//     `params <= 12M`.
//
// Where a metric cannot be followed through the terms of a body, a small space is
// enumerated with every graph built. Otherwise the number is not known.
package count

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// UnknownError says that the number of architectures under a requirement is not
// known.
type UnknownError struct {
	Requirement *lower.Requirement
}

func (e *UnknownError) Error() string {
	return "how many architectures meet `" + e.Requirement.Text + "` is not known"
}

// Limits of the work, some seconds on two cores.
const (
	maxBound = 200_000       // architectures whose graphs are built
	maxSteps = 3_000_000_000 // terms looked at, or entries of sums added
)

// Of is the number of architectures of a plan that meet all requirements. It fails
// with an [*UnknownError] where that cannot be told in reasonable time.
func Of(p *lower.Plan) (*big.Int, error) {
	if len(p.Requires) == 0 {
		return p.Space.Size(), nil
	}
	var err error = &UnknownError{p.Requires[0]}
	if p.Plain() { // otherwise one question is several decisions
		c := &counter{plan: p, space: p.Space}
		var rules []*rule
		if rules, err = c.rules(); err == nil {
			var n *big.Int
			if n, err = c.parts(rules, c.part); err == nil {
				return n, nil
			}
		}
	}
	if p.Space.Size().Cmp(big.NewInt(maxBound)) > 0 {
		return nil, err
	}
	return bound(p)
}

type counter struct {
	plan    *lower.Plan
	space   *space.Space
	holders [][]holder // by Decision.ID: the alternatives below which it hangs
}

// holder is an alternative below which a decision hangs.
type holder struct {
	on  *space.Decision
	alt int
}

// rule is a requirement with the programs of its metrics.
type rule struct {
	*lower.Requirement
	programs map[string]*program
	deps     []*space.Decision // closed: with each decision those above it
}

// rules compiles the requirements, those that say the same once.
func (c *counter) rules() ([]*rule, error) {
	c.holders = make([][]holder, len(c.space.Decisions))
	for _, d := range c.space.Decisions {
		for i, a := range d.Alts {
			for _, below := range a.Sub.Decisions {
				c.holders[below.ID] = append(c.holders[below.ID], holder{d, i})
			}
		}
	}
	var out []*rule
	known := map[string]bool{}
	for _, r := range c.plan.Requires {
		x := &rule{Requirement: r, programs: map[string]*program{}}
		text := c.about(r)
		for _, m := range r.Cond.Measures() {
			p, err := c.compile(m, r.Body())
			if err != nil {
				return nil, &UnknownError{r}
			}
			x.programs[m] = p
			text += p.text()
		}
		if known[text] {
			continue
		}
		known[text] = true
		if !c.agrees(x) {
			return nil, &UnknownError{r}
		}
		x.deps = c.closed(x)
		out = append(out, x)
	}
	return out, nil
}

// about tells requirements apart whose programs are the same.
func (c *counter) about(r *lower.Requirement) string {
	text := r.Span.Start.String()
	for _, e := range r.Where {
		text += " " + c.meaning(e)
	}
	for _, d := range r.Cond.Decisions() {
		text += " " + d.Address
	}
	if len(r.Cond.Measures()) < 1 || len(r.Cond.Decisions()) > 0 {
		return text + r.Body().Name // an attribute may differ between two uses
	}
	return text
}

// meaning tells scalars apart: by the table of their values, or by themselves where
// that is large.
func (c *counter) meaning(s *sym.Scalar) string {
	f, ok := tabulate(s.Decisions(), func(taken sym.Taken) int64 { return number(s, taken) })
	if !ok || len(f.cells) > 256 {
		return fmt.Sprintf("%p", s)
	}
	text := ""
	for _, d := range f.deps {
		text += fmt.Sprintf("%d ", d.ID)
	}
	return text + fmt.Sprint(f.cells)
}

// closed lists the decisions of a rule and all above them, by ID.
func (c *counter) closed(x *rule) []*space.Decision {
	in := map[*space.Decision]bool{}
	var add func(d *space.Decision)
	add = func(d *space.Decision) {
		if in[d] {
			return
		}
		in[d] = true
		for _, h := range c.holders[d.ID] {
			add(h.on)
		}
	}
	for _, e := range x.Where {
		for _, d := range e.Decisions() {
			add(d)
		}
	}
	for _, d := range x.Cond.Decisions() {
		add(d)
	}
	for _, p := range x.programs {
		for _, d := range p.deps {
			add(d)
		}
	}
	var out []*space.Decision
	for d := range in {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *space.Decision) int { return a.ID - b.ID })
	return out
}

// agrees compares the programs of a rule with graphs of some architectures. They
// differ where a metric is settled only when a graph is whole.
func (c *counter) agrees(x *rule) bool {
	rng := rand.New(rand.NewPCG(1, 1))
	free := c.space.Unconstrained()
	for range 24 {
		g := free.Sample(rng)
		taken := c.plan.Taken(g)
		if !x.InForce(taken) {
			continue
		}
		for m, p := range x.programs {
			want, err := c.plan.Measure(g, x.Requirement, m)
			if err != nil {
				return false
			}
			if got, ok := p.start(g).result(); !ok || got != want {
				return false
			}
		}
	}
	return true
}

// part is a set of rules that shares no decision with the others.
type part struct {
	rules []*rule
	deps  []*space.Decision // closed, by ID
}

// parts multiplies the counts of independent parts by the ways to take the
// decisions that no rule depends on.
func (c *counter) parts(rules []*rule, count func(*part) (*big.Int, bool)) (*big.Int, error) {
	var all []*part
	for _, r := range rules {
		merged := &part{rules: []*rule{r}, deps: r.deps}
		rest := all[:0]
		for _, p := range all {
			if !slices.ContainsFunc(p.deps, func(d *space.Decision) bool { return slices.Contains(merged.deps, d) }) {
				rest = append(rest, p)
				continue
			}
			merged.rules = append(p.rules, merged.rules...)
			merged.deps = append(merged.deps, p.deps...)
		}
		slices.SortFunc(merged.deps, func(a, b *space.Decision) int { return a.ID - b.ID })
		merged.deps = slices.Compact(merged.deps)
		all = append(rest, merged)
	}
	total := big.NewInt(1)
	constrained := map[*space.Decision]bool{}
	for _, p := range all {
		for _, d := range p.deps {
			constrained[d] = true
		}
		n, ok := count(p)
		if !ok {
			return nil, &UnknownError{p.rules[0].Requirement}
		}
		total.Mul(total, n)
	}
	for _, d := range c.space.Root.Decisions {
		if !constrained[d] {
			total.Mul(total, d.Size())
		}
	}
	return total, nil
}

func (c *counter) part(p *part) (*big.Int, bool) {
	if n, ok := c.enumerate(p); ok {
		return n, true
	}
	return c.sums(p)
}

// measured is a rule with the running state of its programs.
type measured struct {
	*rule
	runs  map[string]*run
	fixed map[string]int64  // metrics that are known without
	known map[[4]int64]bool // conditions that were computed, by the metrics
	names []string
	taken sym.Taken
}

func (x *rule) start(v []int64) *measured {
	m := &measured{rule: x, runs: map[string]*run{}, fixed: map[string]int64{}, names: x.Cond.Measures(),
		taken: func(d *space.Decision) int64 { return v[d.ID] }}
	for name, p := range x.programs {
		m.runs[name] = p.start(v)
	}
	if len(x.Cond.Decisions()) == 0 {
		m.known = map[[4]int64]bool{}
	}
	return m
}

// holds reports whether the assignment meets the rule. ok is false when that
// cannot be computed.
func (m *measured) holds() (holds, ok bool) {
	if !m.InForce(m.taken) {
		return true, true
	}
	var key [4]int64
	for i, name := range m.names {
		if key[i], ok = m.fixed[name]; ok {
			continue
		}
		if key[i], ok = m.runs[name].result(); !ok {
			return false, false
		}
	}
	if holds, ok = m.known[key]; ok {
		return holds, true
	}
	v, err := m.Cond.EvalWith(m.taken, func(name string) (int64, error) { return key[slices.Index(m.names, name)], nil })
	holds = err == nil && v == true // what cannot be computed is not met
	if m.known != nil {
		m.known[key] = holds
	}
	return holds, true
}
