package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// Study is a search block that says several things at once: a folder with a run for
// each point of its grid. The runs share the plugins' processes, the compiled spaces
// and what is known of architectures, and as many searches go on at once as the
// plugins allow. A run has the log that it would have alone. It begins when its turn
// comes, so a study is resumed by going on with what has begun and beginning the rest.
type Study struct {
	Folder *store.Folder

	plugins Plugins
	module  *compiler.Module
	grid    *compiler.Grid
	options Options

	mu       sync.Mutex // guards the stock, the grid and the warnings
	stock    *stock
	warnings diag.List
}

// Warnings are those about its runs so far, each once.
func (s *Study) Warnings() diag.List {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.warnings)
}

// warn keeps warnings that are new. The lock is held.
func (s *Study) warn(diags diag.List) {
	for _, d := range diags {
		known := func(w *diag.Diagnostic) bool { return w.Code == d.Code && w.Span == d.Span && w.Message == d.Message }
		if d.Severity == diag.Warning && !slices.ContainsFunc(s.warnings, known) {
			s.warnings = append(s.warnings, d)
		}
	}
}

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

// isSeed tells the axis that sets runs apart which a table puts together.
func isSeed(a compiler.Axis) bool { return a.Path == "seed" }

// NewStudy checks every value that is swept against the plugins and makes the
// folder: dir, or with an empty dir a free name below runs.
func NewStudy(ctx context.Context, plugins Plugins, m *compiler.Module, sources []store.SourceFile, g *compiler.Grid, o Options, runs, dir string) (*Study, diag.List) {
	s := &Study{plugins: plugins, module: m, grid: g, options: o, stock: newStock()}
	if diags := s.try(ctx, sources); diags.HasErrors() {
		return nil, diags
	}
	here, err := os.Getwd()
	if err != nil {
		return nil, Explain(err, dir)
	}
	s.options.Folder = here
	kept, err := json.Marshal(s.options)
	if err != nil {
		return nil, Explain(err, dir)
	}
	b, diags := block(m, o)
	if diags.HasErrors() {
		return nil, diags
	}
	seed := "" // the name of its axis
	for _, a := range g.Axes {
		if isSeed(a) {
			seed = a.Name + "="
		}
	}
	var points []store.Point
	for n := range g.Size() {
		parts, err := g.Parts(n)
		if err != nil {
			return nil, Explain(err, dir)
		}
		others := slices.DeleteFunc(slices.Clone(parts), func(p string) bool { return seed != "" && strings.HasPrefix(p, seed) })
		points = append(points, store.Point{Label: strings.Join(parts, " "), Group: strings.Join(others, " ")})
	}
	s.Folder, diags = create(runs, dir, b.Name, func(name string) (*store.Folder, []store.Point, error) {
		return &store.Folder{Nasc: Version(), Name: name, Started: now(), Options: kept, Sources: sources}, points, nil
	})
	if diags.HasErrors() {
		return nil, diags
	}
	return s, nil
}

// try makes plans of points that between them have every swept value but the seeds,
// so that a value that a plugin refuses is found before anything runs.
func (s *Study) try(ctx context.Context, sources []store.SourceFile) diag.List {
	var all diag.List
	for _, n := range s.grid.Cover(isSeed) {
		p, diags := s.plan(ctx, n, sources)
		if !diags.HasErrors() && p.oneShot() {
			one, _, more := p.relaxed(ctx)
			if diags = append(diags, more...); !more.HasErrors() {
				_ = one.Close()
			}
		}
		all = append(all, diags...)
		if ctx.Err() != nil {
			break
		}
	}
	all.Sort()
	return all
}

// plan decides the search of a point.
func (s *Study) plan(ctx context.Context, n int, sources []store.SourceFile) (*Plan, diag.List) {
	point, diags := s.grid.At(n)
	if diags.HasErrors() {
		return nil, diags
	}
	p, more := s.stock.plan(ctx, s.plugins.Host, s.module, sources, point.Search, s.options)
	return p, append(diags, more...)
}

// OpenStudy opens a study to go on with it.
func OpenStudy(plugins Plugins, dir string) (_ *Study, diags diag.List) {
	f, err := store.Open(dir)
	if err != nil {
		return nil, Explain(err, dir)
	}
	defer func() {
		if diags.HasErrors() {
			f.Close()
		}
	}()
	s := &Study{Folder: f, plugins: plugins, stock: newStock()}
	if err := json.Unmarshal(f.Options, &s.options); err != nil {
		return nil, diag.List{{Code: NotARun, Message: fmt.Sprintf("cannot read the study %s: %v", dir, err)}}
	}
	if s.module, diags = reload(s.options.File, f.Sources); diags.HasErrors() {
		return nil, diags
	}
	if s.grid, diags = Grid(s.module, s.options); diags.HasErrors() {
		return nil, diags
	}
	if s.grid == nil || s.grid.Size() != len(f.Runs) {
		return nil, diag.List{{Code: Changed, Message: fmt.Sprintf("this nasc makes another grid of the study %s than nasc %s did", dir, f.Nasc),
			Help: "use the version of nasc that the study was started with"}}
	}
	return s, nil
}

