package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/store"
)

// Sweep is a search block that sweeps: a folder with a run for each point of its
// grid. A run is made when its turn comes; from then on it is a run like any
// other, so a sweep is resumed by resuming what has begun and beginning the rest.
type Sweep struct {
	Dir    string
	Points []store.SweepPoint

	module  *compiler.Module
	sources []store.SourceFile
	options Options
	release func()
}

// Start gives the plugins for one run; their host is closed with it.
type Start func() (Plugins, error)

// Grid is what the search block that the options mean sweeps, without what the
// options fix. It is nil where there is no block.
func Grid(m *compiler.Module, o Options) (*compiler.Grid, diag.List) {
	b, diags := block(m, o)
	if b == nil || diags.HasErrors() {
		return nil, diags
	}
	g, more := b.Grid(o.fixes(b))
	return g, append(diags, more...)
}

// NewSweep checks every value that is swept against the plugins and makes the
// folder: dir, or with an empty dir a free name below runs.
func NewSweep(ctx context.Context, start Start, m *compiler.Module, sources []store.SourceFile, g *compiler.Grid, o Options, runs, dir string) (*Sweep, diag.List) {
	if diags := try(ctx, start, m, sources, g, o); diags.HasErrors() {
		return nil, diags
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, Explain(err, dir)
	}
	o.Folder = here
	s := &Sweep{Dir: dir, module: m, sources: sources, options: o}
	kept, err := json.Marshal(o)
	if err != nil {
		return nil, Explain(err, dir)
	}
	b, diags := block(m, o)
	if diags.HasErrors() {
		return nil, diags
	}
	if dir == "" {
		s.Dir = filepath.Join(runs, store.Name(runs, b.Name))
	}
	width := len(fmt.Sprint(g.Size()))
	for n := range g.Size() {
		p, diags := g.At(n)
		if diags.HasErrors() {
			return nil, diags
		}
		s.Points = append(s.Points, store.SweepPoint{Label: p.Label,
			Folder: fmt.Sprintf("%0*d-%s", width, n+1, fileName(p.Parts))})
	}
	err = store.CreateSweep(s.Dir, &store.Sweep{Nasc: Version(), Name: filepath.Base(s.Dir), Started: now(),
		Options: kept, Points: s.Points, Sources: sources})
	if err == nil {
		s.release, err = store.LockSweep(s.Dir)
	}
	if err != nil {
		return nil, Explain(err, s.Dir)
	}
	return s, nil
}

// tried bounds how many points are tried before a sweep begins.
const tried = 100

// try makes plans of points that between them have every swept value, so that a
// value that a plugin refuses is found before anything runs.
func try(ctx context.Context, start Start, m *compiler.Module, sources []store.SourceFile, g *compiler.Grid, o Options) diag.List {
	var all diag.List
	points := g.Cover(func(a compiler.Axis) bool { return a.Path == "seed" })
	for _, n := range points[:min(len(points), tried)] {
		plugins, err := start()
		if err != nil {
			return Explain(err, "")
		}
		o.Point = n
		_, diags := Make(ctx, plugins.Host, m, sources, o)
		plugins.Host.Close()
		all = append(all, diags...)
		if ctx.Err() != nil {
			break
		}
	}
	all.Sort()
	return all
}

// fileName makes the parts of a label the name of a folder.
func fileName(parts []string) string {
	const most = 80
	var clean []string
	for _, part := range parts {
		p := strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("=._", r):
				return r
			}
			return '-'
		}, part)
		for strings.Contains(p, "--") {
			p = strings.ReplaceAll(p, "--", "-")
		}
		clean = append(clean, strings.Trim(strings.ReplaceAll(p, "=-", "="), "-."))
	}
	name := strings.Join(clean, ",")
	return strings.TrimRight(name[:min(len(name), most)], "-.,=")
}

// IsSweep reports whether a folder is that of a sweep.
func IsSweep(dir string) bool {
	_, err := store.ReadSweep(dir)
	return err == nil || !errors.Is(err, store.ErrNotRun)
}

// OpenSweep opens a sweep to go on with it.
func OpenSweep(dir string) (*Sweep, diag.List) {
	kept, err := store.ReadSweep(dir)
	if err != nil {
		return nil, unreadable(err, dir)
	}
	s := &Sweep{Dir: dir, Points: kept.Points, sources: kept.Sources}
	if err := json.Unmarshal(kept.Options, &s.options); err != nil {
		return nil, diag.List{{Code: NotARun, Message: fmt.Sprintf("cannot read the sweep %s: %v", dir, err)}}
	}
	var diags diag.List
	if s.module, diags = reload(s.options.File, kept.Sources); diags.HasErrors() {
		return nil, diags
	}
	g, diags := Grid(s.module, s.options)
	if diags.HasErrors() {
		return nil, diags
	}
	if g == nil || g.Size() != len(s.Points) {
		return nil, diag.List{{Code: Changed, Message: fmt.Sprintf("this nasc makes another grid of the sweep %s than nasc %s did", dir, kept.Nasc),
			Help: "use the version of nasc that the sweep was started with"}}
	}
	if s.release, err = store.LockSweep(dir); err != nil {
		return nil, Explain(err, dir)
	}
	return s, nil
}

// Source is the text that diagnostics of the sweep are about.
func (s *Sweep) Source(file string) []byte { return s.module.Source(file) }

// Close lets other processes go on with the sweep.
func (s *Sweep) Close() { s.release() }

// Open makes or resumes the run of a point; there is no session for one that is
// finished.
func (s *Sweep) Open(ctx context.Context, plugins Plugins, n int) (*Session, diag.List) {
	dir := filepath.Join(s.Dir, s.Points[n].Folder)
	switch run, err := store.Read(dir); {
	case errors.Is(err, store.ErrNotRun):
		o := s.options
		o.Point = n
		p, diags := Make(ctx, plugins.Host, s.module, s.sources, o)
		if diags.HasErrors() {
			return nil, diags
		}
		session, more := p.Start(ctx, plugins, "", dir)
		return session, append(p.Warnings, more...)
	case err != nil:
		return nil, unreadable(err, dir)
	default:
		done, err := run.Finished()
		run.Close()
		if err != nil {
			return nil, unreadable(err, dir)
		}
		if done {
			return nil, nil
		}
	}
	return Resume(ctx, plugins, dir)
}

// Table tells how the runs of a sweep stand, in order.
func Table(dir string) ([]report.PointStatus, diag.List) {
	kept, err := store.ReadSweep(dir)
	if err != nil {
		return nil, unreadable(err, dir)
	}
	out := []report.PointStatus{}
	for _, p := range kept.Points {
		at := filepath.Join(dir, p.Folder)
		row := report.PointStatus{Point: p.Label, Dir: at, State: report.NotBegun}
		if _, err := os.Stat(at); err == nil {
			v, diags := View(at)
			if diags.HasErrors() {
				row.State = "unreadable: " + diags[0].Message
			} else {
				row.State, row.Run = v.Status.State, v.Status
				row.Note, err = stopped(v)
				v.Run.Close()
				if err != nil {
					return nil, unreadable(err, at)
				}
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// stopped is why a run has not ended, as far as it is known.
func stopped(v *Viewed) (string, error) {
	events, err := v.Run.Events()
	if len(events) > 0 && v.Status.State == report.Stopped {
		if last := events[len(events)-1]; last.Kind == store.EventStopped {
			return last.Text, err
		}
	}
	return "", err
}
