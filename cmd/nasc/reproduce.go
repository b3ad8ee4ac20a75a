package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/evaluators/table"
	"github.com/nasc-project/nasc/plugins/evaluators/table/official"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/store"
	"github.com/nasc-project/nasc/spaces"
	"github.com/nasc-project/nasc/spaces/reproduce"
)

// The codes of what can be wrong with a reproduction.
const (
	unknownStudy = "E0592"
	noStudyData  = "E0593"
)

func newReproduce() *cobra.Command {
	var r reproduction
	c := &cobra.Command{
		Use:   "reproduce [NAME]",
		Short: "Repeat a published experiment",
		Long: `reproduce runs a published comparison of methods and prints what they reach beside
what was published, with the difference in standard errors. Without a name it lists
what can be repeated.

The experiment is a search block that sweeps methods and seeds, as 'nasc run' takes
it, over a table of a benchmark. The table is looked for in $NASC_DATA and in the
user's folder for data, unless --data names it. A file that has to be imported first
is imported once, into the user's folder for caches. An interrupted reproduction goes
on where it stopped when the command is repeated; of one that is finished, the
command with the same -o prints the comparison again.

The exit code is 1 when a mean is further than three standard errors from one that
was found by the same protocol.`,
		Example: "  nasc reproduce\n  nasc reproduce nasbench201 --data nasbench201.nasb\n  nasc reproduce nasbench201 --seeds 20",
		Args:    args(0, 1),
	}
	f := c.Flags()
	f.StringVar(&r.data, "data", "", "the benchmark: a file, or a folder that holds it")
	f.IntVar(&r.seeds, "seeds", 0, "how many seeds of each method (default: as many as were published)")
	f.StringVarP(&r.out, "out", "o", "", "the run folder (default: a free name below "+runsFolder+")")
	f.BoolVar(&r.asJSON, "json", false, "print the comparison as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return listStudies(c)
		}
		study, ok := reproduce.Find(args[0])
		switch {
		case !ok:
			return noStudy(args[0])
		case c.Flags().Changed("out") && r.out == "":
			return usage(c, "-o needs the name of a folder")
		case c.Flags().Changed("seeds") && (r.seeds < 1 || r.seeds > study.MostSeeds()):
			return usage(c, "--seeds must be from 1 to %d", study.MostSeeds())
		case r.seeds == 0:
			r.seeds = study.Seeds
		}
		r.study = study
		ctx, stop := interruptible()
		defer stop()
		return r.run(ctx, c)
	}
	return c
}

// listStudies prints what can be repeated, and whether the data are there.
func listStudies(c *cobra.Command) error {
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "name\texperiment\tdata")
	for _, s := range reproduce.Studies() {
		data := "not found; `nasc reproduce " + s.Name + "` says where to get them"
		if f, ok := s.Data.Find(table.Folders()...); ok {
			data = f.Path
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, s.Title, data)
	}
	return w.Flush()
}

func noStudy(name string) error {
	var names []string
	for _, s := range reproduce.Studies() {
		names = append(names, s.Name)
	}
	help := "there is " + strings.Join(names, ", ")
	if near, ok := diag.Suggest(name, names); ok {
		help = "did you mean `" + near + "`?"
	}
	return refuse(unknownStudy, help, "nothing published is known by the name %s", name)
}

// reproduction is what the command line says.
type reproduction struct {
	study  reproduce.Study
	data   string
	seeds  int
	out    string
	asJSON bool
}

