package official

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// What NAS-Bench-201 and NATS-Bench hold of an architecture (Dong and Yang, ICLR
// 2020; Dong, Liu, Musial and Gabrys, TPAMI 2021): for each set-up of training
// ("12", "200", …) the results of each pair of data set and seed,
//
//	{'12': {'arch_index': 0, 'arch_str': '|…|', 'all_results': {
//	    ('cifar10-valid', 777): {'epochs': 12, 'seed': '0777',
//	        'train_acc1es': {epoch: %}, 'train_losses': …, 'train_times': {epoch: s},
//	        'eval_acc1es': {'x-valid@epoch': %}, 'eval_losses': …, 'eval_times': …,
//	        'params': M, 'flop': M, 'latency': [s]}}}}
//
// Epochs count from 0. The old .pth calls the set-ups 'less' and 'full'.

// natsSplit is the split of an official evaluation. The test images of CIFAR-100 and
// ImageNet16-120 are halved into x-valid and x-test; ori-test is both.
func natsSplit(dataset, name string) (string, bool) {
	whole := dataset == "cifar10" || dataset == "cifar10-valid"
	switch {
	case name == "x-valid":
		return "valid", true
	case name == "x-test", name == "ori-test" && whole:
		return "test", true
	case name == "ori-test":
		return "valid+test", true
	}
	return "", false
}

// natsArch is an architecture's place in the list of the benchmark, its name and
// what was measured.
type natsArch struct {
	index    int
	name     string
	measures []measure
}

func natsInfo(setups *pickle.Dict) (natsArch, error) {
	a := natsArch{index: -1}
	if len(setups.Keys) == 0 {
		return a, fmt.Errorf("there is no training of it")
	}
	for i, k := range setups.Keys {
		setup, _ := k.(string)
		info, err := dictOf(setups.Values[i])
		if err != nil {
			return a, err
		}
		index, err := intIn(info, "arch_index")
		if err != nil {
			return a, err
		}
		name, err := textIn(info, "arch_str")
		if err != nil {
			return a, err
		}
		if a.index >= 0 && (index != a.index || name != a.name) {
			return a, fmt.Errorf("it is of two architectures, %d and %d", a.index, index)
		}
		if a.index < 0 {
			a.index, a.name = index, name
			a.measures = append(a.measures, indexMeasure(index))
		}
		results, err := dictIn(info, "all_results")
		if err != nil {
			return a, err
		}
		for i, k := range results.Keys {
			pair, _ := k.(pickle.Tuple)
			if len(pair) != 2 {
				return a, fmt.Errorf("a result has no pair of data set and seed")
			}
			dataset, ok1 := pair[0].(string)
			seed, ok2 := intOf(pair[1])
			result, err := dictOf(results.Values[i])
			if !ok1 || !ok2 || seed < 0 || seed > 1<<31 || err != nil {
				return a, fmt.Errorf("a result has no pair of data set and seed")
			}
			if err := a.training(setup, dataset, uint32(seed), result); err != nil {
				return a, fmt.Errorf("%s, seed %d: %w", dataset, seed, err)
			}
		}
	}
	return a, nil
}

// training reads one training.
func (a *natsArch) training(setup, dataset string, seed uint32, r *pickle.Dict) error {
	epochs, err := intIn(r, "epochs")
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(setup); err == nil && n != epochs {
		return fmt.Errorf("it is of %d epochs and stands among those of %d", epochs, n)
	}
	if said, ok := r.Get("seed"); ok {
		if n, ok := intOf(said); !ok || n != int(seed) {
			return fmt.Errorf("its seed is %v", said)
		}
	}
	series := func(split, metric string) nasb.Series {
		s := nasb.Series{Dataset: dataset, Split: split, Metric: metric, Schedule: epochs}
		switch metric {
		case "accuracy", "top5":
			s.Unit, s.Higher = "%", true
		case "time":
			s.Unit = "s"
		}
		return s
	}
	for _, q := range []struct{ key, metric string }{
		{"train_acc1es", "accuracy"}, {"train_acc5es", "top5"}, {"train_losses", "loss"}, {"train_times", "time"},
	} {
		if err := a.trained(r, q.key, series("train", q.metric), seed); err != nil {
			return err
		}
	}
	for _, q := range []struct{ key, metric string }{
		{"eval_acc1es", "accuracy"}, {"eval_losses", "loss"}, {"eval_times", "time"},
	} {
		if err := a.evaluated(r, q.key, func(split string) nasb.Series { return series(split, q.metric) }, dataset, seed); err != nil {
			return err
		}
	}
	for _, q := range []struct{ key, metric string }{{"params", "params"}, {"flop", "flops"}} {
		v, err := member(r, q.key)
		if err != nil {
			return err
		}
		n, ok := numberOf(v)
		if !ok {
			return fmt.Errorf("%q is %s", q.key, kindOf(v))
		}
		a.measures = append(a.measures, one(nasb.Series{Dataset: dataset, Metric: q.metric, Unit: "M"}, n))
	}
	return a.latency(r, nasb.Series{Dataset: dataset, Metric: "latency", Schedule: epochs, Unit: "s"}, seed)
}

