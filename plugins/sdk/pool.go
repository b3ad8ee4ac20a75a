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
type pool struct {
	mu      sync.Mutex
	ready   queue[*lane] // with tasks, none of which is running
	running int          // goroutines at work
	limit   int
	cpu     processors
}

// task is one call of plugin code for the host.
type task interface {
	run()
	// ran is called after run. When others are at work or waiting, the answer can
	// be sent together with theirs.
	ran(others bool)
}

// lane is the tasks of one session, first in, first out.
type lane struct {
	tasks queue[task]
	came  time.Time // when the first of them did
	busy  bool      // in ready, or at work
}

func newPool() *pool { return &pool{limit: max(2, runtime.GOMAXPROCS(0))} }

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
	l.came = time.Now()
	p.ready.push(l)
	if p.running < p.limit {
		p.running++
		go p.work()
	}
}

// work runs tasks until no lane is ready.
func (p *pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.ready.len() > 0 {
		l := p.ready.pop()
		for more := true; more; {
			t := l.tasks.pop()
			p.mu.Unlock()
			t.run()
			p.mu.Lock()
			others := p.running > 1 || p.ready.len() > 0
			more = l.tasks.len() > 0
			if l.tasks.len()%16 == 0 {
				l.came = p.cpu.finished(l.came)
			}
			if more && p.ready.len() > 0 { // their turn
				p.ready.push(l)
				more = false
			} else if !more {
				l.busy = false
			}
			p.mu.Unlock()
			t.ran(others || more)
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
