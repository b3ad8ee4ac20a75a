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
	step      func(row func(name string) Mem, constant func(name string) reg.VecVirtual, sum, work reg.VecVirtual)
}

// rowLoops are all of them.
func rowLoops(m machine) []rowLoop {
	return []rowLoop{
		{"setRows", "sets y = a*x + b.", []string{"y", "x"}, []string{"a", "b"}, false,
			func(row func(string) Mem, constant func(string) reg.VecVirtual, _, work reg.VecVirtual) {
				VMOVUPS(row("x"), work)
				VFMADD213PS(constant("b"), constant("a"), work)
				VMOVUPS(work, row("y"))
			}},
		{"addRows", "adds a*x to y.", []string{"y", "x"}, []string{"a"}, false,
			func(row func(string) Mem, constant func(string) reg.VecVirtual, _, work reg.VecVirtual) {
				VMOVUPS(row("y"), work)
				VFMADD231PS(row("x"), constant("a"), work)
				VMOVUPS(work, row("y"))
			}},
		{"mixRows", "sets y = p*u + q*v + r.", []string{"y", "u", "v"}, []string{"p", "q", "r"}, false,
			func(row func(string) Mem, constant func(string) reg.VecVirtual, _, work reg.VecVirtual) {
				VMOVUPS(row("u"), work)
				VFMADD213PS(constant("r"), constant("p"), work)
				VFMADD231PS(row("v"), constant("q"), work)
				VMOVUPS(work, row("y"))
			}},
		{"sumRows", "adds x to sums.", []string{"x"}, nil, true,
			func(row func(string) Mem, _ func(string) reg.VecVirtual, sum, _ reg.VecVirtual) {
				VADDPS(row("x"), sum, sum)
			}},
		{"squareRows", "adds (x-mean)² to sums.", []string{"x"}, []string{"mean"}, true,
			func(row func(string) Mem, constant func(string) reg.VecVirtual, sum, work reg.VecVirtual) {
				VMOVUPS(row("x"), work)
				VSUBPS(constant("mean"), work, work)
				VFMADD231PS(work, work, sum)
			}},
		{"productRows", "adds dy*(x-mean) to sums.", []string{"dy", "x"}, []string{"mean"}, true,
			func(row func(string) Mem, constant func(string) reg.VecVirtual, sum, work reg.VecVirtual) {
				VMOVUPS(row("x"), work)
				VSUBPS(constant("mean"), work, work)
				VFMADD231PS(row("dy"), work, sum)
			}},
	}
}

// rows writes a loop for blocks of so many vectors.
func rows(m machine, l rowLoop, vectors int) {
	name := fmt.Sprintf("%s%d%s", l.name, vectors*m.lanes, m.name)
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
	TEXT(name, attr.NOSPLIT, "func("+strings.Join(params, ", ")+")")
	Pragma("noescape")
	Doc(name + " " + l.doc)
	n := Load(Param("n"), GP64())
	at, pitch := map[string]reg.Register{}, map[string]reg.Register{}
	for _, s := range l.maps {
		at[s], pitch[s] = Load(Param(s), GP64()), Load(Param(s+"Pitch"), GP64())
		SHLQ(Imm(2), pitch[s])
	}
	held := map[string][]reg.VecVirtual{}
	for _, s := range l.constants {
		from := Load(Param(s), GP64())
		for v := range vectors {
			r := m.vec()
			VMOVUPS(Mem{Base: from, Disp: v * m.bytes()}, r)
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
			row := func(s string) Mem { return Mem{Base: at[s], Disp: v * m.bytes()} }
			constant := func(s string) reg.VecVirtual { return held[s][v] }
			var sum reg.VecVirtual
			if l.sums {
				sum = sums[p][v]
			}
			l.step(row, constant, sum, m.vec())
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
			VADDPS(place, sums[0][v], sums[0][v])
			VMOVUPS(sums[0][v], place)
		}
	}
	VZEROUPPER()
	RET()
}
