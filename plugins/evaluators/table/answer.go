package table

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync/atomic"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// answer is what a table says of an architecture: one result, or one for each seed
// where seeds are drawn. Its maps are shared and never changed.
type answer struct {
	results []sdk.ValidationMetrics
	problem error
}

// answered keeps the answers about an architecture, of the few tables, settings and
// numbers of epochs that searches in one process have.
type answered struct{ list atomic.Pointer[[]kept] }

type kept struct {
	answers *answers
	epochs  int
	answer  *answer
}

// maxKept bounds what is kept of an architecture; more settings are answered anew.
const maxKept = 16

// get returns the answer, which is computed when it is not kept.
func (k *answered) get(a *answers, epochs int, compute func() *answer) *answer {
	old := k.list.Load()
	if old != nil {
		for _, e := range *old {
			if e.answers == a && e.epochs == epochs {
				return e.answer
			}
		}
	}
	e := kept{a, epochs, compute()}
	var list []kept
	if old != nil {
		list = (*old)[:min(len(*old), maxKept-1)]
	}
	list = append([]kept{e}, list...)
	k.list.CompareAndSwap(old, &list) // else another search was faster, and this one asks again
	return e.answer
}

// lookUp answers a question about an architecture.
func (a *answers) lookUp(n *network, q *question) (out *answer) {
	if n.benchmark != a.benchmark {
		return &answer{problem: &sdk.Problem{Path: "architecture",
			Message: fmt.Sprintf("this is a network of %s, and the table is of %s", n.benchmark.title, a.benchmark.title),
			Help:    "search the space " + a.benchmark.space}}
	}
	err := a.record(n, func(r nasb.Record) (err error) {
		out, err = a.answer(n, q, r)
		return err
	})
	if err != nil {
		return &answer{problem: err}
	}
	return out
}

// answer answers from the record of an architecture.
func (a *answers) answer(n *network, q *question, r nasb.Record) (*answer, error) {
	main := a.values(r, q.readings[0])
	if len(main) == 0 {
		return nil, a.lacks(n, "no "+a.main.Series[q.readings[0].series].String())
	}
	times := a.times(r, q.clock)
	if q.clock.kind != noClock && len(times) == 0 {
		return nil, a.lacks(n, "no time of its training")
	}
	devices, err := a.measured(n, r)
	if err != nil {
		return nil, err
	}
	missing := "" // a number that a training lacks
	result := func(of func([]bySeed) (float64, bool)) sdk.ValidationMetrics {
		v := sdk.ValidationMetrics{Values: make(map[string]float64, len(q.readings)+len(devices)), Epochs: float64(q.epochs)}
		for i, reading := range q.readings {
			all := main
			if i > 0 {
				all = a.values(r, reading)
			}
			x, ok := of(all)
			if !ok {
				missing = "no " + a.main.Series[reading.series].String()
			}
			v.Values[reading.name] = x
		}
		for name, x := range devices {
			v.Values[name] = x
		}
		var ok bool
		if v.SimulatedSeconds, ok = of(times); !ok {
			v.SimulatedSeconds, _ = meanOf(times) // times without a seed are of all
		}
		return v
	}
	one := func(seed uint32) sdk.ValidationMetrics {
		return result(func(all []bySeed) (float64, bool) { return ofSeed(all, seed) })
	}
	out := &answer{}
	switch a.seeds.mode {
	case mean:
		out.results = []sdk.ValidationMetrics{result(meanOf)}
	case given:
		if _, ok := ofSeed(main, a.seeds.seed); !ok {
			return nil, a.lacks(n, fmt.Sprintf("no training with seed %d, only %s", a.seeds.seed, seedsIn(main)))
		}
		out.results = []sdk.ValidationMetrics{one(a.seeds.seed)}
	case drawn:
		for _, s := range main {
			out.results = append(out.results, one(s.seed))
		}
	}
	if missing != "" {
		return nil, a.lacks(n, missing)
	}
	for _, v := range out.results {
		for _, name := range slices.Sorted(maps.Keys(v.Values)) {
			if x := v.Values[name]; math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, a.lacks(n, fmt.Sprintf("no %s, but %v,", name, x))
			}
		}
		if s := v.SimulatedSeconds; !(s >= 0) || math.IsInf(s, 0) {
			return nil, a.lacks(n, fmt.Sprintf("no time, but %v s,", s))
		}
	}
	return out, nil
}

