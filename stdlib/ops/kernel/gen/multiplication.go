package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// multiplication writes the loop of the product of a panel of rows, packed one column
// after the other, and a vector of columns, whose rows a table of offsets finds. Even
// and odd steps have their own sums.
func multiplication(m machine) {
	const sets = 2
	rows := m.pixels
	TEXT("multiply"+m.name, attr.NOSPLIT, "func(l int, a, b *float32, off *int, c *float32, ldc int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("multiply%s computes %d rows of %d numbers of a product of matrices.", m.name, rows, m.lanes))
	l, a, b := Load(Param("l"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	off, c, ldc := Load(Param("off"), GP64()), Load(Param("c"), GP64()), Load(Param("ldc"), GP64())
	SHLQ(Imm(2), ldc)
	var sums [sets][]reg.VecVirtual
	for s := range sums {
		for range rows {
			v := m.vec()
			VXORPS(v, v, v)
			sums[s] = append(sums[s], v)
		}
	}
	at := GP64()
	step := func(set int) {
		MOVQ(Mem{Base: off, Disp: 8 * set}, at)
		v := m.vec()
		VMOVUPS(Mem{Base: b, Index: at, Scale: 4}, v)
		for r, sum := range sums[set] {
			VFMADD231PS_BCST(Mem{Base: a, Disp: 4 * (set*rows + r)}, v, sum)
		}
	}
	n := GP64()
	MOVQ(l, n)
	SHRQ(Imm(1), n)
	JZ(LabelRef("last"))
	Label("pair")
	step(0)
	step(1)
	ADDQ(Imm(8*sets), off)
	ADDQ(Imm(uint64(4*sets*rows)), a)
	DECQ(n)
	JNZ(LabelRef("pair"))
	Label("last")
	TESTQ(U32(1), l)
	JZ(LabelRef("store"))
	step(0)
	Label("store")
	for r, sum := range sums[0] {
		VADDPS(sums[1][r], sum, sum)
		VMOVUPS(sum, Mem{Base: c})
		if r+1 < rows {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}
