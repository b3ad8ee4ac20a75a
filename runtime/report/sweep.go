package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// NotBegun is the state of a run of a sweep whose turn has not come.
const NotBegun = "not begun"

// PointStatus is how the run of one point of a sweep stands.
type PointStatus struct {
	Point string  `json:"point"` // "population=16 seed=2"
	Dir   string  `json:"dir"`
	State string  `json:"state"`
	Note  string  `json:"note,omitempty"` // why it was stopped
	Run   *Status `json:"run,omitempty"`  // once it has begun
}

// Table prints how the runs of a sweep ended.
func Table(out io.Writer, points []PointStatus) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "point\tvalidation\ttest\trun")
	for _, p := range points {
		valid, test := "", ""
		if p.Run != nil {
			valid, test = p.Run.BestText, p.Run.TestText
		}
		switch {
		case p.State != Finished && valid != "":
			test = p.State
		case p.State != Finished:
			valid = p.State
		}
		if p.Note != "" {
			test = strings.TrimSpace(test + ": " + p.Note)
			if valid == p.State {
				test = p.Note
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Point, valid, test, p.Dir)
	}
	return w.Flush()
}
