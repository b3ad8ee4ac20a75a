package canon

import "math/bits"

// Colour is a 128-bit hash of what is known about a row.
type Colour [2]uint64

func scramble(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

// Then continues c with d; the order matters.
func (c Colour) Then(d Colour) Colour {
	a := scramble(c[0]*0x9e3779b97f4a7c15 ^ d[0])
	b := scramble(bits.RotateLeft64(c[1], 23)*0xc2b2ae3d27d4eb4f + d[1])
	return Colour{a + b, b ^ bits.RotateLeft64(a, 32)}
}

// With adds d to a set with repetition; the order does not matter.
func (c Colour) With(d Colour) Colour {
	lo, carry := bits.Add64(c[0], scramble(d[0]^0x165667b19e3779f9), 0)
	hi, _ := bits.Add64(c[1], scramble(d[1]+0x27d4eb2f165667c5), carry)
	return Colour{lo, hi}
}

// Number continues c with a number.
func (c Colour) Number(n uint64) Colour { return c.Then(Colour{n, n}) }

// Text continues c with a text and its length.
func (c Colour) Text(s string) Colour {
	c = c.Number(uint64(len(s)))
	for len(s) > 0 {
		var word uint64
		n := min(len(s), 8)
		for i := range n {
			word |= uint64(s[i]) << (8 * i)
		}
		c, s = c.Number(word), s[n:]
	}
	return c
}

// less orders colours.
func (c Colour) less(d Colour) bool { return c[0] < d[0] || c[0] == d[0] && c[1] < d[1] }

// What colours are about.
var (
	nothing       = Colour{}.Text("nothing")
	entrance      = Colour{}.Text("the entrance of a segment")
	readsInOrder  = Colour{}.Text("reads in order")
	readsSet      = Colour{}.Text("reads a set")
	isRead        = Colour{}.Text("is read")
	isReadInSet   = Colour{}.Text("is read in a set")
	isReadInOrder = Colour{}.Text("is read in order")
	isNotRead     = Colour{}.Text("is not read")
	isOutput      = Colour{}.Text("is the output")
	isPiece       = Colour{}.Text("is a piece")
	isChosen      = Colour{}.Text("is chosen")
)
