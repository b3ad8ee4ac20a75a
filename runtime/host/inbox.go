package host

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"github.com/nasc-project/nasc/plugins/wire/direct"
)

// inbox reads the messages of a stream for those who wait for something in them.
//
// Of a direct connection who waits alone reads for himself: a lone search then has its
// answer without a change of goroutine, which costs as much as the way to the plugin
// and back. As soon as several wait, a goroutine reads for all of them, and does so from
// then on; as it does from gRPC, where reading cannot be interrupted.
type inbox struct {
	// turn, of capacity 1, is full while somebody reads.
	turn chan struct{}
	// read reads a message and hands out what is in it. When the stream ends it tells
	// everybody; then it is not called again.
	read     func() error
	straight *direct.Conn // nil: gRPC
	waiting  atomic.Int32 // callers
}

func newInbox(straight *direct.Conn, read func() error) *inbox {
	in := &inbox{turn: make(chan struct{}, 1), read: read, straight: straight}
	if straight == nil {
		in.turn <- struct{}{}
		go in.run()
	}
	return in
}

// run reads as long as there is a stream.
func (in *inbox) run() {
	for in.read() == nil {
	}
}

// interrupted reports whether reading failed because somebody does not wait any more.
func interrupted(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// receive returns what comes for the caller, in a channel of capacity 1, or the cause
// of the end of ctx.
func receive[T any](ctx context.Context, in *inbox, mine <-chan T) (none T, _ error) {
	in.waiting.Add(1)
	defer in.waiting.Add(-1)
	for {
		select {
		case got := <-mine:
			return got, nil
		case <-ctx.Done():
			return none, context.Cause(ctx)
		case in.turn <- struct{}{}:
		}
		if in.waiting.Load() > 1 && in.straight.Watch() == nil {
			go in.run()
		} else if readFor(ctx, in, mine) {
			<-in.turn
		}
	}
}

// readFor reads until there is something for the caller or ctx ends. It tells whether
// others may go on.
func readFor[T any](ctx context.Context, in *inbox, mine <-chan T) bool {
	stop := context.AfterFunc(ctx, in.straight.Interrupt)
	defer stop()
	for len(mine) == 0 && ctx.Err() == nil {
		switch err := in.read(); {
		case interrupted(err):
			in.straight.Resume() // it may have been for an earlier reader
		case err != nil:
			return false
		}
	}
	return true
}
