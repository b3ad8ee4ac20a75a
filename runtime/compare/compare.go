// Package compare tells whether search methods differ, from runs of them, and
// whether the runs may be compared at all.
//
// A comparison has one thing that is compared, by default the only thing in which
// the runs differ: the fields of their manifests at or below a path, such as
// "optimizer" or "optimizer.parameters.population". Runs that agree in it are a
// group, and repetitions by seed within it. Fields at or below other paths may be
// named across which the comparison is made, such as a data set; runs that agree
// in them are a stratum, and groups are compared within each. Every other field in
// which runs differ is a confounder, unless rules.go knows that it cannot change a
// result.
//
// Within a stratum, blocks are what groups have in common: the seeds, when every
// group has the same ones. Then tests are paired, and else they are of independent
// samples.
//
// The arithmetic is that of compare/stats, the pictures are made by compare/draw.
// docs/compare.md says what is computed, by whom it was found, and how to report it.
package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
)

// Options say what is compared.
type Options struct {
	By     []string // paths of the manifest; none: the one thing that differs
	Across []string // paths of the manifest
	Anyway bool     // compare what is not comparable, and say so everywhere
}

// Comparison is the outcome.
type Comparison struct {
	By     []string `json:"by"` // paths
	Across []string `json:"across,omitempty"`
	// Stamp names what makes the runs not comparable; it stands on every table
	// and picture.
	Stamp  string    `json:"not_comparable,omitempty"`
	Groups []Group   `json:"groups"`
	Paired bool      `json:"paired"` // every group has the same seeds
	Strata []Stratum `json:"strata"`
	// Overall are rank tests over all blocks of several strata.
	Overall     []Measure    `json:"overall,omitempty"`
	Differences []Difference `json:"differences"`
	Left        []Left       `json:"left_out,omitempty"`
	Notes       []string     `json:"notes,omitempty"`
}

// Group is the runs of one of the things compared.
type Group struct {
	Label  string   `json:"label"`
	Fields Fields   `json:"fields"` // what sets it apart
	Runs   []string `json:"runs"`

	runs []*Run
}

// Stratum is the runs that agree in what the comparison is made across.
type Stratum struct {
	Label    string    `json:"label,omitempty"`
	Fields   Fields    `json:"fields,omitempty"`
	Measures []Measure `json:"measures"`

	cells [][]*Run // the runs of each group, by seed
}

// Difference is a field in which runs differ that is neither compared nor crossed.
type Difference struct {
	Path    string  `json:"path"`
	Changes bool    `json:"changes_the_result"`
	Reason  string  `json:"reason"`
	Values  []Value `json:"values"`
}

// Value is one of the values of a field.
type Value struct {
	Value string `json:"value"`
	Runs  int    `json:"runs"`
	Where string `json:"where"` // the groups that have it, or the only run
}

// Compare compares runs. Their order does not matter.
func Compare(runs []*Run, left []Left, o Options) (*Comparison, diag.List) {
	var diags diag.List
	if len(runs) == 0 {
		d := diags.Add(Nothing, diag.Span{}, "there is no finished run to compare")
		for _, l := range left {
			d.Notes = append(d.Notes, diag.Note{Text: l.Run + ": " + l.Why})
		}
		if left != nil {
			d.Help = "`nasc resume RUN` goes on with a run"
		}
		return nil, diags
	}
	runs = slices.Clone(runs)
	sortRuns(runs)
	f := finding{circumstances: about(runs), runs: runs, differ: differing(runs)}
	c := &Comparison{Left: left}
	if c.By, diags = f.paths(o.By); diags.HasErrors() {
		return nil, diags
	}
	if c.Across, diags = f.paths(o.Across); diags.HasErrors() {
		return nil, diags
	}
	if len(c.By) == 0 {
		if c.By, diags = f.only(c.Across); diags.HasErrors() {
			return nil, diags
		}
	}
	f.runs, f.copies = f.withoutCopies()
	c.group(f)
	c.Differences = f.differences(c)
	var confounders []Difference
	for _, d := range c.Differences {
		if d.Changes {
			confounders = append(confounders, d)
		}
	}
	if confounders != nil {
		if !o.Anyway {
			return nil, refusal(confounders)
		}
		c.Stamp = stamp(confounders)
	}
	c.stratify(f)
	c.note(f)
	for i := range c.Strata {
		c.Strata[i].Measures = c.measure(c.Strata[i])
	}
	c.overall()
	return c, nil
}

// refusal lists what keeps runs from being compared.
func refusal(confounders []Difference) diag.List {
	var diags diag.List
	d := diags.Add(NotComparable, diag.Span{}, "the runs cannot be compared: they differ in %s", names(confounders))
	for _, x := range confounders {
		d.Notes = append(d.Notes, diag.Note{Text: fmt.Sprintf("%s is %s: %s", x.Path, list(x.Values, 4), x.Reason)})
	}
	d.Help = "leave out the runs that differ, name what is compared with --by or what may differ between data sets with --across; " +
		"--anyway compares them, and says so on every table and picture"
	return diags
}

// stamp is what stands on tables and pictures of runs that are not comparable.
func stamp(confounders []Difference) string {
	return "NOT COMPARABLE: differs in " + names(confounders)
}

func names(differences []Difference) string {
	const most = 4
	var out []string
	for _, d := range differences {
		out = append(out, d.Path)
	}
	if n := len(out); n > most {
		out = append(out[:most-1], fmt.Sprintf("%d more", n-most+1))
	}
	if n := len(out); n > 1 {
		return strings.Join(out[:n-1], ", ") + " and " + out[n-1]
	}
	return out[0]
}

// list is the values of a field and who has them.
func list(values []Value, most int) string {
	var out []string
	for i, v := range values {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(values)-most))
			break
		}
		out = append(out, fmt.Sprintf("%s (%s)", shorten(v.Value), v.Where))
	}
	return strings.Join(out, ", ")
}
