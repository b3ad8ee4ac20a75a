package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Comparisons of numbers.
const (
	equal     = 0
	unordered = 3
)

// window writes a loop in which every channel is on its own: an output channel of
// a pixel is made of the same channel of the source at all taps. What is done with
// them is
//
//	weigh:   added up, each times the weight of the tap and the channel, w
//	total:   added up, and multiplied by the factor of the pixel, w
//	highest: the greatest is taken
func window(m machine, what string, vectors int) {
	pixels := m.pixels
	width := vectors * m.lanes
	name := fmt.Sprintf("%s%d%s", what, width, m.name)
	TEXT(name, attr.NOSPLIT, "func(tiles int, src *float32, at, taps *int, count int, w, dst *float32, to *int, columns int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes columns, at most %d, channels of tiles*%d pixels.", name, width, pixels))

	at, to := Load(Param("at"), GP64()), Load(Param("to"), GP64())
	bases := make([]reg.GPVirtual, pixels)
	for i := range bases {
		bases[i] = GP64()
	}
	acc := make([]reg.VecVirtual, pixels*vectors)
	for i := range acc {
		acc[i] = m.vec()
	}
	index := GP64()
	source := func(i, v int) Mem { return Mem{Base: bases[i], Index: index, Scale: 4, Disp: v * m.bytes()} }

	Label("tile")
	src := Load(Param("src"), GP64())
	for i, b := range bases {
		MOVQ(Mem{Base: at, Disp: 8 * i}, b)
		LEAQ(Mem{Base: src, Index: b, Scale: 4}, b)
	}
	tap, count, w := Load(Param("taps"), GP64()), Load(Param("count"), GP64()), Load(Param("w"), GP64())
	if what == "highest" {
		MOVQ(Mem{Base: tap}, index)
		for i := range acc {
			VMOVUPS(source(i/vectors, i%vectors), acc[i])
		}
	} else {
		for _, a := range acc {
			VXORPS(a, a, a)
		}
	}
	Label("tap")
	MOVQ(Mem{Base: tap}, index)
	ADDQ(Imm(8), tap)
	weights := make([]reg.VecVirtual, vectors)
	if what == "weigh" {
		for v := range weights {
			weights[v] = m.vec()
			VMOVUPS(Mem{Base: w, Disp: v * m.bytes()}, weights[v])
		}
		ADDQ(U32(width*4), w)
	}
	for i, a := range acc {
		x := source(i/vectors, i%vectors)
		switch what {
		case "weigh":
			VFMADD231PS(x, weights[i%vectors], a)
		case "total":
			VADDPS(x, a, a)
		case "highest": // a NaN stays one
			v := m.vec()
			VMOVUPS(x, v)
			VMAXPS(a, v, a)
			if m.evex {
				none := K()
				VCMPPS(Imm(unordered), v, v, none)
				VMOVUPS(v, none, a)
			} else {
				VCMPPS(Imm(unordered), v, v, v)
				VORPS(v, a, a)
			}
		}
	}
	DECQ(count)
	JNZ(LabelRef("tap"))

	if what == "total" {
		for i := range pixels {
			f := m.vec()
			VBROADCASTSS(Mem{Base: w, Disp: 4 * i}, f)
			for v := range vectors {
				VMULPS(f, acc[i*vectors+v], acc[i*vectors+v])
			}
		}
		ADDQ(U32(4*pixels), w)
		store(w, "w")
	}
	dst, columns := Load(Param("dst"), GP64()), Load(Param("columns"), GP64())
	CMPQ(columns, U32(width))
	JNE(LabelRef("narrow"))
	for i, b := range bases {
		MOVQ(Mem{Base: to, Disp: 8 * i}, b)
		for v := range vectors {
			VMOVUPS(acc[i*vectors+v], Mem{Base: dst, Index: b, Scale: 4, Disp: v * m.bytes()})
		}
	}
	Label("stored")
	ADDQ(U32(8*pixels), to)
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
		rows[i] = acc[i*vectors:][:vectors]
	}
	storeColumns(m, rows, dst, to, bases, columns)
	JMP(LabelRef("stored"))
}

