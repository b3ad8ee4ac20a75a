package canon

import "math/bits"

// refinement is the memory of segment.
type refinement struct {
	front, back []Colour
	readers     []Colour
	class       []int32
	census      census
}

// segment is the canonical form of rows from to to-1 of f, of which the last is
// the output, and which read one earlier row at most, the last before them.
func (s *Scratch) segment(f *Flat, from, to int) Colour {
	n := to - from
	s.front, s.back, s.readers = resize(s.front, n), resize(s.back, n), resize(s.readers, n)
	s.forward(f, from, f.labels[from:to], s.front)
	if n == 1 {
		return s.front[0]
	}
	s.class = resize(s.class, n)
	classes := s.census.count(s.front, s.class)
	for classes < n {
		s.backward(f, from, s.front, s.back)
		s.forward(f, from, s.back, s.front)
		finer := s.census.count(s.front, s.class)
		if finer == classes {
			break
		}
		classes = finer
	}
	var all Colour
	for _, c := range s.front {
		all = all.With(c)
	}
	if classes < n {
		all = s.pieces.add(all, f, from, s.front, s.class, &s.census)
	}
	return all.Then(s.front[n-1]).Number(uint64(n))
}

// forward colours every row by its own colour and the new colours of what it
// reads. So where all colours differ, they tell the whole graph.
func (s *refinement) forward(f *Flat, from int, own, out []Colour) {
	for i := range own {
		c := own[i]
		if f.joins[from+i] {
			set := readsSet
			for _, r := range f.operands(from + i) {
				set = set.With(f.colour(r, from, out))
			}
			out[i] = c.Then(set)
			continue
		}
		for _, r := range f.operands(from + i) {
			c = c.Then(f.colour(r, from, out))
		}
		out[i] = c.Then(readsInOrder)
	}
}

// colour is the colour of operand r in the segment that begins at row from.
func (f *Flat) colour(r int32, from int, colours []Colour) Colour {
	switch i := int(r) - from; {
	case i >= 0:
		return colours[i]
	case r >= 0:
		return entrance
	}
	return f.blanks[-1-r]
}

// backward colours every row by its own colour and the new colours of what
// reads it, and at which place.
func (s *refinement) backward(f *Flat, from int, own, out []Colour) {
	clear(s.readers)
	s.readers[len(own)-1] = isOutput
	for i := len(own) - 1; i >= 0; i-- {
		c := own[i].Then(s.readers[i])
		out[i] = c
		joins := f.joins[from+i]
		if joins {
			c = c.Then(isReadInSet)
		}
		for k, r := range f.operands(from + i) {
			if int(r) < from {
				continue
			}
			reader := c
			if !joins {
				reader = c.Then(isReadInOrder).Number(uint64(k))
			}
			to := &s.readers[int(r)-from]
			*to = to.With(reader)
		}
	}
}

// census is the memory of count, a hash table.
type census struct{ table []int32 }

// count counts the colours, and sets the class of every element to the first of
// its colour.
func (t *census) count(all []Colour, class []int32) int {
	size := 1 << bits.Len(uint(2*len(all)))
	t.table = resize(t.table, size)
	table := t.table
	clear(table)
	n := 0
	for i, c := range all {
		at := int(c[0]) & (size - 1)
		for {
			k := table[at] - 1
			if k < 0 {
				table[at] = int32(i) + 1
				class[i] = int32(i)
				n++
				break
			}
			if all[k] == c {
				class[i] = k
				break
			}
			at = (at + 1) & (size - 1)
		}
	}
	return n
}
