package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
)

// finding is the runs and in what they differ.
type finding struct {
	circumstances
	runs   []*Run
	differ []string // paths
	copies []string // runs that repeat others
}

// paths finds what --by and --across name: a path of the manifests, or the end of
// a single one, as population is that of optimizer.parameters.population.
func (f finding) paths(given []string) (out []string, diags diag.List) {
	all := map[string]bool{}
	for _, r := range f.runs {
		for p := range r.Fields {
			for p != "" {
				all[p] = true
				p = p[:max(0, strings.LastIndexByte(p, '.'))]
			}
		}
	}
	known := slices.Sorted(maps.Keys(all))
	for _, text := range given {
		var found []string
		for _, p := range known {
			if p == text {
				found = []string{p}
				break
			}
			if strings.HasSuffix(p, "."+text) {
				found = append(found, p)
			}
		}
		// Of several, the one that differs is meant.
		if len(found) > 1 {
			if some := slices.DeleteFunc(slices.Clone(found), func(p string) bool { return !f.differs(p) }); len(some) == 1 {
				found = some
			}
		}
		switch len(found) {
		case 1:
			out = append(out, found[0])
		case 0:
			d := diags.Add(UnknownField, diag.Span{}, "the manifests have no field %q", text)
			d.Help = "`nasc show --manifest RUN` prints them all"
			if near, ok := diag.Suggest(text, ends(known)); ok {
				d.Help = fmt.Sprintf("did you mean %s?", near)
			}
		default:
			diags.Add(UnknownField, diag.Span{}, "%q may be %s", text, strings.Join(found, " or ")).Help = "write the whole path"
		}
	}
	return out, diags
}

// ends are paths, and what they end with.
func ends(paths []string) []string {
	out := slices.Clone(paths)
	for _, p := range paths {
		out = append(out, p[strings.LastIndexByte(p, '.')+1:])
	}
	return out
}

// differs reports whether runs differ at or below a path.
func (f finding) differs(path string) bool {
	return slices.ContainsFunc(f.differ, func(p string) bool { return within(p, path) })
}

