package pickle

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The instructions, by their names in Python's pickletools.
const (
	opMark            = '('
	opPop             = '0'
	opPopMark         = '1'
	opDup             = '2'
	opFloat           = 'F'
	opInt             = 'I'
	opBinInt          = 'J'
	opBinInt1         = 'K'
	opLong            = 'L'
	opBinInt2         = 'M'
	opNone            = 'N'
	opReduce          = 'R'
	opString          = 'S'
	opBinString       = 'T'
	opShortBinString  = 'U'
	opUnicode         = 'V'
	opBinUnicode      = 'X'
	opAppend          = 'a'
	opBuild           = 'b'
	opGlobal          = 'c'
	opDict            = 'd'
	opEmptyDict       = '}'
	opAppends         = 'e'
	opGet             = 'g'
	opBinGet          = 'h'
	opLongBinGet      = 'j'
	opList            = 'l'
	opEmptyList       = ']'
	opPut             = 'p'
	opBinPut          = 'q'
	opLongBinPut      = 'r'
	opSetItem         = 's'
	opTuple           = 't'
	opEmptyTuple      = ')'
	opSetItems        = 'u'
	opBinFloat        = 'G'
	opProto           = 0x80
	opNewObj          = 0x81
	opTuple1          = 0x85
	opTuple2          = 0x86
	opTuple3          = 0x87
	opNewTrue         = 0x88
	opNewFalse        = 0x89
	opLong1           = 0x8a
	opLong4           = 0x8b
	opBinBytes        = 'B'
	opShortBinBytes   = 'C'
	opShortBinUnicode = 0x8c
	opBinUnicode8     = 0x8d
	opBinBytes8       = 0x8e
	opEmptySet        = 0x8f
	opAddItems        = 0x90
	opFrozenSet       = 0x91
	opStackGlobal     = 0x93
	opMemoize         = 0x94
	opFrame           = 0x95
	opByteArray8      = 0x96
)

// forbidden are the instructions that only run code, and what they do.
var forbidden = map[byte]string{
	'i': "INST", 'o': "OBJ", 'P': "PERSID", 'Q': "BINPERSID", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
	0x92: "NEWOBJ_EX", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}

// step carries out one instruction.
func (d *Decoder) step(op byte) error {
	switch op {
	case opProto:
		v, err := d.byte()
		if err == nil && v > 5 {
			return d.bad("protocol %d is not known", v)
		}
		return err
	case opFrame:
		_, err := d.uint(8)
		return err
	case opMark:
		if len(d.marks) == maxDepth {
			return d.bad("collections are nested more than %d deep", maxDepth)
		}
		if d.each != nil {
			if err := d.pair(); err != nil {
				return err
			}
		}
		d.marks = append(d.marks, len(d.stack))
		return nil
	case opPop:
		if len(d.stack) == d.floor() && len(d.marks) > 0 {
			d.marks = d.marks[:len(d.marks)-1]
			return nil
		}
		_, err := d.pop()
		return err
	case opPopMark:
		_, err := d.popMark()
		return err
	case opDup:
		v, err := d.top()
		if err != nil {
			return err
		}
		return d.push(v)
	case opPut, opBinPut, opLongBinPut, opMemoize, opGet, opBinGet, opLongBinGet:
		return d.remember(op)
	case opNone:
		return d.push(nil)
	case opNewTrue:
		return d.push(true)
	case opNewFalse:
		return d.push(false)
	case opInt, opLong, opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opFloat, opBinFloat:
		v, err := d.number(op)
		if err != nil {
			return err
		}
		return d.push(v)
	case opString, opBinString, opShortBinString, opUnicode, opBinUnicode, opShortBinUnicode, opBinUnicode8,
		opBinBytes, opShortBinBytes, opBinBytes8, opByteArray8:
		v, err := d.text(op)
		if err != nil {
			return err
		}
		return d.push(v)
	case opGlobal, opStackGlobal:
		return d.global(op)
	case opReduce, opNewObj, opBuild:
		return d.object(op)
	}
	return d.collection(op)
}

func (d *Decoder) remember(op byte) error {
	var id uint64
	var err error
	switch op {
	case opMemoize:
		return d.put(d.puts)
	case opPut, opGet:
		var text string
		if text, err = d.line(); err == nil {
			if id, err = strconv.ParseUint(text, 10, 63); err != nil {
				return d.bad("%.20q is no number of a remembered value", text)
			}
		}
	case opBinPut, opBinGet:
		id, err = d.uint(1)
	default:
		id, err = d.uint(4)
	}
	if err != nil {
		return err
	}
	if op == opPut || op == opBinPut || op == opLongBinPut {
		return d.put(id)
	}
	return d.get(id)
}

// number reads a number.
func (d *Decoder) number(op byte) (any, error) {
	switch op {
	case opBinInt1, opBinInt2:
		n, err := d.uint(map[byte]int{opBinInt1: 1, opBinInt2: 2}[op])
		return int64(n), err
	case opBinInt:
		n, err := d.uint(4)
		return int64(int32(n)), err
	case opLong1, opLong4:
		b, err := d.sized(map[byte]int{opLong1: 1, opLong4: 4}[op])
		if err != nil {
			return nil, err
		}
		return d.long(b)
	case opBinFloat:
		b, err := d.bytes(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	}
	text, err := d.line()
	if err != nil {
		return nil, err
	}
	switch {
	case op == opFloat:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, d.bad("%.20q is no number", text)
		}
		return v, nil
	case op == opInt && text == "00":
		return false, nil
	case op == opInt && text == "01":
		return true, nil
	}
	v, err := strconv.ParseInt(strings.TrimSuffix(text, "L"), 10, 64)
	if err != nil {
		return nil, d.bad("%.20q is no whole number of 64 bits", text)
	}
	return v, nil
}