// benchmark is the file of the imported benchmark, imported now if need be.
func (r *reproduction) benchmark(ctx context.Context, c *cobra.Command) (string, error) {
	d := r.study.Data
	f, ok := d.Find(table.Folders()...)
	if r.data != "" {
		if f, ok = d.Open(r.data); !ok {
			return "", r.noData(fmt.Sprintf("%s is no form of %s", r.data, d.What), r.data)
		}
	}
	if !ok {
		return "", r.noData("cannot find "+d.What, "")
	}
	if f.Kind == "" {
		return f.Path, nil
	}
	out, err := d.Cached(f)
	if err != nil {
		return "", machine(official.Unreadable, "", fmt.Errorf("%s: %v", f.Path, reason(err)))
	}
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", importFailed(ctx, out, err)
	}
	talk := c.ErrOrStderr()
	fmt.Fprintf(talk, "importing %s into %s, once\n", f.Path, out)
	bar := report.NewSingle(talk, terminal(talk))
	_, err = official.Import(ctx, f.Kind, []string{f.Path}, out, importProgress(bar, f.Path))
	bar.End()
	if err != nil {
		return "", importFailed(ctx, out, err)
	}
	return out, nil
}

// noData tells which file to get, from where, and where to put it.
func (r *reproduction) noData(message, named string) error {
	d := r.study.Data
	folders := table.Folders()
	var diags diag.List
	e := diags.Add(noStudyData, diag.Span{}, "%s", message)
	if _, err := os.Stat(named); named != "" && errors.Is(err, fs.ErrNotExist) {
		e.Message = fmt.Sprintf("%s does not exist", named)
	}
	names := []string{d.Table}
	for _, i := range d.Imports {
		names = append(names, i.Name)
	}
	if named == "" {
		e.Notes = append(e.Notes, diag.Note{Text: fmt.Sprintf("looked for %s in %s",
			strings.Join(names, ", "), strings.Join(folders, " and "))})
		if os.Getenv(table.DataEnv) == "" {
			e.Notes = append(e.Notes, diag.Note{Text: "$NASC_DATA is not set"})
		}
	}
	for _, i := range d.Imports {
		if i.Official {
			e.Notes = append(e.Notes, diag.Note{Text: fmt.Sprintf("official: %s (%s), from %s", i.Name, i.Size, i.From)})
		}
	}
	where := "a folder that $NASC_DATA names"
	if len(folders) > 0 {
		where = folders[len(folders)-1]
	}
	e.Help = fmt.Sprintf("get one of these and put it into %s, or name it with --data; it is imported once", where)
	return &inputError{diags: diags}
}

// run runs the study, or what is left of it, and compares.
func (r *reproduction) run(ctx context.Context, c *cobra.Command) error {
	data, err := r.benchmark(ctx, c)
	if err != nil {
		return err
	}
	if data, err = filepath.Abs(data); err != nil {
		return machine(official.Unreadable, "", err)
	}
	text, err := r.study.Text(r.seeds)
	if err != nil {
		return err
	}
	dir, begun, err := r.folder(data, string(text))
	if err != nil {
		return err
	}
	plugins, err := newPlugins()
	if err != nil {
		return err
	}
	defer plugins.Host.Close()
	var s *plan.Study
	var diags diag.List
	if begun {
		s, diags = plan.OpenStudy(plugins, dir)
	} else {
		s, diags = r.begin(ctx, plugins, dir, data, text)
	}
	if err := failed(ctx, diags, nil); err != nil {
		return err
	}
	before, start := trials(s.Folder), time.Now()
	worst, err := complete(ctx, c, s, 0)
	if err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	if worst != exitOK {
		fmt.Fprintf(c.ErrOrStderr(), "not every run came to its end; repeat the command with -o %s\n", dir)
		return exitError(worst)
	}
	results, n, err := r.results(dir)
	if err != nil {
		return err
	}
	if n -= before; n > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "%s evaluations in %.1f s, %s a second\n", report.Group(fmt.Sprint(n)), took,
			report.Group(fmt.Sprintf("%.0f", float64(n)/took)))
	}
	comparison := r.study.Compare(results)
	if r.asJSON {
		err = printJSON(c.OutOrStdout(), comparison)
	} else {
		err = comparison.Write(c.OutOrStdout())
	}
	if err == nil && len(comparison.Far) > 0 {
		return exitError(exitInput)
	}
	return err
}

