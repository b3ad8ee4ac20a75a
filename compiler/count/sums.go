package count

import (
	"math"
	"math/big"
	"slices"

	"github.com/nasc-project/nasc/compiler/space"
)

// maxSums bounds the work of one dynamic programme over sums, in words added.
const maxSums = 2_000_000_000

// Limits of the dynamic programme.
const (
	maxTable    = 1 << 14 // combinations of the decisions of one table
	maxMessages = 48      // values of a distribution that is made before the sum runs
)

// sums counts a part whose rules are about one metric that adds up over operations,
// params or MACs, and about few decisions besides.
//
// What each operation adds depends on few decisions: those that it needs to be there
// and those of its cost. So the distribution of the sum is that of a product of small
// tables over decisions, with a table for each decision that says where it exists.
// Decisions that few values depend on are summed out first (an operation's kernel),
// then the tables are multiplied in the order of the network, one into the running
// distribution after the other, which is kept apart for the decisions that are
// still in use (a stage's depth, the width between two layers) and for those that the
// conditions name. Values that no condition can admit any more are dropped.
func (c *counter) sums(p *part) (*big.Int, bool) {
	s := &summer{counter: c, part: p}
	if !s.target() || !s.tabulate() {
		return nil, false
	}
	s.messages()
	return s.run()
}

type summer struct {
	*counter
	part *part
	adder
	added *program          // of the metric that adds up
	same  map[*program]bool // the same in all rules
	kept  map[*space.Decision]bool
	base  int64 // value v of a distribution stands for base + v * unit
	unit  int64
	all   []*table
}

// table is a distribution for each combination of some decisions, which have one
// more value than alternatives: that they do not exist.
type table struct {
	deps  []*space.Decision // by ID
	cells []distribution
}

// target finds the one metric that is added up and the decisions that the
// conditions need besides.
func (s *summer) target() bool {
	s.kept, s.same = map[*space.Decision]bool{}, map[*program]bool{}
	text := ""
	for _, r := range s.part.rules {
		for _, e := range r.Where {
			for _, d := range e.Decisions() {
				s.kept[d] = true
			}
		}
		for _, d := range r.Cond.Decisions() {
			s.kept[d] = true
		}
		for _, m := range r.Cond.Measures() {
			p := r.programs[m]
			if m == "params" || m == "macs" {
				if t := p.text(); text == "" || text == t {
					text, s.added, s.same[p] = t, p, true
					continue
				}
			}
			for _, d := range p.deps {
				s.kept[d] = true
			}
		}
	}
	return s.added != nil
}

