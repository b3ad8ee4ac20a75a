package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler/export"
	charts "github.com/nasc-project/nasc/runtime/compare/draw"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/stages"
	"github.com/nasc-project/nasc/runtime/store"
)

// isRun reports whether an argument names a run, and not a file.
func isRun(address string) bool {
	dir, _ := store.Split(address)
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// drawRun draws what a one-shot search has come to into a folder: empty is one beside
// its log.
func drawRun(c *cobra.Command, address, folder string) error {
	v, diags := plan.View(address)
	if err := wrong(diags, nil); err != nil {
		return err
	}
	defer v.Folder.Close()
	if v.Run == nil {
		return refuse(plan.NotARun, "name one of its runs, as in "+filepath.Join(address, "1"), "%s is a study", address)
	}
	h, diags := v.Stages()
	if err := wrong(diags, nil); err != nil {
		return err
	}
	if len(h.Numbers) == 0 {
		return refuse(plan.NotARun, "`nasc best "+address+"` prints its best architecture, which `nasc draw` draws",
			"%s has no stages of a one-shot search to draw", address)
	}
	if folder == "" {
		name := "pictures"
		if v.Run.Number > 0 {
			name += "-" + strconv.Itoa(v.Run.Number)
		}
		folder = filepath.Join(v.Folder.Dir, name)
	}
	made, err := pictures(v, h)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return machine(plan.CannotWrite, "", fmt.Errorf("cannot write %s: %v", folder, reason(err)))
	}
	for _, p := range made {
		for _, form := range []struct {
			ending string
			data   []byte
		}{{".svg", p.SVG}, {".png", p.PNG}} {
			file := filepath.Join(folder, p.name+form.ending)
			if err := replaceFile(file, form.data); err != nil {
				return machine(plan.CannotWrite, "", fmt.Errorf("cannot write %s: %v", file, reason(err)))
			}
		}
		fmt.Fprintf(c.OutOrStdout(), "%s.svg and .png: %s\n", filepath.Join(folder, p.name), p.what)
	}
	return nil
}

// named is a picture with the name of its files.
type named struct {
	charts.Picture
	name, what string
}

// pictures draws everything there is to see of a one-shot search.
func pictures(v *plan.Viewed, h *stages.History) (out []named, err error) {
	title := v.Manifest.Name
	for _, p := range []struct {
		name, what string
		draw       func(*stages.History, string) (charts.Picture, error)
	}{
		{"alphas", "mixture weights of every option over the stages", charts.HeatMap},
		{"entropy", "entropy of every decision over the stages", charts.Entropy},
		{"curves", "accuracies and other curves over the stages", charts.Search},
	} {
		made, err := p.draw(h, title)
		if err != nil {
			return nil, err
		}
		if made.SVG != nil {
			out = append(out, named{made, p.name, p.what})
		}
	}
	s, diags := v.Space()
	if err := wrong(diags, nil); err != nil {
		return nil, err
	}
	weights := func(address string) (options []string, weights []float64) {
		i := slices.IndexFunc(h.Decisions, func(d stages.Decision) bool { return d.Address == address })
		if i < 0 {
			return nil, nil
		}
		return h.Decisions[i].Options, h.Decisions[i].Last()
	}
	o := export.Options{Format: export.SVG, Title: s.Name, Note: fmt.Sprintf("mixture of %s after stage %d", title, h.Numbers[len(h.Numbers)-1])}
	supernet := named{name: "supernet", what: "the space, its edges as wide as they weigh"}
	if supernet.SVG, err = s.DrawSupernet(weights, o); err != nil {
		return nil, err
	}
	o.Format = export.PNG
	if supernet.PNG, err = s.DrawSupernet(weights, o); err != nil {
		return nil, err
	}
	return append(out, supernet), nil
}
