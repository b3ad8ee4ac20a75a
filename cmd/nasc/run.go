package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/plan"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/runtime/search"
)

// runsFolder is where runs go unless -o says otherwise.
const runsFolder = "runs"

func newRun() *cobra.Command {
	var o plan.Options
	var budget, out string
	var seed uint64
	var sets []string
	var asJSON, points bool
	var parallel int
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Search a space",
		Long: `run searches a space with an optimizer and an evaluator, tests the best
architecture and prints it as .nas. The file's search block says how; flags
override it. An optimizer named by a flag starts from its defaults; an evaluator goes
on with those of the block's settings that it declares as the block's evaluator does,
by type, default and choices, and a warning tells which are left out. --set changes
both: --set population=20, or --set optimizer.population=20 when several
things have a setting of that name (scopes: optimizer, evaluator, space, search;
settings of retrain and report are always written with the scope).

A one-shot method, such as darts or gdas, trains a supernet with an evaluator that
can, for a number of epochs. After each the architecture derived is a trial; that of
the last is the winner. With --report, another evaluator tests it, and the
architecture of every epoch, which the method is never told. With --retrain, what is
tested is the same architecture in another space, or in this one with its defaults,
as when a small supernet searches for the network of a benchmark.

The budget counts evaluations (100), epochs (50epochs), seconds on the clock of
a tabular benchmark (12000s) or seconds of real time (wall(10m)). Exhaustive search
needs none: it goes through the space once. Equal files, seeds and sizes of batches
give equal trial logs, except with a budget of real time. --batch says how many
architectures are proposed at once, --workers how many are evaluated at once; where
only one is given, --workers is both. Results of equal architectures are reused when
the evaluator is deterministic; --set search.reuse=isomorphic does so up to
isomorphism, =off never.

Where a search block says several things at once, as in seed = 0..3, it is a study:
a run for each of them, in one folder. A table with means over the seeds is printed
at the end; --points lists the runs. They share the plugins' processes, and
--searches of them go on at once, by default as many as the plugins allow. --seed and
--set fix what they name. A run that fails does not stop the others; the exit code is
then that of the worst.

Everything goes to a run folder, which can be resumed after a Ctrl-C or a crash.`,
		Example: `  nasc run spaces/quickstart/quickstart.nas
  nasc run spaces/quickstart/quickstart.nas --optimizer local --seed 3 -o runs/local
  nasc run spaces/nasbench201/nasbench201.nas --optimizer evolution --evaluator table \
      --set data=nasbench201.nasb --budget 100 --seed 1
  nasc run spaces/nasbench201/nasbench201.nas --optimizer exhaustive --evaluator table \
      --set data=nasbench201.nasb
  nasc run spaces/nasbench201/nasbench201.nas --optimizer darts --evaluator train \
      --set c=8 --set n=1 --set color=true --set size=32 --budget 10epochs \
      --retrain nasbench201 --report table --set report.data=nasbench201.nasb`,
		Args: args(1, 1),
	}
	f := c.Flags()
	f.StringVar(&o.Search, "search", "", "the search block, when the file has several")
	f.StringVar(&o.Space, "space", "", "the space, instead of the search block's")
	f.StringVar(&o.Optimizer, "optimizer", "", "the optimizer: a plugin, plugin.component, a 'let' of the file or a published method")
	f.StringVar(&o.Evaluator, "evaluator", "", "the evaluator: a plugin, or plugin.component")
	f.StringVar(&o.Retrain, "retrain", "", "the `space` of the file in which the winner is tested; none: as it was found")
	f.StringVar(&o.Report, "report", "", "the evaluator that tests the winner and the stages of a one-shot search; none: the evaluator")
	f.StringVar(&budget, "budget", "", "when to stop: 100, 50epochs, 12000s, wall(10m)")
	f.Uint64Var(&seed, "seed", 0, "of everything random")
	f.StringArrayVar(&sets, "set", nil, "a setting, as in --set population=20")
	f.IntVar(&o.Workers, "workers", 1, "how many architectures are evaluated at once")
	f.IntVar(&o.Batch, "batch", 0, "how many architectures are proposed at once (default: as many as workers)")
	f.IntVar(&parallel, "searches", 0, "how many searches of a study go on at once (default: as the plugins allow)")
	f.StringVarP(&out, "out", "o", "", "the run folder (default: a free name below "+runsFolder+")")
	addPatience(c)
	f.BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	f.BoolVar(&points, "points", false, "print what a study would run, and run nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		o.File = args[0]
		if c.Flags().Changed("seed") {
			o.Seed = &seed
		}
		if c.Flags().Changed("budget") {
			b, err := search.ParseBudget(budget)
			if err != nil {
				return usage(c, "--budget: %v", err)
			}
			o.Budget = &b
		}
		if o.Workers < 1 || o.Workers > plan.MaxWorkers {
			return usage(c, "--workers must be from 1 to %d", plan.MaxWorkers)
		}
		if o.Batch < 0 || o.Batch > plan.MaxBatch || c.Flags().Changed("batch") && o.Batch == 0 {
			return usage(c, "--batch must be from 1 to %d", plan.MaxBatch)
		}
		if err := searches(c, parallel); err != nil {
			return err
		}
		if c.Flags().Changed("out") && out == "" {
			return usage(c, "-o needs the name of a folder")
		}
		var err error
		if o.Settings, err = parseSettings(c, sets); err != nil {
			return err
		}
		m, sources, diags := plan.Load(o.File, readFile)
		if err := wrong(diags, m.Source); err != nil {
			return err
		}
		ctx, stop := interruptible()
		defer stop()
		g, diags := plan.Grid(m, o)
		if err := wrong(diags, m.Source); err != nil {
			return err
		}
		if points {
			return printPoints(c, g)
		}
		plugins, err := newPlugins()
		if err != nil {
			return err
		}
		defer plugins.Host.Close()
		if g != nil && g.Size() > 1 {
			s, diags := plan.NewStudy(ctx, plugins, m, sources, g, o, runsFolder, out)
			if err := failed(ctx, diags, m.Source); err != nil {
				return err
			}
			return study(ctx, c, s, parallel, asJSON)
		}
		p, diags := plan.Make(ctx, plugins.Host, m, sources, o)
		if err := failed(ctx, diags, m.Source); err != nil {
			return err
		}
		s, diags := p.Start(ctx, plugins, runsFolder, out)
		if err := failed(ctx, append(p.Warnings, diags...), m.Source); err != nil {
			return err
		}
		return conduct(ctx, c, s, m.Source, asJSON)
	}
	return c
}

