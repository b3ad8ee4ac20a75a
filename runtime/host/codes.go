package host

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// The codes of what can go wrong with a plugin.
const (
	UnknownPlugin    = "E0501" // no plugin has this name
	CannotStart      = "E0502" // the process cannot be started, or ends or says nonsense before it answers
	WrongProtocol    = "E0503" // it speaks a protocol version that this host does not
	TooSlow          = "E0504" // it did not start or describe itself in time
	Crashed          = "E0505" // it died again and again
	BadAnswer        = "E0506" // it answered what the protocol forbids
	Failed           = "E0507" // it reported an error of its own
	NotReproducible  = "E0508" // started anew, it proposed something else than before
	UnknownComponent = "E0509" // it has no optimizer or evaluator of this name
	CannotHandle     = "E0510" // the optimizer does not handle a kind of decision of the space
	NoSocket         = "E0511" // there is no place for its socket
	Hung             = "E0530" // it hung again
	BadParameter     = "E0520" // a parameter has a value that is refused
	UnknownParameter = "E0521" // there is no parameter of this name
	WrongType        = "E0522" // a parameter has a value of another type
	MissingParameter = "E0523" // a parameter without default is not given
)

// fault is a diagnostic about the plugin.
func (p *Plugin) fault(code, format string, args ...any) *diag.Diagnostic {
	return &diag.Diagnostic{Code: code, Message: fmt.Sprintf(format, args...), Source: p.Source()}
}

// bad is a diagnostic about an answer that the protocol forbids.
func (p *Plugin) bad(format string, args ...any) *diag.Diagnostic {
	return p.fault(BadAnswer, "the plugin gave a wrong answer: "+format, args...)
}

// problem is what the plugin itself complains about.
func (p *Plugin) problem(w *wire.Problem) *diag.Diagnostic {
	code := Failed
	if strings.HasPrefix(w.Path, "parameters.") {
		code = BadParameter
	}
	d := p.fault(code, "%s", tidy(w.Message, 2000))
	d.Path, d.Help = tidy(w.Path, 200), tidy(w.Help, 2000)
	return d
}

func (p *Plugin) problems(ws []*wire.Problem) error {
	var all diag.List
	for _, w := range ws[:min(len(ws), 100)] {
		all = append(all, p.problem(w))
	}
	return all.Err()
}

// tidy makes text of a plugin fit for one line of a terminal: no control
// characters, no more than n bytes.
func tidy(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "…"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t', r == '\r':
			return ' '
		case r < ' ', r == 0x7f, r >= 0x80 && r < 0xa0:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// maxProgress is how many bytes a text of progress has, and maxValueNames how many the
// names of its values.
const (
	maxProgress   = 500
	maxValueNames = 16 << 10
)

// shorten leaves of progress that waits for its reader what is shown.
func shorten(m *nascv1.Progress) {
	if len(m.GetText()) > maxProgress {
		m.Text = strings.Clone(m.Text[:maxProgress+1]) // of which it is seen that it was longer
	}
	names := 0
	for name := range m.GetValues() {
		names += len(name)
	}
	if names > maxValueNames {
		m.Values = nil
	}
}
