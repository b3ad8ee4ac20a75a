package main

import (
	"os"
	"runtime"
	"testing"
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

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == childFlag { // as the nasc side of TestCompare
		exit(child(os.Args[2], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}
