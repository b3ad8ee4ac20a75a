// Package folder writes a comparison into a folder:
//
//	report.md                    everything, with the pictures
//	report.json                  the same for programs
//	table.csv                    the summary of each group
//	runs.csv                     the values of each run
//	curves.csv                   the points of the curves
//	curves-AXIS.svg, .png        anytime curves
//	critical-difference-….svg, .png   average ranks of three groups and more
//
// Of several strata, such as data sets, pictures have the name of theirs behind.
// The folder appears at once and complete.
package folder

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/compare"
	"github.com/nasc-project/nasc/runtime/compare/draw"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/store"
)

// Options say what pictures show.
type Options struct {
	Band draw.Band // empty: Interval
}

// Write makes the folder, which must not exist or be empty. On an error nothing is
// left of it.
func Write(dir string, c *compare.Comparison, o Options) diag.List {
	dir = filepath.Clean(dir)
	entries, err := os.ReadDir(dir)
	switch {
	case len(entries) > 0:
		return diag.List{{Code: plan.RunExists, Message: fmt.Sprintf("the folder %s exists already", dir), Help: "choose another folder with -o"}}
	case err == nil || errors.Is(err, os.ErrNotExist):
		err = write(dir, c, o)
	}
	if err != nil {
		if path, ok := errors.AsType[*os.PathError](err); ok {
			err = path.Err // its path is that of a folder that is gone
		}
		return diag.List{{Code: plan.CannotWrite, Message: fmt.Sprintf("cannot write the folder %s: %v", dir, err), Help: "choose another folder with -o"}}
	}
	return nil
}

func write(dir string, c *compare.Comparison, o Options) error {
	files, err := render(c, o)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(tmp, f.name), f.data, 0o644); err != nil {
			return err
		}
	}
	return store.Place(tmp, dir)
}

type file struct {
	name string
	data []byte
}

// render makes all files.
func render(c *compare.Comparison, o Options) ([]file, error) {
	var files []file
	var pictures []compare.Picture
	taken := map[string]bool{}
	add := func(name, title, text string, p draw.Picture, err error) error {
		for base, n := name, 2; taken[name]; n++ { // of strata whose names differ in what no file name has
			name = fmt.Sprintf("%s-%d", base, n)
		}
		taken[name] = true
		files = append(files, file{name + ".svg", p.SVG}, file{name + ".png", p.PNG})
		pictures = append(pictures, compare.Picture{File: name + ".svg", Title: title, Text: text})
		return err
	}
	curves := c.Curves()
	for _, k := range curves {
		p, err := draw.Curves(k, c.Stamp, o.Band)
		title := "Best validation " + k.Metric + " over " + draw.Axis(k.Axis)
		if k.Stratum != "" {
			title = k.Stratum + ": " + title
		}
		text := o.Band.Text()
		for _, g := range k.Without {
			text += fmt.Sprintf(" There is no curve of %s: some of its runs ended before others had a result.", g)
		}
		if err := add(draw.Name("curves", k.Axis, k.Stratum), title, text, p, err); err != nil {
			return nil, err
		}
	}
	ranks := func(stratum, title string, measures []compare.Measure) error {
		for _, m := range measures {
			if m.Ranks == nil {
				continue
			}
			title := title + m.Name()
			p, err := draw.Ranks(m.Ranks, title, c.Stamp)
			if err := add(draw.Name("critical-difference", m.Name(), stratum), "Average ranks, "+title,
				fmt.Sprintf("Average ranks over %d blocks; a bar joins groups whose ranks differ by less than the critical difference of Nemenyi's test at the 5 %% level.", m.Ranks.Blocks),
				p, err); err != nil {
				return err
			}
		}
		return nil
	}
	for _, s := range c.Strata {
		title := ""
		if s.Label != "" {
			title = s.Label + ": "
		}
		if err := ranks(s.Label, title, s.Measures); err != nil {
			return nil, err
		}
	}
	if err := ranks("all", fmt.Sprintf("all %d: ", len(c.Strata)), c.Overall); err != nil {
		return nil, err
	}
	var report, table, runs, points bytes.Buffer
	text, err := json.MarshalIndent(c, "", "  ")
	if err := errors.Join(err, c.Markdown(&report, pictures), c.CSV(&table), c.RunsCSV(&runs), c.CurvesCSV(&points, curves)); err != nil {
		return nil, err
	}
	return append(files, file{"report.md", report.Bytes()}, file{"report.json", append(text, '\n')},
		file{"table.csv", table.Bytes()}, file{"runs.csv", runs.Bytes()}, file{"curves.csv", points.Bytes()}), nil
}
