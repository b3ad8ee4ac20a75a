package sdk

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// chore is a task that counts how often answers are sent.
type chore struct {
	do   func()
	sent *atomic.Int32
}

func (c chore) run()     { c.do() }
func (c chore) ran(bool) { c.sent.Add(1) }

// messages is a stream of them, each with tasks for the lanes in their order.
type messages struct {
	pool  *pool
	all   chan []func()
	sent  atomic.Int32 // by tasks
	send  chan bool    // otherwise
	ended chan error
}

var errOver = errors.New("over")

func newMessages(soon time.Duration) *messages {
	s := &messages{pool: newPool(), all: make(chan []func(), 10), send: make(chan bool, 10), ended: make(chan error, 1)}
	s.pool.soon = soon
	var lanes [3]lane
	go func() {
		s.ended <- s.pool.serve(func() error {
			m, ok := <-s.all
			if !ok {
				return errOver
			}
			for i, do := range m {
				s.pool.add(&lanes[i], chore{do, &s.sent})
			}
			return nil
		}, func() { s.send <- true })
	}()
	return s
}

func (s *messages) close(t *testing.T) {
	t.Helper()
	close(s.all)
	if err := <-s.ended; !errors.Is(err, errOver) {
		t.Errorf("reading ended with %v", err)
	}
}

// A reader runs short tasks itself, one after another, and has the answers to a message
// sent once.
func TestReaderHelps(t *testing.T) {
	s := newMessages(time.Hour)
	var order []int // needs no lock
	const n = 50
	for i := range n {
		var m []func()
		for k := range 3 {
			m = append(m, func() { order = append(order, 3*i+k) })
		}
		s.all <- m
	}
	s.close(t)
	if len(order) != 3*n || !slices.IsSorted(order) {
		t.Errorf("the order is %v", order)
	}
	if sent := s.sent.Load(); sent != n {
		t.Errorf("answers were sent %d times", sent)
	}
}

// While a task takes long, messages are read, tasks of other lanes are run, and answers
// that lie there are sent.
func TestReaderIsReplaced(t *testing.T) {
	s := newMessages(time.Millisecond)
	release, short, last := make(chan bool), make(chan bool, 1), make(chan bool, 1)
	s.all <- []func(){func() { short <- true }, func() { <-release }}
	<-short
	<-s.send
	s.all <- []func(){func() { short <- true }, func() { last <- true }}
	<-short
	select {
	case <-last:
		t.Error("a task has overtaken another of its lane")
	default:
	}
	close(release)
	<-last
	s.close(t)
}
