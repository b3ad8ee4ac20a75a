package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
)

// global is an allowed name. Calling it with REDUCE or NEWOBJ gives a value; BUILD
// then may set its state.
type global struct {
	name string
	call func(args Tuple) (any, error)
}

// builder is a value that BUILD completes.
type builder interface {
	build(state any) error
}

// allowed is everything that a pickle may name.
var allowed = map[string]*global{}

func allow(call func(Tuple) (any, error), names ...string) {
	for _, n := range names {
		allowed[n] = &global{n, call}
	}
}

func init() {
	allow(newDict, "collections.OrderedDict", "builtins.dict", "__builtin__.dict")
	allow(newDefaultDict, "collections.defaultdict")
	allow(newSet, "builtins.set", "builtins.frozenset", "__builtin__.set", "__builtin__.frozenset")
	allow(newList, "builtins.list", "__builtin__.list")
	allow(newDtype, "numpy.dtype")
	allow(newScalar, "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
	allow(newArray, "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
	allow(notCalled, "numpy.ndarray", "builtins.int", "builtins.float", "__builtin__.int", "__builtin__.float")
	allow(encode, "_codecs.encode")
}

func notCalled(Tuple) (any, error) {
	return nil, fmt.Errorf("a type is called that only names data here")
}

// newDict makes a dictionary, of pairs where they are given.
func newDict(args Tuple) (any, error) {
	d := &Dict{}
	if len(args) == 0 {
		return d, nil
	}
	items, err := itemsOf(args[0])
	if err != nil || len(args) > 1 {
		return nil, fmt.Errorf("a dictionary is made of something other than pairs")
	}
	for _, it := range items {
		pair, err := itemsOf(it)
		if err != nil || len(pair) != 2 {
			return nil, fmt.Errorf("a dictionary is made of something other than pairs")
		}
		d.set(pair[0], pair[1])
	}
	return d, nil
}

func newDefaultDict(args Tuple) (any, error) {
	for _, a := range args {
		if _, ok := a.(*global); !ok && a != nil {
			return nil, fmt.Errorf("a defaultdict has a default that is no type")
		}
	}
	return &Dict{}, nil
}

func newSet(args Tuple) (any, error) {
	if len(args) == 0 {
		return &Set{}, nil
	}
	items, err := itemsOf(args[0])
	return &Set{items}, err
}

func newList(args Tuple) (any, error) {
	if len(args) == 0 {
		return &List{}, nil
	}
	items, err := itemsOf(args[0])
	return &List{items}, err
}

func itemsOf(v any) ([]any, error) {
	switch v := v.(type) {
	case *List:
		return v.Items, nil
	case Tuple:
		return v, nil
	case *Set:
		return v.Items, nil
	}
	return nil, fmt.Errorf("a collection is made of something that is none")
}

// encode is how protocols before 3 write bytes: a text whose characters are the
// bytes.
func encode(args Tuple) (any, error) {
	if len(args) > 0 {
		if text, ok := args[0].(string); ok {
			out := make([]byte, 0, len(text))
			for _, r := range text {
				if r > 0xff {
					return nil, fmt.Errorf("bytes are written with a character beyond 255")
				}
				out = append(out, byte(r))
			}
			return out, nil
		}
	}
	return nil, fmt.Errorf("bytes are written in a way that is not known")
}

// dtype is the type of the elements of numpy values.
type dtype struct {
	kind  byte // 'f', 'i', 'u' or 'b'
	size  int
	order binary.ByteOrder
}

func newDtype(args Tuple) (any, error) {
	var text string
	if len(args) > 0 {
		text, _ = args[0].(string)
	}
	d := &dtype{order: binary.LittleEndian}
	for _, c := range []byte(text) {
		switch {
		case c == '<' || c == '=' || c == '|':
		case c == '>':
			d.order = binary.BigEndian
		case c >= '0' && c <= '9':
			d.size = min(10*d.size+int(c-'0'), 1000)
		default:
			d.kind = c
		}
	}
	switch {
	case d.kind == 'f' && (d.size == 4 || d.size == 8):
	case (d.kind == 'i' || d.kind == 'u') && (d.size == 1 || d.size == 2 || d.size == 4 || d.size == 8):
	case d.kind == 'b' && d.size == 1:
	default:
		return nil, fmt.Errorf("numpy elements of type %q are not read", text)
	}
	return d, nil
}

// build takes the state of a dtype: (version, byte order, …).
func (d *dtype) build(state any) error {
	t, ok := state.(Tuple)
	if !ok || len(t) < 2 {
		return fmt.Errorf("a numpy type has a state that is not known")
	}
	if order, _ := t[1].(string); order == ">" {
		d.order = binary.BigEndian
	}
	return nil
}

// value reads one element.
func (d *dtype) value(b []byte) any {
	var bits uint64
	switch d.size {
	case 1:
		bits = uint64(b[0])
	case 2:
		bits = uint64(d.order.Uint16(b))
	case 4:
		bits = uint64(d.order.Uint32(b))
	case 8:
		bits = d.order.Uint64(b)
	}
	switch {
	case d.kind == 'f' && d.size == 4:
		return float64(math.Float32frombits(uint32(bits)))
	case d.kind == 'f':
		return math.Float64frombits(bits)
	case d.kind == 'b':
		return bits != 0
	case d.kind == 'i':
		shift := 64 - 8*d.size
		return int64(bits<<shift) >> shift
	}
	return int64(bits)
}

func newScalar(args Tuple) (any, error) {
	if len(args) == 2 {
		d, ok1 := args[0].(*dtype)
		b, ok2 := args[1].([]byte)
		if ok1 && ok2 && len(b) == d.size {
			return d.value(b), nil
		}
	}
	return nil, fmt.Errorf("a numpy number is written in a way that is not known")
}

func newArray(Tuple) (any, error) { return &Array{}, nil }

// build takes the state of an array: (version, shape, dtype, Fortran order, bytes).
func (a *Array) build(state any) error {
	bad := fmt.Errorf("a numpy array has a state that is not known")
	t, ok := state.(Tuple)
	if !ok || len(t) != 5 {
		return bad
	}
	shape, ok1 := t[1].(Tuple)
	d, ok2 := t[2].(*dtype)
	data, ok3 := t[4].([]byte)
	if !ok1 || !ok2 || !ok3 || len(data)%d.size != 0 {
		return bad
	}
	if fortran, _ := t[3].(bool); fortran && len(shape) > 1 {
		return fmt.Errorf("a numpy array in Fortran order is not read")
	}
	n := len(data) / d.size
	left := n
	for _, v := range shape {
		k, ok := v.(int64)
		if !ok || k < 0 || k > int64(n) || k > 0 && left%int(k) != 0 {
			return bad
		}
		if k > 0 {
			left /= int(k)
		}
		a.Shape = append(a.Shape, int(k))
	}
	if left > 1 {
		return bad
	}
	a.Values = make([]float64, n)
	for i := range a.Values {
		switch v := d.value(data[i*d.size:]).(type) {
		case float64:
			a.Values[i] = v
		case int64:
			a.Values[i] = float64(v)
		case bool:
			if v {
				a.Values[i] = 1
			}
		}
	}
	return nil
}
