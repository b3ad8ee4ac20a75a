package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// device is a cost that was measured on a device: latency_eyeriss, energy_eyeriss.
type device struct {
	name     string
	metric   sdk.Metric
	from     *source
	series   int
	complete bool // measured for all architectures of its file
}

// costs are the metrics that belong to devices.
var costs = []string{"latency", "energy"}

// devices lists what files hold about devices: with an empty list of names what was
// measured for every architecture, and otherwise what is named. The name of a device
// stands for what was measured on it for every architecture, or where nothing was, for
// some; the name of a metric, energy_eyeriss, for that one. A table that measures the
// networks of one data set only stands for all: they differ in the last layer, and in
// the size of the image.
func devices(d dataset, names string, files ...*source) ([]device, error) {
	all := map[string]device{} // by metric
	whole := map[string]bool{} // by device, whether something was measured for all; by metric
	for _, f := range files {
		for i, s := range f.Series {
			if s.Device == "" || !slices.Contains(costs, s.Metric) || f.Extents[i].Architectures == 0 {
				continue
			}
			c := device{name: s.Device, from: f, series: i, metric: sdk.Metric{Name: s.Metric + "_" + word(s.Device), Unit: s.Unit,
				Doc: fmt.Sprintf("%s on %s", s.Metric, s.Device)}, complete: f.Extents[i].Architectures == f.Len()}
			if s.Dataset != "" {
				c.metric.Doc += ", of the network for " + s.Dataset
			}
			whole[s.Device] = whole[s.Device] || c.complete
			whole[c.metric.Name] = c.complete
			// One of a file that is named later counts, and of a file the one of the
			// data set that is searched.
			if old, ok := all[c.metric.Name]; !ok || old.from != f || strings.EqualFold(s.Dataset, d.report) {
				all[c.metric.Name] = c
			}
		}
	}
	wanted := strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
	have := slices.Sorted(maps.Keys(whole))
	for _, name := range wanted {
		if _, ok := whole[name]; ok {
			continue
		}
		p := &sdk.Problem{Path: "parameters.devices", Message: fmt.Sprintf("devices names %q, of which nothing was measured", name),
			Help: "there are " + strings.Join(have, ", ")}
		if near, ok := diag.Suggest(name, have); ok {
			p.Help = "did you mean `" + near + "`? " + p.Help
		} else if len(have) == 0 {
			p.Help = "name a table with measurements by `latency`"
		}
		return nil, p
	}
	var out []device
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		byDevice := slices.Contains(wanted, c.name) && c.complete == whole[c.name]
		if len(wanted) == 0 && c.complete || byDevice || slices.Contains(wanted, name) {
			out = append(out, c)
		}
	}
	return out, nil
}

// word makes a part of a metric's name of a device's, as requirements do.
func word(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, text)
}

// measured are the costs of an architecture. One that was not measured is an error: it
// must never count as nothing.
func (a *answers) measured(n *network, own nasb.Record) (map[string]float64, error) {
	out := make(map[string]float64, len(a.devices))
	for _, d := range a.devices {
		sum, count := 0.0, 0.0
		read := func(r nasb.Record) error {
			r.At(d.series, nasb.NoEpoch, func(_ uint32, v float64) { sum, count = sum+v, count+1 })
			return nil
		}
		if d.from == a.main {
			read(own)
		} else if row, ok := d.from.row(a.benchmark, n.name); ok {
			if err := recordOf(d.from, row, n, read); err != nil {
				return nil, err
			}
		}
		if count == 0 {
			return nil, d.lacks(n)
		}
		out[d.metric.Name] = sum / count
	}
	return out, nil
}

func (d device) lacks(n *network) error {
	return &sdk.Problem{Path: "architecture", Message: fmt.Sprintf("%s was not measured for the architecture %s", d.metric.Doc, n.name),
		Help: fmt.Sprintf("it was for %d of %d architectures; `devices` says which devices count", d.from.Extents[d.series].Architectures, d.from.Len())}
}
