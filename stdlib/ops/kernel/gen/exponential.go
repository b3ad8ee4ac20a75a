package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Comparisons, beside those of windows.
const notLess = 5 // true for a NaN

// exponential writes the loop of e^x, which computes what that for AVX2 does. With
// n = round(x/ln 2) it is 2^n times a polynomial of x - n ln 2, whose high and low
// digits are taken away one after the other.
func exponential(m machine) {
	name := "exp" + m.name
	TEXT(name, attr.NOSPLIT, "func(n int, y, x *float32)")
	Pragma("noescape")
	Doc(name + " sets y = e^x for n numbers, a multiple of 16.")
	n, y, x := Load(Param("n"), GP64()), Load(Param("y"), GP64()), Load(Param("x"), GP64())
	data := GLOBL(name+"Constants", attr.RODATA|attr.NOPTR)
	offset := 0
	constant := func(bits uint32) reg.VecVirtual {
		DATA(offset, U32(bits)) // written as a number, a whole one would become an integer
		from, r := data, m.vec()
		from.Disp += offset
		VBROADCASTSS(from, r)
		offset += 4
		return r
	}
	perLog2, high, low := constant(0x3FB8AA3B), constant(0x3F318000), constant(0xB95E8083)
	top, bottom := constant(0x42B20000), constant(0xC2AEAC4F)
	var factors []reg.VecVirtual // of the polynomial, the highest power first
	for _, bits := range []uint32{0x3AB60B61, 0x3C088889, 0x3D2AAAAB, 0x3E2AAAAB, 0x3F000000, 0x3F800000} {
		factors = append(factors, constant(bits))
	}
	one := factors[len(factors)-1]

	Label("exp")
	in, rest, power, p := m.vec(), m.vec(), m.vec(), m.vec()
	VMOVUPS(Mem{Base: x}, in)
	VMINPS(top, in, rest)
	VMAXPS(bottom, rest, rest)
	VMULPS(perLog2, rest, power)
	VRNDSCALEPS(Imm(0), power, power)
	VFNMADD231PS(high, power, rest)
	VFNMADD231PS(low, power, rest)
	VMOVAPS(factors[0], p)
	for _, f := range append(factors[1:], one) {
		VFMADD213PS(f, rest, p)
	}
	VSCALEFPS(power, p, p)
	inside, none := K(), K()
	VCMPPS(Imm(notLess), bottom, in, inside)
	VMOVUPS_Z(p, inside, p)
	VCMPPS(Imm(unordered), in, in, none)
	VMOVUPS(in, none, p)
	VMOVUPS(p, Mem{Base: y})
	ADDQ(Imm(uint64(m.bytes())), x)
	ADDQ(Imm(uint64(m.bytes())), y)
	SUBQ(Imm(uint64(m.lanes)), n)
	JNZ(LabelRef("exp"))
	VZEROUPPER()
	RET()
}
