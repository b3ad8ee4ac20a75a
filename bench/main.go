// Command bench runs nasc and PyTorch on the same work and prints how they compare.
//
//	go run ./bench                        all works, with one thread and with two
//	go run ./bench -works c,e -threads 1  some of them
//	go run ./bench -list                  what there is
//	go run ./bench -o table               also table.md and table.json
//	go run ./bench -works b-tiny -calls 1000   the kernels of a step of nasc, and what two threads gain
//
// A work is a step that people wait for: that of a supernet, that of a training, or one
// convolution (works.go). Both sides do it in processes of their own, started for the one
// work with the one number of threads, so that the peak of the resident memory is theirs
// alone: nasc's is this program again (child.go), PyTorch's is peer/peer.py. Both prepare, run
// once to warm up, and then run as often as a line on their input says.
//
// PyTorch is tried in all its variants first, with each allocator that is there: eager with
// contiguous tensors, as published code is written; channels-last; tuned by hand; and
// torch.compile where it exists. Then nasc, PyTorch as published and the best of the variants
// take turns, and their medians are compared. While one runs, the others sleep.
//
// Without PyTorch nasc runs alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == childFlag {
		exit(child(os.Args[2], os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx))
}

// exit ends the program, with a complaint if there is one.
func exit(err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// options are the flags.
type options struct {
	works   []Work
	threads []int
	rounds  int
	slice   time.Duration // what a turn lasts at least
	by      measure
	pythons []string
}

func run(ctx context.Context) error {
	var (
		names   = flag.String("works", "", "works to run, separated by commas: names, patterns such as a-n1-*, or the letter before the first dash")
		threads = flag.String("threads", "1,2", "numbers of threads, separated by commas")
		rounds  = flag.Int("rounds", 7, "turns that each side takes")
		slice   = flag.Duration("slice", 200*time.Millisecond, "what a turn lasts at least: short work is run several times")
		batch   = flag.Int("batch", 0, "batch size in place of that of the works")
		by      = flag.String("by", "median", "what is compared: the median of the runs, the best of them, or the median of their processor time (cpu); the last two are for a machine that others use")
		pythons = flag.String("python", "python3,/usr/bin/python3", "Python interpreters to look for PyTorch in; all different PyTorches take part")
		output  = flag.String("o", "", "also write the table to this name with .md and .json added")
		calls   = flag.Int("calls", 0, "instead of comparing, time the kernels of nasc's step by the least of so many steps, on one thread and with one for each processor")
		list    = flag.Bool("list", false, "list the works and exit")
	)
	flag.Parse()
	if flag.NArg() > 0 {
		return fmt.Errorf("arguments that are no flags: %s", strings.Join(flag.Args(), " "))
	}
	o := options{rounds: *rounds, slice: *slice, by: measure(*by), pythons: strings.Split(*pythons, ",")}
	if *rounds < 1 {
		return errors.New("-rounds must be 1 or more")
	}
	if !slices.Contains(measures, o.by) {
		return fmt.Errorf("-by %s: there is %v", o.by, measures)
	}
	var err error
	if o.works, err = choose(*names); err != nil {
		return err
	}
	for i := range o.works {
		if *batch > 0 {
			o.works[i].Batch = *batch
		}
	}
	for _, t := range strings.Split(*threads, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(t))
		if err != nil || n < 1 {
			return fmt.Errorf("-threads: %q is not a number of threads", t)
		}
		o.threads = append(o.threads, n)
	}
	if *list {
		for _, w := range o.works {
			fmt.Printf("%-22s %s\n", w.Name, w.Title())
		}
		return nil
	}
	if *calls > 0 {
		for _, w := range o.works {
			if err := callsOf(ctx, os.Stdout, w, *calls); err != nil {
				return err
			}
		}
		return nil
	}
	report, err := compare(ctx, o)
	if err != nil {
		return err
	}
	if err := report.text(os.Stdout); err != nil {
		return err
	}
	if *output == "" {
		return nil
	}
	return report.save(*output)
}

// choose finds the works of a list of names and patterns; an empty one means all.
func choose(list string) ([]Work, error) {
	if list == "" {
		return works, nil
	}
	var chosen []Work
	taken := map[string]bool{}
	for _, pattern := range strings.Split(list, ",") {
		pattern = strings.TrimSpace(pattern)
		found := false
		for _, w := range works {
			fits, err := path.Match(pattern, w.Name)
			if err != nil {
				return nil, fmt.Errorf("-works: %q: %w", pattern, err)
			}
			family, _, _ := strings.Cut(w.Name, "-")
			if !fits && family != pattern {
				continue
			}
			found = true
			if !taken[w.Name] {
				taken[w.Name] = true
				chosen = append(chosen, w)
			}
		}
		if !found {
			return nil, fmt.Errorf("-works: nothing is called %q; -list shows what there is", pattern)
		}
	}
	return chosen, nil
}
