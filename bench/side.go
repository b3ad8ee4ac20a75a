package main

import "slices"

// side is one side of a row: how long its runs took, in seconds.
type side struct {
	Name   string  `json:"name"`
	Median float64 `json:"median"`
	Best   float64 `json:"best"`
	CPU    float64 `json:"cpu"`  // median of the time of all processors
	Peak   int64   `json:"peak"` // resident memory in bytes
	Runs   int     `json:"runs"`
}

// measure says which of these numbers is compared.
type measure string

var measures = []measure{"median", "best", "cpu"}

// seconds is the number of a side that is compared.
func (s *side) seconds(by measure) float64 {
	switch by {
	case "best":
		return s.Best
	case "cpu":
		return s.CPU
	}
	return s.Median
}

// side sums up the runs of a process.
func (p *process) side(name string) *side {
	return &side{Name: name, Median: median(p.seconds), Best: slices.Min(p.seconds), CPU: median(p.cpu), Peak: p.peak, Runs: len(p.seconds)}
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
