package export

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/compiler/sym"
)

// values writes numbers that are still to be decided. One that only one decision
// of its name decides is known by that name, as in 2width or r/4; any other is
// written as what it can be, 8..64.
type values struct {
	alone map[string]bool // names that belong to a single decision
	used  []*space.Decision
	told  map[*space.Decision]bool // where it is decided, the picture says among what
}

func newValues(s *space.Space) *values {
	v := &values{alone: map[string]bool{}, told: map[*space.Decision]bool{}}
	count := map[string]int{}
	for _, d := range s.Decisions {
		count[lastName(d)]++
	}
	for name, n := range count {
		v.alone[name] = n == 1
	}
	return v
}

// lastName is the last word of a decision's address, without its index.
func lastName(d *space.Decision) string {
	name := d.Address[strings.LastIndexByte(d.Address, '.')+1:]
	name, _, _ = strings.Cut(name, "[")
	return name
}

// symbol returns the name of a decision among numbers, and the numbers.
func (v *values) symbol(d *space.Decision) (string, []int64, bool) {
	name := lastName(d)
	if !v.alone[name] || name == "choice" {
		return "", nil, false
	}
	nums := make([]int64, len(d.Alts))
	for i, a := range d.Alts {
		n, err := strconv.ParseInt(a.Label, 10, 64)
		if err != nil {
			return "", nil, false
		}
		nums[i] = n
	}
	return name, nums, true
}

func (v *values) use(d *space.Decision) {
	if !slices.Contains(v.used, d) {
		v.used = append(v.used, d)
	}
}

// shape writes a shape: 24×r/4×r/4.
func (v *values) shape(s []*sym.Scalar) string {
	if isSequenceOf(s) {
		s = s[:2]
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = v.number(d)
	}
	return strings.Join(parts, "×")
}

func isSequenceOf(s []*sym.Scalar) bool {
	if len(s) != 3 {
		return false
	}
	one := func(x *sym.Scalar) bool { v, ok := x.Value(); return ok && v == int64(1) }
	return !one(s[1]) && one(s[2])
}

func (v *values) number(s *sym.Scalar) string {
	if x, ok := s.Value(); ok {
		return fmt.Sprint(x)
	}
	if d, cases, ok := s.Table(); ok {
		if name, nums, ok := v.symbol(d); ok {
			if text, ok := multiple(name, nums, cases, true); ok {
				v.use(d)
				return text
			}
		}
	}
	all := options(s)
	if len(all) == 0 {
		return between(s.String())
	}
	return spread(all)
}

// between is the least and the greatest of the numbers in 16|32|64, or a question
// mark where they cannot be told.
func between(text string) string {
	least, most := math.Inf(1), math.Inf(-1)
	for _, t := range strings.Split(text, "|") {
		x, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return "?"
		}
		least, most = min(least, x), max(most, x)
	}
	return fmt.Sprintf("%v..%v", least, most)
}

// multiple writes cases as a multiple or part of a symbol.
//
// Where rounded, parts may be rounded up, as strides do to shapes.
func multiple(name string, nums []int64, cases []*sym.Scalar, rounded bool) (string, bool) {
	is := func(f func(int64) (int64, bool)) bool {
		for i, c := range cases {
			if c == nil {
				return false
			}
			x, _ := c.Value()
			want, ok := f(nums[i])
			if n, isInt := x.(int64); !ok || !isInt || n != want {
				return false
			}
		}
		return true
	}
	for k := int64(1); k <= 64; k++ {
		if is(func(n int64) (int64, bool) { return k * n, true }) {
			if k == 1 {
				return name, true
			}
			return fmt.Sprintf("%d%s", k, name), true
		}
		if is(func(n int64) (int64, bool) { return n / k, n%k == 0 }) {
			return fmt.Sprintf("%s/%d", name, k), true
		}
		if rounded && is(func(n int64) (int64, bool) { return (n + k - 1) / k, true }) {
			return fmt.Sprintf("%s/%d", name, k), true
		}
	}
	return "", false
}

// maxOptions bounds the combinations that are tried for the values of a number.
const maxOptions = 4096

