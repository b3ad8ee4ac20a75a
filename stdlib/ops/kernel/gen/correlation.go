package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// correlation writes the loop that adds to every row of sums, a source offset
// each, the sum over pixels of the source there times a block of channels of dy.
//
// Some rows, as many as pixels elsewhere, are added up in registers. The narrow form,
// of one vector of channels, reads only the columns that it is told, and gives even
// and odd pixels their own sums.
func correlation(m machine, vectors int) {
	rows := m.pixels
	sets := 2 / vectors
	width := vectors * m.lanes
	signature := "func(blocks int, rows *int, pixels int, x *float32, at *int, dy *float32, pitch int, sums *float32)"
	if vectors == 1 {
		signature = "func(blocks int, rows *int, pixels int, x *float32, at *int, dy *float32, pitch int, sums *float32, " + m.parameter() + ")"
	}
	TEXT(fmt.Sprintf("correlate%d%s", width, m.name), attr.NOSPLIT, signature)
	Pragma("noescape")
	Doc(fmt.Sprintf("correlate%d%s adds up blocks*%d rows of %d numbers.", width, m.name, rows, width))

	bases := make([]reg.GPVirtual, rows)
	for i := range bases {
		bases[i] = GP64()
	}
	acc := make([][]reg.VecVirtual, sets)
	for s := range acc {
		for range rows * vectors {
			acc[s] = append(acc[s], m.vec())
		}
	}
	pitch := Load(Param("pitch"), GP64())
	SHLQ(Imm(2), pitch)
	var columns columns
	if vectors == 1 {
		columns = m.columns()
	}

	Label("block")
	x, row := Load(Param("x"), GP64()), Load(Param("rows"), GP64())
	for i, b := range bases {
		MOVQ(Mem{Base: row, Disp: 8 * i}, b)
		LEAQ(Mem{Base: x, Index: b, Scale: 4}, b)
	}
	ADDQ(U32(8*rows), row)
	store(row, "rows")
	for _, set := range acc {
		for _, v := range set {
			VXORPS(v, v, v)
		}
	}
	at, dy, n, index := Load(Param("at"), GP64()), Load(Param("dy"), GP64()), Load(Param("pixels"), GP64()), GP64()
	step := func(set, pixel int) {
		MOVQ(Mem{Base: at, Disp: 8 * pixel}, index)
		g := make([]reg.VecVirtual, vectors)
		for v := range g {
			g[v] = m.vec()
			from := Mem{Base: dy, Disp: v * m.bytes()}
			if pixel == 1 {
				from.Index, from.Scale = pitch, 1
			}
			if vectors == 1 {
				columns.load(from, g[v])
			} else {
				VMOVUPS(from, g[v])
			}
		}
		for i, b := range bases {
			from := Mem{Base: b, Index: index, Scale: 4}
			if m.evex && vectors == 1 {
				VFMADD231PS_BCST(from, g[0], acc[set][i])
				continue
			}
			x := m.vec()
			VBROADCASTSS(from, x)
			for v := range g {
				VFMADD231PS(g[v], x, acc[set][i*vectors+v])
			}
		}
	}
	SHRQ(Imm(1), n)
	JZ(LabelRef("last"))
	Label("pair")
	step(0, 0)
	step(sets-1, 1)
	ADDQ(Imm(16), at)
	LEAQ(Mem{Base: dy, Index: pitch, Scale: 2}, dy)
	DECQ(n)
	JNZ(LabelRef("pair"))
	Label("last")
	Load(Param("pixels"), n)
	TESTQ(U32(1), n)
	JZ(LabelRef("add"))
	step(0, 0)
	Label("add")
	for _, odd := range acc[1:] {
		for i, v := range odd {
			VADDPS(v, acc[0][i], acc[0][i])
		}
	}
	sums := Load(Param("sums"), GP64())
	for i, v := range acc[0] {
		VADDPS(Mem{Base: sums, Disp: i * m.bytes()}, v, v)
		VMOVUPS(v, Mem{Base: sums, Disp: i * m.bytes()})
	}
	ADDQ(U32(len(acc[0])*m.bytes()), sums)
	store(sums, "sums")
	blocks, err := Param("blocks").Resolve()
	check(err)
	DECQ(blocks.Addr)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}
