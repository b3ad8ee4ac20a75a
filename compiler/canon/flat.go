package canon

// Flat is a graph after its reduction: every row is needed, and the last is the
// output. A row is written operand by operand and then added.
type Flat struct {
	labels []Colour
	joins  []bool
	starts []int32  // row i reads reads[starts[i]:starts[i+1]]
	reads  []int32  // rows, or -1-k for blanks[k]
	blanks []Colour // what is there instead of absent tensors
}

// Reset empties f and keeps its memory.
func (f *Flat) Reset() {
	f.labels, f.joins = f.labels[:0], f.joins[:0]
	f.starts, f.reads, f.blanks = append(f.starts[:0], 0), f.reads[:0], f.blanks[:0]
}

// Len is the number of rows.
func (f *Flat) Len() int { return len(f.labels) }

// Read adds an operand to the row that comes next.
func (f *Flat) Read(row int32) { f.reads = append(f.reads, row) }

// ReadBlank adds the blank of an absent operand to the row that comes next.
func (f *Flat) ReadBlank(c Colour) {
	f.blanks = append(f.blanks, c)
	f.reads = append(f.reads, int32(-len(f.blanks)))
}

// Add ends a row, whose operands are a set when it joins them, and returns its
// number.
func (f *Flat) Add(label Colour, joins bool) int32 {
	f.labels = append(f.labels, label)
	f.joins = append(f.joins, joins)
	f.starts = append(f.starts, int32(len(f.reads)))
	return int32(len(f.labels) - 1)
}

// operands are what row i reads.
func (f *Flat) operands(i int) []int32 { return f.reads[f.starts[i]:f.starts[i+1]] }

// AddEntrance begins a segment: the row stands for the tensor that it reads.
func (f *Flat) AddEntrance() int32 { return f.Add(entrance, false) }

// series is the memory of Series.
type series struct{ pending []int32 }

// Series appends to chain the canonical form of each segment of f. A segment
// ends at a row through which all paths lead: after it, it is the only one with
// readers to come, rows without operands counting from the start. Which rows
// those are does not depend on the order: they are the ones that every other
// row either leads to or comes from, with no edge around them.
//
// Of a graph that is entered, row 0 is the entrance, which is no segment.
func (s *Scratch) Series(f *Flat, entered bool, chain []Colour) []Colour {
	n := f.Len()
	s.pending = resize(s.pending, n)
	open := 0 // rows with readers to come
	for i := range n {
		s.pending[i] = 0
		source := true
		for _, r := range f.operands(i) {
			if r >= 0 {
				s.pending[r]++
				source = false
			}
		}
		if source {
			open++
		}
	}
	s.pending[n-1]++ // who asks for the output
	from := 0
	for i := range n {
		source := true
		for _, r := range f.operands(i) {
			if r < 0 {
				continue
			}
			source = false
			if s.pending[r]--; s.pending[r] == 0 {
				open--
			}
		}
		if !source {
			open++
		}
		if open > 1 {
			continue
		}
		if i > 0 || !entered {
			chain = append(chain, s.segment(f, from, i+1))
		}
		from = i + 1
	}
	return chain
}

// Segment is the canonical form of f where it is known to be one segment, see
// Series.
func (s *Scratch) Segment(f *Flat, entered bool) Colour {
	if entered {
		return s.segment(f, 1, f.Len())
	}
	return s.segment(f, 0, f.Len())
}

// Step is the canonical form of a segment of one row that reads the entrance,
// once.
func Step(label Colour, joins bool) Colour {
	if joins {
		return label.Then(readsSet.With(entrance))
	}
	return label.Then(entrance).Then(readsInOrder)
}