// trained reads values by epoch, a dictionary or a list.
func (a *natsArch) trained(r *pickle.Dict, key string, s nasb.Series, seed uint32) error {
	v, _ := r.Get(key)
	if v == nil {
		return nil
	}
	if values, ok := numbersOf(v); ok {
		if len(values) > 0 {
			a.measures = append(a.measures, measure{s, seed, 0, values})
		}
		return nil
	}
	d, err := dictOf(v)
	if err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	at := make(map[int]float64, len(d.Keys))
	for i, k := range d.Keys {
		epoch, ok1 := intOf(k)
		value, ok2 := numberOf(d.Values[i])
		if !ok1 || !ok2 {
			return fmt.Errorf("%q holds %s", key, kindOf(d.Values[i]))
		}
		if _, again := at[epoch]; again {
			return fmt.Errorf("%q has epoch %d twice", key, epoch)
		}
		at[epoch] = value
	}
	a.runs(s, seed, at)
	return nil
}

// evaluated reads values by split and epoch.
func (a *natsArch) evaluated(r *pickle.Dict, key string, series func(split string) nasb.Series, dataset string, seed uint32) error {
	v, _ := r.Get(key)
	if v == nil {
		return nil
	}
	d, err := dictOf(v)
	if err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	splits := map[string]map[int]float64{}
	var order []string
	for i, k := range d.Keys {
		text, _ := k.(string)
		name, epochText, _ := strings.Cut(text, "@")
		split, ok := natsSplit(dataset, name)
		epoch, err := strconv.Atoi(epochText)
		value, isNumber := numberOf(d.Values[i])
		if !ok || err != nil || !isNumber {
			return fmt.Errorf("%q holds %.40q", key, text)
		}
		if splits[split] == nil {
			splits[split] = map[int]float64{}
			order = append(order, split)
		}
		if _, again := splits[split][epoch]; again {
			return fmt.Errorf("%q has %s twice", key, text)
		}
		splits[split][epoch] = value
	}
	for _, split := range order {
		a.runs(series(split), seed, splits[split])
	}
	return nil
}

func (a *natsArch) runs(s nasb.Series, seed uint32, at map[int]float64) {
	epochs := make([]int, 0, len(at))
	for e := range at {
		epochs = append(epochs, e)
	}
	a.measures = append(a.measures, runsOf(s, seed, epochs, func(e int) float64 { return at[e] })...)
}

// latency reads the seconds of a batch, of which most trainings have one number.
func (a *natsArch) latency(r *pickle.Dict, s nasb.Series, seed uint32) error {
	v, _ := r.Get("latency")
	if v == nil {
		return nil
	}
	values, ok := numbersOf(v)
	if n, one := numberOf(v); one {
		values, ok = []float64{n}, true
	}
	switch {
	case !ok:
		return fmt.Errorf("\"latency\" is %s", kindOf(v))
	case len(values) == 1:
		a.measures = append(a.measures, measure{s, seed, nasb.NoEpoch, values})
	case len(values) > 1:
		s.Schedule = 0 // one number for each time that it was measured
		a.measures = append(a.measures, measure{s, seed, 0, values})
	}
	return nil
}