// tabulate makes the tables of what is added and of what exists.
func (s *summer) tabulate() bool {
	need, ok := s.added.needs()
	if !ok {
		return false
	}
	type addend struct {
		deps  []*space.Decision
		terms []int
	}
	var addends []*addend
	for i, t := range s.added.terms {
		if t.amount == nil || t.kind != op || need[i] == never {
			continue
		}
		deps := slices.Clone(need[i].deps)
		for _, d := range t.amount.deps {
			if !slices.Contains(deps, d) {
				deps = append(deps, d)
			}
		}
		slices.SortFunc(deps, func(a, b *space.Decision) int { return a.ID - b.ID })
		k := slices.IndexFunc(addends, func(a *addend) bool { return slices.Equal(a.deps, deps) })
		if k < 0 {
			k = len(addends)
			addends = append(addends, &addend{deps: deps})
		}
		addends[k].terms = append(addends[k].terms, i)
	}
	// What each table adds, relative to its least value.
	var values [][]int64
	for _, a := range addends {
		n, ok := size(a.deps)
		if !ok {
			return false
		}
		cells := make([]int64, n)
		least := int64(math.MaxInt64)
		s.each(a.deps, func(i int, v []int64) {
			for _, k := range a.terms {
				if !need[k].at(v) {
					continue
				}
				// Undefined where the decisions do not exist together, or where no
				// rule is in force: whatever it is makes no difference.
				if x := s.added.terms[k].amount.at(v); x != undefined {
					cells[i] += x
				}
			}
			least = min(least, cells[i])
		})
		for i := range cells {
			cells[i] -= least
			s.unit = gcd(s.unit, cells[i])
		}
		s.base += least
		values = append(values, cells)
	}
	s.unit = max(s.unit, 1)
	s.limit = s.bound()
	total := big.NewInt(1)
	for _, d := range s.space.Root.Decisions {
		if slices.Contains(s.part.deps, d) {
			total.Mul(total, d.Size())
		}
	}
	s.width = total.BitLen()/64 + 1
	for k, a := range addends {
		t := &table{deps: a.deps, cells: make([]distribution, len(values[k]))}
		for i, x := range values[k] {
			t.cells[i] = s.one(x/s.unit, 1)
		}
		s.all = append(s.all, t)
	}
	return s.existence()
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// bound is the largest value that a condition may admit.
func (s *summer) bound() int64 {
	limit := int64(math.MaxInt64)
	for _, r := range s.part.rules {
		if len(r.Where) > 0 || !s.same[r.programs[s.added.metric]] {
			continue
		}
		if most, ok := r.Cond.AtMost(s.added.metric); ok {
			limit = min(limit, most)
		}
	}
	if limit == math.MaxInt64 {
		return math.MaxInt64 / 2
	}
	if limit < s.base {
		return -1
	}
	return (limit - s.base) / s.unit
}

// existence adds a table for each decision: where it exists, and how many ways there
// are below each of its values to take what no rule depends on.
func (s *summer) existence() bool {
	w := newWalk(s.counter, s.part)
	for i, d := range s.part.deps {
		deps := []*space.Decision{d}
		for _, h := range s.holders[d.ID] {
			if !slices.Contains(deps, h.on) {
				deps = append(deps, h.on)
			}
		}
		slices.SortFunc(deps, func(a, b *space.Decision) int { return a.ID - b.ID })
		n, ok := size(deps)
		if !ok {
			return false
		}
		t := &table{deps: deps, cells: make([]distribution, n)}
		s.each(deps, func(k int, v []int64) {
			x := v[d.ID]
			if s.existsIn(d, v) != (x >= 0) {
				return
			}
			ways := big.NewInt(1)
			switch {
			case x < 0:
			case d.Kind == space.Subset:
				picked := 0
				for item := range d.Alts {
					if x>>item&1 == 1 {
						picked++
						ways = times(ways, w.weights[i][item])
					}
				}
				if picked < d.Min || picked > d.Max {
					return
				}
			default:
				ways = times(ways, w.weights[i][x])
			}
			if !ways.IsUint64() {
				ok = false
				return
			}
			t.cells[k] = s.one(0, ways.Uint64())
		})
		if !ok {
			return false
		}
		s.all = append(s.all, t)
	}
	return true
}

// size is the number of cells of a table over some decisions.
func size(deps []*space.Decision) (int, bool) {
	n := 1
	for _, d := range deps {
		if d.Kind == space.Subset && len(d.Alts) > 12 {
			return 0, false
		}
		if n *= domain(d); n > maxTable {
			return 0, false
		}
	}
	return n, true
}

// each calls f for every cell of a table over some decisions, with the assignment
// by Decision.ID.
func (s *summer) each(deps []*space.Decision, f func(i int, v []int64)) {
	v := make([]int64, len(s.space.Decisions))
	n, _ := size(deps)
	for i := range n {
		rest := i
		for k := len(deps) - 1; k >= 0; k-- {
			d := deps[k]
			x := int64(rest % domain(d))
			if x == int64(values(d)) {
				x = space.Inactive
			}
			v[d.ID] = x
			rest /= domain(d)
		}
		f(i, v)
	}
}

// at finds the cell for an assignment by Decision.ID.
func (t *table) at(v []int64) distribution {
	return t.cells[cell(t.deps, v)]
}

// messages sums out the decisions that leave small tables.
func (s *summer) messages() {
	for again := true; again && !s.over; {
		again = false
		for _, d := range s.part.deps {
			if !s.kept[d] && s.message(d) {
				again = true
			}
		}
	}
}

// message sums one decision out if what is left is small.
func (s *summer) message(d *space.Decision) bool {
	var with []*table
	var deps []*space.Decision
	for _, t := range s.all {
		if slices.Contains(t.deps, d) {
			with = append(with, t)
			for _, x := range t.deps {
				if x != d && !slices.Contains(deps, x) {
					deps = append(deps, x)
				}
			}
		}
	}
	if len(with) == 0 {
		return false
	}
	slices.SortFunc(deps, func(a, b *space.Decision) int { return a.ID - b.ID })
	n, ok := size(deps)
	if !ok || n*domain(d) > maxTable {
		return false
	}
	small := true
	s.each(deps, func(_ int, v []int64) {
		total := 0
		for x := range domain(d) {
			set(v, d, x)
			pairs := 1
			for _, t := range with {
				pairs *= len(t.at(v).values)
				if pairs > maxMessages {
					break
				}
			}
			total += pairs
		}
		small = small && total <= maxMessages
	})
	if !small {
		return false
	}
	out := &table{deps: deps, cells: make([]distribution, n)}
	unit := s.one(0, 1)
	s.each(deps, func(i int, v []int64) {
		for x := range domain(d) {
			set(v, d, x)
			p := unit
			for _, t := range with {
				p = s.product(p, t.at(v))
			}
			out.cells[i] = s.adder.sum(out.cells[i], p)
		}
	})
	s.all = slices.DeleteFunc(s.all, func(t *table) bool { return slices.Contains(with, t) })
	s.all = append(s.all, out)
	return true
}

// set takes value x of a decision, the last of which is that it does not exist.
func set(v []int64, d *space.Decision, x int) {
	v[d.ID] = int64(x)
	if x == values(d) {
		v[d.ID] = space.Inactive
	}
}

// run multiplies the tables in the order of the decisions and asks the conditions.
func (s *summer) run() (*big.Int, bool) {
	running := &table{cells: []distribution{s.one(0, 1)}}
	left := slices.Clone(s.all)
	for {
		// Whatever can be multiplied now, then forget what is no longer in use.
		for i := 0; i < len(left); i++ {
			if t := left[i]; !slices.ContainsFunc(t.deps, func(d *space.Decision) bool { return !slices.Contains(running.deps, d) }) {
				s.each(running.deps, func(k int, v []int64) { running.cells[k] = s.product(running.cells[k], t.at(v)) })
				left = slices.Delete(left, i, i+1)
				i--
			}
			if s.over {
				return nil, false
			}
		}
		for _, d := range slices.Clone(running.deps) {
			if s.kept[d] || slices.ContainsFunc(left, func(t *table) bool { return slices.Contains(t.deps, d) }) {
				continue
			}
			running = s.forget(running, d)
		}
		next := s.next(running, left)
		if next == nil {
			break
		}
		var ok bool
		if running, ok = s.introduce(running, next); !ok || s.over {
			return nil, false
		}
	}
	return s.admitted(running)
}

// next is the first decision that a table still needs.
func (s *summer) next(running *table, left []*table) *space.Decision {
	for _, d := range s.part.deps {
		if !slices.Contains(running.deps, d) && slices.ContainsFunc(left, func(t *table) bool { return slices.Contains(t.deps, d) }) {
			return d
		}
	}
	return nil
}

func (s *summer) introduce(t *table, d *space.Decision) (*table, bool) {
	deps := append(slices.Clone(t.deps), d)
	slices.SortFunc(deps, func(a, b *space.Decision) int { return a.ID - b.ID })
	n, ok := size(deps)
	if !ok {
		return nil, false
	}
	out := &table{deps: deps, cells: make([]distribution, n)}
	s.each(deps, func(i int, v []int64) { out.cells[i] = t.at(v) })
	return out, true
}

func (s *summer) forget(t *table, d *space.Decision) *table {
	deps := slices.DeleteFunc(slices.Clone(t.deps), func(x *space.Decision) bool { return x == d })
	n, _ := size(deps)
	out := &table{deps: deps, cells: make([]distribution, n)}
	s.each(deps, func(i int, v []int64) {
		for x := range domain(d) {
			set(v, d, x)
			out.cells[i] = s.adder.sum(out.cells[i], t.at(v))
		}
	})
	return out
}

// admitted adds up the counts of the values that meet every rule.
func (s *summer) admitted(t *table) (*big.Int, bool) {
	total := new(big.Int)
	v := make([]int64, len(s.space.Decisions))
	for i := range v {
		v[i] = space.Inactive
	}
	var rules []*measured
	for _, r := range s.part.rules {
		rules = append(rules, r.start(v))
	}
	failed := false
	s.each(t.deps, func(i int, at []int64) {
		if t.cells[i].isZero() || failed {
			return
		}
		for _, d := range t.deps {
			v[d.ID] = at[d.ID]
		}
		for k, x := range t.cells[i].values {
			holds, ok := s.hold(rules, s.base+x*s.unit)
			failed = failed || !ok
			if holds {
				total.Add(total, s.count(t.cells[i], k))
			}
		}
	})
	return total, !failed
}

// hold reports whether all rules are met where the sum has a value.
func (s *summer) hold(rules []*measured, sum int64) (holds, ok bool) {
	for _, r := range rules {
		if s.same[r.programs[s.added.metric]] {
			r.fixed[s.added.metric] = sum
		}
		if holds, ok := r.holds(); !ok || !holds {
			return false, ok
		}
	}
	return true, true
}

// count is how often value k of a distribution occurs.
func (s *summer) count(d distribution, k int) *big.Int {
	n := new(big.Int)
	for w := s.width - 1; w >= 0; w-- {
		n.Lsh(n, 64)
		n.Add(n, new(big.Int).SetUint64(d.counts[k*s.width+w]))
	}
	return n
}
