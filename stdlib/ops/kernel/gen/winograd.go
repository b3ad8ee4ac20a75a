package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The transforms of the convolution of Winograd (1980) in the form of Lavin and Gray
// (2016): 4x4 outputs of a 3x3 filter are 6x6 products. The matrices are those of
// Toom and Cook for the points 0, a, -a, b, -b and infinity. With a = 5/8 and
// b = 5/4 float32 loses fewer digits than with the usual 1 and 2.
const (
	a = 5. / 8
	b = 5. / 4
)

// line transforms a row or a column.
type line func(t *transforms, in []reg.VecVirtual) (out []reg.VecVirtual)

// transforms hold what the lines of a loop have in common.
type transforms struct {
	machine
	constants map[float32]reg.VecVirtual // in registers
}

// of is a vector of a constant.
func (t *transforms) of(v float64) reg.VecVirtual { return t.constants[float32(v)] }

// load fills registers with constants.
func (t *transforms) load(name string, values []float64) {
	t.constants = map[float32]reg.VecVirtual{}
	data := GLOBL(name+"Constants", attr.RODATA|attr.NOPTR)
	for i, v := range values {
		DATA(4*i, F32(float32(v)))
		r := t.vec()
		from := data
		from.Disp += 4 * i
		VBROADCASTSS(from, r)
		t.constants[float32(v)] = r
	}
}

// plus is x + k*y, minus is x - k*y; plusTo and minusTo leave it in place of x.
func (t *transforms) plus(x reg.VecVirtual, k float64, y reg.VecVirtual) reg.VecVirtual {
	return t.plusTo(t.copied(x), k, y)
}

func (t *transforms) minus(x reg.VecVirtual, k float64, y reg.VecVirtual) reg.VecVirtual {
	return t.minusTo(t.copied(x), k, y)
}

func (t *transforms) plusTo(x reg.VecVirtual, k float64, y reg.VecVirtual) reg.VecVirtual {
	VFMADD231PS(t.of(k), y, x)
	return x
}

func (t *transforms) minusTo(x reg.VecVirtual, k float64, y reg.VecVirtual) reg.VecVirtual {
	VFNMADD231PS(t.of(k), y, x)
	return x
}

func (t *transforms) copied(x reg.VecVirtual) reg.VecVirtual {
	r := t.vec()
	VMOVAPS(x, r)
	return r
}

func (t *transforms) times(k float64, x reg.VecVirtual) reg.VecVirtual {
	r := t.vec()
	VMULPS(t.of(k), x, r)
	return r
}

func (t *transforms) add(x, y reg.VecVirtual) reg.VecVirtual {
	r := t.vec()
	VADDPS(x, y, r)
	return r
}

func (t *transforms) sub(x, y reg.VecVirtual) reg.VecVirtual {
	r := t.vec()
	VSUBPS(y, x, r)
	return r
}

// pair is x + k*y and x - k*y.
func (t *transforms) pair(x reg.VecVirtual, k float64, y reg.VecVirtual) []reg.VecVirtual {
	sum := t.plus(x, k, y)
	return []reg.VecVirtual{sum, t.minusTo(x, k, y)}
}

// dataLine prepares six pixels of the source.
func dataLine(t *transforms, d []reg.VecVirtual) []reg.VecVirtual {
	first := t.plusTo(t.minus(d[4], a*a+b*b, d[2]), a*a*b*b, d[0])
	last := t.plusTo(t.minusTo(d[5], a*a+b*b, d[3]), a*a*b*b, d[1])
	out := append([]reg.VecVirtual{first}, t.pair(t.minus(d[4], b*b, d[2]), a, t.minus(d[3], b*b, d[1]))...)
	out = append(out, t.pair(t.minusTo(d[4], a*a, d[2]), b, t.minusTo(d[3], a*a, d[1]))...)
	return append(out, last)
}

// outputLine makes four pixels of the output out of six products.
func outputLine(t *transforms, m []reg.VecVirtual) []reg.VecVirtual {
	s, d := t.add(m[1], m[2]), t.sub(m[1], m[2])
	u, e := t.add(m[3], m[4]), t.sub(m[3], m[4])
	return []reg.VecVirtual{
		t.add(t.add(m[0], s), u),
		t.plusTo(t.times(a, d), b, e),
		t.plusTo(t.times(a*a, s), b*b, u),
		t.plusTo(t.plusTo(m[5], a*a*a, d), b*b*b, e),
	}
}

// gradientLine is the transpose of outputLine.
func gradientLine(t *transforms, y []reg.VecVirtual) []reg.VecVirtual {
	out := append([]reg.VecVirtual{y[0]}, t.pair(t.plus(y[0], a*a, y[2]), a, t.plus(y[1], a*a, y[3]))...)
	out = append(out, t.pair(t.plus(y[0], b*b, y[2]), b, t.plusTo(y[1], b*b, y[3]))...)
	return append(out, y[3])
}

// The weights of the points: one over the product of the distances to the others.
const (
	ofZero = 1 / (a * a * b * b)
	ofA    = 1 / (2 * a * a * (a*a - b*b))
	ofB    = 1 / (2 * b * b * (b*b - a*a))
)

