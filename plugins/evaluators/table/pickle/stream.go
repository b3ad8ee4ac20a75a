package pickle

// streaming hands items of dictionaries over while they are read.
type streaming struct {
	depth int
	want  func(path []any) bool
	item  func(path []any, key, value any) error
	path  []any
}

// Each has the items of some dictionaries handed to item, one by one while they are
// read, instead of being kept: those of each dictionary whose path want accepts. A
// path is the keys that lead to the dictionary from the outermost one, of which
// there are at most depth; it is valid during the call only. An item that stands
// alone in the file (Python writes the last of 1,001 so) is kept all the same: look
// at what Decode returns as well.
//
// Python fills a dictionary of one item without a mark, so that what lies in it cannot
// be told from what follows it: where such a dictionary comes before, the path may be
// that of an outer one. Check the keys that are handed over.
//
// What is remembered for later reference stays in memory even so. Tell the decoder
// what is referred to with [Decoder.Keep].
func (d *Decoder) Each(depth int, want func(path []any) bool, item func(path []any, key, value any) error) {
	d.each = &streaming{depth: depth, want: want, item: item}
}

// slack is how many values may lie above an item that is still being made: an
// object is made of a name and up to three arguments, which may be objects.
const slack = 14

// pair is called before something is pushed. It hands the first item of the
// innermost dictionary over when so much lies above it that it must be complete.
func (d *Decoder) pair() error {
	if len(d.stack)-d.floor() < slack+2 {
		return nil
	}
	return d.hand(1)
}

// hand hands up to n items of the innermost dictionary over.
func (d *Decoder) hand(n int) error {
	m := d.floor()
	if m == 0 {
		return nil
	}
	if _, isDict := d.stack[m-1].(*Dict); !isDict {
		return nil
	}
	path, ok := d.pathOf(m - 1)
	if !ok || !d.each.want(path) {
		return nil
	}
	n = min(n, (len(d.stack)-m)/2)
	for i := range n {
		if err := d.each.item(path, d.stack[m+2*i], d.stack[m+2*i+1]); err != nil {
			return err
		}
	}
	d.held = 0
	left := copy(d.stack[m:], d.stack[m+2*n:])
	clear(d.stack[m+left:])
	d.stack = d.stack[:m+left]
	return nil
}

// pathOf finds the keys that lead to the dictionary at a place of the stack.
func (d *Decoder) pathOf(at int) ([]any, bool) {
	path := d.each.path[:0]
	marks := len(d.marks) - 1
	for at > 0 {
		if len(path) == d.each.depth {
			return nil, false
		}
		key := at - 1
		path = append(path, d.stack[key])
		for marks >= 0 && d.marks[marks] > key {
			marks--
		}
		at = key - 1
		if marks >= 0 && (key-d.marks[marks])%2 == 0 {
			at = d.marks[marks] - 1
		}
		if at < 0 {
			return nil, false
		}
		if _, isDict := d.stack[at].(*Dict); !isDict {
			return nil, false
		}
	}
	for i, k := 0, len(path)-1; i < k; i, k = i+1, k-1 {
		path[i], path[k] = path[k], path[i]
	}
	d.each.path = path
	return path, true
}

// Keep has the decoder remember only values with the given numbers, see
// [Decoder.References].
func (d *Decoder) Keep(numbers map[uint64]bool) { d.keep = numbers }

// References goes through the next pickle without building anything and returns the
// numbers of the values that it refers back to.
func (d *Decoder) References() (map[uint64]bool, error) {
	out := map[uint64]bool{}
	for {
		d.at = d.offset
		op, err := d.byte()
		if err != nil {
			return nil, err
		}
		switch op {
		case '.':
			return out, nil
		case opBinGet, opLongBinGet:
			id, err := d.uint(map[byte]int{opBinGet: 1, opLongBinGet: 4}[op])
			if err != nil {
				return nil, err
			}
			if out[id] = true; len(out) > maxRefs {
				return nil, d.bad("more than %d values are referred back to", maxRefs)
			}
		default:
			if err := d.skip(op); err != nil {
				return nil, err
			}
		}
	}
}

// skip reads over the argument of an instruction.
func (d *Decoder) skip(op byte) (err error) {
	switch op {
	case opBinPut, opBinInt1, opProto:
		_, err = d.byte()
	case opBinInt2:
		_, err = d.uint(2)
	case opLongBinPut, opBinInt:
		_, err = d.uint(4)
	case opBinFloat, opFrame:
		_, err = d.uint(8)
	case opInt, opLong, opFloat, opString, opUnicode, opPut, opGet:
		_, err = d.line()
	case opGlobal:
		if _, err = d.line(); err == nil {
			_, err = d.line()
		}
	case opShortBinString, opShortBinUnicode, opShortBinBytes, opLong1:
		_, err = d.sized(1)
	case opBinString, opBinUnicode, opBinBytes, opLong4:
		_, err = d.sized(4)
	case opBinUnicode8, opBinBytes8, opByteArray8:
		_, err = d.sized(8)
	default:
		if name, ok := forbidden[op]; ok {
			return &ForbiddenError{d.at, name}
		}
	}
	return err
}
