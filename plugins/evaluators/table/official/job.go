package official

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// job is an import under way.
type job struct {
	ctx    context.Context
	out    *nasb.Writer
	report func(done, total int64)
	dir    string // of the output, for what does not fit into memory

	done, size int64 // bytes of sources read, and all of them

	benchmark string
	total     int
	series    map[nasb.Series]int
	seen      map[string]bool
}

// about names the benchmark.
func (j *job) about(benchmark, doc string) {
	j.benchmark, j.total = benchmark, totals[benchmark]
	j.out.About(benchmark, doc, j.total)
}

// totals is how many architectures a benchmark has.
var totals = map[string]int{
	"nasbench201": 15_625, "nats-sss": 32_768, "nasbench101": 423_624, "transnasbench101": 7_352,
	"nasbenchasr": 8_242, "nasbenchmacro": 6_561,
}

// measure is the values of a series in one training, at epochs that follow one
// another.
type measure struct {
	series nasb.Series
	seed   uint32
	first  int
	values []float64
}

// maxEpoch bounds the epochs of a training.
const maxEpoch = 1 << 14

// add writes an architecture. Where several trainings say the same about the
// architecture itself, such as its parameters, it is written once.
func (j *job) add(path, arch string, list []measure) error {
	if j.seen[arch] {
		return fail(Twice, path, arch, "it comes twice")
	}
	j.seen[arch] = true
	runs := make([]nasb.Run, 0, len(list))
	for _, m := range list {
		if err := check(path, arch, m); err != nil {
			return err
		}
		id, ok := j.series[m.series]
		if !ok {
			if len(j.series) == maxSeries {
				return fail(WrongFile, path, arch, "there are more than %d kinds of numbers", maxSeries)
			}
			id = j.out.Series(m.series)
			j.series[m.series] = id
		}
		run := nasb.Run{Series: id, Seed: m.seed, First: m.first, Values: m.values}
		again := slices.IndexFunc(runs, func(o nasb.Run) bool { return o.Series == id && o.Seed == m.seed && overlap(o, run) })
		switch {
		case again < 0:
			runs = append(runs, run)
		case m.first != nasb.NoEpoch || runs[again].Values[0] != m.values[0]:
			return fail(Twice, path, arch, "its %s comes twice", m.series)
		}
	}
	if len(runs) == 0 {
		return fail(Damaged, path, arch, "nothing was measured of it")
	}
	err := j.out.Add(arch, runs)
	var disk *fs.PathError
	if err != nil && !errors.As(err, &disk) { // what the file cannot hold
		return fail(BadValue, path, "", "%v", err)
	}
	return err
}

// maxSeries bounds the kinds of numbers in a file; those of a benchmark are a few
// hundred.
const maxSeries = 1 << 12

func overlap(a, b nasb.Run) bool {
	return a.First < b.First+len(b.Values) && b.First < a.First+len(a.Values)
}

// check refuses numbers that no training and no measurement gives.
func check(path, arch string, m measure) error {
	switch {
	case len(m.values) == 0:
		return fail(Damaged, path, arch, "its %s has no values", m.series)
	case m.first < 0 || m.first != nasb.NoEpoch && m.first+len(m.values) > maxEpoch:
		return fail(BadValue, path, arch, "its %s is of epochs %d to %d", m.series, m.first, m.first+len(m.values)-1)
	case m.first != nasb.NoEpoch && m.series.Schedule > 0 && m.first+len(m.values) > m.series.Schedule:
		return fail(BadValue, path, arch, "its %s goes on to epoch %d", m.series, m.first+len(m.values))
	}
	for _, v := range m.values {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return fail(BadValue, path, arch, "its %s is %v", m.series, v)
		case m.series.Unit == "%" && (v < 0 || v > 100+slackPercent):
			return fail(BadValue, path, arch, "its %s is %v %%", m.series, v)
		case m.series.Unit == fraction && (v < 0 || v > 1+slackPercent/100):
			return fail(BadValue, path, arch, "its %s is %v, which is no fraction of one", m.series, v)
		case v < 0 && positive[m.series.Metric]:
			return fail(BadValue, path, arch, "its %s is %v", m.series, v)
		}
	}
	return nil
}

// slackPercent is how far rounding may lift an accuracy above 100 %.
const slackPercent = 1e-3

// fraction is the unit of accuracies between 0 and 1.
const fraction = "1"

// positive are the metrics that cannot be negative.
var positive = map[string]bool{
	"time": true, "elapsed": true, "total-time": true, "params": true, "flops": true, "latency": true, "energy": true,
}

// runsOf makes runs of the values at some epochs, in the order of epochs.
func runsOf(s nasb.Series, seed uint32, epochs []int, at func(epoch int) float64) []measure {
	slices.Sort(epochs)
	var out []measure
	for i, e := range epochs {
		if i == 0 || e != epochs[i-1]+1 {
			out = append(out, measure{series: s, seed: seed, first: e})
		}
		last := &out[len(out)-1]
		last.values = append(last.values, at(e))
	}
	return out
}

// one is a number that belongs to no epoch and no training.
func one(s nasb.Series, v float64) measure { return measure{s, 0, nasb.NoEpoch, []float64{v}} }

// indexMeasure is an architecture's place in the list of its benchmark.
func indexMeasure(index int) measure {
	return one(nasb.Series{Metric: "index", Single: true}, float64(index))
}

// paramsMeasure is a number of trainable parameters.
func paramsMeasure(v float64) measure { return one(nasb.Series{Metric: "params"}, v) }