// tapCorrelation writes the loop that adds to the sums of every tap, for a vector
// of channels, the sum over pixels of the source at the tap times dy, of which only
// the first columns are read.
func tapCorrelation(m machine) {
	const taps = 9
	name := fmt.Sprintf("correlateTaps%d%s", m.lanes, m.name)
	TEXT(name, attr.NOSPLIT,
		"func(blocks int, taps *int, pixels int, x *float32, at *int, dy *float32, pitch int, sums *float32, "+m.parameter()+")")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s adds up blocks*%d taps of %d channels.", name, taps, m.lanes))
	var bases [taps]reg.GPVirtual
	var acc [taps]reg.VecVirtual
	for i := range taps {
		bases[i], acc[i] = GP64(), m.vec()
	}
	columns, g := m.columns(), m.vec()
	pitch := Load(Param("pitch"), GP64())
	SHLQ(Imm(2), pitch)

	Label("block")
	x, tap := Load(Param("x"), GP64()), Load(Param("taps"), GP64())
	for i, b := range bases {
		MOVQ(Mem{Base: tap, Disp: 8 * i}, b)
		LEAQ(Mem{Base: x, Index: b, Scale: 4}, b)
	}
	ADDQ(U32(8*taps), tap)
	store(tap, "taps")
	for _, a := range acc {
		VXORPS(a, a, a)
	}
	at, dy, n, index := Load(Param("at"), GP64()), Load(Param("dy"), GP64()), Load(Param("pixels"), GP64()), GP64()
	Label("pixel")
	MOVQ(Mem{Base: at}, index)
	columns.load(Mem{Base: dy}, g)
	for i, b := range bases {
		VFMADD231PS(Mem{Base: b, Index: index, Scale: 4}, g, acc[i])
	}
	ADDQ(Imm(8), at)
	ADDQ(pitch, dy)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	sums := Load(Param("sums"), GP64())
	for i, a := range acc {
		VADDPS(Mem{Base: sums, Disp: i * m.bytes()}, a, a)
		VMOVUPS(a, Mem{Base: sums, Disp: i * m.bytes()})
	}
	ADDQ(U32(taps*m.bytes()), sums)
	store(sums, "sums")
	blocks, err := Param("blocks").Resolve()
	check(err)
	DECQ(blocks.Addr)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// award writes the loop of the gradient of a maximum: for every pixel and some
// vectors of channels, the gradient goes to the first tap whose source equals top.
// Windows overlap, so that what one tap adds may be what the next one adds to: the
// loop waits for memory, and two vectors take as long as one. Of one vector it reads
// only the first columns.
func award(m machine, vectors int) {
	name := fmt.Sprintf("award%d%s", vectors*m.lanes, m.name)
	TEXT(name, attr.NOSPLIT,
		"func(pixels int, x, dx *float32, at, taps *int, count int, top, gradient *float32, pitch int, "+m.parameter()+")")
	Pragma("noescape")
	Doc(name + " adds the gradient of every pixel to dx where the maximum was.")
	n, x, dx, at := Load(Param("pixels"), GP64()), Load(Param("x"), GP64()), Load(Param("dx"), GP64()), Load(Param("at"), GP64())
	top, g, pitch := Load(Param("top"), GP64()), Load(Param("gradient"), GP64()), Load(Param("pitch"), GP64())
	SHLQ(Imm(2), pitch)
	load := func(from Mem, to reg.VecVirtual) { VMOVUPS(from, to) }
	var columns columns
	if vectors == 1 {
		columns = m.columns()
		load = columns.load
	}
	Label("pixel")
	highest, rest := make([]reg.VecVirtual, vectors), make([]reg.VecVirtual, vectors)
	for v := range vectors {
		highest[v], rest[v] = m.vec(), m.vec()
		load(Mem{Base: top, Disp: v * m.bytes()}, highest[v])
		load(Mem{Base: g, Disp: v * m.bytes()}, rest[v])
	}
	left := K() // channels whose gradient has not gone to a tap
	if m.evex {
		KMOVW(columns.bits[0], left)
	}
	tap, count := Load(Param("taps"), GP64()), Load(Param("count"), GP64())
	Label("tap")
	index := GP64()
	MOVQ(Mem{Base: at}, index)
	ADDQ(Mem{Base: tap}, index)
	for v := range vectors {
		source := Mem{Base: x, Index: index, Scale: 4, Disp: v * m.bytes()}
		to := Mem{Base: dx, Index: index, Scale: 4, Disp: v * m.bytes()}
		part := m.vec()
		if m.evex {
			here := K()
			VCMPPS(Imm(equal), source, highest[v], left, here)
			KANDNW(left, here, left)
			VMOVUPS(to, part)
			VADDPS(rest[v], part, here, part)
			VMOVUPS(part, to)
			continue
		}
		here := m.vec()
		VCMPPS(Imm(equal), source, highest[v], here)
		VANDPS(rest[v], here, part)
		VANDNPS(rest[v], here, rest[v])
		VADDPS(to, part, part)
		VMOVUPS(part, to)
	}
	ADDQ(Imm(8), tap)
	DECQ(count)
	JNZ(LabelRef("tap"))
	ADDQ(Imm(8), at)
	ADDQ(pitch, top)
	ADDQ(pitch, g)
	DECQ(n)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}