// record gives f what the file holds of an architecture.
func (a *answers) record(n *network, f func(nasb.Record) error) error {
	row, ok := a.main.row(a.benchmark, n.name)
	if !ok {
		return a.lacks(n, "nothing")
	}
	return recordOf(a.main, row, n, f)
}

// recordOf gives f the record of an architecture.
func recordOf(s *source, row int, n *network, f func(nasb.Record) error) error {
	err := s.read(row, f)
	var p *sdk.Problem
	if err == nil || errors.As(err, &p) {
		return err
	}
	return &sdk.Problem{Path: "architecture", Message: fmt.Sprintf("the table cannot be read at %s: %v", n.name, err), Help: "import it again"}
}

// lacks says that an architecture of the benchmark has no result here.
func (a *answers) lacks(n *network, what string) error {
	return &sdk.Problem{Path: "architecture", Message: fmt.Sprintf("the table has %s of the architecture %s", what, n.name),
		Help: "it holds " + a.main.extent()}
}

// bySeed is a number of one training.
type bySeed struct {
	seed  uint32
	value float64
}

// values are the numbers of a reading by seed, ascending.
func (a *answers) values(r nasb.Record, of reading) []bySeed {
	var out []bySeed
	if !of.best {
		r.At(of.series, of.epoch, func(seed uint32, v float64) { out = append(out, bySeed{seed, v * of.scale}) })
	}
	for epoch := 0; of.best && epoch <= of.epoch; epoch++ {
		r.At(of.series, epoch, func(seed uint32, v float64) {
			v *= of.scale
			i := slices.IndexFunc(out, func(b bySeed) bool { return b.seed == seed })
			switch {
			case i < 0:
				out = append(out, bySeed{seed, v})
			case of.higher == (v > out[i].value):
				out[i].value = v
			}
		})
	}
	slices.SortFunc(out, func(x, y bySeed) int { return int(x.seed) - int(y.seed) })
	return out
}

// times are the seconds of trainings by seed.
func (a *answers) times(r nasb.Record, c clock) []bySeed {
	var out []bySeed
	switch c.kind {
	case perEpoch:
		r.At(c.train, nasb.NoEpoch, func(seed uint32, v float64) { out = append(out, bySeed{seed, float64(c.epochs) * v}) })
	case elapsed:
		r.At(c.train, c.epochs-1, func(seed uint32, v float64) { out = append(out, bySeed{seed, v}) })
	case sumOfEpochs:
		for run := range r.Runs {
			if run.Series != c.train || run.First != 0 || len(run.Values) < c.epochs {
				continue
			}
			sum := 0.0
			for _, v := range run.Values[:c.epochs] {
				sum += v
			}
			out = append(out, bySeed{run.Seed, sum})
		}
		if c.valid < 0 {
			break
		}
		evaluations := a.values(r, reading{series: c.valid, epoch: c.epochs - 1, scale: 1})
		for i := range out {
			if v, ok := ofSeed(evaluations, out[i].seed); ok {
				out[i].value += v
			}
		}
	}
	return out
}

func meanOf(all []bySeed) (float64, bool) {
	sum := 0.0
	for _, s := range all {
		sum += s.value
	}
	return sum / math.Max(1, float64(len(all))), len(all) > 0
}

func ofSeed(all []bySeed, seed uint32) (float64, bool) {
	for _, s := range all {
		if s.seed == seed {
			return s.value, true
		}
	}
	return 0, false
}

func seedsIn(all []bySeed) string {
	var out []uint32
	for _, s := range all {
		out = append(out, s.seed)
	}
	return fmt.Sprint(out)
}

// report is what the report asks of an architecture: the mean over seeds, or the
// training of the seed that was chosen.
func (a *answers) report(n *network) (sdk.TestMetrics, error) {
	if n.benchmark != a.benchmark || len(a.tests) == 0 {
		return sdk.TestMetrics{}, &sdk.Problem{Path: "architecture", Message: "the table has no test of this architecture"}
	}
	out := sdk.TestMetrics{Values: make(map[string]float64, len(a.tests))}
	err := a.record(n, func(r nasb.Record) error {
		for i, name := range a.testNames {
			all := a.values(r, a.tests[i])
			v, ok := meanOf(all)
			if a.seeds.mode == given {
				v, ok = ofSeed(all, a.seeds.seed)
			}
			if !ok {
				what := "no " + a.main.Series[a.tests[i].series].String()
				if len(all) > 0 {
					what += fmt.Sprintf(" with seed %d, only with %s", a.seeds.seed, seedsIn(all))
				}
				return a.lacks(n, what)
			}
			out.Values[name] = v
		}
		return nil
	})
	return out, err
}
