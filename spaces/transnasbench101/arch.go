// Package transnasbench101 speaks the language of TransNAS-Bench-101 (Duan et al.,
// CVPR 2021): 64-41414-1_02_333 is a cell, 64-1234-basic a skeleton. [Recognise] finds
// the name of an architecture of either space that the compiler bound.
package transnasbench101

import (
	"fmt"
	"regexp"
)

// The architectures of the two spaces.
const (
	Cells     = 4096
	Skeletons = 3256
)

// Width is the number of channels that the stem makes.
const Width = 64

var (
	cellName     = regexp.MustCompile(`^64-41414-([0-3])_([0-3])([0-3])_([0-3])([0-3])([0-3])$`)
	skeletonName = regexp.MustCompile(`^64-([1-4]{4,6})-basic$`)
)

// Cell is the operations of the six edges, in the order of the name: into vertex 1,
// then 2, then 3, each by the vertex that they leave. 0 is no edge, 1 a skip, 2 a 1x1
// and 3 a 3x3 convolution.
type Cell [6]int

// String is the benchmark's name of a cell.
func (c Cell) String() string {
	return fmt.Sprintf("64-41414-%d_%d%d_%d%d%d", c[0], c[1], c[2], c[3], c[4], c[5])
}

// ParseCell reads the name of a cell.
func ParseCell(name string) (c Cell, ok bool) {
	m := cellName.FindStringSubmatch(name)
	for i := range c {
		if m != nil {
			c[i] = int(m[i+1][0] - '0')
		}
	}
	return c, m != nil
}

// Skeleton is the kinds of modules: 1 keeps everything, 2 doubles the channels, 3
// halves the resolution, 4 does both. Four to six modules double one to three times
// and halve one to four times.
type Skeleton []int

// String is the benchmark's name of a skeleton.
func (s Skeleton) String() string {
	digits := make([]byte, len(s))
	for i, kind := range s {
		digits[i] = '0' + byte(kind)
	}
	return "64-" + string(digits) + "-basic"
}

// ParseSkeleton reads the name of a skeleton.
func ParseSkeleton(name string) (s Skeleton, ok bool) {
	m := skeletonName.FindStringSubmatch(name)
	if m == nil {
		return nil, false
	}
	for _, digit := range m[1] {
		s = append(s, int(digit-'0'))
	}
	return s, s.check() == nil
}

func (s Skeleton) check() error {
	doubles, halves := 0, 0
	for _, kind := range s {
		if kind%2 == 0 {
			doubles++
		}
		if kind > 2 {
			halves++
		}
	}
	switch {
	case len(s) < 4 || len(s) > 6:
		return fmt.Errorf("TransNAS-Bench-101 has skeletons of 4 to 6 modules, this has %d", len(s))
	case doubles < 1 || doubles > 3:
		return fmt.Errorf("skeletons of TransNAS-Bench-101 double the channels 1 to 3 times, this %d times", doubles)
	case halves < 1 || halves > 4:
		return fmt.Errorf("skeletons of TransNAS-Bench-101 halve the resolution 1 to 4 times, this %d times", halves)
	}
	return nil
}
