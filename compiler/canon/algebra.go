package canon

// Algebra is the set of rules that an operation obeys.
type Algebra uint8

// The rules, as ops declare them in `.nas`.
const (
	Absent      Algebra = 1 << iota // stands for "no edge"
	Identity                        // is its operand
	Commutative                     // the order of its operands does not matter
	Sparse                          // leaves absent operands out
	Collapses                       // of one operand it is that operand
)

// Fate is what becomes of an operation in the reduced graph.
type Fate uint8

// The fates.
const (
	Kept     Fate = iota // it stays, reading what is present, or blanks as well
	Vanishes             // it is absent
	Passes               // it is the one operand that is present
)

// Fate is what becomes of an operation of so many operands, so many of which
// are present: without any it is absent itself, an identity is what it reads,
// and a fold of one operand that collapses is that operand. It stays otherwise.
// Then a sparse fold reads what is present, and any other operation all of its
// operands, with a blank for each that is absent.
func (a Algebra) Fate(operands, present int) Fate {
	switch {
	case a&Absent != 0, present == 0 && operands > 0:
		return Vanishes
	case present != 1:
		return Kept
	case a&Identity != 0, a&Collapses != 0 && (operands == 1 || a&Sparse != 0):
		return Passes
	}
	return Kept
}

// reduction is the memory of reduce.
type reduction struct {
	fate  []int32 // the row that a row is after the reduction, or gone
	place []int32 // where that row is among those that the output needs, or gone
	flat  Flat
}

const gone = -1

// reduce applies the algebra and keeps what the output needs. It is not present
// when no path leads to the output.
func (s *reduction) reduce(t *Table, output int32) (f *Flat, present bool) {
	n := int(output) + 1
	s.fate, s.place = resize(s.fate, n), resize(s.place, n)
	for i := range n {
		s.place[i] = gone
		reads := t.reads[t.starts[i]:t.starts[i+1]]
		live, last := 0, int32(gone)
		for _, r := range reads {
			if to := s.fate[r]; to != gone {
				live, last = live+1, to
			}
		}
		switch t.algebra[i].Fate(len(reads), live) {
		case Kept:
			s.fate[i] = int32(i)
		case Passes:
			s.fate[i] = last
		case Vanishes:
			s.fate[i] = gone
		}
	}
	end := s.fate[output]
	if end == gone {
		return nil, false
	}
	const needed = 0
	s.place[end] = needed
	for i := end; i >= 0; i-- {
		if s.place[i] == gone {
			continue
		}
		for _, r := range t.reads[t.starts[i]:t.starts[i+1]] {
			if to := s.fate[r]; to != gone {
				s.place[to] = needed
			}
		}
	}
	s.flat.Reset()
	for i := range end + 1 {
		if s.place[i] == gone {
			continue
		}
		for _, r := range t.reads[t.starts[i]:t.starts[i+1]] {
			switch to := s.fate[r]; {
			case to != gone:
				s.flat.Read(s.place[to])
			case t.algebra[i]&Sparse == 0:
				s.flat.ReadBlank(t.blanks[r])
			}
		}
		s.place[i] = s.flat.Add(t.labels[i], t.algebra[i]&Commutative != 0)
	}
	return &s.flat, true
}

// resize gives a slice of n elements, in the memory of s where it suffices.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
