package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowLoop is a loop over pixels for a block of channels. The numbers that belong to
// the channels stay in registers.
type rowLoop struct {
	name, doc string
	maps      []string // each with a pitch
	constants []string
	sums      bool // something is added up per channel
	step      func(r rowOf, sum, work reg.VecVirtual)
}

// rowOf is a vector of channels of a pixel.
type rowOf struct {
	of       func(name string) Op // a number of every channel, in a map
	store    func(v reg.VecVirtual, name string)
	constant func(name string) reg.VecVirtual
}

var rowLoops = []rowLoop{
	{"setRows", "sets y = a*x + b.", []string{"y", "x"}, []string{"a", "b"}, false,
		func(r rowOf, _, work reg.VecVirtual) {
			VMOVUPS(r.of("x"), work)
			VFMADD213PS(r.constant("b"), r.constant("a"), work)
			r.store(work, "y")
		}},
	{"addRows", "adds a*x to y.", []string{"y", "x"}, []string{"a"}, false,
		func(r rowOf, _, work reg.VecVirtual) {
			VMOVUPS(r.of("y"), work)
			VFMADD231PS(r.of("x"), r.constant("a"), work)
			r.store(work, "y")
		}},
	{"mixRows", "sets y = p*u + q*v + r.", []string{"y", "u", "v"}, []string{"p", "q", "r"}, false,
		func(r rowOf, _, work reg.VecVirtual) {
			VMOVUPS(r.of("u"), work)
			VFMADD213PS(r.constant("r"), r.constant("p"), work)
			VFMADD231PS(r.of("v"), r.constant("q"), work)
			r.store(work, "y")
		}},
	{"sumRows", "adds x to sums.", []string{"x"}, nil, true,
		func(r rowOf, sum, _ reg.VecVirtual) {
			VADDPS(r.of("x"), sum, sum)
		}},
	{"squareRows", "adds (x-mean)² to sums.", []string{"x"}, []string{"mean"}, true,
		func(r rowOf, sum, work reg.VecVirtual) {
			VMOVUPS(r.of("x"), work)
			VSUBPS(r.constant("mean"), work, work)
			VFMADD231PS(work, work, sum)
		}},
	{"productRows", "adds dy*(x-mean) to sums.", []string{"dy", "x"}, []string{"mean"}, true,
		func(r rowOf, sum, work reg.VecVirtual) {
			VMOVUPS(r.of("x"), work)
			VSUBPS(r.constant("mean"), work, work)
			VFMADD231PS(r.of("dy"), work, sum)
		}},
}

// rows writes a loop for blocks of so many vectors, or for the last channels, of which
// there are fewer than a vector has lanes. AVX-512 alone has loops for those.
func rows(m machine, l rowLoop, vectors int, last bool) {
	name := fmt.Sprintf("%s%d%s", l.name, vectors*m.lanes, m.name)
	if last {
		name = l.name + "Last" + m.name
	}
	params := []string{"n int"}
	for _, s := range l.maps {
		params = append(params, s+" *float32", s+"Pitch int")
	}
	constants := l.constants
	if l.sums {
		constants = append(constants, "sums")
	}
	for _, s := range constants {
		params = append(params, s+" *float32")
	}
	if last {
		params = append(params, m.parameter())
	}
	TEXT(name, attr.NOSPLIT, "func("+strings.Join(params, ", ")+")")
	Pragma("noescape")
	Doc(name + " " + l.doc)
	n := Load(Param("n"), GP64())
	at, pitch := map[string]reg.Register{}, map[string]reg.Register{}
	for _, s := range l.maps {
		at[s], pitch[s] = Load(Param(s), GP64()), Load(Param(s+"Pitch"), GP64())
		SHLQ(Imm(2), pitch[s])
	}
	load := func(from Mem, to reg.VecVirtual) { VMOVUPS(from, to) }
	store := func(v reg.VecVirtual, to Mem) { VMOVUPS(v, to) }
	if last {
		columns := m.columns()
		load = columns.load
		store = func(v reg.VecVirtual, to Mem) { VMOVUPS(v, columns.bits[0], to) }
	}
	held := map[string][]reg.VecVirtual{}
	for _, s := range l.constants {
		from := Load(Param(s), GP64())
		for v := range vectors {
			r := m.vec()
			load(Mem{Base: from, Disp: v * m.bytes()}, r)
			held[s] = append(held[s], r)
		}
	}
	// Several pixels at a time, each with sums of its own.
	pixels := 4 / vectors
	sums := make([][]reg.VecVirtual, pixels)
	if l.sums {
		for p := range sums {
			for range vectors {
				r := m.vec()
				VXORPS(r, r, r)
				sums[p] = append(sums[p], r)
			}
		}
	}
	step := func(p int) {
		for v := range vectors {
			place := func(s string) Mem { return Mem{Base: at[s], Disp: v * m.bytes()} }
			of := func(s string) Op {
				if !last {
					return place(s)
				}
				r := m.vec()
				load(place(s), r)
				return r
			}
			var sum reg.VecVirtual
			if l.sums {
				sum = sums[p][v]
			}
			l.step(rowOf{of, func(r reg.VecVirtual, s string) { store(r, place(s)) },
				func(s string) reg.VecVirtual { return held[s][v] }}, sum, m.vec())
		}
		for _, s := range l.maps {
			ADDQ(pitch[s], at[s])
		}
	}
	Label("several")
	CMPQ(n, Imm(uint64(pixels)))
	JLT(LabelRef("rest"))
	for p := range pixels {
		step(p)
	}
	SUBQ(Imm(uint64(pixels)), n)
	JMP(LabelRef("several"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	step(0)
	DECQ(n)
	JMP(LabelRef("rest"))
	Label("end")
	if l.sums {
		to := Load(Param("sums"), GP64())
		for v := range vectors {
			for p := 1; p < pixels; p++ {
				VADDPS(sums[p][v], sums[0][v], sums[0][v])
			}
			place := Mem{Base: to, Disp: v * m.bytes()}
			before := m.vec()
			load(place, before)
			VADDPS(before, sums[0][v], sums[0][v])
			store(sums[0][v], place)
		}
	}
	VZEROUPPER()
	RET()
}
