package nasbench1shot1

import "testing"

// TestCounts finds the numbers of the paper, 6,240, 29,160 and 363,648: it counts
// space 2 by another rule than the others. Without loose ends it has 2,487, 3,609 and
// 24,066 by a generator of which errors are known; these are the true numbers.
func TestCounts(t *testing.T) {
	for i, want := range []Counts{
		{180, 14580, 6240, 3078},
		{360, 29160, 16632, 11178},
		{5400, 1312200, 363648, 108135},
	} {
		if got := Count(Parents[i]); got != want {
			t.Errorf("space %d: %+v, want %+v", i+1, got, want)
		}
	}
}
