package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// convolution writes the loop that computes a block of output channels of every
// pixel of a list.
//
// A tile of pixels is added up in registers. What a pixel adds up are segments of
// the source, each run numbers long, at the same distance from the pixel's own
// place for all pixels; every number is broadcast and meets one row of the packed
// weights. With one vector of channels there would be too few sums to keep both
// multipliers busy, so even and odd rows have their own.
func convolution(m machine, vectors int) {
	pixels := m.pixels
	sets := 2 / vectors
	width := vectors * m.lanes
	TEXT(fmt.Sprintf("convolve%d%s", width, m.name), attr.NOSPLIT,
		"func(tiles int, src *float32, at *int, segments *int, count, run int, w, dst *float32, to *int, columns int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("convolve%d%s computes columns, at most %d, output channels of tiles*%d pixels.", width, m.name, width, pixels))

	at, to := Load(Param("at"), GP64()), GP64()
	bases := make([]reg.GPVirtual, pixels)
	for i := range bases {
		bases[i] = GP64()
	}
	sums := make([][]reg.VecVirtual, sets) // [set][pixel*vectors+v]
	for s := range sums {
		for range pixels * vectors {
			sums[s] = append(sums[s], m.vec())
		}
	}

	Label("tile")
	{
		src := Load(Param("src"), GP64())
		for i, b := range bases {
			MOVQ(Mem{Base: at, Disp: 8 * i}, b)
			LEAQ(Mem{Base: src, Index: b, Scale: 4}, b)
		}
	}
	{ // ask for the memory that the tile will be written to
		dst, p := Load(Param("dst"), GP64()), GP64()
		Load(Param("to"), to)
		for i := range pixels {
			MOVQ(Mem{Base: to, Disp: 8 * i}, p)
			PREFETCHT0(Mem{Base: dst, Index: p, Scale: 4})
		}
	}
	for _, set := range sums {
		for _, v := range set {
			VXORPS(v, v, v)
		}
	}
	w, segment, count := Load(Param("w"), GP64()), Load(Param("segments"), GP64()), Load(Param("count"), GP64())
	index, n := GP64(), GP64()
	step := func(u int) {
		weights := make([]reg.VecVirtual, vectors)
		for v := range weights {
			weights[v] = m.vec()
			VMOVUPS(Mem{Base: w, Disp: (u*vectors + v) * m.bytes()}, weights[v])
		}
		for i, b := range bases {
			from := Mem{Base: b, Index: index, Scale: 4, Disp: 4 * u}
			if m.evex && vectors == 1 {
				VFMADD231PS_BCST(from, weights[0], sums[u%sets][i])
				continue
			}
			x := m.vec()
			VBROADCASTSS(from, x)
			for v := range weights {
				VFMADD231PS(weights[v], x, sums[u%sets][i*vectors+v])
			}
		}
	}
	Label("segment")
	MOVQ(Mem{Base: segment}, index)
	Load(Param("run"), n)
	SHRQ(Imm(2), n)
	JZ(LabelRef("rest"))
	Label("four")
	for u := range 4 {
		step(u)
	}
	ADDQ(U32(4*width*4), w)
	ADDQ(Imm(4), index)
	DECQ(n)
	JNZ(LabelRef("four"))
	Label("rest")
	Load(Param("run"), n)
	ANDQ(Imm(3), n)
	JZ(LabelRef("next"))
	Label("one")
	step(0)
	ADDQ(U32(width*4), w)
	INCQ(index)
	DECQ(n)
	JNZ(LabelRef("one"))
	Label("next")
	ADDQ(Imm(8), segment)
	DECQ(count)
	JNZ(LabelRef("segment"))

	for _, odd := range sums[1:] {
		for i, v := range odd {
			VADDPS(v, sums[0][i], sums[0][i])
		}
	}
	dst := Load(Param("dst"), GP64())
	Load(Param("to"), to)
	columns := Load(Param("columns"), GP64())
	CMPQ(columns, U32(width))
	JNE(LabelRef("narrow"))
	for i := range pixels {
		MOVQ(Mem{Base: to, Disp: 8 * i}, bases[i])
		for v := range vectors {
			VMOVUPS(sums[0][i*vectors+v], Mem{Base: dst, Index: bases[i], Scale: 4, Disp: v * m.bytes()})
		}
	}
	Label("stored")
	ADDQ(U32(8*pixels), to)
	store(to, "to")
	ADDQ(U32(8*pixels), at)
	tiles, err := Param("tiles").Resolve()
	check(err)
	DECQ(tiles.Addr)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()

	Label("narrow")
	rows := make([][]reg.VecVirtual, pixels)
	for i := range rows {
		rows[i] = sums[0][i*vectors:][:vectors]
	}
	storeColumns(m, rows, dst, to, bases, columns)
	JMP(LabelRef("stored"))
}

// store writes a register back to its parameter.
func store(r reg.Register, name string) {
	p, err := Param(name).Resolve()
	check(err)
	MOVQ(r, p.Addr)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
