//go:build linux

package host

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
)

// From nothing to a described plugin, and its end.
func BenchmarkStart(b *testing.B) {
	for name, tls := range map[string]bool{"tls": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			c := command("nasc/random")
			c.TLS = tls
			h := newTestHost(b, Options{Commands: map[string]Command{"nasc/random": c}})
			for b.Loop() {
				p, err := h.Start(b.Context(), "nasc/random")
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				p.Close()
				b.StartTimer()
			}
		})
	}
}

// A call with a small answer: over gRPC, encrypted and not, and over the direct connection.
func BenchmarkRoundTrip(b *testing.B) {
	for name, tls := range map[string]bool{"tls": true, "plain": false, "direct": true} {
		b.Run(name, func(b *testing.B) {
			c := command("nasc/random")
			c.TLS = tls
			p := start(b, newTestHost(b, Options{Commands: map[string]Command{"nasc/random": c}}), "nasc/random")
			var way grpc.ClientConnInterface = p.proc.conn
			if name == "direct" {
				way = p.proc.calls
			}
			client := nascv1.NewPluginClient(way)
			for b.Loop() {
				if _, err := client.Describe(b.Context(), &nascv1.DescribeRequest{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Ten thousand trials in batches of a hundred: proposed, judged by a table and told.
func BenchmarkTrials(b *testing.B) {
	h := newTestHost(b, Options{})
	e, err := start(b, h, "test/lookup").Evaluator(b.Context(), EvaluatorConfig{})
	if err != nil {
		b.Fatal(err)
	}
	l := newLookups(b, e)
	l.judge(slices.Collect(l.space.All())) // from here on all are known
	for seed := uint64(1); b.Loop(); seed++ {
		l.number = 0
		o := open(b, start(b, h, "nasc/random"), seed, nil)
		var tell []wire.Told
		for range 100 {
			all, err := o.Step(b.Context(), tell, 100)
			if err != nil {
				b.Fatal(err)
			}
			tell = l.judge(all)
		}
		o.Close()
	}
}

// cpu is the processor time that this process and some plugins have used.
func cpu(b *testing.B, plugins []*process) time.Duration {
	b.Helper()
	var own unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	sum := time.Duration(own.Utime.Nano() + own.Stime.Nano())
	for _, p := range plugins {
		stat, err := os.ReadFile("/proc/" + p.runner.ID() + "/stat")
		if err != nil {
			b.Fatal(err)
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, f := range fields[11:13] { // user and system time, in hundredths of a second
			ticks, err := strconv.Atoi(f)
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return sum
}

// evaluations repeats a search's work: each call of round makes some evaluations.
// It reports the processor time of all processes together for each.
func evaluations(b *testing.B, each int, plugins []*process, round func()) {
	b.Helper()
	round() // what is done once is done
	before := cpu(b, plugins)
	n := 0
	for b.Loop() {
		round()
		n += each
	}
	b.ReportMetric(float64((cpu(b, plugins)-before).Nanoseconds())/float64(n)/1000, "cpu-µs/eval")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/1000, "µs/eval")
}

// lookups judges genotypes by a table, one by one or at once, and makes what the
// optimizer is told.
type lookups struct {
	b         *testing.B
	evaluator *Evaluator
	space     *space.Space
	number    int64
	jobs      []wire.Job
	told      []wire.Told
}

func newLookups(b *testing.B, e *Evaluator) *lookups {
	return &lookups{b: b, evaluator: e, space: testSpace(b)}
}

func (l *lookups) judge(all []space.Genotype) []wire.Told {
	l.jobs, l.told = l.jobs[:0], l.told[:0]
	for i, g := range all {
		name := uint64(1)
		for _, v := range g {
			name = name*5 + uint64(v)
		}
		l.told = append(l.told, wire.Told{Trial: l.number})
		l.jobs = append(l.jobs, wire.Job{Number: int64(i), Architecture: name, Graph: func() (*graph.Graph, error) { return oneOp(int64(name)), nil }})
		l.number++
	}
	err := l.evaluator.EvaluateAll(l.b.Context(), l.jobs, func(ev wire.Event) { l.told[ev.Number].Metrics = ev.Result.Metrics })
	if err != nil {
		l.b.Error(err)
	}
	return l.told
}

// One search: a trial told and one asked for, and its evaluation.
func BenchmarkSequential(b *testing.B) {
	for name, tls := range map[string]bool{"tls": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			all := commands("nasc/random", "test/lookup")
			for n, c := range all {
				c.TLS = tls
				all[n] = c
			}
			benchmarkSearches(b, newTestHost(b, Options{Commands: all}), 1, 1)
		})
	}
}

// Many searches at once, in one process of each plugin.
func BenchmarkConcurrent(b *testing.B) { benchmarkSearches(b, newTestHost(b, Options{}), 250, 1) }

// One search that asks for a thousand at once.
func BenchmarkBatch(b *testing.B) { benchmarkSearches(b, newTestHost(b, Options{}), 1, 1000) }

func benchmarkSearches(b *testing.B, h *Host, searches, batch int) {
	plugin, table := start(b, h, "nasc/random"), start(b, h, "test/lookup")
	e, err := table.Evaluator(b.Context(), EvaluatorConfig{})
	if err != nil {
		b.Fatal(err)
	}
	newLookups(b, e).judge(slices.Collect(testSpace(b).All())) // from here on all are known
	var rounds []func()
	var o *Optimizer
	for i := range searches {
		o, err = plugin.Optimizer(b.Context(), OptimizerConfig{Seed: uint64(i), Space: testSpace(b), Objectives: maximize,
			Metrics: []string{"score"}})
		if err != nil {
			b.Fatal(err)
		}
		l, o := newLookups(b, e), o
		var tell []wire.Told
		rounds = append(rounds, func() {
			all, err := o.Step(b.Context(), tell, batch)
			if err != nil {
				b.Error(err)
			}
			tell = l.judge(all)
		})
	}
	plugins := []*process{o.session.at.proc, e.session.at.proc}
	if searches == 1 {
		evaluations(b, batch, plugins, rounds[0])
		return
	}
	// A round is ten steps of every search.
	evaluations(b, 10*searches*batch, plugins, func() {
		var wg sync.WaitGroup
		for _, r := range rounds {
			wg.Go(func() {
				for range 10 {
					r()
				}
			})
		}
		wg.Wait()
	})
}

// A thousand graphs judged in one call, each sent.
func BenchmarkGraphs(b *testing.B) {
	h := newTestHost(b, Options{})
	e := newEvaluator(b, h, nil)
	jobs := make([]wire.Job, 1000)
	for i := range jobs {
		jobs[i] = trial(int64(i), int64(i))
	}
	evaluations(b, len(jobs), []*process{e.session.at.proc}, func() {
		if err := e.EvaluateAll(b.Context(), jobs, func(wire.Event) {}); err != nil {
			b.Fatal(err)
		}
	})
}
