package sdk

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/nasc-project/nasc/plugins/wire"
)

// Parameters reads the declaration of parameters from the fields of P, a struct:
//
//	Population int     `default:"10" min:"1" doc:"architectures kept"`
//	Rate       float64 `default:"0.05" min:"0" max:"1" doc:"…"`
//	Draw       string  `default:"uniform" choices:"uniform,by_node" doc:"…"`
//	Data       string  `doc:"the table to read"`
//
// A field is an int, int64, float64, bool or string. Its parameter is called as
// the field in lower case with underscores, or as the tag `name` says. Without
// `default` it must be given by the user. The fields of an embedded struct belong to
// the struct.
func Parameters[P any]() ([]wire.Parameter, error) {
	t := reflect.TypeFor[P]()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("parameters are a struct, not %s", t)
	}
	var out []wire.Parameter
	for _, f := range fields(t) {
		p, err := parameter(f)
		if err != nil {
			return nil, fmt.Errorf("field %s of %s: %w", f.Name, t, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// fields are those of a struct, in their order, with those of embedded structs in place
// of them.
func fields(t reflect.Type) []reflect.StructField {
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		return f.Anonymous && f.Type.Kind() == reflect.Struct
	})
}

func parameter(f reflect.StructField) (wire.Parameter, error) {
	p := wire.Parameter{Name: name(f), Doc: f.Tag.Get("doc")}
	if !f.IsExported() {
		return p, fmt.Errorf("it is not exported")
	}
	switch f.Type.Kind() {
	case reflect.Int, reflect.Int64:
		p.Type = wire.Int
	case reflect.Float64:
		p.Type = wire.Real
	case reflect.Bool:
		p.Type = wire.Bool
	case reflect.String:
		p.Type = wire.String
	default:
		return p, fmt.Errorf("a parameter is an int, int64, float64, bool or string, not %s", f.Type)
	}
	var err error
	if text, ok := f.Tag.Lookup("default"); ok {
		if p.Default, err = literal(p.Type, text); err != nil {
			return p, err
		}
	}
	for key, bound := range map[string]**float64{"min": &p.Min, "max": &p.Max} {
		text, ok := f.Tag.Lookup(key)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return p, err
		}
		*bound = &v
	}
	if text, ok := f.Tag.Lookup("choices"); ok {
		p.Choices = strings.Split(text, ",")
	}
	return p, nil
}

func literal(t wire.Type, text string) (any, error) {
	switch t {
	case wire.Int:
		return strconv.ParseInt(text, 10, 64)
	case wire.Real:
		return strconv.ParseFloat(text, 64)
	case wire.Bool:
		return strconv.ParseBool(text)
	}
	return text, nil
}

// name is the parameter's name: the tag's, or the field's in snake case.
func name(f reflect.StructField) string {
	if n := f.Tag.Get("name"); n != "" {
		return n
	}
	var b strings.Builder
	runes := []rune(f.Name)
	for i, r := range runes {
		lowerNear := i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if unicode.IsUpper(r) && lowerNear {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// fill makes a P of complete settings.
func fill[P any](values wire.Settings) (P, error) {
	var p P
	parameters, err := Parameters[P]()
	if err != nil {
		return p, err
	}
	if values, err = checked(parameters, values); err != nil {
		return p, err
	}
	return p, Fill(&p, values)
}

// Fill sets the fields of the struct that p points to from settings that are checked
// and may hold more than that; see [NewOneShotOf].
func Fill(p any, values wire.Settings) error {
	v := reflect.ValueOf(p).Elem()
	for _, f := range fields(v.Type()) {
		value, ok := values[name(f)]
		if !ok {
			return Refuse(name(f), "must be given")
		}
		v.FieldByIndex(f.Index).Set(reflect.ValueOf(value).Convert(f.Type))
	}
	return nil
}

// checked are settings for all parameters, converted to their types.
func checked(parameters []wire.Parameter, values wire.Settings) (wire.Settings, error) {
	out := wire.Settings{}
	for _, decl := range parameters {
		given, ok := values[decl.Name]
		if !ok {
			given = decl.Default
		}
		if given == nil {
			return nil, Refuse(decl.Name, "must be given")
		}
		value, ok := decl.Convert(given)
		if !ok {
			return nil, Refuse(decl.Name, "must be of type %s", decl.Type)
		}
		if reason := decl.Refuses(value); reason != "" {
			return nil, Refuse(decl.Name, "%s", reason)
		}
		out[decl.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, ok := out[name]; !ok {
			return nil, Refuse(name, "is not a parameter")
		}
	}
	return out, nil
}
