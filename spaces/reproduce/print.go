package reproduce

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// width is that of a page of text.
const width = 88

// Write prints a comparison as text: under each method ours and what every source
// says, with how many standard errors ours is above it.
func (c Comparison) Write(out io.Writer) error {
	fmt.Fprintf(out, "%s\n\n", c.study.Title)
	fmt.Fprint(out, wrap(c.study.Protocol+" The mean of the runs ± their standard deviation; "+
		"behind a published number, by how many standard errors ours is above it.", "", ""))
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "method\truns\t%s\n", strings.Join(c.Columns, "\t"))
	for _, row := range c.Rows {
		fmt.Fprint(w, row.Method, "\t", row.Ours[0].Runs)
		for _, v := range row.Ours {
			fmt.Fprint(w, "\t", v.text())
		}
		fmt.Fprintln(w)
		for _, r := range row.Reports {
			fmt.Fprintf(w, "  [%d]\t%d", r.Source, r.Values[0].Runs)
			for i, v := range r.Values {
				fmt.Fprint(w, "\t", v.text())
				if r.Above[i] != nil {
					fmt.Fprintf(w, "  %+.1f", *r.Above[i])
				}
			}
			fmt.Fprintln(w)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for i, s := range c.Sources {
		fmt.Fprint(out, wrap(s, fmt.Sprintf("[%d] ", i+1), "    "))
	}
	_, err := fmt.Fprintf(out, "\n%s", c.verdict())
	return err
}

func (v Value) text() string {
	switch v.Runs {
	case 0:
		return "-"
	case 1:
		return fmt.Sprintf("%.2f", v.Mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", v.Mean, v.Std)
}

// verdict says whether the study was repeated.
func (c Comparison) verdict() string {
	var same []string
	for i, s := range c.study.Sources {
		if s.Same {
			same = append(same, fmt.Sprintf("[%d]", i+1))
		}
	}
	from := strings.Join(same, ", ")
	if len(c.Far) == 0 {
		n := 0
		for _, row := range c.Rows {
			for _, r := range row.Reports {
				for i := range r.Above {
					if c.study.Sources[r.Source-1].Same && r.Above[i] != nil {
						n++
					}
				}
			}
		}
		if n == 0 {
			return "One run of each method says nothing about the means.\n"
		}
		return fmt.Sprintf("Reproduced: all %d means are within %d standard errors of %s.\n", n, Limit, from)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Not reproduced: more than %d standard errors from %s are\n", Limit, from)
	for _, d := range c.Far {
		fmt.Fprintf(&b, "  %s on %s (%+.1f from [%d])\n", d.Method, d.Column, d.Above, d.Source)
	}
	return b.String()
}

// wrap breaks a paragraph into lines, the first after one indent, the others after
// another.
func wrap(text, first, others string) string {
	var b strings.Builder
	line := first
	empty := true
	for _, word := range strings.Fields(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > width {
			b.WriteString(line + "\n")
			line, empty = others, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	b.WriteString(line + "\n")
	return b.String()
}