// long is a two's complement number of any length.
func (d *Decoder) long(b []byte) (any, error) {
	var v int64
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		v = -1
	}
	for i := len(b) - 1; i >= 0; i-- {
		if i >= 8 && (b[i] != 0 || v != 0) && (b[i] != 0xff || v != -1) {
			return nil, d.bad("a whole number has more than 64 bits")
		}
		v = v<<8 | int64(b[i])
	}
	if len(b) > 8 && (v < 0) != (b[len(b)-1]&0x80 != 0) {
		return nil, d.bad("a whole number has more than 64 bits")
	}
	return v, nil
}

// text reads a string or bytes. Strings of Python 2 are read as Latin-1.
func (d *Decoder) text(op byte) (any, error) {
	switch op {
	case opString, opUnicode:
		line, err := d.line()
		if err != nil {
			return nil, err
		}
		return d.quoted(op, line)
	}
	sizes := map[byte]int{
		opBinString: 4, opShortBinString: 1, opBinUnicode: 4, opShortBinUnicode: 1, opBinUnicode8: 8,
		opBinBytes: 4, opShortBinBytes: 1, opBinBytes8: 8, opByteArray8: 8,
	}
	b, err := d.sized(sizes[op])
	if err != nil {
		return nil, err
	}
	switch op {
	case opBinUnicode, opShortBinUnicode, opBinUnicode8:
		if !utf8.Valid(b) {
			return nil, d.bad("a text is not in UTF-8")
		}
		return string(b), nil
	case opBinString, opShortBinString:
		return latin1(b), nil
	}
	return append([]byte(nil), b...), nil
}

func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// quoted reads the text forms of protocol 0.
func (d *Decoder) quoted(op byte, line string) (any, error) {
	if op == opString {
		if n := len(line); n < 2 || line[0] != line[n-1] || line[0] != '\'' && line[0] != '"' {
			return nil, d.bad("a text is not in quotes")
		}
		line = line[1 : len(line)-1]
	}
	if !strings.Contains(line, `\`) {
		return line, nil
	}
	var out strings.Builder
	for rest := line; rest != ""; {
		if op == opString && (strings.HasPrefix(rest, `\'`) || strings.HasPrefix(rest, `\"`)) {
			out.WriteByte(rest[1])
			rest = rest[2:]
			continue
		}
		if op == opUnicode && rest[0] == '\\' && !strings.HasPrefix(rest, `\u`) && !strings.HasPrefix(rest, `\U`) {
			out.WriteByte('\\')
			rest = rest[1:]
			continue
		}
		r, _, tail, err := strconv.UnquoteChar(rest, 0)
		if err != nil {
			return nil, d.bad("a text has an escape that is not known")
		}
		out.WriteRune(r)
		rest = tail
	}
	return out.String(), nil
}

// global looks a name up in the list of what is data.
func (d *Decoder) global(op byte) error {
	var module, name string
	var err error
	if op == opGlobal {
		if module, err = d.line(); err == nil {
			name, err = d.line()
		}
		if err != nil {
			return err
		}
	} else {
		var a, b any
		if b, err = d.pop(); err == nil {
			a, err = d.pop()
		}
		if err != nil {
			return err
		}
		m, ok1 := a.(string)
		n, ok2 := b.(string)
		if !ok1 || !ok2 {
			return d.bad("a name is no text")
		}
		module, name = m, n
	}
	g, ok := allowed[module+"."+name]
	if !ok {
		return &ForbiddenError{d.at, module + "." + name}
	}
	return d.push(g)
}

// object calls an allowed name, or gives a value its state.
func (d *Decoder) object(op byte) error {
	arg, err := d.pop()
	if err != nil {
		return err
	}
	if op == opBuild {
		v, err := d.top()
		if err != nil {
			return err
		}
		b, ok := v.(builder)
		if !ok {
			return d.bad("a state is given to a value that has none")
		}
		if err := b.build(arg); err != nil {
			return d.bad("%s", err)
		}
		return d.grown(v)
	}
	f, err := d.pop()
	if err != nil {
		return err
	}
	g, ok := f.(*global)
	args, isTuple := arg.(Tuple)
	if !ok || !isTuple {
		return d.bad("something is called that is no function")
	}
	v, err := g.call(args)
	if err != nil {
		return d.bad("%s", err)
	}
	if err := d.grown(v); err != nil {
		return err
	}
	return d.push(v)
}

// grown counts what a call made. Each part of it stands in the file, so that far more
// of them than bytes come from calling again and again with the same value.
func (d *Decoder) grown(v any) error {
	switch v := v.(type) {
	case *Dict:
		d.made += int64(len(v.Keys))
	case *Array:
		d.made += int64(len(v.Values))
	case []byte:
		d.made += int64(len(v))
	}
	if d.made > 4*d.offset+1<<16 {
		return d.bad("calls make far more than the file holds")
	}
	return nil
}
