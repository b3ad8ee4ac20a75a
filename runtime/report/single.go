package report

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/nasc-project/nasc/plugins/wire"
)

// Single follows one evaluation: a bar on a terminal, elsewhere a line whenever
// the evaluator has something new to say.
type Single struct {
	out  io.Writer
	bars *mpb.Progress
	bar  *mpb.Bar

	mu   sync.Mutex
	text string
}

// NewSingle starts reporting to out. End must be called.
func NewSingle(out io.Writer, terminal bool) *Single {
	s := &Single{out: out}
	if terminal {
		s.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithRefreshRate(150*time.Millisecond))
		s.bar = s.bars.New(scale, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
			mpb.BarRemoveOnComplete(),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
				s.mu.Lock()
				defer s.mu.Unlock()
				return " " + s.text
			})))
	}
	return s
}

// Progress takes what an evaluator says.
func (s *Single) Progress(p wire.Progress) {
	s.mu.Lock()
	news := p.Text != "" && p.Text != s.text
	s.text = p.Text
	s.mu.Unlock()
	if s.bar != nil {
		s.bar.SetCurrent(min(int64(p.Fraction*scale), scale-1))
	} else if news {
		fmt.Fprintln(s.out, p.Text)
	}
}

// End removes the bar.
func (s *Single) End() {
	if s.bar != nil {
		s.bar.SetTotal(-1, true)
		s.bars.Wait()
	}
}
