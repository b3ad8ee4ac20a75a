package host

import (
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Component returns a component of the plugin by name; with an empty name, the
// only one of its kind.
func (p *Plugin) Component(kind wire.ComponentKind, name string) (wire.Component, error) {
	if c, ok := p.description.Component(kind, name); ok {
		return c, nil
	}
	var names []string
	for _, c := range p.description.Components {
		if c.Kind == kind {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return wire.Component{}, p.fault(UnknownComponent, "the plugin is not an %s", kind)
	case name == "":
		d := p.fault(UnknownComponent, "the plugin has more than one %s", kind)
		d.Help = fmt.Sprintf("name one of %v", names)
		return wire.Component{}, d
	}
	d := p.fault(UnknownComponent, "the plugin has no %s called %s", kind, name)
	if near, ok := diag.Suggest(name, names); ok {
		d.Help = "did you mean `" + near + "`?"
	} else {
		d.Help = fmt.Sprintf("it has %v", names)
	}
	return wire.Component{}, d
}

// Settings checks values against the declared parameters of a component and
// completes them with defaults. Values are int64, float64, bool or string. The
// error is a [diag.List] with a path "parameters.NAME" in every diagnostic.
func (p *Plugin) Settings(c wire.Component, given wire.Settings) (wire.Settings, error) {
	var all diag.List
	add := func(name, code, format string, args ...any) *diag.Diagnostic {
		d := p.fault(code, format, args...)
		d.Path = "parameters." + name
		all = append(all, d)
		return d
	}
	out := wire.Settings{}
	declared := map[string]bool{}
	var names []string
	for _, param := range c.Parameters {
		declared[param.Name] = true
		names = append(names, param.Name)
		v, ok := given[param.Name]
		if !ok {
			if param.Default == nil {
				d := add(param.Name, MissingParameter, "%s of %s must be given", param.Name, c.Name)
				d.Help = tidy(param.Doc, 500)
			}
			out[param.Name] = param.Default
			continue
		}
		value, ok := param.Convert(v)
		if !ok {
			add(param.Name, WrongType, "%s must be of type %s, not %s", param.Name, param.Type, quoted(v))
			continue
		}
		if reason := param.Refuses(value); reason != "" {
			d := add(param.Name, BadParameter, "%s %s, not %s", param.Name, reason, quoted(v))
			if near, ok := diag.Suggest(fmt.Sprint(v), param.Choices); ok {
				d.Help = "did you mean `" + near + "`?"
			}
			continue
		}
		out[param.Name] = value
	}
	for name := range given {
		if declared[name] {
			continue
		}
		d := add(name, UnknownParameter, "%s has no parameter %s", c.Name, name)
		if near, ok := diag.Suggest(name, names); ok {
			d.Help = "did you mean `" + near + "`?"
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Path < all[j].Path })
	if err := all.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// quoted is a value as it was written, cut to what fits on a line.
func quoted(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(tidy(s, 60))
	}
	return fmt.Sprint(v)
}

// handles tells whether an optimizer handles every decision of a space.
func (p *Plugin) handles(c wire.Component, s *space.Space) error {
	if len(c.DecisionKinds) == 0 {
		return nil
	}
	var all diag.List
	seen := map[space.Kind]bool{}
	for _, d := range s.Decisions {
		if slices.Contains(c.DecisionKinds, d.Kind) || seen[d.Kind] {
			continue
		}
		seen[d.Kind] = true
		f := p.fault(CannotHandle, "%s cannot handle a %s decision", c.Name, d.Kind)
		note := diag.Note{Text: "the decision is " + d.Address}
		note.Span.Start, note.Span.End = d.Pos, d.Pos
		f.Notes = append(f.Notes, note)
		all = append(all, f)
	}
	return all.Err()
}
