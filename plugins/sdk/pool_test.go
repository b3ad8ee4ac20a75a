package sdk

import (
	"sync"
	"testing"
)

// job is a task that tells when it runs.
type job struct {
	lane, number int
	do           func(job)
}

func (j job) run()     { j.do(j) }
func (j job) ran(bool) {}

// TestPool: the tasks of a lane run one after another and in order, and one that
// does not end keeps no other lane waiting.
func TestPool(t *testing.T) {
	p := newPool()
	const lanes, tasks = 20, 200
	var all [lanes]lane
	var mu sync.Mutex
	var busy, next [lanes]int
	var others, seventh sync.WaitGroup
	stuck := make(chan struct{})
	do := func(j job) {
		if j.lane == 7 {
			defer seventh.Done()
			if j.number == 3 {
				<-stuck
			}
		} else {
			defer others.Done()
		}
		mu.Lock()
		defer mu.Unlock()
		if busy[j.lane]++; busy[j.lane] != 1 || next[j.lane] != j.number {
			t.Errorf("lane %d: task %d, expected %d", j.lane, j.number, next[j.lane])
		}
		next[j.lane]++
		busy[j.lane]--
	}
	others.Add((lanes - 1) * tasks)
	seventh.Add(tasks)
	for n := range tasks {
		for l := range all {
			p.add(&all[l], job{l, n, do})
		}
	}
	others.Wait()
	mu.Lock()
	if next[7] > 3 {
		t.Error("lane 7 went on")
	}
	mu.Unlock()
	close(stuck)
	seventh.Wait()
}

func TestQueue(t *testing.T) {
	var q queue[int]
	in, out := 0, 0
	for round := range 100 {
		for range round % 7 {
			q.push(in)
			in++
		}
		for range round % 5 {
			if q.len() > 0 {
				if v := q.pop(); v != out {
					t.Fatalf("%d, expected %d", v, out)
				}
				out++
			}
		}
	}
	if q.len() != in-out || cap(q.items) > 4*in {
		t.Errorf("%d left of %d, in %d places", q.len(), in-out, cap(q.items))
	}
}

// TestForgetting: a family keeps what was needed last, in bounded memory.
func TestForgetting(t *testing.T) {
	f := &family{}
	g := []byte("a graph")
	if f.find(1, nil) != nil {
		t.Error("it knows what it never saw")
	}
	kept := f.find(1, g)
	for i := uint64(2); i < 3*maxRecognised; i++ {
		f.find(i, g)
		if i%1000 == 0 && f.find(1, nil) != kept {
			t.Fatalf("it forgot what was needed, at %d", i)
		}
	}
	if n := len(f.young) + len(f.old); n > 2*maxRecognised {
		t.Errorf("it remembers %d", n)
	}
	if f.find(2, nil) != nil || f.find(3*maxRecognised-1, nil) == nil {
		t.Error("it forgot the wrong ones")
	}
}
