// Package report tells people how a search goes and how it ended: a bar on a
// terminal, plain lines elsewhere, and a summary that is itself a .nas file.
package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// Progress follows a search; it is a search.Observer. End must be called.
type Progress struct {
	out        io.Writer
	budget     search.Budget
	objectives []store.Objective
	units      map[string]string
	reports    map[string]string // units of what reports
	oneShot    bool              // trials are stages

	mu      sync.Mutex
	trials  int
	spent   search.Spent
	best    *store.Trial
	running map[int64]wire.Progress
	report  map[string]float64 // of the last stage
	note    string             // why there is none
	replays int
	testing bool

	begun time.Time
	from  float64 // the part of the budget that was spent before
	bars  *mpb.Progress
	bar   *mpb.Bar
}

// scale is how finely a bar divides the budget.
const scale = 10000

// New starts reporting to out: with a bar when it is a terminal.
func New(out io.Writer, terminal bool, m *store.Manifest) *Progress {
	p := &Progress{
		out: out, budget: search.Budget(m.Budget), objectives: m.Objectives, units: m.Evaluator.Units,
		oneShot: m.OneShot(), running: map[int64]wire.Progress{}, begun: time.Now(),
	}
	if m.Report != nil {
		p.reports = m.Report.Units
	}
	if terminal {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(150*time.Millisecond))
		p.bar = p.bars.New(scale, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.count() + " " })),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.state() })))
	}
	return p
}

// Trial implements search.Observer.
func (p *Progress) Trial(t *store.Trial, replayed bool) {
	p.mu.Lock()
	p.trials++
	p.spent.Add(t)
	delete(p.running, t.Number)
	improved := t.Status == store.OK && (p.best == nil || p.oneShot || search.Better(p.objectives, t, p.best))
	if improved {
		p.best = t
	}
	if replayed {
		p.replays++
		p.from = p.budget.Part(p.spent)
	}
	line := ""
	if p.bar == nil && !replayed && p.worth(improved) {
		line = p.line(t)
	}
	p.mu.Unlock()
	if line != "" {
		fmt.Fprintln(p.out, line)
	}
	p.draw()
}

// Reported implements search.Observer.
func (p *Progress) Reported(_ *store.Trial, metrics map[string]float64, note string) {
	p.mu.Lock()
	p.report, p.note = metrics, note
	p.mu.Unlock()
}

// Progress implements search.Observer.
func (p *Progress) Progress(trial int64, now wire.Progress) {
	p.mu.Lock()
	p.running[trial] = now
	p.mu.Unlock()
	p.draw()
}

// Testing implements search.Observer.
func (p *Progress) Testing(t *store.Trial) {
	p.mu.Lock()
	p.testing = true
	p.mu.Unlock()
	if p.bar == nil {
		fmt.Fprintf(p.out, "testing the architecture of trial %d\n", t.Number)
	}
	p.draw()
}

// End finishes the bar, or leaves it where the search stopped.
func (p *Progress) End(finished bool) {
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	p.testing = false
	p.mu.Unlock()
	if finished {
		p.bar.SetTotal(-1, true)
	} else {
		p.bar.Abort(false)
	}
	p.bars.Wait()
}

// draw moves the bar. The bar calls back for its texts, so the lock is free.
func (p *Progress) draw() {
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	at := int64(p.part() * scale)
	p.mu.Unlock()
	p.bar.SetCurrent(min(at, scale-1)) // the last step is End's
}

// worth reports whether a line should be printed: for every trial of a short
// search, for every fiftieth part of a long one and for every improvement.
func (p *Progress) worth(improved bool) bool {
	if p.budget.Unit != search.Evaluations || p.budget.Amount <= 100 || improved {
		return true
	}
	return p.trials%int(p.budget.Amount/50) == 0
}

