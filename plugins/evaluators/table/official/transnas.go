package official

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// TransNAS-Bench-101 (Duan et al., CVPR 2021) is one object of torch.save:
//
//	{'task_list': […], 'metrics_dict': …, 'info_names': …, 'data': {space: {arch: {task: {
//	    'total_epochs': n, 'model_info': {'encoder_params': …, 'inference_time': …},
//	    'metrics': {'train_top1': [by epoch], 'valid_loss': […], 'time_elapsed': […]}}}}}}
//
// A metric of the splits is named split_metric; time_elapsed is about none.

const transnasDoc = "TransNAS-Bench-101: cells and skeletons trained on seven tasks of Taskonomy."

var transnasName = regexp.MustCompile(`^[0-9]+-([0-4]+-[0-3]_[0-3]{2}_[0-3]{3}|[1-4]+-[a-z]+)$`)

func transnas(j *job, paths []string) error {
	path := paths[0]
	j.about("transnasbench101", transnasDoc)
	info, err := os.Stat(path)
	if err != nil {
		return unreadable(path, err)
	}
	j.size = 3 * info.Size()
	t, err := j.torch(path)
	if err != nil {
		return err
	}
	item := func(key, value any) error {
		arch, _ := key.(string)
		if !transnasName.MatchString(arch) {
			return fail(NotInBenchmark, path, fmt.Sprintf("%.60v", key), "TransNAS-Bench-101 has no such architecture")
		}
		list, err := transnasTasks(value)
		if err != nil {
			return fail(Damaged, path, arch, "%v", err)
		}
		return j.add(path, arch, list)
	}
	want := func(p []any) bool { return len(p) == 2 && p[0] == "data" }
	v, err := t.stream(2, want, func(_ []any, key, value any) error { return item(key, value) })
	if err != nil {
		return err
	}
	d, err := dictOf(v)
	if err != nil {
		return fail(WrongFile, path, "", "%v", err)
	}
	data, err := dictIn(d, "data")
	if err != nil {
		return fail(WrongFile, path, "", "%v", err)
	}
	for i := range data.Keys {
		archs, err := dictOf(data.Values[i])
		if err != nil {
			return fail(WrongFile, path, "", "%v", err)
		}
		for i, k := range archs.Keys {
			if err := item(k, archs.Values[i]); err != nil {
				return err
			}
		}
	}
	return t.end()
}

func transnasTasks(v any) ([]measure, error) {
	tasks, err := dictOf(v)
	if err != nil {
		return nil, err
	}
	var out []measure
	for i, k := range tasks.Keys {
		task, ok := k.(string)
		result, err := dictOf(tasks.Values[i])
		if !ok || err != nil {
			return nil, fmt.Errorf("a task has no name or no results")
		}
		list, err := transnasTask(task, result)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", task, err)
		}
		out = append(out, list...)
	}
	return out, nil
}

func transnasTask(task string, r *pickle.Dict) ([]measure, error) {
	epochs, err := intIn(r, "total_epochs")
	if err != nil {
		return nil, err
	}
	metrics, err := dictIn(r, "metrics")
	if err != nil {
		return nil, err
	}
	var out []measure
	for i, k := range metrics.Keys {
		name, _ := k.(string)
		values, ok := numbersOf(metrics.Values[i])
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is %s, not a list of numbers", name, kindOf(metrics.Values[i]))
		}
		if len(values) == 0 {
			continue
		}
		s := transnasSeries(task, name)
		s.Schedule = epochs
		out = append(out, measure{s, 0, 0, values})
	}
	model, err := dictIn(r, "model_info")
	if err != nil {
		return nil, err
	}
	for i, k := range model.Keys {
		name, _ := k.(string)
		value, ok := numberOf(model.Values[i])
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is %s, not a number", name, kindOf(model.Values[i]))
		}
		out = append(out, one(nasb.Series{Dataset: task, Metric: name}, value))
	}
	return out, nil
}

// transnasSeries is the series of a metric of a task. Losses that were negated, as
// those of room_layout are, are better when higher.
func transnasSeries(task, name string) nasb.Series {
	s := nasb.Series{Dataset: task, Metric: name}
	for _, split := range []string{"train", "valid", "test"} {
		if metric, ok := strings.CutPrefix(name, split+"_"); ok {
			s.Split, s.Metric = split, metric
		}
	}
	switch s.Metric {
	case "top1":
		s.Metric, s.Unit, s.Higher = "accuracy", "%", true
	case "top5":
		s.Unit, s.Higher = "%", true
	case "acc", "mIoU", "ssim", "neg_loss":
		s.Higher = true
	case "time_elapsed":
		s.Metric, s.Unit = "elapsed", "s"
	}
	return s
}
