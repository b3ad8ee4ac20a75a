package table

import (
	"context"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// BenchmarkConfigure opens the table of all of NAS-Bench-201 and checks settings, as
// the first search of a process does, and, as "again", every other.
func BenchmarkConfigure(b *testing.B) {
	path := imported(b, "csv", "nasbench201.csv.gz")
	forget := func() {
		sources.open, configured.known = nil, nil
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			forget()
			f := open(b, settings(path)).main
			b.StopTimer()
			forget()
			f.Close()
			b.StartTimer()
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			open(b, settings(path))
		}
	})
}

// BenchmarkEvaluate asks about architectures that were recognised: for the first time,
// and as every later trial does.
func BenchmarkEvaluate(b *testing.B) {
	e := open(b, settings(imported(b, "csv", "nasbench201.csv.gz")))
	ctx := context.Background()
	b.Run("first", func(b *testing.B) {
		i := 0
		for b.Loop() {
			n := &network{benchmark: e.benchmark, name: nasbench201.At(i % nasbench201.Architectures).String()}
			i++
			if _, err := e.Evaluate(ctx, sdk.Candidate{Key: n}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		var all [nasbench201.Architectures]sdk.Candidate
		for i := range all {
			all[i] = e.named(nasbench201.At(i).String())
			evaluate(b, e, all[i])
		}
		i := 0
		for b.Loop() {
			if _, err := e.Evaluate(ctx, all[i%len(all)], nil); err != nil {
				b.Fatal(err)
			}
			i++
		}
		b.ReportMetric(resident(b), "resident-MB")
	})
}

// BenchmarkRecognise finds the name of a network.
func BenchmarkRecognise(b *testing.B) {
	e := open(b, settings(small(b)))
	c := cell(arch0)
	for b.Loop() {
		if _, err := e.Recognise(c.Graph); err != nil {
			b.Fatal(err)
		}
	}
}

// resident is how much memory this process has, by the system's account.
func resident(b *testing.B) float64 {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kB, _ := strconv.Atoi(f[1])
			return float64(kB) / 1000
		}
	}
	return 0
}
