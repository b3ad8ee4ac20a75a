package main

import "fmt"

// verdict is a goal and how far nasc is from it.
type verdict struct {
	Goal  string  `json:"goal"`
	Got   float64 `json:"got"`
	Want  float64 `json:"want"`
	Holds bool    `json:"holds"`
}

// String is the verdict in the table.
func (v verdict) String() string {
	word := "no"
	if v.Holds {
		word = "yes"
	}
	return fmt.Sprintf("%s %.4g: %s", v.Goal, v.Want, word)
}

// scaling is how many times faster two threads should be than one.
const scaling = 1.7

// judge compares every row with the goals of its work.
func (r *report) judge() {
	alone := map[string]float64{} // seconds with one thread
	for _, w := range r.Rows {
		own, g := w.Nasc.seconds(r.By), w.work.goals
		least := func(goal string, want, got float64) {
			w.Goals = append(w.Goals, verdict{goal, got, want, got >= want})
		}
		if g.eager > 0 && w.Eager != nil {
			least("eager x", g.eager, w.Eager.seconds(r.By)/own)
		}
		if g.best > 0 && w.Best != nil {
			least("best x", g.best, w.Best.seconds(r.By)/own)
		}
		if g.gflops > 0 {
			least("GFLOP/s a core", g.gflops, w.work.flops()/own/1e9/float64(w.Threads))
		}
		if g.memory > 0 && w.Best != nil && w.Nasc.Peak > 0 {
			got := float64(w.Nasc.Peak) / float64(min(w.Eager.Peak, w.Best.Peak))
			w.Goals = append(w.Goals, verdict{"memory x", got, g.memory, got <= g.memory})
		}
		if w.Threads == 1 {
			alone[w.Work] = own
		}
		if one := alone[w.Work]; one > 0 && w.Threads == 2 && w.work.Kind != Convolution && r.By != "cpu" {
			least("one thread x", scaling, one/own)
		}
	}
}