// only is the one part of the manifests in which runs differ.
func (f finding) only(across []string) (by []string, diags diag.List) {
	var parts []string
	for _, p := range f.differ {
		changes, _, _ := f.judge(p)
		part, _, _ := strings.Cut(p, ".")
		if changes && !covered(p, across) && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	switch len(parts) {
	case 0:
		return []string{"optimizer"}, nil
	case 1:
		return parts, nil
	}
	d := diags.Add(NotSaid, diag.Span{}, "the runs differ in %s: say which is compared", strings.Join(parts, ", "))
	for _, p := range f.differ {
		part, _, _ := strings.Cut(p, ".")
		if p != part+".plugin" && f.differs(part+".plugin") {
			continue // of other plugins the rest is other too
		}
		if changes, _, _ := f.judge(p); changes && !covered(p, across) {
			d.Notes = append(d.Notes, diag.Note{Text: p + " is " + list(f.values(p, nil), 4)})
		}
	}
	d.Help = "add --by " + parts[0] + "; the other differences then keep runs from being compared, but for those named by --across"
	if slices.Contains(parts, "optimizer") {
		d.Help = strings.Replace(d.Help, "--by "+parts[0], "--by optimizer", 1)
	}
	return nil, diags
}

func covered(path string, paths []string) bool {
	return slices.ContainsFunc(paths, func(above string) bool { return within(path, above) })
}

// withoutCopies leaves out runs that only repeat others: nothing that decides
// differs, the seed included, and nothing depends on the machine. They would count
// one result twice.
func (f finding) withoutCopies() (runs []*Run, copies []string) {
	if f.dependent {
		return f.runs, nil
	}
	seen := map[string]bool{}
	for _, r := range f.runs {
		var key strings.Builder
		for _, p := range f.differ {
			if changes, _, role := f.judge(p); changes || role == repetition {
				fmt.Fprintf(&key, "%s\x00", r.Fields[p])
			}
		}
		if seen[key.String()] {
			copies = append(copies, r.Address)
			continue
		}
		seen[key.String()] = true
		runs = append(runs, r)
	}
	return runs, copies
}

// group puts runs that agree in what is compared together.
func (c *Comparison) group(f finding) {
	byKey := map[string]*Group{}
	var groups []*Group
	paths := f.below(c.By)
	for _, r := range f.runs {
		key := r.key(paths)
		g := byKey[key]
		if g == nil {
			g = &Group{Fields: r.pick(paths)}
			byKey[key] = g
			groups = append(groups, g)
		}
		g.runs, g.Runs = append(g.runs, r), append(g.Runs, r.Address)
	}
	label(groups, paths, c.By)
	slices.SortStableFunc(groups, func(a, b *Group) int { return natural(a.Label, b.Label) })
	for _, g := range groups {
		c.Groups = append(c.Groups, *g)
	}
}

// stratify parts the runs of each group by what the comparison is made across.
func (c *Comparison) stratify(f finding) {
	paths := f.below(c.Across)
	at := map[string]int{}
	var groups []*Group // one per stratum, for its label
	var strata []Stratum
	for i, g := range c.Groups {
		for _, r := range g.runs {
			key := r.key(paths)
			n, ok := at[key]
			if !ok {
				n = len(strata)
				at[key] = n
				fields := r.pick(paths)
				strata = append(strata, Stratum{Fields: fields, cells: make([][]*Run, len(c.Groups))})
				groups = append(groups, &Group{Fields: fields, runs: []*Run{r}})
			}
			strata[n].cells[i] = append(strata[n].cells[i], r)
		}
	}
	if len(strata) > 1 {
		label(groups, paths, c.Across)
		for i, g := range groups {
			strata[i].Label = g.Label
		}
	}
	slices.SortStableFunc(strata, func(a, b Stratum) int { return natural(a.Label, b.Label) })
	c.Paired = true
	for _, s := range strata {
		for _, cell := range s.cells {
			slices.SortStableFunc(cell, func(a, b *Run) int {
				if a.Seed < b.Seed {
					return -1
				} else if a.Seed > b.Seed {
					return 1
				}
				return 0
			})
			if !slices.Equal(seeds(cell), seeds(s.cells[0])) || repeats(seeds(cell)) {
				c.Paired = false
			}
		}
	}
	c.Strata = strata
}

func seeds(runs []*Run) []uint64 {
	out := make([]uint64, len(runs))
	for i, r := range runs {
		out[i] = r.Seed
	}
	return out
}

func repeats(sorted []uint64) bool { return len(slices.Compact(slices.Clone(sorted))) < len(sorted) }

// below are the paths at or below others in which runs differ, the seeds apart.
func (f finding) below(above []string) []string {
	return slices.DeleteFunc(slices.Clone(f.differ), func(p string) bool {
		changes, _, role := f.judge(p)
		name := !changes && last(p) == "method" // groups are not set apart by what they are called
		return !covered(p, above) || (name || role == repetition) && !slices.Contains(above, p)
	})
}

func (r *Run) key(paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&b, "%s\x00", r.Fields[p])
	}
	return b.String()
}

func (r *Run) pick(paths []string) Fields {
	out := Fields{}
	for _, p := range paths {
		if v, ok := r.Fields[p]; ok {
			out[p] = v
		}
	}
	return out
}

// differences are the fields in which runs differ beside what is compared.
func (f finding) differences(c *Comparison) []Difference {
	var out []Difference
	for _, p := range f.differ {
		changes, reason, role := f.judge(p)
		if role == repetition || covered(p, c.By) || covered(p, c.Across) {
			continue
		}
		out = append(out, Difference{Path: p, Changes: changes, Reason: reason, Values: f.values(p, c.Groups)})
	}
	slices.SortStableFunc(out, func(a, b Difference) int {
		switch {
		case a.Changes == b.Changes:
			return 0
		case a.Changes:
			return -1
		}
		return 1
	})
	return out
}

// values are what a field is, and where: in which groups, or which run.
func (f finding) values(path string, groups []Group) []Value {
	runs := map[string][]*Run{}
	for _, r := range f.runs {
		runs[r.Fields[path]] = append(runs[r.Fields[path]], r)
	}
	group := map[*Run]string{}
	for _, g := range groups {
		for _, r := range g.runs {
			group[r] = g.Label
		}
	}
	var out []Value
	for value, have := range runs {
		var labels []string
		for _, r := range have {
			if l := group[r]; l != "" && !slices.Contains(labels, l) {
				labels = append(labels, l)
			}
		}
		slices.SortFunc(labels, natural)
		where := fmt.Sprintf("%d runs", len(have))
		if len(have) == 1 {
			where = have[0].Address
		} else if len(labels) > 0 && len(groups) > 1 {
			where += " of " + strings.Join(labels, ", ")
		}
		out = append(out, Value{Value: readable(value), Runs: len(have), Where: where})
	}
	slices.SortFunc(out, func(a, b Value) int {
		if c := natural(a.Value, b.Value); c != 0 {
			return c
		}
		return natural(a.Where, b.Where)
	})
	return out
}
