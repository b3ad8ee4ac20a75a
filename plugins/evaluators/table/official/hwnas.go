package official

import (
	"fmt"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// HW-NAS-Bench (Li et al., ICLR 2021) is one pickle:
//
//	{'nasbench201': {dataset: {'config': [{'arch_str': …}, …], 'edgegpu_latency': [by index], …}},
//	 'fbnet': {metric: {block: value}}}
//
// Latencies are milliseconds and energies millijoules. -1 marks what the device could
// not run; it is left out.

const hwDoc = "HW-NAS-Bench: latency and energy of the networks of NAS-Bench-201 on six devices."

const maxHW = 256 << 20

// hwPickle reads one of the two parts.
func (j *job) hwPickle(path, part string) (*pickle.Dict, error) {
	s, err := j.open(path)
	if err != nil {
		return nil, err
	}
	j.size = s.size
	in, err := s.unpacked(maxHW)
	if err != nil {
		return nil, err
	}
	p := pickle.NewDecoder(in)
	p.Limit(2 * maxValues)
	v, err := p.Decode()
	if err != nil {
		return nil, s.broken(err)
	}
	d, err := dictOf(v)
	if err == nil {
		d, err = dictIn(d, part)
	}
	if err != nil {
		return nil, fail(WrongFile, path, "", "%v", err)
	}
	return d, s.end()
}

func hwnas(j *job, paths []string) error {
	path := paths[0]
	j.about("nasbench201", hwDoc)
	d, err := j.hwPickle(path, "nasbench201")
	if err != nil {
		return err
	}
	var names []string
	var lists [][]measure
	for i, k := range d.Keys {
		dataset, ok := k.(string)
		metrics, err := dictOf(d.Values[i])
		if !ok || err != nil {
			return fail(WrongFile, path, "", "a data set has no name or no metrics")
		}
		archs, err := hwArchs(metrics)
		if err != nil {
			return fail(Damaged, path, "", "%s: %v", dataset, err)
		}
		if names == nil {
			names, lists = archs, make([][]measure, len(archs))
		}
		if err := hwMetrics(path, dataset, metrics, names, archs, lists); err != nil {
			return err
		}
	}
	for i, name := range names {
		if !validCell(name) {
			return fail(NotInBenchmark, path, name, "nasbench201 has no such architecture")
		}
		if err := j.add(path, name, append([]measure{indexMeasure(i)}, lists[i]...)); err != nil {
			return err
		}
	}
	return nil
}

func hwMetrics(path, dataset string, metrics *pickle.Dict, names, archs []string, lists [][]measure) error {
	if len(archs) != len(names) {
		return fail(Damaged, path, "", "%s has %d architectures, another data set %d", dataset, len(archs), len(names))
	}
	for i, a := range archs {
		if a != names[i] {
			return fail(Damaged, path, a, "it stands in %s where %s stands in another data set", dataset, names[i])
		}
	}
	for i, k := range metrics.Keys {
		name, _ := k.(string)
		if name == "config" {
			continue
		}
		values, ok := numbersOf(metrics.Values[i])
		if !ok || len(values) != len(names) {
			return fail(Damaged, path, "", "%s of %s is no list of %d numbers", name, dataset, len(names))
		}
		s := hwSeries(name)
		s.Dataset = dataset
		for i, v := range values {
			if v != -1 {
				lists[i] = append(lists[i], one(s, v))
			}
		}
	}
	return nil
}

// hwArchs are the architectures by index.
func hwArchs(metrics *pickle.Dict) ([]string, error) {
	v, err := member(metrics, "config")
	if err != nil {
		return nil, err
	}
	items, ok := itemsOf(v)
	if !ok {
		return nil, fmt.Errorf("\"config\" is %s", kindOf(v))
	}
	names := make([]string, len(items))
	for i, it := range items {
		c, err := dictOf(it)
		if err == nil {
			names[i], err = textIn(c, "arch_str")
		}
		if err != nil {
			return nil, fmt.Errorf("number %d of \"config\": %w", i, err)
		}
	}
	return names, nil
}

// hwSeries is the series of a metric such as edgegpu_latency.
func hwSeries(name string) nasb.Series {
	device, metric, _ := strings.Cut(name, "_")
	s := nasb.Series{Metric: metric, Device: device}
	switch metric {
	case "latency":
		s.Unit = "ms"
	case "energy":
		s.Unit = "mJ"
	case "arithmetic_intensity":
		s.Metric, s.Higher = "arithmetic-intensity", true
	}
	return s
}

// hwfbnet reads the blocks of FBNet as architectures of their own.
func hwfbnet(j *job, paths []string) error {
	path := paths[0]
	j.about("hwnasbench-fbnet", "HW-NAS-Bench: latency and energy of the blocks of FBNet on six devices.")
	d, err := j.hwPickle(path, "fbnet")
	if err != nil {
		return err
	}
	at := map[string]int{}
	var names []string
	var lists [][]measure
	for i, k := range d.Keys {
		metric, _ := k.(string)
		blocks, err := dictOf(d.Values[i])
		if err != nil || metric == "" {
			return fail(WrongFile, path, "", "%q of \"fbnet\": a metric is no dictionary of blocks", metric)
		}
		for i, b := range blocks.Keys {
			name, _ := b.(string)
			v, ok := numberOf(blocks.Values[i])
			if !ok || name == "" {
				return fail(Damaged, path, name, "its %s is %s", metric, kindOf(blocks.Values[i]))
			}
			if _, old := at[name]; !old {
				at[name] = len(names)
				names, lists = append(names, name), append(lists, nil)
			}
			if v != -1 {
				lists[at[name]] = append(lists[at[name]], one(hwSeries(metric), v))
			}
		}
	}
	for i, name := range names {
		if err := j.add(path, name, lists[i]); err != nil {
			return err
		}
	}
	return nil
}
