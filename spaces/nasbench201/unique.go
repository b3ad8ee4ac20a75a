package nasbench201

import (
	"slices"
	"strings"
)

// Unique is the text by which the benchmark tells cells apart: two cells with the
// same are taken to be the same. A vertex is the sorted texts of its edges joined by
// +; an edge is the text of the vertex that it leaves, in brackets, and its operation;
// a skip is that vertex's text as it is. Where zeros count as well, an edge `none`,
// and every edge out of a vertex whose text is #, is #. The text of the last vertex is
// that of the cell.
//
// By this rule the paper counts 12,751 cells, and 6,466 with zeros. It is no
// isomorphism, of which there are 6,334 classes. It unites cells that differ, since a
// text does not say whether two equal parts are one vertex read twice or two vertices
// with weights of their own: 791 texts stand for 1,780 classes. And it splits equal
// ones, since an absent edge leaves a # in the text of its vertex: 484 classes have
// 1,605 texts.
func (a Arch) Unique(zeros bool) string {
	vertex := [4]string{"0"}
	i := 0
	for v := 1; v < len(vertex); v++ {
		var into []string
		for u := range v {
			op := a[i]
			i++
			switch {
			case zeros && (op == None || vertex[u] == "#"):
				into = append(into, "#")
			case op == Skip:
				into = append(into, vertex[u])
			default:
				into = append(into, "("+vertex[u]+")@"+op.String())
			}
		}
		slices.Sort(into)
		vertex[v] = strings.Join(into, "+")
	}
	return vertex[3]
}

// Connected reports whether a path leads from the input to the output.
func (a Arch) Connected() bool {
	reached := [4]bool{true}
	for i, e := range Edges {
		if a[i] != None && reached[e[0]] {
			reached[e[1]] = true
		}
	}
	return reached[3]
}
