package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// StudyProgress follows the runs of a study: one bar on a terminal, elsewhere a line
// for each run of a small study and for every fiftieth part of a large one. Close must
// be called.
type StudyProgress struct {
	out    io.Writer
	runs   int
	failed func(r *store.Run, diags diag.List) // tells of a run that failed

	trials atomic.Int64 // of this session
	begun  time.Time

	mu      sync.Mutex
	done    int // runs, those of earlier sessions included
	before  int // runs that were finished before
	running map[*studyRun]bool

	bars *mpb.Progress
	bar  *mpb.Bar
	end  chan struct{}
	gone sync.WaitGroup
}

// NewStudyProgress starts reporting to out on a study with so many runs, some of
// them finished before. failed is called for each run that fails, one at a time.
func NewStudyProgress(out io.Writer, terminal bool, runs, before int, failed func(*store.Run, diag.List)) *StudyProgress {
	p := &StudyProgress{out: out, runs: runs, done: before, before: before, failed: failed, begun: time.Now(),
		running: map[*studyRun]bool{}, end: make(chan struct{})}
	if terminal {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(150*time.Millisecond))
		p.bar = p.bars.New(scale, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
			mpb.PrependDecorators(decor.Any(p.locked(func() string { return p.count() + " " }))),
			mpb.AppendDecorators(decor.Any(p.locked(func() string { return " " + p.pace() }))))
		p.gone.Go(p.draw)
	}
	return p
}

// studyRun follows one run of a study; it is a search.Observer.
type studyRun struct {
	of     *StudyProgress
	budget search.Budget
	spent  search.Spent
	part   atomic.Int64 // of the budget, of scale
}

// Begin implements plan.Follower.
func (p *StudyProgress) Begin(_ *store.Run, m *store.Manifest) search.Observer {
	r := &studyRun{of: p, budget: search.Budget(m.Budget)}
	if p.bar != nil {
		p.mu.Lock()
		p.running[r] = true
		p.mu.Unlock()
	}
	return r
}

// Trial implements search.Observer.
func (r *studyRun) Trial(t *store.Trial, replayed bool) {
	if !replayed {
		r.of.trials.Add(1)
	}
	if r.of.bar != nil {
		r.spent.Add(t)
		r.part.Store(int64(scale * r.budget.Part(r.spent)))
	}
}

// Progress implements search.Observer.
func (r *studyRun) Progress(int64, wire.Progress) {}

// Reported implements search.Observer.
func (r *studyRun) Reported(*store.Trial, map[string]float64, string) {}

// Testing implements search.Observer.
func (r *studyRun) Testing(*store.Trial) {}

// End implements plan.Follower.
func (p *StudyProgress) End(r *store.Run, o search.Observer, out *search.Outcome, diags diag.List) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if run, ok := o.(*studyRun); ok {
		delete(p.running, run)
	}
	if out == nil {
		p.failed(r, diags)
		return
	}
	p.done++
	const small = 50
	if p.bar != nil || p.runs > small && p.done%max(1, p.runs/small) != 0 && p.done != p.runs {
		return
	}
	if p.runs > small {
		fmt.Fprintf(p.out, "%s, %s\n", p.count(), p.pace())
		return
	}
	m, err := r.Manifest()
	if err != nil || m == nil {
		return // it was begun, so there is one
	}
	var parts []string
	for _, o := range m.Objectives {
		text := o.Metric + " not measured"
		if len(out.Best.Metrics.Values) > 0 {
			text = o.Metric + " " + Value(out.Best.Metrics.Get(o.Metric), m.Evaluator.Units[o.Metric])
		}
		if v, ok := out.Test[o.Metric]; ok {
			text += ", test " + Value(v, m.Tester().Units[o.Metric])
		}
		parts = append(parts, text)
	}
	fmt.Fprintf(p.out, "%d/%d  %s  best: trial %d, %s\n", r.Number, p.runs, r.Label, out.Best.Number, strings.Join(parts, ", "))
}

// locked makes a text of the bar, which asks for it at any time.
func (p *StudyProgress) locked(text func() string) func(decor.Statistics) string {
	return func(decor.Statistics) string {
		p.mu.Lock()
		defer p.mu.Unlock()
		return text()
	}
}

// count and pace are the texts of the bar; the lock is held.
func (p *StudyProgress) count() string { return fmt.Sprintf("%d/%d runs", p.done, p.runs) }

func (p *StudyProgress) pace() string {
	n, took := p.trials.Load(), time.Since(p.begun)
	text := fmt.Sprintf("%s trials", Count(n))
	if did := p.done - p.before; did > 0 && p.done < p.runs {
		rest := time.Duration(float64(took) / float64(did) * float64(p.runs-p.done))
		text += fmt.Sprintf(", %s left", rest.Round(time.Second))
	}
	return text
}

// draw moves the bar until the end.
func (p *StudyProgress) draw() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.end:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		at := int64(p.done) * scale
		for r := range p.running {
			at += r.part.Load()
		}
		p.mu.Unlock()
		p.bar.SetCurrent(min(at/int64(p.runs), scale-1))
	}
}

// Close finishes the bar, or leaves it where the study stopped.
func (p *StudyProgress) Close() {
	if p.bar == nil {
		return
	}
	close(p.end)
	p.gone.Wait()
	if p.done == p.runs {
		p.bar.SetTotal(-1, true)
	} else {
		p.bar.Abort(false)
	}
	p.bars.Wait()
}
