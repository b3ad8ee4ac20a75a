package compare

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// label names groups by as little as sets them apart. An optimizer or evaluator is
// named as on the command line, with the parameters in which groups of it differ:
// "evolution(population: 10)".
func label(groups []*Group, differ, by []string) {
	if len(groups) == 1 {
		groups[0].Label = groups[0].alone(by)
		return
	}
	var rest []string // paths that belong to no component
	for _, p := range differ {
		if part, _, _ := strings.Cut(p, "."); part != "optimizer" && part != "evaluator" {
			rest = append(rest, p)
		}
	}
	for _, part := range []string{"optimizer", "evaluator"} {
		var below []string
		for _, p := range differ {
			if within(p, part) {
				below = append(below, p)
			}
		}
		if below == nil {
			continue
		}
		whole := slices.ContainsFunc(below, func(p string) bool { return p == part+".plugin" || p == part+".component" }) ||
			slices.Contains(by, part)
		for _, g := range groups {
			g.add(component(g, groups, part, below, whole))
		}
	}
	// Of a space, its name says enough when it differs.
	if slices.Contains(rest, "space.name") {
		rest = slices.DeleteFunc(rest, func(p string) bool { return within(p, "space") && p != "space.name" })
	}
	for _, p := range rest {
		for _, g := range groups {
			if text := g.runs[0].Fields.text(p); len(rest) == 1 || p == "space.name" {
				g.add(shorten(text))
			} else {
				g.add(last(p) + "=" + shorten(text))
			}
		}
	}
	apart(groups)
}

// alone names the only group.
func (g *Group) alone(by []string) string {
	f := g.runs[0].Fields
	var out []string
	for _, p := range by {
		switch _, single := f[p]; {
		case p == "optimizer" || p == "evaluator":
			out = append(out, plugin(f, p))
		case single:
			out = append(out, shorten(f.text(p)))
		case p == "space":
			out = append(out, f.text("space.name"))
		default:
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}

func (g *Group) add(text string) { g.Label = strings.TrimSpace(g.Label + " " + text) }

// plugin is the name of a component: that of its plugin, as on the command line.
func plugin(f Fields, part string) string {
	return strings.TrimPrefix(f.text(part+".plugin"), "nasc/")
}

// component names a component with what sets it apart from the other groups of it.
func component(g *Group, groups []*Group, part string, below []string, whole bool) string {
	f := g.runs[0].Fields
	var same []*Group // of the same plugin, and of the same component of it
	name := plugin(f, part)
	others := false
	for _, o := range groups {
		if of := o.runs[0].Fields; of[part+".plugin"] == f[part+".plugin"] {
			if of[part+".component"] == f[part+".component"] {
				same = append(same, o)
			} else {
				others = true
			}
		}
	}
	if others {
		name += "." + f.text(part+".component")
	}
	if method := f.text(part + ".method"); f[part+".method"] != "" {
		// The name of the method says all, where no other group of it has the same.
		if n := len(slices.DeleteFunc(slices.Clone(same), func(o *Group) bool { return o.runs[0].Fields[part+".method"] != f[part+".method"] })); n == 1 {
			return method
		}
	}
	var args, values []string
	for _, p := range below {
		if p == part+".plugin" || p == part+".component" || p == part+".checksum" ||
			!slices.ContainsFunc(same, func(o *Group) bool { return o.runs[0].Fields[p] != f[p] }) {
			continue
		}
		if _, ok := f[p]; ok {
			value := shorten(f.text(p))
			args, values = append(args, last(p)+": "+value), append(values, value)
		}
	}
	switch {
	case len(args) == 0:
		return name
	case len(args) == 1 && !whole:
		return values[0]
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// apart tells groups with the same label apart, by the checksum that differs or
// else by number.
func apart(groups []*Group) {
	for _, more := range []func(*Group, int) string{checksum, func(_ *Group, n int) string { return "#" + strconv.Itoa(n) }} {
		same := map[string][]*Group{}
		for _, g := range groups {
			same[g.Label] = append(same[g.Label], g)
		}
		for _, of := range same {
			for i, g := range of {
				if len(of) > 1 {
					g.add(more(g, i+1))
				}
			}
		}
	}
}

func checksum(g *Group, _ int) string {
	for _, p := range slices.Sorted(maps.Keys(g.Fields)) {
		if last(p) == "checksum" {
			sum := strings.TrimPrefix(readable(g.Fields[p]), "sha256:")
			return sum[:min(len(sum), 8)]
		}
	}
	return ""
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func shorten(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
