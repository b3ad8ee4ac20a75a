package host

import (
	"testing"

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

// One step: a trial told and a trial asked for.
func BenchmarkStep(b *testing.B) {
	for name, tls := range map[string]bool{"tls": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			c := command("nasc/evolution")
			c.TLS = tls
			h := newTestHost(b, Options{Commands: map[string]Command{"nasc/evolution": c}})
			o := newOptimizer(b, h, "nasc/evolution", nil)
			var tell []wire.Told
			for n := int64(0); b.Loop(); n++ {
				g, err := o.Step(b.Context(), tell, 1)
				if err != nil {
					b.Fatal(err)
				}
				tell = []wire.Told{told(n, g[0])}
			}
		})
	}
}

// A step of a thousand trials.
func BenchmarkStep1000(b *testing.B) {
	h := newTestHost(b, Options{})
	o := newOptimizer(b, h, "nasc/random", nil)
	n := int64(0)
	var tell []wire.Told
	for b.Loop() {
		all, err := o.Step(b.Context(), tell, 1000)
		if err != nil {
			b.Fatal(err)
		}
		tell = make([]wire.Told, len(all))
		for i, g := range all {
			tell[i] = told(n, g)
			n++
		}
	}
}

// A thousand small graphs judged in one call.
func BenchmarkEvaluate1000(b *testing.B) {
	h := newTestHost(b, Options{})
	e := newEvaluator(b, h, nil)
	jobs := make([]wire.Job, 1000)
	for i := range jobs {
		jobs[i] = job(int64(i), int64(i))
	}
	for b.Loop() {
		if err := e.EvaluateAll(b.Context(), jobs, func(wire.Event) {}); err != nil {
			b.Fatal(err)
		}
	}
}

// One graph judged in one call.
func BenchmarkEvaluate(b *testing.B) {
	h := newTestHost(b, Options{})
	e := newEvaluator(b, h, nil)
	for b.Loop() {
		if _, err := e.Evaluate(b.Context(), job(1, 2), nil); err != nil {
			b.Fatal(err)
		}
	}
}
