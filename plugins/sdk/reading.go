package sdk

import (
	"errors"
	"io"
	"time"
)

// reading is a stream that is read for a pool.
//
// To hand a message to another goroutine costs more than what is done with it in a
// search that waits for every result. So the goroutine that reads runs the tasks in the
// message itself, and sends their answers at once. When it is not back soon, another
// one reads on, and for some time tasks are left to others.
type reading struct {
	pool *pool
	read func() error // waits for a message and adds the tasks in it
	send func()       // has the answers sent that lie there
	end  chan error
}

// wary is for how many messages tasks are left to others, after some took long.
const wary = 1000

// serve reads until that fails; the end of a stream is no failure.
func (p *pool) serve(read func() error, send func()) error {
	r := &reading{pool: p, read: read, send: send, end: make(chan error, 1)}
	p.mu.Lock()
	p.apart = 0
	p.mu.Unlock()
	go r.run()
	if err := <-r.end; !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (r *reading) run() {
	for {
		if err := r.read(); err != nil {
			r.end <- err
			return
		}
		if !r.help() {
			return
		}
	}
}

// help runs the tasks that have come. It reports whether the caller is to read on.
func (r *reading) help() bool {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.apart > 0 {
		p.apart--
		return true
	}
	if p.ready.len() == 0 || p.running == p.limit {
		return true
	}
	p.helped++
	turn := p.helped
	p.helping = turn
	if !p.watched {
		p.watched = true
		go r.watch()
	}
	p.running++
	p.work(turn)
	if p.helping != turn {
		return false
	}
	p.helping = 0
	return true
}

// watch looks now and then whether the reader is back, until nothing happens any more.
func (r *reading) watch() {
	p := r.pool
	for turn, helped := uint64(0), uint64(0); ; {
		time.Sleep(p.soon)
		p.mu.Lock()
		switch {
		case p.helping != 0 && p.helping == turn:
			p.helping, p.apart = 0, wary
			for range p.ready.len() {
				p.hire()
			}
			go r.run()
			p.mu.Unlock()
			r.send()
			p.mu.Lock()
		case p.helping == 0 && p.helped == helped:
			p.watched = false
			p.mu.Unlock()
			return
		}
		turn, helped = p.helping, p.helped
		p.mu.Unlock()
	}
}
