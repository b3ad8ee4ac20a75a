package space

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
)

// Format writes g in short: the values of the decisions that exist, by ID and
// separated by commas; a Subset as the items taken, {0,2}.
func (s *Space) Format(g Genotype) string {
	var b strings.Builder
	for d := range s.Active(g) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		v := g[d.ID]
		if d.Kind != Subset {
			b.WriteString(strconv.FormatInt(v, 10))
			continue
		}
		b.WriteByte('{')
		for m := uint64(v); m != 0; m &= m - 1 {
			if m != uint64(v) {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(bits.TrailingZeros64(m)))
		}
		b.WriteByte('}')
	}
	return b.String()
}

// Parse reads what Format writes. Blanks around values are allowed.
func (s *Space) Parse(text string) (Genotype, error) {
	var fields []string
	if strings.TrimSpace(text) != "" {
		fields = splitList(text)
	}
	next := 0
	g, err := s.read(func(d *Decision) (int64, error) {
		if next == len(fields) {
			return 0, fmt.Errorf("the genotype ends after %d values, before %s", next, d.Address)
		}
		next++
		return d.parse(strings.TrimSpace(fields[next-1]))
	})
	if err == nil && next < len(fields) {
		err = fmt.Errorf("the genotype has %d values, this architecture has %d decisions", len(fields), next)
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

// read makes a genotype from values given in order of ID.
func (s *Space) read(value func(*Decision) (int64, error)) (Genotype, error) {
	g := s.empty()
	exists := make([]bool, len(g))
	mark := func(group *Group) {
		for _, d := range group.Decisions {
			exists[d.ID] = true
		}
	}
	mark(s.Root)
	for id, d := range s.Decisions { // a parent comes before what is below it
		if !exists[id] {
			continue
		}
		v, err := value(d)
		if err == nil {
			err = d.inRange(v)
		}
		if err != nil {
			return nil, err
		}
		g[id] = v
		d.each(v, func(a *Alt) { mark(a.Sub) })
	}
	return g, nil
}

func (d *Decision) parse(text string) (int64, error) {
	if d.Kind != Subset {
		v, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return 0, fmt.Errorf("%s needs the number of an alternative, not %q", d.Address, text)
		}
		return int64(v), nil
	}
	return d.parseSet(text, func(item string) (int, error) {
		v, err := strconv.ParseUint(item, 10, 31)
		if err != nil || v >= uint64(len(d.Alts)) {
			return 0, fmt.Errorf("%s has no item %q: there are %d, numbered from 0", d.Address, item, len(d.Alts))
		}
		return int(v), nil
	})
}

// parseSet reads {item, item, …}; index reads one item.
func (d *Decision) parseSet(text string, index func(string) (int, error)) (set int64, err error) {
	inner, open := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !open || !closed {
		return 0, fmt.Errorf("%s needs a set of items in braces, not %q", d.Address, text)
	}
	if strings.TrimSpace(inner) == "" {
		return 0, nil
	}
	for _, item := range splitList(inner) {
		i, err := index(strings.TrimSpace(item))
		if err != nil {
			return 0, err
		}
		if set>>i&1 != 0 {
			return 0, fmt.Errorf("%s takes the item %q twice", d.Address, strings.TrimSpace(item))
		}
		set |= 1 << i
	}
	return set, nil
}

// splitList cuts text at the commas that stand outside brackets and quotes.
func splitList(text string) []string {
	var out []string
	depth, start := 0, 0
	quoted, escaped := false, false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped = r == '\\'
			quoted = r != '"'
		case r == '"':
			quoted = true
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case r == ',' && depth == 0:
			out = append(out, text[start:i])
			start = i + 1
		}
	}
	return append(out, text[start:])
}

// Labelled is one decision taken, in words that survive a reordering of the
// alternatives in the source.
type Labelled struct {
	Address string // "normal.n[1].edge[0]"
	Label   string // "relu_conv_bn(kernel: 3)"; of a Subset "{a, n[0]}"
}

// Labels lists the decisions that exist in g, by ID.
func (s *Space) Labels(g Genotype) []Labelled {
	var out []Labelled
	for d := range s.Active(g) {
		out = append(out, Labelled{d.Address, d.LabelOf(g[d.ID])})
	}
	return out
}

// LabelOf is the text of a value of d.
func (d *Decision) LabelOf(v int64) string {
	if d.Kind != Subset {
		return d.Alts[v].Label
	}
	var items []string
	d.each(v, func(a *Alt) { items = append(items, a.Label) })
	return "{" + strings.Join(items, ", ") + "}"
}

// FromLabels is the inverse of Labels: label by address. Every decision that
// exists must be named, and no other.
func (s *Space) FromLabels(labels map[string]string) (Genotype, error) {
	used := 0
	g, err := s.read(func(d *Decision) (int64, error) {
		label, ok := labels[d.Address]
		if !ok {
			return 0, fmt.Errorf("no alternative is named for %s", d.Address)
		}
		used++
		return d.fromLabel(label)
	})
	if unknown := s.unknown(labels); unknown != "" {
		names := make([]string, len(s.Decisions))
		for i, d := range s.Decisions {
			names[i] = d.Address
		}
		return nil, fmt.Errorf("%s has no decision %s%s", s.Name, unknown, didYouMean(unknown, names))
	}
	if err != nil {
		return nil, err
	}
	if used < len(labels) {
		for _, d := range s.Decisions {
			if _, named := labels[d.Address]; named && g[d.ID] == Inactive {
				return nil, fmt.Errorf("%s does not exist under the alternatives taken", d.Address)
			}
		}
	}
	return g, nil
}

// unknown returns the first address, in order of text, that s does not have.
func (s *Space) unknown(labels map[string]string) string {
	known := make(map[string]bool, len(s.Decisions))
	for _, d := range s.Decisions {
		known[d.Address] = true
	}
	var out []string
	for address := range labels {
		if !known[address] {
			out = append(out, address)
		}
	}
	if out == nil {
		return ""
	}
	return slices.Min(out)
}

func (d *Decision) fromLabel(label string) (int64, error) {
	if d.Kind != Subset {
		i, err := d.index(label)
		return int64(i), err
	}
	return d.parseSet(label, d.index)
}

// index finds the alternative with a label.
func (d *Decision) index(label string) (int, error) {
	names := make([]string, len(d.Alts))
	for i, a := range d.Alts {
		if a.Label == label {
			return i, nil
		}
		names[i] = a.Label
	}
	return 0, fmt.Errorf("%s has no alternative %s%s", d.Address, label, didYouMean(label, names))
}

// didYouMean is the tail of a message that knows what was probably meant.
func didYouMean(name string, candidates []string) string {
	if near, ok := diag.Suggest(name, candidates); ok {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}
