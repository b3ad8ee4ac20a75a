package kernel

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRun: every task is done once, by one of the workers, and is done when Run
// returns, however many tasks and threads there are, with and without a processor for
// each of them.
func TestRun(t *testing.T) {
	for _, processors := range []int{1, 8} {
		before := runtime.GOMAXPROCS(processors)
		defer runtime.GOMAXPROCS(before)
		for _, threads := range []int{1, 2, 3, 8} {
			ws := NewWorkers(threads)
			if ws.Threads() != threads {
				t.Fatalf("%d threads, want %d", ws.Threads(), threads)
			}
			for round := range 500 {
				done := make([]int, round%23)
				working := make([]atomic.Bool, threads)
				ws.Run(len(done), func(worker, i int) {
					if !working[worker].CompareAndSwap(false, true) {
						t.Errorf("worker %d does two tasks at once", worker)
					}
					done[i]++
					working[worker].Store(false)
				})
				for i, n := range done {
					if n != 1 {
						t.Fatalf("%d threads, %d tasks: task %d is done %d times", threads, len(done), i, n)
					}
				}
			}
			ws.Close()
		}
	}
}

// TestHelpersCome: two tasks of which each waits for the other to begin need two
// threads, also when the second has gone to sleep.
func TestHelpersCome(t *testing.T) {
	ws := NewWorkers(2)
	defer ws.Close()
	for range 20 {
		for !ws.crew.helpers[0].asleep.Load() {
			runtime.Gosched()
		}
		var both sync.WaitGroup
		both.Add(2)
		ws.Run(2, func(int, int) {
			both.Done()
			both.Wait()
		})
	}
}

// TestOthersHelp: a worker who has done his own tasks does those that another has not
// begun.
func TestOthersHelp(t *testing.T) {
	ws := NewWorkers(2)
	defer ws.Close()
	const n = 10
	var rest sync.WaitGroup
	rest.Add(n - 1)
	ws.Run(n, func(_, i int) {
		if i == 0 {
			rest.Wait() // its neighbours must be done elsewhere
		} else {
			rest.Done()
		}
	})
}

// TestLateHelper: nobody waits for a helper that has not come, and it does nothing when
// it comes too late.
func TestLateHelper(t *testing.T) {
	c := crew{lots: make([]lot, 2), helpers: []*helper{{wake: make(chan struct{}, 1)}}, finished: make(chan struct{}, 1)}
	workers := map[int]int{}
	for range 3 {
		c.run(5, func(worker, _ int) { workers[worker]++ })
	}
	if workers[0] != 15 || len(workers) != 1 {
		t.Errorf("tasks by worker: %v, want 15 of worker 0", workers)
	}
	ended := make(chan struct{})
	go func() {
		c.help(c.helpers[0], 1)
		close(ended)
	}()
	time.Sleep(time.Millisecond) // it sees the gate of a round that is over
	c.end()
	<-ended
	if workers[0] != 15 || len(workers) != 1 {
		t.Errorf("tasks by worker: %v after the helper came, want 15 of worker 0", workers)
	}
}

// TestLots: a lot is taken from both ends until nothing is left.
func TestLots(t *testing.T) {
	var l lot
	l.set(3, 7)
	for _, take := range []struct {
		from func() int
		want int
	}{{l.first, 3}, {l.last, 6}, {l.last, 5}, {l.first, 4}, {l.first, -1}, {l.last, -1}} {
		if got := take.from(); got != take.want {
			t.Fatalf("task %d, want %d", got, take.want)
		}
	}
}

// BenchmarkRun tells what a call costs beside its tasks: eight of about a microsecond
// each, none of which touches what another has written. On a machine that others use,
// the best of many calls says more than their mean.
func BenchmarkRun(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint("threads=", threads), func(b *testing.B) {
			ws := NewWorkers(threads)
			defer ws.Close()
			var sums [8][16]float64
			task := func(_, i int) {
				s := 0.0
				for range 600 {
					s = s*0.5 + 1
				}
				sums[i][0] = s
			}
			const calls = 50
			best := time.Duration(math.MaxInt64)
			for b.Loop() {
				start := time.Now()
				for range calls {
					ws.Run(len(sums), task)
				}
				best = min(best, time.Since(start))
			}
			b.ReportMetric(float64(best.Nanoseconds())/calls, "ns/best")
		})
	}
}
