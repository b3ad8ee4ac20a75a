// Package pickle reads Python pickles as data. It never runs what a pickle says.
//
// A pickle is a program for a small stack machine, and Python's own loader will
// import any module and call any function that the program names. This one knows
// the instructions that build values, and a short list of names that stand for
// plain data: ordered dictionaries, sets, numpy scalars and arrays. Whatever else a
// pickle asks for is a [*ForbiddenError] that names it.
//
// Results are Go values:
//
//	None                        nil
//	bool, int, float            bool, int64, float64
//	str, bytes                  string, []byte
//	list, tuple                 *List, Tuple
//	dict, OrderedDict           *Dict, in order
//	set, frozenset              *Set
//	numpy scalar                int64, float64 or bool
//	numpy array                 *Array
//
// An int beyond 64 bits is an error. Protocols 0 to 5 are read, without
// out-of-band buffers and without persistent identifiers.
//
// Files of benchmarks can be larger than memory. [Decoder.Each] hands the items of
// a dictionary over one by one while it is being read and forgets them.
package pickle

import "fmt"

// List is a Python list.
type List struct{ Items []any }

// Tuple is a Python tuple.
type Tuple []any

// Set is a Python set or frozenset, in the order of the file.
type Set struct{ Items []any }

// Dict is a Python dictionary. Its items stay in the order of the file.
type Dict struct {
	Keys   []any
	Values []any
}

// Get returns the value of a key that is a string, a number, nil or a tuple of
// such.
func (d *Dict) Get(key any) (any, bool) {
	for i := len(d.Keys) - 1; i >= 0; i-- { // a later item replaces an earlier one
		if equal(d.Keys[i], key) {
			return d.Values[i], true
		}
	}
	return nil, false
}

func (d *Dict) set(key, value any) {
	d.Keys = append(d.Keys, key)
	d.Values = append(d.Values, value)
}

func equal(a, b any) bool {
	x, ok1 := a.(Tuple)
	y, ok2 := b.(Tuple)
	if ok1 || ok2 {
		if !ok1 || !ok2 || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	switch a.(type) {
	case nil, bool, int64, float64, string:
		return a == b
	}
	return false
}

// Array is a numpy array of numbers, in C order.
type Array struct {
	Shape  []int
	Values []float64
}

// SyntaxError tells where and why a file is no pickle.
type SyntaxError struct {
	Offset int64  // in bytes, of the instruction
	Reason string // one sentence, lower case, no full stop
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason) }

// ForbiddenError names what a pickle would have executed.
type ForbiddenError struct {
	Offset int64
	Name   string // "os.system"
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("byte %d: the pickle wants to call `%s`, which is not data", e.Offset, e.Name)
}
