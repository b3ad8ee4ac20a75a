package table

import (
	"context"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// TestLatency: HW-NAS-Bench beside the table of accuracies, and the optimum of a
// search in which latency is limited.
func TestLatency(t *testing.T) {
	path, hw := imported(t, "csv", "nasbench201.csv.gz"), imported(t, "csv", "hwnasbench201.csv.gz")
	e := open(t, settings(path, timed(hw)))
	v := evaluate(t, e, cell(arch0)).Values
	for metric, want := range map[string]float64{"latency_raspi4": 10.481977, "latency_pixel3": 3.60585, "latency_eyeriss": 3.64562, "latency_fpga": 2.57296} {
		if !near(v[metric], want) {
			t.Errorf("%s is %v, published %v", metric, v[metric], want)
		}
	}
	// edgegpu and edgetpu were not measured for all: they are not among the metrics
	// unless they are named.
	if _, ok := v["latency_edgegpu"]; ok || len(v) != len(e.Describe().Metrics) {
		t.Errorf("%v, reported are %v", v, e.Describe().Metrics)
	}
	// A device stands for what is known of all architectures: the energy of eyeriss is
	// not, and edgegpu has nothing that is.
	for names, want := range map[string]string{
		"eyeriss":                  "latency_eyeriss",
		"energy_eyeriss":           "energy_eyeriss",
		"eyeriss, energy_eyeriss":  "energy_eyeriss latency_eyeriss",
		"edgegpu":                  "energy_edgegpu latency_edgegpu",
		"latency_edgegpu, eyeriss": "latency_edgegpu latency_eyeriss",
	} {
		var got []string
		for _, m := range open(t, settings(path, timed(hw), devicesOf(names))).Describe().Metrics {
			if strings.Contains(m.Name, "_") {
				got = append(got, m.Name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("devices %q are %v, want %s", names, got, want)
		}
	}
	named := open(t, settings(path, timed(hw), devicesOf("edgetpu, eyeriss")))
	missing := 0
	for n := 0; n < nasbench201.Architectures; n++ {
		arch := nasbench201.At(n).String()
		v, err := named.Evaluate(context.Background(), named.named(arch), nil)
		if err != nil {
			if missing++; missing == 1 {
				problemOf(t, err, "architecture", "latency on edgetpu, of the network for cifar10 was not measured for the architecture "+arch)
			}
			continue
		}
		if l := v.Values["latency_edgetpu"]; l <= 0 {
			t.Fatalf("%s takes %v ms", arch, l)
		}
	}
	if missing == 0 || missing == nasbench201.Architectures {
		t.Errorf("%d architectures have no latency on edgetpu", missing)
	}
}

// TestConstrainedOptimum: the best validation accuracy after 200 epochs under a limit
// of latency, by looking at every architecture.
func TestConstrainedOptimum(t *testing.T) {
	path, hw := imported(t, "csv", "nasbench201.csv.gz"), imported(t, "csv", "hwnasbench201.csv.gz")
	for _, c := range []struct {
		dataset, metric string
		most            float64
		arch            string
		accuracy        float64
	}{
		{"cifar10", "latency_eyeriss", 3, "|nor_conv_1x1~0|+|nor_conv_1x1~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_1x1~2|", 88.55},
		{"cifar100", "latency_pixel3", 5, "|nor_conv_1x1~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_1x1~2|", 68.05},
	} {
		e := open(t, settings(path, timed(hw), on(c.dataset), after(200)))
		best, arch, within := 0.0, "", 0
		for n := range nasbench201.Architectures {
			name := nasbench201.At(n).String()
			v := evaluate(t, e, e.named(name)).Values
			if v[c.metric] > c.most {
				continue
			}
			within++
			if v["accuracy"] > best {
				best, arch = v["accuracy"], name
			}
		}
		t.Logf("%s, %s <= %v ms: %d architectures, the best %s with %v %%", c.dataset, c.metric, c.most, within, arch, best)
		if best != c.accuracy || arch != c.arch {
			t.Errorf("the best is %s with %v, want %s with %v", arch, best, c.arch, c.accuracy)
		}
	}
}
