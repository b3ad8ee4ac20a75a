package unique

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nasc-project/nasc/compiler/canon"
	"github.com/nasc-project/nasc/compiler/space"
)

// wirings is the space of a sketch with each class of a slot drawn together into
// its first alternative, which stands for all of them.
type wirings struct {
	*space.Space
	alts [][]int64 // by decision of the sketch: the alternative for each of this space
}

// wirings makes that space. Decisions keep their numbers.
func (sk *sketch) wirings() (*wirings, error) {
	w := &wirings{alts: make([][]int64, len(sk.slots))}
	made := map[*space.Decision]*space.Decision{}
	var group func(*space.Group) *space.Group
	group = func(g *space.Group) *space.Group {
		out := &space.Group{}
		for _, d := range g.Decisions {
			m, ok := made[d]
			if !ok {
				m = &space.Decision{Address: d.Address, Kind: d.Kind, Min: d.Min, Max: d.Max}
				made[d] = m
				for i, a := range d.Alts {
					if s := sk.slots[d.ID]; s.classes != nil && !slices.ContainsFunc(s.classes, func(c []int64) bool { return c[0] == int64(i) }) {
						continue
					}
					m.Alts = append(m.Alts, &space.Alt{Label: a.Label, Sub: group(a.Sub)})
					w.alts[d.ID] = append(w.alts[d.ID], int64(i))
				}
			}
			out.Decisions = append(out.Decisions, m)
		}
		return out
	}
	s, err := space.New(sk.plan.Space.Name, group(sk.plan.Space.Root))
	if err != nil {
		return nil, err
	}
	for id, d := range sk.plan.Space.Decisions {
		if made[d].ID != id {
			return nil, fmt.Errorf("decision %s has another number without its labels", d.Address)
		}
	}
	w.Space = s
	return w, nil
}

// genotype is the architecture that wiring number n stands for.
func (w *wirings) genotype(n uint64) space.Genotype {
	g, err := w.Unrank(new(big.Int).SetUint64(n))
	if err != nil {
		panic(err) // n comes from counting up to Size
	}
	for id, v := range g {
		if v != space.Inactive && w.Decisions[id].Kind != space.Subset {
			g[id] = w.alts[id][v]
		}
	}
	return g
}

// classes takes all wirings, keeps one of each class, labels it in all ways and
// keeps one labelled graph of each class.
func (sk *sketch) classes(ctx context.Context, s Space, workers int) (*Classes, error) {
	w, err := sk.wirings()
	if err != nil {
		return nil, err
	}
	size := w.Size()
	most := uint64(maxWirings)
	if s.Quick {
		most = quickWirings
	}
	if !size.IsUint64() || size.Uint64() > most {
		return nil, unknown("its cell can be wired in %s ways, more than %d", size, most)
	}
	what, err := sk.required()
	if err != nil {
		return nil, err
	}
	// The first wiring of each class, with its labels blank.
	var found classSet
	err = found.collect(ctx, workers, size.Uint64(), func(add func(member)) func(uint64) error {
		r, admits := sk.reader(), s.Admission()
		return func(n uint64) error {
			g := w.genotype(n)
			if what == ofWirings && !admits(g) {
				return nil
			}
			d, err := r.digest(g, true)
			add(member{wiring: n, classID: d})
			return err
		}
	})
	if err != nil {
		return nil, err
	}
	wired := found.sorted()

	// The labellings of each.
	var labelled classSet
	err = labelled.collect(ctx, workers, uint64(len(wired)), func(add func(member)) func(uint64) error {
		r, admits := sk.reader(), s.Admission()
		return func(i uint64) error {
			g := w.genotype(wired[i].wiring)
			return r.labellings(g, func(n uint32, d canon.Digest) {
				if what != ofGraphs || admits(g) {
					add(member{wired[i].wiring, n, d})
				}
			})
		}
	})
	if err != nil {
		return nil, err
	}
	c := &Classes{members: labelled.sorted()}
	c.Method = fmt.Sprintf("%d wirings, %d of them different", size, len(wired))
	c.expand = func() func(member) space.Genotype {
		r := sk.reader()
		return func(m member) space.Genotype {
			g := w.genotype(m.wiring)
			if live, err := r.liveSlots(g); err == nil { // as when it was found
				r.labelling(g, live, m.labels)
			}
			return g
		}
	}
	return c, nil
}

