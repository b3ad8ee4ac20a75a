package nasbench101

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"math/bits"
	"slices"
	"strconv"
)

// Hash is the benchmark's name of a module, of its pruned form: isomorphic modules
// have the same. It is false for a module without a path from input to output.
//
// Every vertex starts with the MD5 of Python's text of (edges out, edges in, label),
// labels being -1 for the input, -2 for the output and 0 to 2 for operations. As
// many times as there are vertices, a vertex then takes the MD5 of the sorted hashes
// that it reads, those that read it, and its own. The result is the MD5 of Python's
// text of the sorted list of all.
func (m Module) Hash() (string, bool) {
	m, ok := m.Prune()
	if !ok {
		return "", false
	}
	n := len(m.Reads)
	readers := make([]uint32, n)
	for v, r := range m.Reads {
		for u := range v {
			readers[u] |= r >> u & 1 << v
		}
	}
	var text []byte
	now, next := make([]name, n), make([]name, n)
	for v := range n {
		text = append(text[:0], '(')
		text = strconv.AppendInt(text, int64(bits.OnesCount32(readers[v])), 10)
		text = append(text, ", "...)
		text = strconv.AppendInt(text, int64(bits.OnesCount32(m.Reads[v])), 10)
		text = append(text, ", "...)
		text = strconv.AppendInt(text, m.label(v), 10)
		text = append(text, ')')
		now[v] = nameOf(text)
	}
	around := make([]*name, 0, n)
	add := func(vertices uint32) {
		around = around[:0]
		for v := range n {
			if vertices>>v&1 == 1 {
				around = append(around, &now[v])
			}
		}
		slices.SortFunc(around, (*name).compare)
		for _, h := range around {
			text = append(text, h[:]...)
		}
		text = append(text, '|')
	}
	for range n {
		for v := range n {
			text = text[:0]
			add(m.Reads[v])
			add(readers[v])
			text = append(text, now[v][:]...)
			next[v] = nameOf(text)
		}
		now, next = next, now
	}
	slices.SortFunc(now, func(a, b name) int { return a.compare(&b) })
	text = append(text[:0], '[')
	for i, h := range now {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = append(append(append(text, '\''), h[:]...), '\'')
	}
	text = append(text, ']')
	last := nameOf(text)
	return string(last[:]), true
}

// name is an MD5 in hexadecimal.
type name [2 * md5.Size]byte

func nameOf(text []byte) (h name) {
	sum := md5.Sum(text)
	hex.Encode(h[:], sum[:])
	return h
}

func (h *name) compare(o *name) int { return bytes.Compare(h[:], o[:]) }

func (m Module) label(v int) int64 {
	switch v {
	case 0:
		return -1
	case len(m.Reads) - 1:
		return -2
	}
	return int64(m.Ops[v-1])
}
