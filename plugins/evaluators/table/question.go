package table

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// reading is one number of a training: a series of the file at an epoch.
type reading struct {
	measure
	series int
	epoch  int     // from 0; nasb.NoEpoch for what has none
	scale  float64 // to the unit of the measure
}

// question is what an evaluation asks of the record of an architecture.
type question struct {
	readings []reading // the first is the one that a search maximizes or minimizes
	epochs   int       // of training that they stand for; 0: the file does not say
	clock    clock
}

// scaleOf brings fractions of one to per cent.
func scaleOf(s nasb.Series, m measure) float64 {
	if m.unit == "%" && s.Unit == "1" {
		return 100
	}
	return 1
}

// find lists the series about a quantity of a data set and a split, by schedule.
func (s *source) find(dataset, split, metric string) []int {
	var out []int
	for i, series := range s.Series {
		if series.Dataset == dataset && series.Split == split && series.Metric == metric && series.Device == "" && s.Extents[i].Architectures > 0 {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(s.Series[a].Schedule, s.Series[b].Schedule) })
	return out
}

// errNone: the file has no training of a data set that was validated.
type errNone struct{ what string }

func (e errNone) Error() string { return e.what }

// ask decides which training answers: the one of a schedule, or, where none is chosen,
// the training that has just as many epochs and else the shortest longer one. Where
// neither is chosen it is all of the training with which the benchmark is searched and,
// where the file has none, of the longest: never a part of one.
func (s *source) ask(b *benchmark, d dataset, split string, epochs, schedule int) (*question, error) {
	all := s.find(d.search, split, d.main.metric)
	if len(all) == 0 {
		return nil, errNone{fmt.Sprintf("the file has no %s %s of %s", split, d.main.doc, d.search)}
	}
	these := all
	if schedule > 0 {
		these = slices.DeleteFunc(slices.Clone(all), func(i int) bool { return s.Series[i].Schedule != schedule })
		if len(these) == 0 {
			return nil, s.refuse("schedule", fmt.Sprintf("schedule is %d, and there is no %s %s of trainings of %d epochs", schedule, d.name, d.main.doc, schedule), all)
		}
	}
	chosen, at := -1, 0
	switch {
	case epochs > 0:
		if chosen, at = s.training(these, epochs, true); chosen < 0 {
			chosen, at = s.training(these, epochs, false)
		}
	case schedule == 0:
		chosen, at = s.training(these, b.epochs, true)
	}
	if chosen < 0 && epochs == 0 {
		chosen = these[len(these)-1]
		at = s.Extents[chosen].Last()
	}
	if chosen < 0 {
		return nil, s.refuse("epochs", fmt.Sprintf("epochs is %d, after which there is no %s %s", epochs, d.name, d.main.doc), these)
	}
	series := s.Series[chosen]
	q := &question{readings: []reading{{d.main, chosen, at, scaleOf(series, d.main)}}, epochs: at + 1}
	if at == nasb.NoEpoch {
		q.epochs = series.Schedule
	}
	for _, m := range d.others {
		for _, i := range s.find(d.search, split, m.metric) {
			if s.Series[i].Schedule == series.Schedule && s.Extents[i].Has(at) && s.Extents[i].Architectures == s.Extents[chosen].Architectures {
				q.readings = append(q.readings, reading{m, i, at, scaleOf(s.Series[i], m)})
			}
		}
	}
	q.clock = s.clock(d.search, split, series.Schedule, q.epochs)
	return q, nil
}

// training finds the series of a training that has a number after so many epochs, and
// the epoch: a whole training, or the shortest of which they are a part.
func (s *source) training(these []int, epochs int, whole bool) (series, epoch int) {
	for _, i := range these {
		schedule, extent := s.Series[i].Schedule, s.Extents[i]
		switch {
		case whole != (schedule == epochs), 0 < schedule && schedule < epochs:
		case extent.Has(epochs - 1):
			return i, epochs - 1
		case whole && extent.Has(nasb.NoEpoch):
			return i, nasb.NoEpoch
		}
	}
	return -1, 0
}

// refuse tells which trainings there are.
func (s *source) refuse(parameter, message string, these []int) error {
	var have []string
	for _, i := range these {
		schedule, epochs := s.Series[i].Schedule, s.Extents[i].Epochs
		text := fmt.Sprintf("of the training of %d epochs", schedule)
		if schedule == 0 {
			text = "of a training whose length is not told"
		}
		if len(epochs) == 0 {
			text += " the end"
		} else {
			text += " those after " + stretches(epochs)
		}
		have = append(have, text)
	}
	return &sdk.Problem{Path: "parameters." + parameter, Message: message, Help: "the file has " + strings.Join(have, "; ")}
}

// stretches tells epochs counted from 1.
func stretches(epochs [][2]int) string {
	var parts []string
	for _, e := range epochs {
		if e[0] == e[1] {
			parts = append(parts, fmt.Sprint(e[0]+1))
		} else {
			parts = append(parts, fmt.Sprintf("%d to %d", e[0]+1, e[1]+1))
		}
	}
	return strings.Join(parts, ", ")
}

// examine decides what the report asks: for each data set of the benchmark, the test of
// its longest training. The first answer is that of the chosen data set, under the name
// of its measure.
func (s *source) examine(b *benchmark, chosen dataset) (names []string, readings []reading) {
	add := func(name string, d dataset) {
		all := s.find(d.report, "test", d.main.metric)
		if len(all) == 0 {
			return
		}
		i := all[len(all)-1]
		m := d.main
		m.best = false // what is tested is one number
		names = append(names, name)
		readings = append(readings, reading{m, i, s.Extents[i].Last(), scaleOf(s.Series[i], m)})
	}
	add(chosen.main.name, chosen)
	for _, d := range b.reported() {
		add(d.name, d)
	}
	return names, readings
}

// seeds is which trainings of an architecture answer.
type seeds struct {
	mode string // mean, drawn or given
	seed uint32 // when given
}

const (
	mean  = "mean"
	drawn = "drawn"
	given = "given"
)

// seedsOf reads the parameter. A seed that no training of the series has is refused.
func seedsOf(text string, s *source, q *question) (seeds, error) {
	switch text {
	case mean, drawn:
		return seeds{mode: text}, nil
	}
	p := &sdk.Problem{Path: "parameters.seed", Help: "write \"mean\", \"drawn\" or the number of a seed"}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		p.Message = fmt.Sprintf("seed is %q, neither mean nor drawn nor the number of a seed", text)
		if near, ok := diag.Suggest(text, []string{mean, drawn}); ok {
			p.Help = "did you mean `" + near + "`?"
		}
		return seeds{}, p
	}
	if q == nil {
		return seeds{given, uint32(n)}, nil
	}
	have := s.Extents[q.readings[0].series].Seeds
	if !slices.Contains(have, uint32(n)) {
		p.Message = fmt.Sprintf("seed is %d, which no training here has", n)
		if len(have) == 1 && have[0] == 0 {
			p.Help = "the file has one number for each architecture, without its seed: a mean"
		} else {
			p.Help = fmt.Sprintf("the file has the seeds %v", have)
		}
		return seeds{}, p
	}
	return seeds{given, uint32(n)}, nil
}
