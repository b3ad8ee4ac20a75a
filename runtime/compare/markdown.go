package compare

import (
	"fmt"
	"io"
	"strings"
)

// Picture is a picture of a report.
type Picture struct {
	File  string // of the SVG
	Title string
	Text  string // what is seen
}

// Markdown writes everything as a page, with pictures.
func (c *Comparison) Markdown(out io.Writer, pictures []Picture) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Comparison by %s\n\n", strings.Join(c.By, ", "))
	for _, g := range c.Groups {
		fmt.Fprintf(&b, "- %s: %d runs\n", g.Label, len(g.Runs))
	}
	b.WriteString("\n")
	if c.Paired && len(c.Groups) > 1 {
		b.WriteString("Runs are paired by seed. ")
	}
	b.WriteString("Intervals are 95 % bootstrap intervals (BCa) of the mean, std is that of a sample, ranks are averages with 1 as the best, " +
		"A12 is the probability that a run of the first group is better than one of the second.\n")
	for _, s := range c.Strata {
		for _, m := range s.Measures {
			title := m.Name()
			if s.Label != "" {
				title = s.Label + ": " + title
			}
			c.section(&b, title, m)
		}
	}
	for _, m := range c.Overall {
		c.section(&b, fmt.Sprintf("all %d: %s", len(c.Strata), m.Name()), m)
	}
	for _, p := range pictures {
		fmt.Fprintf(&b, "\n## %s\n\n", escape(p.Title))
		c.warn(&b)
		fmt.Fprintf(&b, "![%s](%s)\n\n%s\n", escape(p.Title), p.File, p.Text)
	}
	c.differ(&b)
	_, err := io.WriteString(out, b.String())
	return err
}

// warn puts the stamp, if any.
func (c *Comparison) warn(b *strings.Builder) {
	if c.Stamp != "" {
		fmt.Fprintf(b, "**%s**\n\n", escape(c.Stamp))
	}
}

func (c *Comparison) section(b *strings.Builder, title string, m Measure) {
	if m.Unit != "" {
		title += ", " + m.Unit
	}
	fmt.Fprintf(b, "\n## %s\n\n", escape(title))
	c.warn(b)
	if m.Rows != nil {
		markdown(b, append([][]string{append([]string{last(c.By[0])}, columns...)}, m.rows()...))
	}
	for _, line := range m.findings() {
		fmt.Fprintf(b, "\n%s\n", escape(line))
	}
	if m.Pairs != nil {
		b.WriteString("\n")
		markdown(b, m.pairRows())
	}
}

// differ lists in what the runs differ beside.
func (c *Comparison) differ(b *strings.Builder) {
	b.WriteString("\n## Other differences\n\n")
	if len(c.Differences) == 0 {
		b.WriteString("None.\n")
	} else {
		rows := [][]string{{"field", "changes the result", "why", "values"}}
		for _, d := range c.Differences {
			changes := "no"
			if d.Changes {
				changes = "yes"
			}
			rows = append(rows, []string{d.Path, changes, d.Reason, list(d.Values, 4)})
		}
		markdown(b, rows)
	}
	for i, l := range c.Left {
		if i == 0 {
			b.WriteString("\n## Left out\n\n")
		}
		fmt.Fprintf(b, "- %s: %s\n", escape(l.Run), escape(l.Why))
	}
	for i, n := range c.Notes {
		if i == 0 {
			b.WriteString("\n## Notes\n\n")
		}
		fmt.Fprintf(b, "- %s\n", escape(n))
	}
}

// markdown writes a table.
func markdown(b *strings.Builder, rows [][]string) {
	for i, r := range rows {
		for _, cell := range r {
			b.WriteString("| " + escape(cell) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(r)) + "|\n")
		}
	}
}

var escape = strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;", "\n", " ").Replace
