package export

import (
	"bytes"
	"fmt"
	"strings"
)

// text writes the figure for a terminal: the skeleton from top to bottom, then
// each cell as one line per edge, each list of candidates one below the other.
func (f *figure) text() []byte {
	var b bytes.Buffer
	if f.title != "" {
		fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(f.title+"  "+f.note))
	}
	f.writeSkeleton(&b)
	if len(f.given) > 0 {
		b.WriteString("\nparameters  decided once\n")
		for _, g := range f.given {
			fmt.Fprintf(&b, "  %s  %s\n", g.name, g.values)
		}
	}
	for _, p := range f.panels {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(p.title+"  "+p.note))
		for i, c := range p.list {
			if i == maxRows {
				fmt.Fprintf(&b, "  … and %d more\n", len(p.list)-maxRows)
				break
			}
			fmt.Fprintf(&b, "  %s\n", c.label)
		}
		p.model.write(&b)
	}
	return b.Bytes()
}

// writeSkeleton writes a line per level, those of a frame below its title.
func (f *figure) writeSkeleton(b *bytes.Buffer) {
	indent := make([]int, len(f.skeleton))
	for _, x := range f.frames {
		for i := x.first; i <= x.last; i++ {
			indent[i] += 2
		}
	}
	width := 0
	for i, l := range f.skeleton {
		width = max(width, indent[i]+len([]rune(l.text())))
	}
	line := func(indent int, text, shape string) {
		fmt.Fprintln(b, strings.TrimRight(fmt.Sprintf("%*s%-*s  %s", indent, "", width-indent, text, shape), " "))
	}
	for i, l := range f.skeleton {
		depth := indent[i]
		for _, x := range f.frames {
			if x.first == i {
				depth -= 2
			}
		}
		for k := len(f.frames) - 1; k >= 0; k-- { // the outer frame was closed last
			if x := f.frames[k]; x.first == i {
				line(depth, x.title, "")
				depth += 2
			}
		}
		line(indent[i], l.text(), l.shape)
		if l.open != "" {
			line(indent[i], "  "+l.open, "")
		}
		if len(l.row) > 0 {
			fmt.Fprintf(b, "  %s\n", numbers(l.row))
		}
		for _, a := range f.arcs {
			if a[1] == i {
				fmt.Fprintf(b, "%-*s  also reads %s (%s)\n", width, "", f.skeleton[a[0]].text(), f.skeleton[a[0]].shape)
			}
		}
	}
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
		if below := strings.Trim(v.below+", "+v.open, ", "); below != "" {
			label += " [" + below + "]"
		}
		return label
	}
	told := map[int]bool{}
	from, to := 0, 0
	for _, e := range m.edges {
		from, to = max(from, len([]rune(name(e.from)))), max(to, len([]rune(e.label)))
	}
	for _, e := range m.edges {
		line, label := "──", e.label
		if e.absent || e.maybe {
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
		fmt.Fprintf(b, "%s> %s", line, name(e.to))
		if pick := m.vertices[e.to].pick; pick != "" && !told[e.to] {
			fmt.Fprintf(b, "  %s", pick)
			told[e.to] = true
		}
		b.WriteByte('\n')
	}
	for i, v := range m.vertices {
		if v.output {
			fmt.Fprintf(b, "  output: %s\n", name(i))
		}
	}
}
