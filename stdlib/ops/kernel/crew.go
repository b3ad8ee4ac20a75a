package kernel

import (
	"runtime"
	"sync/atomic"
)

// crew is the threads of [Workers]: the caller, who is worker 0, and helpers. Most
// kernels take some ten or a hundred microseconds, so what a call costs beside its
// tasks counts.
//
// A call is a round. The caller cuts the tasks into lots, opens the gate and works.
// A helper that sees the gate open goes in, works, and goes out. When no task is left
// the caller closes the gate and waits for those inside. A helper that comes too late
// finds the gate closed: nobody waits for it, so that a thread that sleeps or is kept
// from its processor by another process delays a call at most by the task it is in.
type crew struct {
	helpers  []*helper
	patient  bool // there is a processor for every thread
	waiting  atomic.Bool
	finished chan struct{} // wakes the caller

	_    [64]byte // what follows changes in every round
	gate atomic.Uint64
	task func(worker, i int)
	_    [64]byte

	lots []lot // by worker
}

// The state of the gate is one number, so that it changes as a whole: in the lower
// half how many helpers are inside, whether it is open, and how many helpers are
// called, in the upper half the number of the round.
const (
	inside = 1<<16 - 1
	open   = 1 << 16
	called = 1 << 17
	most   = 1<<15 - 1 // threads
	round  = 1 << 32
)

// helper is one of the threads beside the caller's.
type helper struct {
	asleep atomic.Bool
	wake   chan struct{}
}

// lot is what is left of the tasks of a worker: the first in the upper half, the
// end in the lower. The worker takes from the front, others from the back.
type lot struct {
	left atomic.Uint64
	_    [120]byte // two lines of the cache, which processors fetch together
}

func (s *lot) set(from, to int) { s.left.Store(uint64(from)<<32 | uint64(to)) }

// first takes the first task, last the last one; -1 if there is none.
func (s *lot) first() int {
	for {
		left := s.left.Load()
		from, to := left>>32, left&(1<<32-1)
		if from >= to {
			return -1
		}
		if s.left.CompareAndSwap(left, left+1<<32) {
			return int(from)
		}
	}
}

func (s *lot) last() int {
	for {
		left := s.left.Load()
		from, to := left>>32, left&(1<<32-1)
		if from >= to {
			return -1
		}
		if s.left.CompareAndSwap(left, left-1) {
			return int(to) - 1
		}
	}
}

// start makes a crew of n.
func (c *crew) start(n int) {
	c.patient = runtime.GOMAXPROCS(0) >= n
	c.finished = make(chan struct{}, 1)
	c.lots = make([]lot, n)
	for i := 1; i < n; i++ {
		h := &helper{wake: make(chan struct{}, 1)}
		c.helpers = append(c.helpers, h)
		go c.help(h, i)
	}
}

// run is a round of n tasks, at least two.
func (c *crew) run(n int, task func(worker, i int)) {
	c.task = task
	team := min(len(c.lots), n)
	for i := range team {
		c.lots[i].set(i*n/team, (i+1)*n/team)
	}
	c.call(c.helpers[:team-1], open|uint64(team-1)*called)
	c.work(0)
	for {
		g := c.gate.Load()
		if c.gate.CompareAndSwap(g, g&^open) {
			break
		}
	}
	alone := func() bool { return c.gate.Load()&inside == 0 }
	for !c.await(alone) {
		c.waiting.Store(true)
		if alone() && c.waiting.CompareAndSwap(true, false) {
			break // they left in the meantime, and nobody sends
		}
		<-c.finished
	}
	c.task = nil
}

// call begins a round and wakes those who sleep.
func (c *crew) call(helpers []*helper, state uint64) {
	c.gate.Store((c.gate.Load()/round+1)*round | state)
	for _, h := range helpers {
		if h.asleep.Load() && h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
}

// end is a round to which nobody is called.
func (c *crew) end() {
	c.call(c.helpers, 0)
	c.helpers = nil
}

// enter goes through the gate if it is open to a worker in this round.
func (c *crew) enter(worker int, this uint64) bool {
	for {
		g := c.gate.Load()
		if g/round != this || g&open == 0 || g%round/called < uint64(worker) {
			return false
		}
		if c.gate.CompareAndSwap(g, g+1) {
			return true
		}
	}
}

// help is the life of a helper: it waits for a round and works in it. Who sets asleep
// or waiting back to false says whether there is something to receive.
func (c *crew) help(h *helper, worker int) {
	last := uint64(0)
	begun := func() bool { return c.gate.Load()/round != last }
	for {
		for !c.await(begun) {
			h.asleep.Store(true)
			if begun() && h.asleep.CompareAndSwap(true, false) {
				break // it began in the meantime, and nobody sends
			}
			<-h.wake
		}
		g := c.gate.Load()
		if g%round == 0 {
			return // the end
		}
		last = g / round
		if !c.enter(worker, last) {
			continue
		}
		c.work(worker)
		if c.gate.Add(^uint64(0))&inside == 0 && c.waiting.Load() && c.waiting.CompareAndSwap(true, false) {
			c.finished <- struct{}{}
		}
	}
}

// work does the tasks of a worker's lot and then those that others have not begun.
func (c *crew) work(worker int) {
	own := &c.lots[worker]
	for i := own.first(); i >= 0; i = own.first() {
		c.task(worker, i)
	}
	for k := 1; k < len(c.lots); k++ {
		other := &c.lots[(worker+k)%len(c.lots)]
		for i := other.last(); i >= 0; i = other.last() {
			c.task(worker, i)
		}
	}
}

// patience is how often a thread looks before it goes to sleep: some 50 microseconds,
// about what waking it takes, and longer than most kernels are apart.
const patience = 50000

// await looks until done, and reports whether that came in time. Where threads share
// processors it looks once.
func (c *crew) await(done func() bool) bool {
	if !c.patient {
		return done()
	}
	for range patience {
		if done() {
			return true
		}
	}
	return false
}