// file is how the study's file is called: as somebody would who runs it by hand.
func (r *reproduction) file() string { return path.Join("spaces", r.study.File) }

// settings are what the study does not say itself.
func (r *reproduction) settings(data string) []plan.Setting {
	return []plan.Setting{{Scope: "evaluator", Name: r.study.Data.Setting, Text: data}}
}

// begin makes the folder of the study. Its sources are those that are part of nasc,
// whatever is on the disk.
func (r *reproduction) begin(ctx context.Context, plugins plan.Plugins, dir, data string, text []byte) (*plan.Study, diag.List) {
	o := plan.Options{File: r.file(), Workers: 1, Settings: r.settings(data)}
	m, sources, diags := plan.Load(o.File, func(name string) ([]byte, error) {
		if name == o.File {
			return text, nil
		}
		if shipped, ok := strings.CutPrefix(name, "spaces/"); ok {
			return spaces.Files.ReadFile(shipped)
		}
		return readFile(name)
	})
	if diags.HasErrors() {
		return nil, diags
	}
	g, diags := plan.Grid(m, o)
	if diags.HasErrors() {
		return nil, diags
	}
	return plan.NewStudy(ctx, plugins, m, sources, g, o, runsFolder, dir)
}

// folder is where the study goes: the one that -o names, or else one below the
// folder of runs. One that holds this very study, not yet finished, is gone on with;
// one that -o names also when it is finished.
func (r *reproduction) folder(data, text string) (dir string, begun bool, err error) {
	if r.out != "" {
		same, _, err := r.holds(r.out, data, text)
		return r.out, same, err
	}
	for n := 1; ; n++ {
		dir = filepath.Join(runsFolder, "reproduce-"+r.study.Name)
		if n > 1 {
			dir += fmt.Sprintf("-%d", n)
		}
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			return dir, false, nil
		}
		if same, finished, err := r.holds(dir, data, text); same && !finished || err != nil {
			return dir, same, err
		}
	}
}

// holds reports whether a folder holds this study, and whether that is finished.
func (r *reproduction) holds(dir, data, text string) (same, finished bool, err error) {
	if !plan.IsStudy(dir) {
		return false, false, nil
	}
	f, err := store.Read(dir)
	if err != nil {
		return false, false, wrong(plan.Explain(err, dir), nil)
	}
	defer f.Close()
	var o plan.Options
	if json.Unmarshal(f.Options, &o) != nil || o.File != r.file() || !slices.Equal(o.Settings, r.settings(data)) ||
		!slices.ContainsFunc(f.Sources, func(s store.SourceFile) bool { return s.File == o.File && s.Text == text }) {
		return false, false, nil
	}
	states, err := f.States()
	if err != nil {
		return false, false, wrong(plan.Explain(err, dir), nil)
	}
	return true, !slices.ContainsFunc(states, func(s store.State) bool { return s != store.Finished }), nil
}

// trials is how many a folder holds.
func trials(f *store.Folder) int {
	n := 0
	all, err := f.Tallies()
	if err != nil {
		return 0 // whoever reads the results is told
	}
	for _, t := range all {
		n += t.Trials
	}
	return n
}

// results are the test metrics of a study's winners, by the label of their point, and
// how many trials there are.
func (r *reproduction) results(dir string) (map[string]map[string][]float64, int, error) {
	v, diags := plan.View(dir)
	if err := wrong(diags, nil); err != nil {
		return nil, 0, err
	}
	defer v.Folder.Close()
	s, diags := v.Study()
	if err := wrong(diags, nil); err != nil {
		return nil, 0, err
	}
	out := map[string]map[string][]float64{}
	for _, p := range s.Points {
		out[p.Label] = map[string][]float64{}
		for _, n := range p.Runs {
			for metric, v := range s.Runs[n-1].Test {
				out[p.Label][metric] = append(out[p.Label][metric], v)
			}
		}
	}
	return out, trials(v.Folder), nil
}
