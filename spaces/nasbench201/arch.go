// Package nasbench201 speaks the language of NAS-Bench-201 (Dong and Yang, ICLR
// 2020; NATS-Bench's topology space): a cell is a string of operations on edges.
// [Recognise] finds the cell of an architecture that the compiler bound, and [Unique]
// is the rule by which the paper counts cells that differ.
package nasbench201

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
)

// Architectures is the number of cells of NAS-Bench-201: five operations on
// each of six edges.
const Architectures = 15625

// Op is an operation on an edge.
type Op int

// The operations by their numbers in this package.
const (
	None Op = iota
	Skip
	Conv1x1
	Conv3x3
	AvgPool
)

// String is the benchmark's name of an operation.
func (o Op) String() string { return opNames[o] }

var opNames = []string{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}

// Edges lists the edges in the order of the benchmark's string: source and
// target vertex, 0 being the cell's input.
var Edges = [6][2]int{{0, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}}

// Arch is a cell: an operation for each edge.
type Arch [6]Op

// Number is the position of a among all cells, in the order of their operations;
// the benchmark's own index is another.
func (a Arch) Number() int {
	n := 0
	for _, op := range a {
		n = n*len(opNames) + int(op)
	}
	return n
}

// At is the cell of a number.
func At(number int) (a Arch) {
	for i := len(a) - 1; i >= 0; i-- {
		a[i] = Op(number % len(opNames))
		number /= len(opNames)
	}
	return a
}

// String is the benchmark's notation, |op~0|+|op~0|op~1|+|op~0|op~1|op~2|.
func (a Arch) String() string {
	var b strings.Builder
	for i, e := range Edges {
		if e[0] == 0 {
			if i > 0 {
				b.WriteString("+")
			}
			b.WriteByte('|')
		}
		fmt.Fprintf(&b, "%s~%d|", opNames[a[i]], e[0])
	}
	return b.String()
}

// ParseArch reads the benchmark's notation.
func ParseArch(text string) (Arch, error) {
	var a Arch
	nodes := strings.Split(strings.TrimSpace(text), "+")
	if len(nodes) != 3 {
		return a, fmt.Errorf("a cell has three groups of edges joined by +, this has %d", len(nodes))
	}
	i := 0
	for v, node := range nodes {
		inner, open := strings.CutPrefix(node, "|")
		inner, closed := strings.CutSuffix(inner, "|")
		parts := strings.Split(inner, "|")
		if !open || !closed || len(parts) != v+1 {
			return a, fmt.Errorf("group %d must be %d edges between bars, not %q", v+1, v+1, node)
		}
		for u, part := range parts {
			name, source, _ := strings.Cut(part, "~")
			if source != fmt.Sprint(u) {
				return a, fmt.Errorf("edge %q of group %d must come from node %d", part, v+1, u)
			}
			op, err := parseOp(name)
			if err != nil {
				return a, err
			}
			a[i] = op
			i++
		}
	}
	return a, nil
}

func parseOp(name string) (Op, error) {
	for op, n := range opNames {
		if n == name {
			return Op(op), nil
		}
	}
	message := fmt.Sprintf("NAS-Bench-201 has no operation %q", name)
	if near, ok := diag.Suggest(name, opNames); ok {
		message += fmt.Sprintf("; did you mean %q?", near)
	}
	return 0, errors.New(message)
}
