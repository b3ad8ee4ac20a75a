package official

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

// maxJSON bounds a file, unpacked, and so what one architecture takes.
const maxJSON = 128 << 20

// object reads {architecture: {metric: value}}, plain or packed by gzip. A list is
// values by epoch, from 0. A metric that begins with train_, valid_, val_ or test_ is
// of that split, and one that ends with acc or accuracy is better when higher. The
// published JSON of NAS-Bench-Macro is recognised: its lists are of three trainings.
func object(j *job, paths []string) error {
	path := paths[0]
	s, err := j.open(path)
	if err != nil {
		return err
	}
	defer s.file.Close()
	j.size = s.size
	in, err := s.unpacked(maxJSON)
	if err != nil {
		return err
	}
	base := strings.TrimSuffix(filepath.Base(path), ".gz")
	base = strings.TrimSuffix(base, filepath.Ext(base))
	j.about(base, "A table of architectures.")
	d := json.NewDecoder(in)
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		if err != nil && !isJSON(err) {
			return s.broken(err)
		}
		return fail(WrongFile, path, "", "it is no JSON object")
	}
	macro := false
	for n := 0; d.More(); n++ {
		arch, metrics, err := entry(d)
		if err != nil {
			return jsonError(s, arch, err)
		}
		if n == 0 && validMacro(arch) && slices.ContainsFunc(metrics, func(m metric) bool { return m.name == "test_acc" }) {
			macro = true
			j.about("nasbenchmacro", macroDoc)
		}
		if macro && !validMacro(arch) {
			return fail(NotInBenchmark, path, arch, "nasbenchmacro has no such architecture")
		}
		list := make([]measure, 0, len(metrics))
		for _, m := range metrics {
			if macro {
				list = append(list, m.macro()...)
			} else {
				list = append(list, m.plain())
			}
		}
		if err := j.add(path, arch, list); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return jsonError(s, "", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fail(Damaged, path, "", "something follows the object")
	}
	return s.end()
}

// metric is an entry of an architecture.
type metric struct {
	name   string
	list   bool
	values []float64
}

var errEntry = errors.New("its value is no object of metrics, each a number or a list of numbers")

// entry reads the next architecture.
func entry(d *json.Decoder) (arch string, out []metric, err error) {
	t, err := d.Token()
	if err != nil {
		return "", nil, err
	}
	arch, _ = t.(string)
	if t, err = d.Token(); err != nil {
		return arch, nil, err
	}
	if t != json.Delim('{') {
		return arch, nil, errEntry
	}
	for d.More() {
		if t, err = d.Token(); err != nil {
			return arch, nil, err
		}
		m := metric{name: t.(string)}
		if t, err = d.Token(); err != nil {
			return arch, nil, err
		}
		switch t := t.(type) {
		case float64:
			m.values = []float64{t}
		case json.Delim:
			if t != '[' {
				return arch, nil, errEntry
			}
			m.list = true
			for d.More() {
				v, err := d.Token()
				if err != nil {
					return arch, nil, err
				}
				n, ok := v.(float64)
				if !ok {
					return arch, nil, errEntry
				}
				m.values = append(m.values, n)
			}
			if _, err := d.Token(); err != nil {
				return arch, nil, err
			}
		default:
			return arch, nil, errEntry
		}
		out = append(out, m)
	}
	_, err = d.Token()
	return arch, out, err
}

func isJSON(err error) bool {
	var syntax *json.SyntaxError
	var value *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &value)
}

func jsonError(s *source, arch string, err error) error {
	var value *json.UnmarshalTypeError
	switch {
	case errors.Is(err, errEntry):
		return fail(WrongFile, s.path, arch, "%v", err)
	case errors.As(err, &value):
		return fail(BadValue, s.path, arch, "%v", err)
	case isJSON(err):
		return fail(Damaged, s.path, arch, "%v", err)
	}
	err = s.broken(err)
	var own *Error
	if errors.As(err, &own) {
		own.Arch = arch
	}
	return err
}

// plain is a metric of any table.
func (m metric) plain() measure {
	s := nasb.Series{Metric: m.name}
	for prefix, split := range map[string]string{"train_": "train", "valid_": "valid", "val_": "valid", "test_": "test"} {
		if rest, ok := strings.CutPrefix(m.name, prefix); ok && rest != "" {
			s.Split, s.Metric = split, rest
		}
	}
	if s.Metric == "acc" {
		s.Metric = "accuracy"
	}
	s.Higher = strings.HasSuffix(s.Metric, "accuracy") || strings.HasSuffix(s.Metric, "acc")
	if m.list {
		return measure{s, 0, 0, m.values}
	}
	return one(s, m.values[0])
}

// macro is a metric of NAS-Bench-Macro, by the columns of its table.
func (m metric) macro() []measure {
	l := layouts[slices.IndexFunc(layouts, func(l layout) bool { return l.benchmark == "nasbenchmacro" })]
	name := m.name
	if m.list && m.name == "test_acc" {
		name = "test_acc_0"
	}
	c, ok := l.column(name)
	if !ok {
		return []measure{m.plain()}
	}
	var out []measure
	for i, v := range m.values {
		out = append(out, measure{c.series, uint32(i), c.epoch, []float64{v}})
	}
	return out
}