// filterLine prepares three weights.
func filterLine(t *transforms, g []reg.VecVirtual) []reg.VecVirtual {
	out := []reg.VecVirtual{t.times(ofZero, g[0])}
	out = append(out, t.pair(t.plusTo(t.times(ofA, g[0]), a*a*ofA, g[2]), a*ofA, g[1])...)
	out = append(out, t.pair(t.plusTo(t.times(ofB, g[0]), b*b*ofB, g[2]), b*ofB, g[1])...)
	return append(out, g[2])
}

// weightLine is the transpose of filterLine.
func weightLine(t *transforms, u []reg.VecVirtual) []reg.VecVirtual {
	s, d := t.add(u[1], u[2]), t.sub(u[1], u[2])
	v, e := t.add(u[3], u[4]), t.sub(u[3], u[4])
	return []reg.VecVirtual{
		t.plusTo(t.plusTo(t.times(ofZero, u[0]), ofA, s), ofB, v),
		t.plusTo(t.times(a*ofA, d), b*ofB, e),
		t.plusTo(t.plusTo(u[5], a*a*ofA, s), b*b*ofB, v),
	}
}

// winograd writes the loops that transform squares.
func winograd(m machine) {
	t := &transforms{machine: m}
	filters := []float64{ofZero, ofA, ofB, a * ofA, b * ofB, a * a * ofA, b * b * ofB}
	t.square("data", 6, 6, dataLine, a, b, a*a, b*b, a*a+b*b, a*a*b*b)
	t.square("output", 6, 4, outputLine, a, b, a*a, b*b, a*a*a, b*b*b)
	t.square("gradient", 4, 6, gradientLine, a, b, a*a, b*b)
	t.square("filter", 3, 6, filterLine, filters...)
	t.square("weight", 6, 3, weightLine, filters...)
}

// square writes the loop that transforms, for n vectors one after the other, a
// square of from*from numbers into one of to*to: first its rows, then its columns.
// Rows and columns lie as far apart as the caller says.
func (t *transforms) square(name string, from, to int, f line, constants ...float64) {
	name += "Square" + t.name
	TEXT(name, attr.NOSPLIT, "func(n int, src *float32, down, across int, dst *float32, dstDown, dstAcross int, scratch *float32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s transforms n vectors of squares of %dx%d numbers to %dx%d.", name, from, from, to, to))
	n, src, down, across := Load(Param("n"), GP64()), Load(Param("src"), GP64()), Load(Param("down"), GP64()), Load(Param("across"), GP64())
	dst, dstDown, dstAcross := Load(Param("dst"), GP64()), Load(Param("dstDown"), GP64()), Load(Param("dstAcross"), GP64())
	scratch := Load(Param("scratch"), GP64())
	for _, r := range []reg.Register{down, across, dstDown, dstAcross} {
		SHLQ(Imm(2), r)
	}
	p, next := GP64(), GP64()
	// at is the place of element i of a line that begins at p, if next is one
	// element further.
	at := func(i int, step reg.Register) Mem {
		base := p
		if i%2 == 1 {
			base, i = next, i-1
		}
		if i == 0 {
			return Mem{Base: base}
		}
		return Mem{Base: base, Index: step, Scale: uint8(i)}
	}
	t.load(name, constants)
	Label("vector")
	row := GP64()
	MOVQ(src, row)
	for i := range from {
		MOVQ(row, p)
		LEAQ(Mem{Base: p, Index: across, Scale: 1}, next)
		in := make([]reg.VecVirtual, from)
		for j := range in {
			in[j] = t.vec()
			VMOVUPS(at(j, across), in[j])
		}
		for j, v := range f(t, in) {
			VMOVUPS(v, Mem{Base: scratch, Disp: (i*to + j) * t.bytes()})
		}
		if i+1 < from {
			ADDQ(down, row)
		}
	}
	MOVQ(dst, row)
	for j := range to {
		MOVQ(row, p)
		LEAQ(Mem{Base: p, Index: dstDown, Scale: 1}, next)
		in := make([]reg.VecVirtual, from)
		for i := range in {
			in[i] = t.vec()
			VMOVUPS(Mem{Base: scratch, Disp: (i*to + j) * t.bytes()}, in[i])
		}
		for i, v := range f(t, in) {
			VMOVUPS(v, at(i, dstDown))
		}
		if j+1 < to {
			ADDQ(dstAcross, row)
		}
	}
	ADDQ(U32(t.bytes()), src)
	ADDQ(U32(t.bytes()), dst)
	DECQ(n)
	JNZ(LabelRef("vector"))
	VZEROUPPER()
	RET()
}

// prefetch writes the loop that asks for memory ahead of its use.
func prefetch(m machine) {
	TEXT("prefetch"+m.name, attr.NOSPLIT, "func(lines int, p *float32)")
	Pragma("noescape")
	Doc("prefetch" + m.name + " brings lines of 64 bytes nearer.")
	n, p := Load(Param("lines"), GP64()), Load(Param("p"), GP64())
	Label("line")
	PREFETCHT0(Mem{Base: p})
	ADDQ(Imm(64), p)
	DECQ(n)
	JNZ(LabelRef("line"))
	RET()
}
