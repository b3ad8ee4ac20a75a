package sdk

import (
	"runtime"
	"sync"
	"time"
)

// pool runs the work of all sessions of a process. A session's tasks run one
// after another, in their order; those of different sessions side by side, as many
// as there are processors, and at least two, so that a session that thinks for a
// second does not stop the others. Sessions with work take turns.
//
// Short tasks are run by the goroutine that reads messages (see reading.go), others by
// goroutines of their own.
type pool struct {
	mu      sync.Mutex
	ready   queue[*lane] // with tasks, none of which is running
	running int          // goroutines at work
	limit   int

	soon    time.Duration // when a reader that helps should be back
	apart   int           // messages to come whose tasks the reader leaves to others
	helping uint64        // number of the reader's turn at work that is under way; 0: none is
	helped  uint64        // such turns so far
	watched bool          // somebody looks after the reader
}

// task is one call of plugin code for the host.
type task interface {
	run()
	// ran is called after run, except where the same goroutine runs another task at
	// once, which can send both answers. When others are at work or waiting, the
	// answer can be sent together with theirs.
	ran(others bool)
}

// lane is the tasks of one session, first in, first out.
type lane struct {
	tasks queue[task]
	busy  bool // in ready, or at work
}

// newPool makes a pool whose tasks run in goroutines of their own.
func newPool() *pool {
	return &pool{limit: max(2, runtime.GOMAXPROCS(0)), soon: 10 * time.Millisecond, apart: 1}
}

// add hands in tasks of a lane.
func (p *pool) add(l *lane, all ...task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range all {
		l.tasks.push(t)
	}
	if l.busy || l.tasks.len() == 0 {
		return
	}
	l.busy = true
	p.ready.push(l)
	if p.apart > 0 {
		p.hire()
	}
}

// hire has a goroutine work, if there is something to do for one more. The lock is
// held.
func (p *pool) hire() {
	if p.ready.len() > 0 && p.running < p.limit {
		p.running++
		go func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.work(0)
		}()
	}
}

// work runs tasks until no lane is ready. turn is that of a reader who helps, 0 for
// others. The lock is held, except while tasks run.
func (p *pool) work(turn uint64) {
	for p.ready.len() > 0 {
		l := p.ready.pop()
		for more := true; more; {
			t := l.tasks.pop()
			p.mu.Unlock()
			t.run()
			p.mu.Lock()
			more = l.tasks.len() > 0
			next := more || p.ready.len() > 0
			if more && p.ready.len() > 0 { // their turn
				p.ready.push(l)
				more = false
			} else if !more {
				l.busy = false
			}
			if next && turn != 0 && turn == p.helping {
				continue
			}
			others := next || p.running > 1
			p.mu.Unlock()
			t.ran(others)
			p.mu.Lock()
		}
	}
	p.running--
}

// queue is first in, first out, and keeps its memory.
type queue[T any] struct {
	items []T
	first int
}

func (q *queue[T]) len() int { return len(q.items) - q.first }

func (q *queue[T]) push(v T) {
	if q.first > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.first:])
		clear(q.items[n:])
		q.items, q.first = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

func (q *queue[T]) pop() T {
	var none T
	v := q.items[q.first]
	q.items[q.first] = none
	if q.first++; q.first == len(q.items) {
		q.items, q.first = q.items[:0], 0
	}
	return v
}