// labellings calls f for every labelling of the wiring of g.
func (r *reader) labellings(g space.Genotype, f func(uint32, canon.Digest)) error {
	live, err := r.liveSlots(g)
	if err != nil {
		return err
	}
	total := uint64(1)
	for _, id := range live {
		if total *= uint64(len(r.class(id, g[id]))); total > maxSlotSize {
			return unknown("a wiring can be labelled in more than %d ways", maxSlotSize)
		}
	}
	first := g.Clone()
	for n := range uint32(total) {
		copy(g, first)
		r.labelling(g, live, n)
		d, err := r.digest(g, false)
		if err != nil {
			return err
		}
		f(n, d)
	}
	return nil
}

// class is the alternatives that alternative v of a slot stands for.
func (sk *sketch) class(id int, v int64) []int64 {
	for _, c := range sk.slots[id].classes {
		if c[0] == v {
			return c
		}
	}
	return nil
}

// labelling gives the slots of g the labels of number n.
func (sk *sketch) labelling(g space.Genotype, live []int, n uint32) {
	for _, id := range live {
		c := sk.class(id, g[id])
		g[id] = c[n%uint32(len(c))]
		n /= uint32(len(c))
	}
}

// liveSlots lists the slots whose label is part of the live graph of g: those
// whose other label gives another graph.
func (r *reader) liveSlots(g space.Genotype) ([]int, error) {
	was, err := r.digest(g, false)
	if err != nil {
		return nil, err
	}
	var out []int
	for id, v := range g {
		if v == space.Inactive || len(r.class(id, v)) < 2 {
			continue
		}
		live := false
		for _, other := range r.class(id, v)[1:] {
			g[id] = other
			d, err := r.digest(g, false)
			if err != nil {
				return nil, err
			}
			live = live || d != was
		}
		g[id] = v
		if live {
			out = append(out, id)
		}
	}
	return out, nil
}

// classSet keeps the first member of each class.
type classSet struct {
	first map[canon.Digest]member
}

func (m member) before(n member) bool {
	if m.wiring != n.wiring {
		return m.wiring < n.wiring
	}
	return m.labels < n.labels
}

// sorted lists the members in order of wiring and labelling.
func (s *classSet) sorted() []member {
	out := make([]member, 0, len(s.first))
	for _, m := range s.first {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.wiring, b.wiring), cmp.Compare(a.labels, b.labels))
	})
	return out
}

// chunk is how many numbers a worker takes at once.
const chunk = 1 << 12

// collect calls the function of each worker for all numbers below n and keeps what
// they add.
func (s *classSet) collect(ctx context.Context, workers int, n uint64, worker func(add func(member)) func(uint64) error) error {
	var next atomic.Uint64
	parts := make([]map[canon.Digest]member, workers)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	step := min(chunk, n/uint64(workers)/8+1)
	for k := range workers {
		wg.Go(func() {
			part := map[canon.Digest]member{}
			parts[k] = part
			f := worker(func(m member) {
				if was, ok := part[m.classID]; !ok || m.before(was) {
					part[m.classID] = m
				}
			})
			for {
				end := next.Add(step)
				if end-step >= n || ctx.Err() != nil {
					return
				}
				for i := end - step; i < min(end, n); i++ {
					if errs[k] = f(i); errs[k] != nil {
						next.Store(n)
						return
					}
				}
				if len(part) > maxClasses {
					errs[k] = unknown("more than %d architectures differ", maxClasses)
					return
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	s.first = parts[0]
	for _, part := range parts[1:] {
		for d, m := range part {
			if was, ok := s.first[d]; !ok || m.before(was) {
				s.first[d] = m
			}
		}
	}
	return nil
}
