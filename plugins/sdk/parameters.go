package sdk

import (
	"fmt"
	"reflect"
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
// `default` it must be given by the user.
func Parameters[P any]() ([]wire.Parameter, error) {
	t := reflect.TypeFor[P]()
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("parameters are a struct, not %s", t)
	}
	var out []wire.Parameter
	for i := range t.NumField() {
		p, err := parameter(t.Field(i))
		if err != nil {
			return nil, fmt.Errorf("field %s of %s: %w", t.Field(i).Name, t, err)
		}
		out = append(out, p)
	}
	return out, nil
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
	v := reflect.ValueOf(&p).Elem()
	known := map[string]bool{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		decl, err := parameter(f)
		if err != nil {
			return p, err
		}
		known[decl.Name] = true
		given, ok := values[decl.Name]
		if !ok {
			given = decl.Default
		}
		if given == nil {
			return p, Refuse(decl.Name, "must be given")
		}
		value, ok := decl.Convert(given)
		if !ok {
			return p, Refuse(decl.Name, "must be of type %s", decl.Type)
		}
		if reason := decl.Refuses(value); reason != "" {
			return p, Refuse(decl.Name, "%s", reason)
		}
		v.Field(i).Set(reflect.ValueOf(value).Convert(f.Type))
	}
	for name := range values {
		if !known[name] {
			return p, Refuse(name, "is not a parameter")
		}
	}
	return p, nil
}
