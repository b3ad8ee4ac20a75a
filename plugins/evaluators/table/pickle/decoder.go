package pickle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// The limits of a pickle. Real files of benchmarks stay far below them.
const (
	maxBytes = 1 << 28  // of one text or byte string
	maxLine  = 1 << 20  // of an argument that ends with its line
	maxStack = 1 << 24  // values under way
	maxMemo  = 1 << 26  // values that are remembered
	maxRefs  = 1 << 24  // values that are referred back to
	maxDepth = 10_000   // collections inside one another
	readStep = 64 << 10 // long strings are read in pieces, so that a false length costs nothing
)

// Decoder reads one pickle after the other.
type Decoder struct {
	in     *bufio.Reader
	offset int64
	at     int64 // of the instruction being carried out
	buf    []byte

	stack []any
	marks []int
	memo  map[uint64]any
	puts  uint64 // values remembered, whether kept or not
	made  int64  // parts of values that calls made of others
	held  int    // values pushed since something was handed over
	limit int    // of held; 0: none

	keep map[uint64]bool // memo entries that are read later; nil: all
	each *streaming
}

// NewDecoder reads from r.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{in: bufio.NewReaderSize(r, 1<<16)} }

// Limit has the decoder refuse a pickle with more values than n; those that [Decoder.Each]
// hands over count until then.
func (d *Decoder) Limit(n int) { d.limit = n }

// Offset is how far the decoder has read, in bytes.
func (d *Decoder) Offset() int64 { return d.offset }

// Decode reads the next pickle. After the last one it returns io.EOF.
func (d *Decoder) Decode() (value any, err error) {
	if _, err := d.in.Peek(1); err == io.EOF {
		return nil, io.EOF
	}
	d.stack, d.marks, d.memo = d.stack[:0], d.marks[:0], map[uint64]any{}
	d.puts, d.made, d.held = 0, 0, 0
	for {
		d.at = d.offset
		op, err := d.byte()
		if err != nil {
			return nil, err
		}
		if op == '.' {
			if len(d.stack) != 1 || len(d.marks) > 0 {
				return nil, d.bad("the pickle ends with %d values instead of one", len(d.stack))
			}
			return d.stack[0], nil
		}
		if err := d.step(op); err != nil {
			return nil, err
		}
	}
}

// bad is an error about the current instruction.
func (d *Decoder) bad(format string, args ...any) error {
	return &SyntaxError{d.at, fmt.Sprintf(format, args...)}
}

// cut is an error of reading, where the end of the file is one inside a pickle.
func (d *Decoder) cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return d.bad("the file ends inside a pickle")
	}
	return err
}

func (d *Decoder) byte() (byte, error) {
	b, err := d.in.ReadByte()
	if err != nil {
		return 0, d.cut(err)
	}
	d.offset++
	return b, nil
}

// bytes reads n bytes; they are valid until the next read.
func (d *Decoder) bytes(n uint64) ([]byte, error) {
	if n > maxBytes {
		return nil, d.bad("a string of %d bytes is longer than %d", n, maxBytes)
	}
	d.buf = d.buf[:0]
	for n > 0 {
		step := int(min(n, readStep))
		was := len(d.buf)
		if cap(d.buf) < was+step {
			d.buf = append(make([]byte, 0, 2*(was+step)), d.buf...)
		}
		d.buf = d.buf[:was+step]
		k, err := io.ReadFull(d.in, d.buf[was:])
		d.offset += int64(k)
		if err != nil {
			return nil, d.cut(err)
		}
		n -= uint64(step)
	}
	return d.buf, nil
}

// uint reads a little-endian number of n bytes.
func (d *Decoder) uint(n int) (uint64, error) {
	b, err := d.bytes(uint64(n))
	if err != nil {
		return 0, err
	}
	var v uint64
	for i := range n {
		v |= uint64(b[i]) << (8 * i)
	}
	return v, nil
}

// sized reads a length of n bytes and as many bytes.
func (d *Decoder) sized(n int) ([]byte, error) {
	size, err := d.uint(n)
	if err != nil {
		return nil, err
	}
	return d.bytes(size)
}

// line reads up to the end of the line.
func (d *Decoder) line() (string, error) {
	d.buf = d.buf[:0]
	for {
		b, err := d.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return string(d.buf), nil
		}
		if len(d.buf) == maxLine {
			return "", d.bad("a line is longer than %d bytes", maxLine)
		}
		d.buf = append(d.buf, b)
	}
}

func (d *Decoder) push(v any) error {
	if len(d.stack) == maxStack {
		return d.bad("more than %d values are under way", maxStack)
	}
	if d.each != nil {
		if err := d.pair(); err != nil {
			return err
		}
	}
	if d.held++; d.limit > 0 && d.held > d.limit {
		return d.bad("there are more than %d values", d.limit)
	}
	d.stack = append(d.stack, v)
	return nil
}

// floor is where the stack of the innermost mark begins.
func (d *Decoder) floor() int {
	if len(d.marks) == 0 {
		return 0
	}
	return d.marks[len(d.marks)-1]
}

func (d *Decoder) pop() (any, error) {
	if len(d.stack) <= d.floor() {
		return nil, d.bad("a value is missing")
	}
	v := d.stack[len(d.stack)-1]
	d.stack = d.stack[:len(d.stack)-1]
	return v, nil
}

// top is the value that an instruction completes.
func (d *Decoder) top() (any, error) {
	if len(d.stack) <= d.floor() {
		return nil, d.bad("a value is missing")
	}
	return d.stack[len(d.stack)-1], nil
}

// popMark takes everything above the last mark.
func (d *Decoder) popMark() ([]any, error) {
	if len(d.marks) == 0 {
		return nil, d.bad("a mark is missing")
	}
	m := d.floor()
	d.marks = d.marks[:len(d.marks)-1]
	items := append([]any(nil), d.stack[m:]...)
	clear(d.stack[m:])
	d.stack = d.stack[:m]
	return items, nil
}

// put remembers the top of the stack.
func (d *Decoder) put(id uint64) error {
	v, err := d.top()
	if err != nil {
		return err
	}
	if _, again := d.memo[id]; !again {
		d.puts++
	}
	if d.keep != nil && !d.keep[id] {
		return nil
	}
	if len(d.memo) == maxMemo {
		return d.bad("more than %d values are remembered", maxMemo)
	}
	d.memo[id] = v
	return nil
}

func (d *Decoder) get(id uint64) error {
	v, ok := d.memo[id]
	if !ok {
		return d.bad("value %d was never remembered", id)
	}
	return d.push(v)
}
