package official

import (
	"fmt"
	"strconv"

	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// What pickles hold, by the types that the formats promise. Errors are sentences
// about the value, to which a caller adds the architecture.

func dictOf(v any) (*pickle.Dict, error) {
	d, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("%s stands where a dictionary must", kindOf(v))
	}
	return d, nil
}

// member is an entry of a dictionary that must be there.
func member(d *pickle.Dict, key string) (any, error) {
	v, ok := d.Get(key)
	if !ok {
		return nil, fmt.Errorf("it has no entry %q", key)
	}
	return v, nil
}

func dictIn(d *pickle.Dict, key string) (*pickle.Dict, error) {
	v, err := member(d, key)
	if err != nil {
		return nil, err
	}
	out, err := dictOf(v)
	if err != nil {
		return nil, fmt.Errorf("in %q %w", key, err)
	}
	return out, nil
}

func textIn(d *pickle.Dict, key string) (string, error) {
	v, err := member(d, key)
	if err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%q is %s, not a text", key, kindOf(v))
	}
	return s, nil
}

func intIn(d *pickle.Dict, key string) (int, error) {
	v, err := member(d, key)
	if err != nil {
		return 0, err
	}
	n, ok := intOf(v)
	if !ok {
		return 0, fmt.Errorf("%q is %s, not a whole number", key, kindOf(v))
	}
	return n, nil
}

func intOf(v any) (int, bool) {
	switch v := v.(type) {
	case int64:
		return int(v), int64(int(v)) == v
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}

func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case *pickle.Array:
		if len(v.Values) == 1 {
			return v.Values[0], true
		}
	}
	return 0, false
}

// itemsOf are the items of a list, a tuple or an array.
func itemsOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case *pickle.List:
		return v.Items, true
	case pickle.Tuple:
		return v, true
	case *pickle.Array:
		out := make([]any, len(v.Values))
		for i, x := range v.Values {
			out[i] = x
		}
		return out, true
	}
	return nil, false
}

// numbersOf are the numbers of a list.
func numbersOf(v any) ([]float64, bool) {
	items, ok := itemsOf(v)
	if !ok {
		return nil, false
	}
	out := make([]float64, len(items))
	for i, it := range items {
		if out[i], ok = numberOf(it); !ok {
			return nil, false
		}
	}
	return out, true
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a truth value"
	case int64, float64:
		return "a number"
	case string:
		return fmt.Sprintf("the text %.20q", v)
	case []byte:
		return "bytes"
	case *pickle.List, pickle.Tuple, *pickle.Set:
		return "a list"
	case *pickle.Dict:
		return "a dictionary"
	case *pickle.Array:
		return "an array"
	}
	return "something else"
}