func newResume() *cobra.Command {
	var asJSON bool
	var parallel int
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that was interrupted",
		Long: `resume goes on with a run where it stopped. The optimizer is asked and told
again from the log, which must repeat every proposal; what the log holds is not
evaluated again. A one-shot search goes on from the last stage that was saved. The run
ends with the log that it would have had undisturbed. Of a
study, runs that are finished are left alone and those that are missing are begun.`,
		Example: "  nasc resume runs/quickstart-evolution-seed1",
		Args:    args(1, 1),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the outcome as JSON")
	c.Flags().IntVar(&parallel, "searches", 0, "how many searches of a study go on at once (default: as the plugins allow)")
	addPatience(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, stop := interruptible()
		defer stop()
		if err := searches(c, parallel); err != nil {
			return err
		}
		plugins, err := newPlugins()
		if err != nil {
			return err
		}
		defer plugins.Host.Close()
		if plan.IsStudy(args[0]) {
			s, diags := plan.OpenStudy(plugins, args[0])
			if err := failed(ctx, diags, nil); err != nil {
				return err
			}
			return study(ctx, c, s, parallel, asJSON)
		}
		s, diags := plan.Resume(ctx, plugins, args[0])
		if err := failed(ctx, diags, nil); err != nil {
			return err
		}
		if err := goOn(ctx, c, s); err != nil {
			return err
		}
		return conduct(ctx, c, s, nil, asJSON)
	}
	return c
}

// goOn tells from where a resumed session goes on.
func goOn(ctx context.Context, c *cobra.Command, s *plan.Session) error {
	show(c.ErrOrStderr(), s.Warnings, nil)
	n, err := s.Logged()
	if err != nil {
		return errors.Join(failed(ctx, plan.Explain(err, s.Run.Address()), nil), s.Close())
	}
	finished := report.Counted(n, "finished trial", "finished trials")
	if s.Manifest.OneShot() {
		finished = report.Counted(n, "finished stage", "finished stages")
	}
	fmt.Fprintf(c.ErrOrStderr(), "going on after %s\n", finished)
	return nil
}

// conduct runs a session to its end and prints the winner.
func conduct(ctx context.Context, c *cobra.Command, s *plan.Session, source func(string) []byte, asJSON bool) (err error) {
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, s.Close())
		}
	}()
	m, dir := s.Manifest, s.Run.Folder.Dir
	talk := c.ErrOrStderr()
	fmt.Fprintf(talk, "%s: %s of %s architectures, %s with %s, %s, seed %d\n", dir, m.Space.Name,
		report.Group(m.Space.Size), m.Optimizer.Title(), m.Evaluator.Title(), search.Budget(m.Budget), m.Seed)
	progress := report.New(talk, terminal(talk), m)
	w, diags := s.Search(ctx, progress)
	progress.End(w != nil)
	closed = true
	if end := s.Close(); end != nil && !diags.HasErrors() {
		diags = plan.Explain(end, dir)
	}
	if ctx.Err() != nil && w == nil {
		interrupted(talk, dir)
		return context.Canceled
	}
	if err := failed(ctx, diags, source); err != nil {
		return err
	}
	if err := printWinner(c.OutOrStdout(), w, asJSON); err != nil {
		return err
	}
	fmt.Fprintln(talk, w.Line())
	return nil
}

func interrupted(talk io.Writer, dir string) {
	fmt.Fprintf(talk, "interrupted; what is finished is kept. Go on with: nasc resume %s\n", dir)
}

func printWinner(out io.Writer, w *report.Winner, asJSON bool) error {
	if asJSON {
		return printJSON(out, w.JSON())
	}
	return w.Write(out)
}

// interruptible is a context that ends at the first Ctrl-C; the second one ends
// the process.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// failed is wrong for diagnostics that a plugin or the machine may be to blame
// for, and that may be no more than the echo of an interrupt.
func failed(ctx context.Context, diags diag.List, source func(string) []byte) error {
	switch {
	case ctx.Err() != nil && diags.HasErrors():
		fmt.Fprintln(os.Stderr, "interrupted")
		return context.Canceled
	case plan.Fault(diags):
		return &machineError{diags: diags, source: source}
	}
	return wrong(diags, source)
}
