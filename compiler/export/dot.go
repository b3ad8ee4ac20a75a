package export

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// dot writes the figure for Graphviz, each panel a cluster.
func (f *figure) dot() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "digraph %s {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n", quote(f.name))
	if f.title != "" {
		fmt.Fprintf(&b, "\tlabelloc=t;\n\tlabel=%s;\n", quote(strings.TrimSpace(f.title+"  "+f.note)))
	}
	b.WriteString("\tsubgraph cluster_skeleton {\n\t\tlabel=\"\";\n\t\tstyle=invis;\n")
	for i, l := range f.skeleton {
		label := l.text()
		if len(l.row) > 0 {
			label += "\n" + numbers(l.row)
		}
		if l.open != "" {
			label += "\n" + l.open
		}
		style := ""
		if l.inner != nil || l.open != "" {
			style = `, style="rounded,dashed"`
		}
		fmt.Fprintf(&b, "\t\ts%d [label=%s%s];\n", i, quote(label), style)
		if i > 0 {
			fmt.Fprintf(&b, "\t\ts%d -> s%d [label=%s];\n", i-1, i, quote(f.skeleton[i-1].shape))
		}
	}
	for _, a := range f.arcs {
		fmt.Fprintf(&b, "\t\ts%d -> s%d;\n", a[0], a[1])
	}
	b.WriteString("\t}\n")
	if len(f.given) > 0 {
		text := "parameters"
		for _, g := range f.given {
			text += "\n" + g.name + "  " + g.values
		}
		fmt.Fprintf(&b, "\tparameters [shape=note, label=%s];\n", quote(text))
	}
	for i, p := range f.panels {
		title := strings.TrimSpace(p.title + "  " + p.note)
		if p.list != nil {
			for k, c := range p.list {
				if k == maxRows {
					title += fmt.Sprintf("\n… and %d more", len(p.list)-maxRows)
					break
				}
				title += "\n" + c.label
			}
			fmt.Fprintf(&b, "\tlist_%d [shape=note, label=%s];\n", i, quote(title))
			continue
		}
		fmt.Fprintf(&b, "\tsubgraph cluster_%d {\n\t\tlabel=%s;\n", i, quote(title))
		p.model.dot(&b, i)
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// dot writes the vertices and edges of panel number i.
func (m model) dot(b *bytes.Buffer, i int) {
	for k, v := range m.vertices {
		label := v.label
		for _, line := range []string{v.below, v.open, v.pick} {
			if line != "" {
				label += "\n" + line
			}
		}
		fmt.Fprintf(b, "\t\tp%d_%d [label=%s", i, k, quote(label))
		switch {
		case v.round:
			b.WriteString(", shape=circle, style=solid")
		case v.open != "" || v.nested != nil && v.nested.choices != nil:
			b.WriteString(`, style="rounded,dashed"`)
		}
		if v.output {
			b.WriteString(", penwidth=2")
		}
		b.WriteString("];\n")
	}
	for _, e := range m.edges {
		fmt.Fprintf(b, "\t\tp%d_%d -> p%d_%d", i, e.from, i, e.to)
		var attrs []string
		if e.label != "" {
			attrs = append(attrs, "label="+quote(e.label))
		}
		switch {
		case e.absent:
			attrs = append(attrs, "style=dashed, color=gray, fontcolor=gray")
		case e.maybe:
			attrs = append(attrs, "style=dashed")
		}
		if e.nested != nil && e.nested.choices != nil {
			attrs = append(attrs, "penwidth=3")
		}
		if len(attrs) > 0 {
			fmt.Fprintf(b, " [%s]", strings.Join(attrs, ", "))
		}
		b.WriteString(";\n")
	}
}

func quote(s string) string { return strconv.Quote(s) }
