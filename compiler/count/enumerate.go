package count

import (
	"math/big"
	"math/bits"
	"runtime"
	"sync"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// enumerate tries every combination of the decisions of a part. Each counts as
// often as there are ways to take what hangs below them and is not of the part.
func (c *counter) enumerate(p *part) (*big.Int, bool) {
	steps := 0
	for _, r := range p.rules {
		steps += 20
		for _, prog := range r.programs {
			steps += len(prog.terms)
		}
	}
	if c.combinations(p) > float64(maxSteps/steps) {
		return nil, false
	}
	w := newWalk(c, p)
	starts := w.prefixes()
	var lock sync.Mutex
	var group sync.WaitGroup
	total, failed, next := new(big.Int), false, 0
	for range min(runtime.GOMAXPROCS(0), len(starts)) {
		group.Go(func() {
			mine := newWalk(c, p)
			for {
				lock.Lock()
				i := next
				next++
				stop := failed
				lock.Unlock()
				if stop || i >= len(starts) {
					break
				}
				copy(mine.v, starts[i].v)
				mine.from(starts[i].at, starts[i].weight)
			}
			mine.flush()
			lock.Lock()
			defer lock.Unlock()
			total.Add(total, mine.total)
			failed = failed || mine.failed
		})
	}
	group.Wait()
	return total, !failed
}

// combinations is about the number of ways to take the decisions of a part.
func (c *counter) combinations(p *part) float64 {
	in := map[*space.Decision]bool{}
	for _, d := range p.deps {
		in[d] = true
	}
	var below func(g *space.Group) float64
	below = func(g *space.Group) float64 {
		n := 1.0
		for _, d := range g.Decisions {
			if !in[d] {
				continue
			}
			if d.Kind != space.Subset {
				sum := 0.0
				for _, a := range d.Alts {
					sum += below(a.Sub)
				}
				n *= sum
				continue
			}
			if len(d.Alts) > 30 {
				return 1e30
			}
			ways := make([]float64, d.Max+1)
			ways[0] = 1
			for _, a := range d.Alts {
				x := below(a.Sub)
				for k := d.Max; k > 0; k-- {
					ways[k] += ways[k-1] * x
				}
			}
			sum := 0.0
			for k := d.Min; k <= d.Max; k++ {
				sum += ways[k]
			}
			n *= sum
		}
		return n
	}
	return below(c.space.Root)
}

// walk goes through the combinations of a part, decisions by ID.
type walk struct {
	*counter
	order   []*space.Decision
	weights [][]*big.Int // by place in order and alternative; nil means 1
	v       []int64
	rules   []*measured
	total   *big.Int
	failed  bool

	stop   int // where prefixes end; -1: never
	starts []start

	last *big.Int // the weight of the hits that are not in total yet
	hits int64
}

// start is a prefix of the walk.
type start struct {
	at     int
	v      []int64
	weight *big.Int
}

func newWalk(c *counter, p *part) *walk {
	w := &walk{counter: c, order: p.deps, v: make([]int64, len(c.space.Decisions)), total: new(big.Int), stop: -1}
	in := map[*space.Decision]bool{}
	for _, d := range p.deps {
		in[d] = true
	}
	for i := range w.v {
		w.v[i] = space.Inactive
	}
	for _, d := range p.deps {
		alts := make([]*big.Int, len(d.Alts))
		for i, a := range d.Alts {
			for _, b := range a.Sub.Decisions {
				if in[b] {
					continue
				}
				if alts[i] == nil {
					alts[i] = big.NewInt(1)
				}
				alts[i].Mul(alts[i], b.Size())
			}
		}
		w.weights = append(w.weights, alts)
	}
	for _, r := range p.rules {
		w.rules = append(w.rules, r.start(w.v))
	}
	return w
}

// prefixes cuts the walk into pieces that can be walked side by side.
func (w *walk) prefixes() []start {
	w.stop = min(3, len(w.order))
	w.from(0, big.NewInt(1))
	return w.starts
}

// from walks all values of the decisions from place i on.
func (w *walk) from(i int, weight *big.Int) {
	switch {
	case w.failed:
		return
	case i == w.stop:
		w.starts = append(w.starts, start{i, append([]int64(nil), w.v...), weight})
		return
	case i == len(w.order):
		w.test(weight)
		return
	}
	d := w.order[i]
	if !w.exists(d) {
		w.v[d.ID] = space.Inactive
		w.from(i+1, weight)
		return
	}
	if d.Kind != space.Subset {
		for a := range d.Alts {
			w.v[d.ID] = int64(a)
			w.from(i+1, times(weight, w.weights[i][a]))
		}
		return
	}
	for set := int64(0); set>>len(d.Alts) == 0; set++ {
		if n := bits.OnesCount64(uint64(set)); n < d.Min || n > d.Max {
			continue
		}
		x := weight
		for m := uint64(set); m != 0; m &= m - 1 {
			x = times(x, w.weights[i][bits.TrailingZeros64(m)])
		}
		w.v[d.ID] = set
		w.from(i+1, x)
	}
}

func times(a, b *big.Int) *big.Int {
	if b == nil {
		return a
	}
	return new(big.Int).Mul(a, b)
}

// exists reports whether the alternatives taken so far make d exist.
func (c *counter) existsIn(d *space.Decision, v []int64) bool {
	if len(c.holders[d.ID]) == 0 {
		return true
	}
	for _, h := range c.holders[d.ID] {
		x := v[h.on.ID]
		if x < 0 {
			continue
		}
		if h.on.Kind == space.Subset && x>>uint(h.alt)&1 == 1 || h.on.Kind != space.Subset && x == int64(h.alt) {
			return true
		}
	}
	return false
}

func (w *walk) exists(d *space.Decision) bool { return w.existsIn(d, w.v) }

func (w *walk) test(weight *big.Int) {
	for _, r := range w.rules {
		holds, ok := r.holds()
		if !ok {
			w.failed = true
			return
		}
		if !holds {
			return
		}
	}
	if w.last != weight {
		w.flush()
		w.last = weight
	}
	w.hits++
}

// flush adds the hits of one weight to the total.
func (w *walk) flush() {
	if w.hits > 0 {
		n := big.NewInt(w.hits)
		w.total.Add(w.total, n.Mul(n, w.last))
	}
	w.hits = 0
}

// bound counts a small space with the graph of every architecture.
func bound(p *lower.Plan) (*big.Int, error) {
	size := p.Space.Size().Int64()
	free := p.Space.Unconstrained()
	workers := int64(runtime.GOMAXPROCS(0))
	var lock sync.Mutex
	var group sync.WaitGroup
	var total int64
	var failed error
	for w := range workers {
		group.Go(func() {
			var n int64
			var err error
			for r := w; r < size && err == nil; r += workers {
				var g space.Genotype
				var v *lower.Violation
				if g, err = free.Unrank(big.NewInt(r)); err == nil {
					v, err = p.Violated(g)
				}
				if err == nil && v == nil {
					n++
				}
			}
			lock.Lock()
			defer lock.Unlock()
			total += n
			if err != nil {
				failed = err
			}
		})
	}
	group.Wait()
	return big.NewInt(total), failed
}
