package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	different "github.com/nasc-project/nasc/compiler/unique"
)

func newEnumerate() *cobra.Command {
	var chosen spaceFlags
	var shard string
	var unique bool
	var style recordStyle
	c := &cobra.Command{
		Use:   "enumerate FILE",
		Short: "Print every architecture, one a line",
		Long: `enumerate prints the architectures of a space in the order of their numbers, one
a line: '#' and its number, a tab, its genotype. Both name it in other commands.

--shard i/n prints part i of n, from 1/n to n/n; the parts follow one another and
have as many numbers each, up to one. --unique prints one of all architectures that
are the same graph, always the same one; a shard of it holds those of its part. Of a
space in which 'nasc count --unique' does not take the architectures one by one, the
classes are found before the first is printed. Of others it is the first of each
class, and the hashes of those that were met are remembered, about 40 bytes each; a
shard then has to look at all that comes before.`,
		Example: "  nasc enumerate spaces/nasbench201/nasbench201.nas | head -3\n  nasc enumerate spaces/nasbench201/nasbench201.nas --unique | wc -l\n  nasc enumerate spaces/darts/darts.nas --shard 3/1000 -json",
		Args:    args(1, 1),
	}
	chosen.add(c)
	c.Flags().StringVar(&shard, "shard", "", "the part to print, as in --shard 3/8")
	c.Flags().BoolVar(&unique, "unique", false, "print one of those that are equal")
	style.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		part, parts, err := parseShard(shard)
		if err != nil {
			return usage(c, "%v", err)
		}
		if err := style.check(c); err != nil {
			return err
		}
		_, s, err := chosen.compile(c, args[0])
		if err != nil {
			return err
		}
		from, to := space.Shard(s.Size(), part, parts)
		e := enumeration{space: s, out: lines{to: c.OutOrStdout()}, from: from}
		start := from
		if unique {
			e.seen, start = map[graph.Digest]struct{}{}, new(big.Int)
		}
		if e.recorder, err = style.recorder(s); err != nil {
			return err
		}
		ctx, stop := interruptible()
		defer stop()
		if unique && s.Size().Cmp(big.NewInt(streamed)) > 0 {
			classes, err := s.Unique(ctx)
			var no *different.UnknownError
			switch {
			case err == nil:
				e.seen = nil
				return e.members(ctx, classes, from, to)
			case !errors.As(err, &no):
				return halted(ctx, err)
			}
		}
		return e.run(ctx, start, to)
	}
	return c
}

// streamed is up to how many architectures are taken one by one to find those that
// differ.
const streamed = 1 << 20

// parseShard reads i/n and counts parts from 0.
func parseShard(text string) (part, parts int64, err error) {
	if text == "" {
		return 0, 1, nil
	}
	i, n, _ := strings.Cut(text, "/")
	part, err1 := strconv.ParseInt(i, 10, 64)
	parts, err2 := strconv.ParseInt(n, 10, 64)
	if err1 != nil || err2 != nil || part < 1 || parts < part {
		return 0, 0, fmt.Errorf("--shard needs a part of several, as 1/8 to 8/8, not %q", text)
	}
	return part - 1, parts, nil
}

// enumeration prints architectures as they come.
type enumeration struct {
	*recorder
	space *compiler.Space
	out   lines
	from  *big.Int                  // the number of the first to print
	seen  map[graph.Digest]struct{} // of those that were met; nil to print all
}

func (e *enumeration) run(ctx context.Context, start, end *big.Int) error {
	var failed error
	for g := range e.space.Between(start, end) {
		if ctx.Err() != nil {
			failed = halted(ctx, ctx.Err())
			break
		}
		if failed = e.one(g); failed != nil {
			break
		}
	}
	if err := e.out.flush(); err != nil {
		return err
	}
	return failed
}

// members prints one architecture of each class whose number is in [from, to).
func (e *enumeration) members(ctx context.Context, classes *different.Classes, from, to *big.Int) error {
	ranks := make([]*big.Int, 0, classes.Len())
	for g := range classes.All {
		if ctx.Err() != nil {
			return halted(ctx, ctx.Err())
		}
		rank, err := e.space.Rank(g)
		if err != nil {
			return err
		}
		if rank.Cmp(from) >= 0 && rank.Cmp(to) < 0 {
			ranks = append(ranks, rank)
		}
	}
	slices.SortFunc(ranks, (*big.Int).Cmp)
	for _, rank := range ranks {
		g, err := e.space.Unrank(rank)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = e.one(g)
		}
		if err != nil {
			return errors.Join(e.out.flush(), halted(ctx, err))
		}
	}
	return e.out.flush()
}

// halted says that a command was interrupted, if it was.
func halted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "interrupted")
	return context.Canceled
}

func (e *enumeration) one(g space.Genotype) error {
	rank, err := e.space.Rank(g)
	if err != nil {
		return err
	}
	if e.seen != nil {
		bound, err := e.space.Bind(g)
		if err != nil {
			return err
		}
		hash := bound.Hash()
		if _, met := e.seen[hash]; met {
			return nil
		}
		e.seen[hash] = struct{}{}
		if rank.Cmp(e.from) < 0 {
			return nil
		}
	}
	if e.asJSON {
		r, err := e.record(g)
		if err != nil {
			return err
		}
		if err := printLine(&e.out.buf, r); err != nil {
			return err
		}
	} else {
		e.out.buf.WriteByte('#')
		e.out.buf.Write(rank.Append(e.out.buf.AvailableBuffer(), 10))
		e.out.buf.WriteByte('\t')
		e.out.buf.WriteString(e.space.Format(g))
		e.out.buf.WriteByte('\n')
	}
	return e.out.end()
}

// lines writes whole lines, many at a time, but keeps no reader waiting long.
type lines struct {
	to      io.Writer
	buf     bytes.Buffer
	flushed time.Time
}

// end says that a line is complete.
func (l *lines) end() error {
	if l.buf.Len() >= 1<<15 || time.Since(l.flushed) > 100*time.Millisecond {
		return l.flush()
	}
	return nil
}

func (l *lines) flush() error {
	l.flushed = time.Now()
	_, err := l.buf.WriteTo(l.to)
	return err
}
