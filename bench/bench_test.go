package main

import (
	"math"
	"os"
	"runtime"
	"testing"
	"time"
)

// BenchmarkWorks runs nasc's side of the works with a thread for each processor, for
// profiles:
//
//	GOMAXPROCS=1 go test ./bench -run '^$' -bench Works/c-n1 -cpuprofile cpu.out
func BenchmarkWorks(b *testing.B) {
	for _, w := range works {
		b.Run(w.Name, func(b *testing.B) {
			task, err := prepare(w, runtime.GOMAXPROCS(0))
			if err != nil {
				b.Fatal(err)
			}
			defer task.close()
			if err := task.run(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := task.run(); err != nil {
					b.Fatal(err)
				}
			}
			if f := w.flops(); f > 0 {
				b.ReportMetric(f*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			}
		})
	}
}

// BenchmarkThreads takes turns with one thread and with one for each processor, and
// reports how many times faster the best run of those is. On a machine that others use
// it needs many turns:
//
//	go test ./bench -run '^$' -bench Threads/a-n1-b32 -benchtime 100x
func BenchmarkThreads(b *testing.B) {
	for _, w := range works {
		b.Run(w.Name, func(b *testing.B) {
			best := [2]time.Duration{math.MaxInt64, math.MaxInt64}
			var sides [2]*task
			for i, threads := range [2]int{1, runtime.GOMAXPROCS(0)} {
				side, err := prepare(w, threads)
				if err != nil {
					b.Fatal(err)
				}
				defer side.close()
				if err := side.run(); err != nil {
					b.Fatal(err)
				}
				sides[i] = side
			}
			for b.Loop() {
				for i, side := range sides {
					took, err := turn(side)
					if err != nil {
						b.Fatal(err)
					}
					best[i] = min(best[i], took)
				}
			}
			b.ReportMetric(best[0].Seconds()*1e3, "ms/one")
			b.ReportMetric(best[1].Seconds()*1e3, "ms/all")
			b.ReportMetric(best[0].Seconds()/best[1].Seconds(), "x")
		})
	}
}

// turn is the best of the runs of a tenth of a second, of one at least. A search makes
// its steps one after the other, too: in the first of them a virtual machine may have to
// wait until it is given the processors that nobody has used.
func turn(t *task) (best time.Duration, err error) {
	best = math.MaxInt64
	for begun := time.Now(); err == nil; {
		start := time.Now()
		err = t.run()
		best = min(best, time.Since(start))
		if time.Since(begun) > time.Second/10 {
			break
		}
	}
	return best, err
}

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == childFlag { // as the nasc side of TestCompare
		exit(child(os.Args[2], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}
