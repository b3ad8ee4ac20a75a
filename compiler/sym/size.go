package sym

import "fmt"

// maxSize bounds a scalar: one that is used twice in each of forty that build
// on one another would take ages to evaluate.
const maxSize = 1 << 18

// Size is how many scalars this one is made of, each counted as often as it is
// used: what an operator on it costs.
func (s *Scalar) Size() int { return max(s.size, 1) }

func sizeOf(parts []*Scalar) int {
	n := 1
	for _, p := range parts {
		n = min(n+p.Size(), maxSize+1)
	}
	return n
}

// bounded gives a function of scalars its size, or refuses it.
func bounded(s *Scalar) (*Scalar, error) {
	if s.size = sizeOf(s.args); s.size > maxSize {
		return nil, fmt.Errorf("this depends on the decisions in more than %d ways", maxSize)
	}
	return s, nil
}
