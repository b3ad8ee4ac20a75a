package compare

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/runtime/store"
)

// Fields is a manifest as paths and values: "optimizer.parameters.population" is
// "10". Values are JSON. The text of the sources is left out: space.sources is the
// hash of it.
type Fields map[string]string

func flatten(m *store.Manifest) (Fields, error) {
	c := *m
	c.Sources = nil
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var all map[string]any
	if err := dec.Decode(&all); err != nil {
		return nil, err
	}
	delete(all, "sources")
	out := Fields{}
	out.add("", all)
	return out, nil
}

// add puts a value below a path; only objects are opened.
func (f Fields) add(path string, v any) {
	if object, ok := v.(map[string]any); ok {
		for name, inner := range object {
			f.add(strings.TrimPrefix(path+"."+name, "."), inner)
		}
		return
	}
	text, _ := json.Marshal(v) // it was decoded from JSON
	f[path] = string(text)
}

// text is a value as people read it.
func (f Fields) text(path string) string { return readable(f[path]) }

func readable(value string) string {
	if s, err := strconv.Unquote(value); err == nil {
		return s
	}
	if value == "" {
		return "absent"
	}
	return value
}

// within reports whether a path is another one or lies below it.
func within(path, above string) bool {
	return path == above || strings.HasPrefix(path, above+".")
}

// differing are the paths at which runs have different values, sorted.
func differing(runs []*Run) []string {
	paths := map[string]bool{}
	for _, r := range runs {
		for p := range r.Fields {
			paths[p] = true
		}
	}
	var out []string
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		for _, r := range runs[1:] {
			if r.Fields[p] != runs[0].Fields[p] {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// natural compares texts with the numbers in them by value: a2 before a10.
func natural(a, b string) int {
	for a != "" && b != "" {
		if digit(a[0]) && digit(b[0]) {
			var m, n string
			m, a = number(a)
			n, b = number(b)
			if len(m) != len(n) {
				return len(m) - len(n)
			}
			if c := strings.Compare(m, n); c != 0 {
				return c
			}
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// number cuts the digits off the front of a text, without leading zeros.
func number(s string) (digits, rest string) {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return strings.TrimLeft(s[:n], "0"), s[n:]
}
