// Package nasbench1shot1 counts the architectures of NAS-Bench-1Shot1 (Zela, Siems and
// Hutter, ICLR 2020) by the rules that its paper uses.
package nasbench1shot1

import "math/bits"

// Parents tells of each search space how many earlier vertices every vertex reads,
// the input being the first of them; the last is the output.
var Parents = [3][]int{
	{1, 2, 2, 2, 2},
	{1, 1, 2, 2, 3},
	{1, 1, 1, 2, 2, 2},
}

// Counts are numbers of a search space, each by its own rule.
type Counts struct {
	Wirings int // ways to choose what every vertex reads
	Raw     int // wirings with an operation for every vertex
	Read    int // wirings with an operation for every vertex that another one reads
	AllRead int // of the wirings in which every vertex is read, with operations
}

// Count goes through the wirings of a search space.
func Count(parents []int) Counts {
	inner := len(parents) - 1
	var c Counts
	var wire func(v int, read uint32)
	wire = func(v int, read uint32) {
		if v == len(parents) {
			used := bits.OnesCount32(read >> 1) // the input is vertex 0
			c.Wirings++
			c.Raw += operations(inner)
			c.Read += operations(used)
			if used == inner {
				c.AllRead += operations(inner)
			}
			return
		}
		for set := range uint32(1) << (v + 1) {
			if bits.OnesCount32(set) == parents[v] {
				wire(v+1, read|set)
			}
		}
	}
	wire(0, 0)
	return c
}

// operations is the number of ways to give each of n vertices one of three.
func operations(n int) int {
	out := 1
	for range n {
		out *= 3
	}
	return out
}
