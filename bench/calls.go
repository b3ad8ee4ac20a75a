package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// observed is a work whose calls of kernels are timed.
type observed struct {
	task   *task
	names  []string        // by call
	calls  []time.Duration // the least time of each
	before []time.Duration // and of what is before it
}

// callsOf prints, kernel by kernel, what a step takes on one thread and with one for
// each processor, and what is between the kernels. Every call counts with the least time
// of many turns, so that what a machine does to single steps is left out: the gain is
// the best that these kernels can give.
func callsOf(ctx context.Context, out io.Writer, w Work, turns int) error {
	var sides [2]*observed
	for i, threads := range [2]int{1, runtime.GOMAXPROCS(0)} {
		task, err := prepare(w, threads)
		if err != nil {
			return err
		}
		defer task.close()
		if task.observe == nil {
			return fmt.Errorf("-calls: the kernels of %s are not observed, those of supernets and convolutions are", w.Name)
		}
		sides[i] = &observed{task: task}
	}
	for range turns {
		for _, side := range sides {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := side.turn(); err != nil {
				return err
			}
		}
	}
	return printCalls(out, w.Name, sides[0], sides[1])
}

// turn does the work once.
func (o *observed) turn() error {
	at, first, last := 0, len(o.calls) == 0, time.Now()
	o.task.observe(func(_ int, begun time.Time) {
		took := time.Since(begun)
		if first {
			o.names = append(o.names, caller())
			o.calls, o.before = append(o.calls, math.MaxInt64), append(o.before, math.MaxInt64)
		}
		if at < len(o.calls) {
			o.calls[at], o.before[at] = min(o.calls[at], took), min(o.before[at], begun.Sub(last))
		}
		at++
		last = time.Now()
	})
	defer o.task.observe(nil)
	if err := o.task.run(); err != nil {
		return err
	}
	if at != len(o.calls) {
		return fmt.Errorf("a step of %d calls of kernels followed one of %d", at, len(o.calls))
	}
	return nil
}

// caller is the kernel that is observed, or who else has called the workers.
func caller() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	name, within := "", false
	for {
		f, more := frames.Next()
		short := f.Function[strings.LastIndex(f.Function, "/")+1:]
		kernel := strings.HasPrefix(short, "kernel.")
		switch {
		case kernel && !strings.HasPrefix(short, "kernel.(*Workers)"), within && !kernel && name == "":
			name = short
		}
		within = within || kernel
		if within && !kernel || !more {
			return strings.TrimPrefix(strings.TrimSuffix(name, "[...]"), "kernel.")
		}
	}
}

// printCalls prints the sums by kernel, first what more threads lose most in.
func printCalls(out io.Writer, work string, one, all *observed) error {
	type sum struct {
		name     string
		calls    int
		one, all time.Duration
	}
	byName := map[string]*sum{}
	var sums []*sum
	between, total := &sum{name: "between them"}, &sum{name: work}
	for i, name := range one.names {
		s := byName[name]
		if s == nil {
			s = &sum{name: name}
			byName[name] = s
			sums = append(sums, s)
		}
		for _, s := range []*sum{s, total} {
			s.calls++
			s.one += one.calls[i]
			s.all += all.calls[i]
		}
		between.one += one.before[i]
		between.all += all.before[i]
	}
	total.one += between.one
	total.all += between.all
	lost := func(s *sum) time.Duration { return 2*s.all - s.one }
	slices.SortStableFunc(sums, func(x, y *sum) int { return int(lost(y) - lost(x)) })
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "ms, 1 thread\t%d threads\tgain\tcalls\t\n", runtime.GOMAXPROCS(0))
	for _, s := range append(sums, between, total) {
		one, all := s.one.Seconds()*1e3, s.all.Seconds()*1e3
		fmt.Fprintf(t, "%.3f\t%.3f\t%.2fx\t%d\t  %s\n", one, all, one/all, s.calls, s.name)
	}
	return t.Flush()
}
