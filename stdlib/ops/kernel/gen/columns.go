package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// columns are the lanes of a row of vectors that a loop reads or writes: the first
// ones. AVX2 has a vector for that, made by the caller, whose numbers are negative in
// these lanes; AVX-512 has a register of bits for every vector.
type columns struct {
	machine
	vector reg.VecVirtual
	bits   []reg.OpmaskVirtual
}

// parameter is the parameter of a loop for its columns.
func (m machine) parameter() string {
	if m.evex {
		return "columns int"
	}
	return "mask *int32"
}

// columns are those of that parameter.
func (m machine) columns() columns {
	if m.evex {
		return m.first(Load(Param("columns"), GP64()), 1)
	}
	p, v := Load(Param("mask"), GP64()), m.vec()
	VMOVUPS(Mem{Base: p}, v)
	return columns{machine: m, vector: v}
}

// first are the first n lanes of so many vectors. It changes n.
func (m machine) first(n reg.Register, vectors int) columns {
	c := columns{machine: m}
	bits := GP32()
	MOVL(I32(-1), bits)
	BZHIL(n.(reg.GP).As32(), bits, bits)
	for v := range vectors {
		if v > 0 {
			SHRL(U8(m.lanes), bits)
		}
		k := K()
		KMOVW(bits, k)
		c.bits = append(c.bits, k)
	}
	return c
}

// load loads the lanes of a vector; the others are zero.
func (c columns) load(from Mem, to reg.VecVirtual) {
	if c.evex {
		VMOVUPS_Z(from, c.bits[0], to)
	} else {
		VMASKMOVPS(from, c.vector, to)
	}
}

// storeColumns stores the first n numbers of the vectors of every row, which lie at
// dst and the offsets of the table to, in p.
func storeColumns(m machine, rows [][]reg.VecVirtual, dst, to reg.Register, p []reg.GPVirtual, n reg.Register) {
	if !m.evex {
		for i, row := range rows {
			MOVQ(Mem{Base: to, Disp: 8 * i}, p[i])
			LEAQ(Mem{Base: dst, Index: p[i], Scale: 4}, p[i])
			storePowers(m, "pixel"+string(rune('A'+i)), row, p[i], n)
		}
		return
	}
	c := m.first(n, len(rows[0]))
	for i, row := range rows {
		MOVQ(Mem{Base: to, Disp: 8 * i}, p[i])
		for v, r := range row {
			VMOVUPS(r, c.bits[v], Mem{Base: dst, Index: p[i], Scale: 4, Disp: v * m.bytes()})
		}
	}
}

// storePowers stores the first columns numbers of a row of vectors, by powers of two.
func storePowers(m machine, label string, row []reg.VecVirtual, p reg.GPVirtual, columns reg.Register) {
	v := row[0]
	if len(row) == 2 {
		TESTQ(U32(m.lanes), columns)
		JZ(LabelRef(label + "eight"))
		VMOVUPS(v, Mem{Base: p})
		ADDQ(U32(m.bytes()), p)
		VMOVAPS(row[1], v)
		Label(label + "eight")
	}
	TESTQ(U32(4), columns)
	JZ(LabelRef(label + "four"))
	VMOVUPS(v.AsX(), Mem{Base: p})
	ADDQ(Imm(16), p)
	VEXTRACTF128(Imm(1), v, v.AsX())
	Label(label + "four")
	TESTQ(U32(2), columns)
	JZ(LabelRef(label + "two"))
	VMOVLPS(v.AsX(), Mem{Base: p})
	ADDQ(Imm(8), p)
	VPERMILPS(Imm(0xEE), v.AsX(), v.AsX())
	Label(label + "two")
	TESTQ(U32(1), columns)
	JZ(LabelRef(label + "one"))
	VMOVSS(v.AsX(), Mem{Base: p})
	Label(label + "one")
}