// options are the values that a scalar can have, sorted; nil when there are too
// many to try.
func options(s *sym.Scalar) []any {
	total := 1
	for _, d := range s.Decisions() {
		n := len(d.Alts)
		if d.Kind == space.Subset {
			n = 1 << min(n, 20)
		}
		if total *= n; total > maxOptions {
			return nil
		}
	}
	seen := map[any]bool{}
	var out []any
	at := map[*space.Decision]int64{}
	for i := range total {
		for _, d := range s.Decisions() {
			n := len(d.Alts)
			if d.Kind == space.Subset {
				n = 1 << n
			}
			at[d] = int64(i % n)
			i /= n
		}
		x, err := s.Eval(func(d *space.Decision) int64 { return at[d] })
		if err == nil && x != nil && !seen[x] {
			seen[x] = true
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b any) int {
		x, y := real(a), real(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	return out
}

func real(x any) float64 {
	switch x := x.(type) {
	case int64:
		return float64(x)
	case float64:
		return x
	}
	return math.NaN()
}

// spread writes the least and greatest of sorted values.
func spread(all []any) string {
	first, last := fmt.Sprint(all[0]), fmt.Sprint(all[len(all)-1])
	if first == last {
		return first
	}
	return first + ".." + last
}

// list writes values as the source would: 3 | 5 | 7, 8..64 by 8.
func list(all []any) string {
	if len(all) > 3 {
		a, isInt := all[0].(int64)
		b, _ := all[1].(int64)
		even := isInt
		for i, x := range all {
			n, ok := x.(int64)
			even = even && ok && n == a+int64(i)*(b-a)
		}
		if even && b > a {
			if b == a+1 {
				return spread(all)
			}
			return fmt.Sprintf("%s by %d", spread(all), b-a)
		}
	}
	parts := make([]string, len(all))
	for i, x := range all {
		parts[i] = fmt.Sprint(x)
	}
	if len(parts) > 6 {
		parts = append(parts[:4:4], "…", parts[len(parts)-1])
	}
	return strings.Join(parts, " | ")
}

// attribute writes the value of an attribute; what is to be decided has none.
func (v *values) attribute(a lower.Attr) (text string, value any) {
	if x, ok := a.Value.Value(); ok {
		return fmt.Sprint(x), x
	}
	if d, cases, ok := a.Value.Table(); ok {
		if name, nums, ok := v.symbol(d); ok {
			if text, ok := multiple(name, nums, cases, false); ok {
				if name != a.Name {
					v.use(d)
					return text, nil
				}
				if a.Name != "out" {
					v.told[d] = true
				}
			}
		}
		var all []any
		for _, c := range cases {
			if c == nil {
				continue
			}
			if x, _ := c.Value(); !slices.Contains(all, x) {
				all = append(all, x)
			}
		}
		return list(all), nil
	}
	if all := options(a.Value); len(all) > 0 {
		return list(all), nil
	}
	return "?", nil
}

// times writes the repetitions that a decision chooses.
func (v *values) times(d *space.Decision) times {
	if name, _, ok := v.symbol(d); ok && name != "depth" {
		v.use(d)
		return times{name: name}
	}
	least, _ := strconv.Atoi(d.Alts[0].Label)
	most, _ := strconv.Atoi(d.Alts[len(d.Alts)-1].Label)
	return times{least: least, most: most}
}

// parameter is a decision that numbers of a picture depend on.
type parameter struct{ name, values string }

// parameters lists what the picture names but does not tell: r 128..224 by 4.
func (v *values) parameters() []parameter {
	var out []parameter
	at := map[string]int{}
	for _, d := range v.used {
		name, nums, ok := v.symbol(d)
		if !ok || v.told[d] {
			continue
		}
		all := make([]any, len(nums))
		for i, n := range nums {
			all[i] = n
		}
		text := list(all)
		if i, ok := at[text]; ok {
			out[i].name += ", " + name
			continue
		}
		at[text] = len(out)
		out = append(out, parameter{name, text})
	}
	return out
}
