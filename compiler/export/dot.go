package export

import (
	"bytes"
	"fmt"
	"strconv"
)

// dot writes the figure for Graphviz, each panel a cluster.
func (f *figure) dot() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph %s {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n", quote(f.name))
	if f.title != "" {
		fmt.Fprintf(&b, "\tlabelloc=t;\n\tlabel=%s;\n", quote(f.title))
	}
	b.WriteString("\tsubgraph cluster_skeleton {\n\t\tlabel=\"\";\n\t\tstyle=invis;\n")
	for i, l := range f.skeleton {
		label := l.text()
		if len(l.row) > 0 {
			label += "\n" + numbers(l.row)
		}
		fmt.Fprintf(&b, "\t\ts%d [label=%s];\n", i, quote(label))
		if i > 0 {
			fmt.Fprintf(&b, "\t\ts%d -> s%d [label=%s];\n", i-1, i, quote(size(f.skeleton[i-1].shape)))
		}
	}
	for _, a := range f.arcs {
		fmt.Fprintf(&b, "\t\ts%d -> s%d;\n", a[0], a[1])
	}
	b.WriteString("\t}\n")
	for i, p := range f.panels {
		fmt.Fprintf(&b, "\tsubgraph cluster_%d {\n\t\tlabel=%s;\n", i, quote(p.title))
		for k, v := range p.model.vertices {
			label := v.label
			if v.below != "" {
				label += "\n" + v.below
			}
			fmt.Fprintf(&b, "\t\tp%d_%d [label=%s", i, k, quote(label))
			if v.round {
				b.WriteString(", shape=circle, style=solid")
			}
			if v.output {
				b.WriteString(", penwidth=2")
			}
			b.WriteString("];\n")
		}
		for _, e := range p.model.edges {
			fmt.Fprintf(&b, "\t\tp%d_%d -> p%d_%d", i, e.from, i, e.to)
			switch {
			case e.absent:
				fmt.Fprintf(&b, " [label=%s, style=dashed, color=gray, fontcolor=gray]", quote(e.label))
			case e.label != "":
				fmt.Fprintf(&b, " [label=%s]", quote(e.label))
			}
			b.WriteString(";\n")
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func quote(s string) string { return strconv.Quote(s) }
