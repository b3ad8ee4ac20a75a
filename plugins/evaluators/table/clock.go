package table

import (
	"fmt"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// clock says how long a training took until an epoch, as the benchmark recorded it.
// Benchmarks record it in one of three ways:
//
//	NATS-Bench          seconds of every epoch, and of the evaluation after it
//	tables of it        seconds of an epoch, the same for all
//	others              seconds since the training began
//
// The time of NATS-Bench is that of all epochs so far and of one evaluation, and that
// of NAS-Bench-101 the one until the evaluation that is reported, as their own
// interfaces count it.
type clock struct {
	kind    int
	train   int // series of what is added up, multiplied or read
	valid   int // series of the evaluation, or -1
	epochs  int
	display string // for the manifest
}

const (
	noClock = iota
	sumOfEpochs
	perEpoch
	elapsed
)

// clock finds how the file records the time of trainings.
func (s *source) clock(dataset, split string, schedule, epochs int) clock {
	series := func(split, metric string, schedule, epoch int) int {
		for _, i := range s.find(dataset, split, metric) {
			if s.Series[i].Schedule == schedule && s.Extents[i].Has(epoch) {
				return i
			}
		}
		return -1
	}
	last := epochs - 1
	if i := series("train", "time", schedule, last); i >= 0 && epochs > 0 {
		c := clock{kind: sumOfEpochs, train: i, valid: -1, epochs: epochs, display: fmt.Sprintf("training of %d epochs", epochs)}
		if v := series(split, "time", schedule, last); v >= 0 && split != "train" {
			c.valid = v
			c.display += " and one evaluation"
		}
		return c
	}
	if i := series("train", "time", 0, nasb.NoEpoch); i >= 0 && epochs > 0 {
		return clock{kind: perEpoch, train: i, epochs: epochs, display: fmt.Sprintf("%d times an epoch", epochs)}
	}
	if i := series("", "elapsed", schedule, last); i >= 0 && epochs > 0 {
		return clock{kind: elapsed, train: i, epochs: epochs, display: fmt.Sprintf("since the training began, after %d epochs", epochs)}
	}
	return clock{display: "not recorded"}
}
