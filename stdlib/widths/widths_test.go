package widths

import (
	"slices"
	"testing"
)

// TestNASBench101 works through modules of the benchmark by hand. A vertex is two
// operations here: one that adds up what it reads, which is open, and its own.
func TestNASBench101(t *testing.T) {
	const in = -1
	open := func(reads ...int32) Operation { return Operation{Reads: reads, Open: true} }
	op := func(reads ...int32) Operation { return Operation{Reads: reads} }
	for _, c := range []struct {
		name string
		body []Operation
		want []int
	}{
		{"input to output", []Operation{open(in), op(0)}, []int{128, 128}},
		{"one vertex", []Operation{open(in), open(0), op(1), op(2)}, []int{128, 128, 128, 128}},
		{"one vertex beside the input", []Operation{open(in), open(0), op(1), open(in), op(2, 3)}, []int{128, 128, 128, 128, 128}},
		{"three vertices share 128 as 43, 43, 42", []Operation{
			open(in), open(0), op(1), // vertex 1
			open(in), open(3), op(4), // vertex 2
			open(in), open(6), op(7), // vertex 3
			op(2, 5, 8),
		}, []int{43, 43, 43, 43, 43, 43, 42, 42, 42, 128}},
		{"the widest reader counts, the output's share above all", []Operation{
			open(in), open(0), op(1), // vertex 1, read by 2 and 4
			open(2), op(3), // vertex 2, read by 3 and the output
			open(4), op(5), // vertex 3, read by 4
			open(2, 6), op(7), // vertex 4, read by the output
			op(4, 8),
		}, []int{64, 64, 64, 64, 64, 64, 64, 64, 64, 128}},
	} {
		got := make([]int, len(c.body))
		if err := nasbench101(c.body, 128, got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	few := []Operation{open(in), open(in), open(0), open(1), op(2, 3)}
	if err := nasbench101(few, 1, make([]int, len(few))); err == nil {
		t.Error("one channel was divided among two vertices")
	}
}
