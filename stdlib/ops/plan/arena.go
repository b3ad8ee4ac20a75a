package plan

import (
	"cmp"
	"slices"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// Arena is memory that plans share which do not run at the same time.
type Arena[T kernel.Float] struct{ data []T }

// NewArena makes one that is as large as the largest of its plans.
func NewArena[T kernel.Float]() *Arena[T] { return &Arena[T]{} }

// storage is a part of the arena that holds a value, or several that take over
// from each other, from the step that writes it to the last that reads it.
type storage struct {
	size        int
	first, last int
	offset      int
	wanted      bool // it has memory of its own, which outlives a run
}

// line is how many numbers a storage is rounded up to.
const line = 16

// place gives every result its storage and returns the size of the arena.
func (p *program) place() int {
	last := map[*value]int{}
	for i, s := range p.steps {
		for _, v := range s.inputs() {
			last[v] = i
		}
	}
	p.overlay(last)
	var all []*storage
	shared := map[*wide]*storage{}
	for i, s := range p.steps {
		over := takenOver(s.kind, last, i)
		for _, v := range s.outputs() {
			end := max(last[v], i)
			switch {
			case v.wide != nil && v.wide.over != nil:
				v.home = shared[v.wide.over]
				v.home.last = max(v.home.last, end)
			case v.wide != nil:
				if shared[v.wide] == nil {
					st := &storage{first: i}
					for _, m := range v.wide.members {
						st.size += m.size()
					}
					shared[v.wide] = st
					all = append(all, st)
				}
				v.home = shared[v.wide]
				v.home.last = max(v.home.last, end)
			case v.wanted:
				v.home = &storage{size: v.size(), wanted: true}
			case over[v] != nil:
				v.home = over[v].home
				v.home.last = max(v.home.last, end)
			default:
				v.home = &storage{size: v.size(), first: i, last: end}
				all = append(all, v.home)
			}
		}
	}
	return pack(all)
}

// overlay lets the gradients of maps that share a buffer take the places of these
// maps, if each is written by the last step that reads its map.
func (p *program) overlay(last map[*value]int) {
	at := map[*step]int{}
	for i, s := range p.steps {
		at[s] = i
	}
	for _, s := range p.steps {
		for _, v := range s.outputs() {
			if v.wide == nil || v != v.wide.members[0] {
				continue
			}
			first, _ := v.fromSpread()
			if first.x == nil || first.x.wide == nil || len(first.x.wide.members) != len(v.wide.members) {
				continue
			}
			fits := true
			for i, m := range v.wide.members {
				t, _ := m.fromSpread()
				fits = fits && t.x == first.x.wide.members[i] && last[t.x] == at[m.from]
			}
			if fits {
				v.wide.over = first.x.wide
			}
		}
	}
}

// takenOver says which results of step i may take the place of which input: one of
// the same size with memory of its own that is read for the last time.
func takenOver(k kind, last map[*value]int, i int) map[*value]*value {
	over := map[*value]*value{}
	free := func(out, in *value) bool {
		n := 0
		for _, v := range k.inputs() {
			if v == in {
				n++
			}
		}
		return n == 1 && in.home != nil && in.wide == nil && !in.home.wanted && last[in] == i && in.size() == out.size()
	}
	switch k := k.(type) {
	case *primitive:
		if at := k.op.InPlace(); at >= 0 && at < len(k.in) && free(k.out, k.in[at]) {
			over[k.out] = k.in[at]
		}
	case *addition:
		for j, in := range k.in[:2] {
			if free(k.out, in) {
				k.in[0], k.in[j] = k.in[j], k.in[0]
				over[k.out] = in
				break
			}
		}
	case *combine:
		out := k.y
		if out == nil {
			out = k.rectified
		}
		masked := slices.ContainsFunc(k.terms, func(t term) bool { return t.masked })
		for j, t := range k.terms {
			if t.masked == masked && free(out, t.x) {
				k.terms[0], k.terms[j] = k.terms[j], k.terms[0]
				over[out] = t.x
				break
			}
		}
	case *spread:
		for _, t := range k.terms {
			if t.out.wide == nil && free(t.out, t.x) {
				over[t.out] = t.x
			}
		}
	}
	return over
}

// pack places storages so that those that live at one time do not overlap: the
// largest first, each in the smallest gap it fits into.
func pack(all []*storage) int {
	slices.SortStableFunc(all, func(a, b *storage) int { return cmp.Compare(b.size, a.size) })
	end := 0
	var placed []*storage // by offset
	for _, s := range all {
		best, room, at := -1, 0, 0
		for _, o := range placed {
			if o.last < s.first || s.last < o.first {
				continue
			}
			if gap := o.offset - at; gap >= s.size && (best < 0 || gap < room) {
				best, room = at, gap
			}
			at = max(at, o.offset+(o.size+line-1)/line*line)
		}
		if best < 0 {
			best = at
		}
		s.offset = best
		end = max(end, best+s.size)
		i, _ := slices.BinarySearchFunc(placed, s, func(a, b *storage) int { return cmp.Compare(a.offset, b.offset) })
		placed = slices.Insert(placed, i, s)
	}
	return end
}
