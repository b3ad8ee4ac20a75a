package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Setting is one `--set key=value` of the command line.
type Setting struct {
	Scope string // optimizer, evaluator, space, search, retrain, report; "" when not qualified
	Name  string
	Text  string
}

// The scopes of settings.
const (
	optimizerScope = "optimizer"
	evaluatorScope = "evaluator"
	spaceScope     = "space"
	searchScope    = "search"
	retrainScope   = "retrain"
	reportScope    = "report"
)

var scopes = []string{optimizerScope, evaluatorScope, spaceScope, searchScope, retrainScope, reportScope}

// qualified are the scopes whose settings are always qualified: they have the names
// of those of the space and of the evaluator.
var qualified = map[string]bool{retrainScope: true, reportScope: true}

func (s Setting) key() string {
	if s.Scope == "" {
		return s.Name
	}
	return s.Scope + "." + s.Name
}

// ParseSetting reads key=value or scope.key=value.
func ParseSetting(text string) (Setting, error) {
	key, value, ok := strings.Cut(text, "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" {
		return Setting{}, fmt.Errorf("--set needs key=value, not %q", text)
	}
	if scope, name, ok := strings.Cut(key, "."); ok {
		return Setting{scope, name, value}, nil
	}
	return Setting{"", key, value}, nil
}

// distribute gives every setting the one scope that knows its name.
func distribute(settings []Setting, known map[string][]string) ([]Setting, diag.List) {
	var out []Setting
	var diags diag.List
	for _, s := range settings {
		if s.Scope != "" {
			if names, ok := known[s.Scope]; !ok {
				d := diags.Add(UnknownSetting, diag.Span{}, "--set %s: there is no scope called %s", s.key(), s.Scope)
				d.Help = "scopes are " + strings.Join(scopes, ", ")
				if near, ok := diag.Suggest(s.Scope, scopes); ok {
					d.Help = "did you mean `" + near + "." + s.Name + "`?"
				}
			} else if !slices.Contains(names, s.Name) {
				unknown(&diags, s, names)
			} else {
				out = append(out, s)
			}
			continue
		}
		var homes, all []string
		for _, scope := range scopes {
			if qualified[scope] {
				continue
			}
			all = append(all, known[scope]...)
			if slices.Contains(known[scope], s.Name) {
				homes = append(homes, scope)
			}
		}
		switch len(homes) {
		case 1:
			s.Scope = homes[0]
			out = append(out, s)
		case 0:
			unknown(&diags, s, all)
		default:
			d := diags.Add(UnknownSetting, diag.Span{}, "--set %s: both the %s have it", s.Name, strings.Join(homes, " and the "))
			d.Help = "write `" + homes[0] + "." + s.Name + "` or `" + homes[1] + "." + s.Name + "`"
		}
	}
	return out, diags
}

func unknown(diags *diag.List, s Setting, names []string) {
	where := "nothing here"
	if s.Scope != "" {
		where = "the " + s.Scope
	}
	d := diags.Add(UnknownSetting, diag.Span{}, "--set %s: %s has a setting called %s", s.key(), where, s.Name)
	if s.Scope != "" {
		d.Message = fmt.Sprintf("--set %s: the %s has no setting called %s", s.key(), s.Scope, s.Name)
	}
	names = slices.Clone(names)
	slices.Sort(names)
	if near, ok := diag.Suggest(s.Name, names); ok {
		d.Help = "did you mean `" + near + "`?"
	} else if len(names) > 0 {
		d.Help = "settings are " + strings.Join(slices.Compact(names), ", ")
	}
}

// Value reads text as a value of type t; text that does not fit is handed on
// for the check of the parameter to refuse.
func Value(t wire.Type, text string) any {
	switch t {
	case wire.Int, wire.Real:
		clean := strings.ReplaceAll(text, "_", "")
		if i, err := strconv.ParseInt(clean, 10, 64); err == nil {
			return i
		}
		if f, err := strconv.ParseFloat(clean, 64); err == nil {
			return f
		}
	case wire.Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	}
	return text
}

// literal reads a value for a parameter of a space, by its own looks.
func literal(text string) any {
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		var dims []int64
		for _, d := range strings.Split(strings.TrimSuffix(inner, "]"), ",") {
			n, err := strconv.ParseInt(strings.TrimSpace(d), 10, 64)
			if err != nil {
				return text
			}
			dims = append(dims, n)
		}
		return dims
	}
	if v, ok := Value(wire.Real, text).(string); !ok {
		return Value(wire.Real, text)
	} else if text == "true" || text == "false" {
		return text == "true"
	} else if s, err := strconv.Unquote(v); err == nil {
		return s
	}
	return text
}

// path makes the name of a file absolute, so that a run can be resumed from
// any folder: text that starts with ./ or ../, or that names, with a separator
// or an ending in it, a file below base. Other text stays as it is: a bare word
// may be the name of anything.
func path(base, text string) string {
	p := filepath.ToSlash(text)
	explicit := strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../")
	if filepath.IsAbs(text) || !explicit && !strings.Contains(p, "/") && filepath.Ext(p) == "" {
		return text
	}
	abs, err := filepath.Abs(filepath.Join(base, text))
	if err != nil {
		return text
	}
	if _, err := os.Stat(abs); err != nil && !explicit {
		return text
	}
	return abs
}