func (p *Progress) line(t *store.Trial) string {
	var b strings.Builder
	b.WriteString(p.number(t))
	switch t.Status {
	case store.Failed:
		fmt.Fprintf(&b, "  failed: %s", t.Failure)
	case store.Infeasible:
		fmt.Fprintf(&b, "  infeasible: %s", t.Failure)
	default:
		fmt.Fprintf(&b, "  %s", p.score(t))
	}
	if p.oneShot {
		b.WriteString(p.reported())
	} else if p.best != nil {
		fmt.Fprintf(&b, "  best %s (trial %d)", p.score(p.best), p.best.Number)
	}
	if t.Reused != nil {
		fmt.Fprintf(&b, "  as trial %d", *t.Reused)
	} else if t.Seconds >= 0.1 {
		fmt.Fprintf(&b, "  %.1f s", t.Seconds)
	}
	if left := p.left(); left != "" {
		fmt.Fprintf(&b, "  %s left", left)
	}
	return b.String()
}

// number is the trial's number, which counts from 0, behind how many are done; of a
// stage, the epochs that are.
func (p *Progress) number(t *store.Trial) string {
	if p.oneShot {
		return p.epochs()
	}
	if p.budget.Unit == search.Evaluations {
		return fmt.Sprintf("%d/%.0f  trial %d", t.Number+1, p.budget.Amount, t.Number)
	}
	return fmt.Sprintf("trial %d", t.Number)
}

// epochs are those that are done.
func (p *Progress) epochs() string {
	at := p.spent.Epochs()
	for _, r := range p.running {
		at += r.Fraction
	}
	return fmt.Sprintf("epoch %s/%g", strconv.FormatFloat(math.Round(100*at)/100, 'f', -1, 64), p.budget.Amount)
}

// reported is what reports said of the last stage.
func (p *Progress) reported() string {
	var b strings.Builder
	if p.note != "" {
		b.WriteString("  no report: " + p.note)
	}
	for _, name := range slices.Sorted(maps.Keys(p.report)) {
		fmt.Fprintf(&b, "  test %s %s", name, Value(p.report[name], p.reports[name]))
	}
	return b.String()
}

func (p *Progress) score(t *store.Trial) string {
	if len(t.Metrics.Values) == 0 {
		return "not measured"
	}
	var parts []string
	for _, o := range p.objectives {
		parts = append(parts, fmt.Sprintf("%s %s", o.Metric, Value(t.Metrics.Get(o.Metric), p.units[o.Metric])))
	}
	return strings.Join(parts, ", ")
}

// count and state are the texts of the bar.
func (p *Progress) count() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.oneShot {
		return p.epochs()
	}
	if p.budget.Unit == search.Evaluations {
		return fmt.Sprintf("%d/%.0f trials", p.trials, p.budget.Amount)
	}
	return fmt.Sprintf("%d trials, %s", p.trials, p.budget)
}

func (p *Progress) state() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var parts []string
	if p.oneShot {
		for _, r := range p.running { // one stage at a time
			parts = append(parts, r.Text)
		}
		if p.best != nil {
			parts = append(parts, p.score(p.best))
		}
	} else if p.best != nil {
		parts = append(parts, "best "+p.score(p.best))
	}
	if p.testing {
		parts = append(parts, "testing the winner")
	} else if left := p.left(); left != "" {
		parts = append(parts, left+" left")
	}
	return " " + strings.Join(parts, ", ")
}

// part is the part of the budget that is spent, running evaluations included.
func (p *Progress) part() float64 {
	at := p.budget.Part(p.spent)
	if n := p.trials; p.oneShot {
		for _, r := range p.running {
			at += r.Fraction / p.budget.Amount
		}
	} else if p.budget.Unit == search.Evaluations {
		for _, r := range p.running {
			at += r.Fraction / p.budget.Amount
		}
	} else if n > 0 {
		for _, r := range p.running {
			at += r.Fraction * at / float64(n)
		}
	}
	return min(1, at)
}

// left is the time that the rest will take at the pace so far.
func (p *Progress) left() string {
	done := p.part() - p.from
	if done <= 0 || p.trials == p.replays {
		return ""
	}
	rest := time.Duration(float64(time.Since(p.begun)) / done * (1 - p.part()))
	if rest > time.Minute {
		return rest.Round(time.Second).String()
	}
	return fmt.Sprintf("%.0fs", rest.Seconds())
}
