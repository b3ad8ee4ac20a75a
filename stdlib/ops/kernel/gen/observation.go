package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// observation writes the loop that adds up, for a vector of channels, how far
// every pixel lies from a pivot, and the squares of that.
func observation(m machine) {
	const sets = 4
	name := fmt.Sprintf("observe%d%s", m.lanes, m.name)
	TEXT(name, attr.NOSPLIT, "func(pixels int, x *float32, pitch int, "+m.parameter()+", pivots, sums *float32)")
	Pragma("noescape")
	Doc(name + " adds up distances from a pivot, and their squares.")
	n, x, pitch := Load(Param("pixels"), GP64()), Load(Param("x"), GP64()), Load(Param("pitch"), GP64())
	SHLQ(Imm(2), pitch)
	columns, at, pivot := m.columns(), Load(Param("pivots"), GP64()), m.vec()
	VMOVUPS(Mem{Base: at}, pivot)
	var sums, squares [sets]reg.VecVirtual
	for i := range sets {
		sums[i], squares[i] = m.vec(), m.vec()
		VXORPS(sums[i], sums[i], sums[i])
		VXORPS(squares[i], squares[i], squares[i])
	}
	step := func(i int) {
		v := m.vec()
		columns.load(Mem{Base: x}, v)
		VSUBPS(pivot, v, v)
		VADDPS(v, sums[i], sums[i])
		VFMADD231PS(v, v, squares[i])
		ADDQ(pitch, x)
	}
	Label("four")
	CMPQ(n, Imm(sets))
	JLT(LabelRef("rest"))
	for i := range sets {
		step(i)
	}
	SUBQ(Imm(sets), n)
	JMP(LabelRef("four"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("add"))
	step(0)
	DECQ(n)
	JMP(LabelRef("rest"))
	Label("add")
	to := Load(Param("sums"), GP64())
	for i, s := range [][sets]reg.VecVirtual{sums, squares} {
		VADDPS(s[1], s[0], s[0])
		VADDPS(s[3], s[2], s[2])
		VADDPS(s[2], s[0], s[0])
		VMOVUPS(s[0], Mem{Base: to, Disp: i * m.bytes()})
	}
	VZEROUPPER()
	RET()
}
