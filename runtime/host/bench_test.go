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

// One Ask and one Tell of one trial.
func BenchmarkAskTell(b *testing.B) {
	for name, tls := range map[string]bool{"tls": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			c := command("nasc/evolution")
			c.TLS = tls
			h := newTestHost(b, Options{Commands: map[string]Command{"nasc/evolution": c}})
			o := newOptimizer(b, h, "nasc/evolution", nil)
			n := int64(0)
			for b.Loop() {
				g, err := o.Ask(b.Context(), 1, n)
				if err != nil {
					b.Fatal(err)
				}
				if err := o.Tell(b.Context(), []wire.Told{told(n, g[0])}); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}

// A thousand trials asked for, and told, at once.
func BenchmarkAskTell1000(b *testing.B) {
	h := newTestHost(b, Options{})
	o := newOptimizer(b, h, "nasc/random", nil)
	n := int64(0)
	for b.Loop() {
		all, err := o.Ask(b.Context(), 1000, n)
		if err != nil {
			b.Fatal(err)
		}
		trials := make([]wire.Told, len(all))
		for i, g := range all {
			trials[i] = told(n, g)
			n++
		}
		if err := o.Tell(b.Context(), trials); err != nil {
			b.Fatal(err)
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
		if err := e.EvaluateAll(b.Context(), jobs, func(Event) {}); err != nil {
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
