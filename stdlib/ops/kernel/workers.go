// Package kernel computes neural-network operations on plain slices: no graph,
// no tensors, no allocation per call.
//
// Feature maps are called (B,C,H,W) and lie in memory channels last: element
// (b,c,y,x) is number ((b*H+y)*W+x)*C+c, so that a pixel is a row of C channels and
// every loop is one over vectors of channels, whatever the size of the map. Where a
// function takes a pitch, pixels are that far apart, and the map may be a range of
// the channels of a wider one. Convolution weights are (K,C/groups,k,k), vectors
// (B,F). Every function writes its whole result.
//
// Work is split over [Workers] into tasks whose bounds depend on the shapes
// alone, and partial sums are added in task order, so a result has the same
// bits whatever the number of threads. It may differ in the last bits between
// processors with and without AVX2 and FMA: the float32 inner loops exist in
// assembly for those and in Go for all others and for float64. The Go loops are
// the reference that tests compare the assembly with.
package kernel

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// Float is an element type.
type Float interface{ float32 | float64 }

// Workers is a fixed set of threads with scratch memory that is kept between
// calls. One caller at a time may use it.
type Workers struct {
	threads  int
	wake     []chan struct{}
	task     func(worker, i int)
	tasks    int64
	next     atomic.Int64
	done     sync.WaitGroup
	scratch  [][][]byte // [worker][slot]
	plans    map[planKey]*sweeps
	observed []tally  // scratch memory for statistics
	tables   sync.Map // of offsets, by count and step
}

// NewWorkers starts n threads, at least one. Close ends them.
func NewWorkers(n int) *Workers {
	n = max(n, 1)
	w := &Workers{threads: n, scratch: make([][][]byte, n), plans: map[planKey]*sweeps{}}
	for i := range w.scratch {
		w.scratch[i] = make([][]byte, slots)
	}
	for i := 1; i < n; i++ {
		c := make(chan struct{}, 1)
		w.wake = append(w.wake, c)
		go func() {
			for range c {
				w.drain(i)
				w.done.Done()
			}
		}()
	}
	return w
}

// Threads is how many threads work.
func (w *Workers) Threads() int { return w.threads }

// Close ends the threads; w must not be used afterwards.
func (w *Workers) Close() {
	for _, c := range w.wake {
		close(c)
	}
	w.wake = nil
}

// Run calls task once for every i in [0,n), on any of the threads.
func (w *Workers) Run(n int, task func(worker, i int)) {
	if n <= 1 || len(w.wake) == 0 {
		for i := range n {
			task(0, i)
		}
		return
	}
	w.task, w.tasks = task, int64(n)
	w.next.Store(0)
	others := min(len(w.wake), n-1)
	w.done.Add(others)
	for _, c := range w.wake[:others] {
		c <- struct{}{}
	}
	w.drain(0)
	w.done.Wait()
	w.task = nil
}

// runSome is Run for n tasks of which all together handle size numbers, in the
// calling thread if that is sooner done than the others are awake.
func (w *Workers) runSome(n, size int, task func(worker, i int)) {
	const worthwhile = 16 << 10
	if size >= worthwhile {
		w.Run(n, task)
		return
	}
	for i := range n {
		task(0, i)
	}
}

func (w *Workers) drain(worker int) {
	for {
		i := w.next.Add(1) - 1
		if i >= w.tasks {
			return
		}
		w.task(worker, int(i))
	}
}

// steps is the table of n offsets that are step apart, made once.
func (w *Workers) steps(n, step int) []int {
	key := [2]int{n, step}
	if t, ok := w.tables.Load(key); ok {
		return t.([]int)
	}
	t, _ := w.tables.LoadOrStore(key, multiples(n, step))
	return t.([]int)
}

func multiples(n, step int) []int {
	off := make([]int, n)
	for i := range off {
		off[i] = i * step
	}
	return off
}

// The uses of scratch memory within one kernel. Shared slots belong to the
// calling thread and are read by all.
const (
	slotInput = iota
	slotOutput
	slotColumns
	slotWeights // shared
	slotPartial // shared
	slotTotals  // shared
	slotFilters // shared
	slotSums
	slotEdge
	slots
)

// buffer returns n elements of a worker's scratch memory. The contents are
// whatever the last use left.
func buffer[T Float | int](w *Workers, worker, slot, n int) []T {
	var zero T
	size := n * int(unsafe.Sizeof(zero))
	b := w.scratch[worker][slot]
	if cap(b) < size {
		b = make([]byte, size)
		w.scratch[worker][slot] = b
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b[:cap(b)]))), n)
}

// single reports whether T is float32, the type with assembly loops.
func single[T Float]() bool {
	var zero T
	return unsafe.Sizeof(zero) == 4
}

// floats is a slice of float32, as which T is known.
func floats[T Float](s []T) []float32 { return unsafe.Slice(ptr(s), len(s)) }

// ptr is the address of a float32 slice's first element.
func ptr[T Float](s []T) *float32 { return (*float32)(unsafe.Pointer(unsafe.SliceData(s))) }
