package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Limits of what one plugin process may print: a line is cut, a flood is
// dropped and counted.
const (
	maxLine   = 8 << 10
	logBurst  = 1 << 20 // bytes at once
	logRate   = 64 << 10
	tailLines = 12
)

// journal logs what one plugin process prints, line by line, from several
// streams. A line of JSON as hclog writes it keeps its level and attributes;
// anything else is logged as it is, for debugging.
type journal struct {
	log *slog.Logger
	// most caps the level: what the machinery calls an error need not be one.
	most slog.Level

	mu      sync.Mutex
	tail    []string
	cause   string // the line by which a Go program says why it dies
	credit  float64
	last    time.Time
	dropped int
}

func newJournal(log *slog.Logger, most slog.Level) *journal {
	return &journal{log: log, most: most, credit: logBurst, last: time.Now()}
}

// stream is one source of lines. Writing to it never fails and never waits.
func (j *journal) stream() *logStream { return &logStream{journal: j} }

type logStream struct {
	*journal
	line   []byte
	cut    bool // the rest of a line that is too long is being skipped
	stdout bool // what is written is marked by StdoutKey
}

// StdoutKey is the attribute of log lines that a plugin has printed on its standard
// output, where nothing belongs but the handshake.
const StdoutKey = "stdout"

// printed is the stream of a standard output.
func (j *journal) printed() *logStream { return &logStream{journal: j, stdout: true} }

func (s *logStream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(p)
	for len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte{'\n'})
		if room := maxLine - len(s.line); len(part) > room {
			part, s.cut = part[:room], true
		}
		s.line = append(s.line, part...)
		if ended {
			s.emit()
		}
		p = rest
	}
	return n, nil
}

// flush logs an unfinished last line.
func (s *logStream) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.line) > 0 {
		s.emit()
	}
	s.tellDropped()
}

func (s *logStream) emit() {
	line := string(s.line)
	if s.cut {
		line += "…"
	}
	s.line, s.cut = s.line[:0], false
	s.put(line, s.stdout)
}

// put logs a line if there is credit left for it.
func (j *journal) put(line string, stdout bool) {
	now := time.Now()
	j.credit = min(logBurst, j.credit+now.Sub(j.last).Seconds()*logRate)
	j.last = now
	if j.credit < float64(len(line)) {
		j.dropped++
		return
	}
	j.credit -= float64(len(line))
	j.tellDropped()
	level, message, attrs := parseLine(line)
	if stdout {
		attrs = append(attrs, slog.Bool(StdoutKey, true))
	}
	if strings.TrimSpace(message) == "" {
		return
	}
	if j.cause == "" && (strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")) {
		j.cause = tidy(message, 300)
	}
	j.tail = append(j.tail, tidy(message, 300))
	if len(j.tail) > tailLines {
		j.tail = slices.Delete(j.tail, 0, 1)
	}
	j.log.LogAttrs(context.Background(), min(level, j.most), message, attrs...)
}

func (j *journal) tellDropped() {
	if j.dropped > 0 {
		j.log.Warn("output of the plugin dropped", "lines", j.dropped)
		j.dropped = 0
	}
}

// words are the last ones of the process, oldest first; of a Go program that
// panics, only the reason, without the stack that follows it.
func (j *journal) words() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cause != "" {
		return []string{j.cause}
	}
	return slices.Clone(j.tail)
}

// parseLine reads a line of hclog's JSON; any other line is its own message.
func parseLine(line string) (slog.Level, string, []slog.Attr) {
	var fields map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &fields) != nil {
		return slog.LevelDebug, line, nil
	}
	message, ok1 := fields["@message"].(string)
	levelText, ok2 := fields["@level"].(string)
	if !ok1 || !ok2 {
		return slog.LevelDebug, line, nil
	}
	level := slog.LevelDebug
	switch levelText {
	case "info":
		level = slog.LevelInfo
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	}
	var keys []string
	for k := range fields {
		if !strings.HasPrefix(k, "@") {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var attrs []slog.Attr
	for _, k := range keys {
		attrs = append(attrs, slog.String(k, fmt.Sprint(fields[k])))
	}
	return level, message, attrs
}

// bridge is the logger that go-plugin itself writes to. It reports every normal
// end of a process as an error, so nothing of it is above the debug level.
func bridge(log *slog.Logger) hclog.Logger {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return hclog.New(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	}
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, JSONFormat: true,
		Output: newJournal(log, slog.LevelDebug).stream()})
}
