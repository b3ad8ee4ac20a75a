// Package outbox lets many goroutines share one stream of messages.
//
// What they say at the same time leaves as one message. No timer waits for more:
// whoever wants something sent either sends it at once, with whatever lies there,
// or leaves it to the outbox's own goroutine, which first lets the others run and
// then takes all that they have put down. So a lone speaker pays for one message
// and no change of goroutine, and among many the messages grow by themselves.
package outbox

import (
	"runtime"
	"sync"
)

// maxTurns is how often the outbox's own goroutine lets the others run before it sends.
const maxTurns = 4

// Outbox collects items and sends them, in the order in which they were put, by
// one call of send at a time.
type Outbox[T any] struct {
	send func([]T) error
	most int

	mu      sync.Mutex
	idle    sync.Cond // the state below has changed
	items   []T
	spare   []T // the slice that was sent last
	sending bool
	posted  bool // the outbox's own goroutine has been asked to send
	err     error
	closed  bool
}

// New makes an outbox. The slice that send gets is valid until it returns. Its
// first error is the last call: from then on everything is dropped. When more than
// most items wait, whoever adds another waits as well; with most = 0 nobody does.
func New[T any](most int, send func([]T) error) *Outbox[T] {
	o := &Outbox[T]{send: send, most: most}
	o.idle.L = &o.mu
	go o.run()
	return o
}

// Put adds items. They stay until somebody sends them.
func (o *Outbox[T]) Put(items ...T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.most > 0 && len(o.items) >= o.most && o.err == nil && !o.closed {
		if !o.sending {
			o.drain()
			continue
		}
		o.idle.Wait()
	}
	if o.err == nil && !o.closed {
		o.items = append(o.items, items...)
	}
}

// Send sends what is there, unless another goroutine is about to. The error is
// that of this or an earlier call of send.
func (o *Outbox[T]) Send() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drain()
	return o.err
}

// Post has the outbox send soon, from a goroutine of its own.
func (o *Outbox[T]) Post() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.posted && len(o.items) > 0 && !o.sending {
		o.posted = true
		o.idle.Broadcast()
	}
}

// Close ends the outbox: what lies there is dropped, and no call of send is under
// way when it returns.
func (o *Outbox[T]) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.items = true, nil
	o.idle.Broadcast()
	for o.sending {
		o.idle.Wait()
	}
}

func (o *Outbox[T]) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.closed {
		if !o.posted {
			o.idle.Wait()
			continue
		}
		// Whoever has something to say says it now; and what is heard of it may be the
		// reason for more.
		for before, turns := 0, 0; before < len(o.items) && turns < maxTurns; turns++ {
			before = len(o.items)
			o.mu.Unlock()
			runtime.Gosched()
			o.mu.Lock()
		}
		o.posted = false
		o.drain()
	}
}

// drain sends until nothing is left. The lock is held, except during send.
func (o *Outbox[T]) drain() {
	if o.sending {
		return
	}
	for len(o.items) > 0 && o.err == nil && !o.closed {
		batch := o.items
		o.items, o.spare = o.spare[:0], nil
		o.sending = true
		o.mu.Unlock()
		err := o.send(batch)
		o.mu.Lock()
		o.sending = false
		clear(batch)
		o.spare = batch[:0]
		if err != nil {
			o.err, o.items = err, nil
		}
		if o.closed || o.most > 0 && len(batch) >= o.most {
			o.idle.Broadcast()
		}
	}
}
