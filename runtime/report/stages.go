package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/nasc-project/nasc/compiler/export"
	"github.com/nasc-project/nasc/runtime/stages"
)

// sparks is how many bars a sparkline has at most.
const sparks = 32

// ShowStages prints what the stages of a one-shot search have led to: the mixture of
// every decision at the end with the way of its strongest option, and the curves. Of a
// run of another kind it prints nothing.
func ShowStages(out io.Writer, h *stages.History) error {
	if len(h.Numbers) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\nmixture after stage %d, and over %s:\n", h.Numbers[len(h.Numbers)-1], Counted(len(h.Numbers), "stage", "stages"))
	for _, group := range alike(h.Decisions) {
		if err := mixture(out, group); err != nil {
			return err
		}
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "curve\tfirst\tlast\tleast\tmost\tover the stages")
	for _, c := range h.Curves {
		low, high, ok := stages.Range(c.Values)
		if !ok {
			continue
		}
		var there []float64
		for _, v := range c.Values {
			if !math.IsNaN(v) {
				there = append(there, v)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Title(), figure(there[0], c.Unit), figure(there[len(there)-1], c.Unit),
			figure(low, c.Unit), figure(high, c.Unit), stages.Spark(c.Values, low, high, sparks))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i, n := range h.Notes {
		if i == 0 {
			fmt.Fprintln(out)
		}
		if len(h.Notes) > 2*shown && i == shown {
			fmt.Fprintf(out, "… %d more\n", len(h.Notes)-2*shown)
		}
		if i < shown || i >= len(h.Notes)-shown {
			fmt.Fprintf(out, "stage %d: %s\n", n.Stage, n.Text)
		}
	}
	return nil
}

// Counted is a number with its noun.
func Counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// figure is a value in a table of curves.
func figure(v float64, unit string) string {
	if unit == "" && v != math.Trunc(v) {
		return fmt.Sprintf("%.4g", v)
	}
	return Value(v, unit)
}

// alike parts decisions into those with the same options, in the order of their first.
func alike(all []stages.Decision) (groups [][]stages.Decision) {
	at := map[string]int{}
	for _, d := range all {
		key := fmt.Sprintf("%v %q", d.Edges, d.Options)
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// mixture prints decisions with the same options: what the columns are, then a row for
// each decision.
func mixture(out io.Writer, group []stages.Decision) error {
	first := group[0]
	var legend []string
	for i, o := range first.Options {
		legend = append(legend, letter(i)+" "+export.Brief(o))
	}
	kind := "candidates"
	if first.Edges {
		kind = "edges"
	}
	fmt.Fprintf(out, "\n%s: %s\n", kind, strings.Join(legend, ", "))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "decision")
	for i := range first.Options {
		fmt.Fprintf(w, "\t%s", letter(i))
	}
	fmt.Fprintln(w, "\tentropy\tstrongest over the stages")
	for _, d := range group {
		fmt.Fprint(w, d.Address)
		for _, v := range d.Last() {
			fmt.Fprintf(w, "\t%s", weight(v))
		}
		best := d.Strongest()
		fmt.Fprintf(w, "\t%s\t%s %s\n", weight(stages.Entropy(d.Last())), letter(best), stages.Spark(d.Option(best), 0, d.Top(), sparks))
	}
	return w.Flush()
}

// weight is a mixture weight or an entropy in a table.
func weight(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// letter names a column: a to z, then a1, b1 and so on.
func letter(i int) string {
	name := string(rune('a' + i%26))
	if i >= 26 {
		name += fmt.Sprint(i / 26)
	}
	return name
}
