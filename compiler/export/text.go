package export

import (
	"bytes"
	"fmt"
	"strings"
)

// text writes the figure for a terminal: the skeleton from top to bottom, then
// each cell as one line per edge.
func (f *figure) text() []byte {
	var b bytes.Buffer
	if f.title != "" {
		fmt.Fprintf(&b, "%s\n\n", f.title)
	}
	width := 0
	for _, l := range f.skeleton {
		width = max(width, len([]rune(l.text())))
	}
	for i, l := range f.skeleton {
		fmt.Fprintf(&b, "%-*s  %s\n", width, l.text(), size(l.shape))
		if len(l.row) > 0 {
			fmt.Fprintf(&b, "  %s\n", numbers(l.row))
		}
		for _, a := range f.arcs {
			if a[1] == i {
				fmt.Fprintf(&b, "%-*s  also reads %s (%s)\n", width, "", f.skeleton[a[0]].text(), size(f.skeleton[a[0]].shape))
			}
		}
	}
	for _, p := range f.panels {
		fmt.Fprintf(&b, "\n%s\n", p.title)
		p.model.write(&b)
	}
	return b.Bytes()
}

// numbers lists the blocks of a row: "1 1 2 1".
func numbers(row []*panel) string {
	parts := make([]string, len(row))
	for i, p := range row {
		parts[i] = fmt.Sprint(p.number)
	}
	return strings.Join(parts, " ")
}

func (m model) write(b *bytes.Buffer) {
	name := func(i int) string {
		v := m.vertices[i]
		label := v.label
		if v.round {
			label = "(" + label + ")"
		}
		if v.below != "" {
			label += " [" + v.below + "]"
		}
		return label
	}
	from, to := 0, 0
	for _, e := range m.edges {
		from, to = max(from, len([]rune(name(e.from)))), max(to, len([]rune(e.label)))
	}
	for _, e := range m.edges {
		line, label := "──", e.label
		if e.absent {
			line = "╌╌"
		}
		if label != "" {
			label = " " + label + " "
		}
		fill := to + 2 - len([]rune(label))
		if to == 0 {
			fill = 0
		}
		fmt.Fprintf(b, "  %-*s %s%s", from, name(e.from), line, label)
		for range fill {
			b.WriteString(string([]rune(line)[:1]))
		}
		fmt.Fprintf(b, "%s> %s\n", line, name(e.to))
	}
	for i, v := range m.vertices {
		if v.output {
			fmt.Fprintf(b, "  output: %s\n", name(i))
		}
	}
}