// Source is the text that diagnostics of the study are about.
func (s *Study) Source(file string) []byte { return s.module.Source(file) }

// Close lets other processes go on with the study.
func (s *Study) Close() error { return s.Folder.Close() }

// session makes the session of a run, and begins the run if it has not begun; there
// is none for a run that is finished.
func (s *Study) session(ctx context.Context, r *store.Run) (*Session, diag.List) {
	m, err := r.Manifest()
	if err != nil {
		return nil, Explain(err, r.Address())
	}
	var p *Plan
	var diags diag.List
	s.mu.Lock()
	if m != nil {
		p, diags = s.stock.recall(ctx, s.plugins, s.module, r)
	} else {
		p, diags = s.plan(ctx, r.Number-1, s.Folder.Sources)
	}
	s.mu.Unlock()
	if diags.HasErrors() {
		return nil, diags
	}
	var session *Session
	if m != nil {
		session, diags = p.resume(ctx, s.plugins, r)
	} else if session, diags = p.configure(ctx, s.plugins, r.WorkDir(), true); !diags.HasErrors() {
		session.Manifest.Name = fmt.Sprintf("%s/%d", s.Folder.Name, r.Number)
		session.Manifest.Started = now()
		if err := r.Begin(session.Manifest); err != nil {
			session.release()
			return nil, Explain(err, s.Folder.Dir)
		}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	s.mu.Lock()
	session.open(r)
	s.warn(p.Warnings)
	s.warn(session.Warnings)
	s.mu.Unlock()
	return session, nil
}

// manySearches is how many searches go on at once where all of them share the plugins'
// processes: enough for each message to carry something of several.
const manySearches = 128

// Parallel is how many searches the study runs at once unless it is told: many if
// they share processes, one for each core if each needs an optimizer of its own, and
// one after the other if each needs an evaluator of its own, which may train.
func (s *Study) Parallel(ctx context.Context) (int, diag.List) {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := manySearches
	for _, n := range s.grid.Cover(isSeed) {
		p, diags := s.plan(ctx, n, s.Folder.Sources)
		if diags.HasErrors() {
			return 0, diags
		}
		switch {
		case !p.Evaluator.Component.Shared:
			return 1, nil
		case !p.Optimizer.Component.Shared:
			most = min(most, runtime.NumCPU())
		}
	}
	return most, nil
}

// Follower follows the runs of a study. Its functions may be called by many
// goroutines at once.
type Follower interface {
	// Begin says that a run goes on, and gives what follows it.
	Begin(r *store.Run, m *store.Manifest) search.Observer
	// End says how it ended: with an outcome or with errors. There is no observer
	// when it could not go on.
	End(r *store.Run, o search.Observer, out *search.Outcome, diags diag.List)
}

// Search runs what is left of the study, so many searches at once. It goes on when
// runs fail, unless the folder cannot be written.
func (s *Study) Search(ctx context.Context, parallel int, f Follower) diag.List {
	states, err := s.Folder.States()
	if err != nil {
		return Explain(err, s.Folder.Dir)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan *store.Run, len(s.Folder.Runs))
	for i, r := range s.Folder.Runs {
		if states[i] != store.Finished {
			queue <- r
		}
	}
	close(queue)
	var wg sync.WaitGroup
	var crash atomic.Value
	for range max(1, min(parallel, len(queue))) {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					crash.Store(fmt.Sprintf("%v\n%s", r, debug.Stack()))
					cancel()
				}
			}()
			for r := range queue {
				if ctx.Err() != nil {
					return
				}
				if broken := s.run(ctx, r, f); broken {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	if r := crash.Load(); r != nil {
		panic(r) // where the command line can tell of it
	}
	return Explain(s.Folder.Sync(), s.Folder.Dir)
}

// run brings one run to its end, and reports whether no other one can be.
func (s *Study) run(ctx context.Context, r *store.Run, f Follower) (broken bool) {
	session, diags := s.session(ctx, r)
	var out *search.Outcome
	var o search.Observer
	if !diags.HasErrors() {
		defer session.release()
		o = f.Begin(r, session.Manifest)
		if out, diags = session.run(ctx, o); !diags.HasErrors() {
			if err := session.end(out); err != nil {
				out, diags = nil, Explain(err, s.Folder.Dir)
			}
		}
	}
	if diags.HasErrors() && ctx.Err() != nil {
		return false // its end was not its own
	}
	f.End(r, o, out, diags)
	return slices.ContainsFunc(diags, func(d *diag.Diagnostic) bool { return d.Code == CannotWrite })
}

// IsStudy reports whether a folder is that of a study. Whatever cannot be read is
// none.
func IsStudy(dir string) bool {
	f, err := store.Read(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Study()
}
