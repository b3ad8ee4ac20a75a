package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// row is what a run of a work with a number of threads found.
type row struct {
	Work    string `json:"work"`
	Title   string `json:"title"`
	Threads int    `json:"threads"`

	Nasc  *side `json:"nasc"`
	Eager *side `json:"eager,omitempty"` // PyTorch as published code runs it
	Best  *side `json:"best,omitempty"`  // its fastest variant, perhaps the same

	Goals []verdict `json:"goals,omitempty"`

	work Work
}

// compare runs all works.
func compare(ctx context.Context, o options) (_ *report, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := peer()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Dir(dir))) }()
	c := contest{options: o, self: self, dir: dir, torches: findTorch(ctx, o.pythons)}
	r := newReport(o, c.torches)
	for _, w := range o.works {
		for _, threads := range o.threads {
			fmt.Fprintf(os.Stderr, "%s, threads: %d\n", w.Name, threads)
			row, err := c.run(ctx, w, threads)
			if err != nil {
				return nil, fmt.Errorf("%s, threads: %d: %w", w.Name, threads, err)
			}
			r.Rows = append(r.Rows, row)
		}
	}
	r.judge()
	return r, nil
}

// contest runs the sides against each other.
type contest struct {
	options
	self    string // this program
	dir     string // of the Python side
	torches []torch
}

// run lets nasc, PyTorch as published and PyTorch's best take turns.
func (c *contest) run(ctx context.Context, w Work, threads int) (_ *row, err error) {
	var sides []*process
	defer func() {
		for _, p := range sides {
			err = errors.Join(err, p.close())
		}
	}()
	nasc, err := start(ctx, job{w, "", threads}, os.Environ(), c.self, childFlag)
	if err != nil {
		return nil, err
	}
	sides = append(sides, nasc)
	published, best, err := c.screen(ctx, w, threads)
	if err != nil {
		return nil, err
	}
	var against []*variant
	if published != nil {
		against = append(against, published)
	}
	if best != nil && best != published {
		against = append(against, best)
	}
	for _, v := range against {
		p, err := v.start(ctx, c.dir, w, threads)
		if err != nil {
			return nil, err
		}
		sides = append(sides, p)
	}
	times := make([]int, len(sides)) // runs of a turn
	for i, p := range sides {
		first, err := p.run(1)
		if err != nil {
			return nil, err
		}
		times[i] = int(min(max(1, math.Ceil(c.slice.Seconds()/first[0])), 1000))
		p.forget()
	}
	for range c.rounds {
		for i, p := range sides {
			if _, err := p.run(times[i]); err != nil {
				return nil, err
			}
		}
	}
	r := &row{Work: w.Name, Title: w.Title(), Threads: threads, Nasc: sides[0].side("nasc"), work: w}
	for i, v := range against {
		s := sides[i+1].side(v.String())
		if v == published {
			r.Eager = s
		}
		if v == best {
			r.Best = s
		}
	}
	return r, nil
}

// screen finds the fastest of all variants and the fastest allocator for what
// published code does, from a few runs of each; nil where there is no PyTorch.
func (c *contest) screen(ctx context.Context, w Work, threads int) (published, best *variant, err error) {
	fastest := map[*variant]float64{}
	for _, v := range variants(c.torches, w) {
		p, err := v.start(ctx, c.dir, w, threads)
		if errors.Is(err, errMissing) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		first, err := p.run(1)
		if err == nil && first[0] < c.slice.Seconds() {
			_, err = p.run(int(min(math.Ceil(c.slice.Seconds()/first[0]), 1000)))
		}
		if err := errors.Join(err, p.close()); err != nil {
			return nil, nil, err
		}
		fastest[&v] = slices.Min(p.seconds)
		if v.published() && (published == nil || fastest[&v] < fastest[published]) {
			published = &v
		}
		if best == nil || fastest[&v] < fastest[best] {
			best = &v
		}
	}
	return published, best, nil
}
