package space

import (
	"math/big"
	"math/bits"
)

// number is a count: a machine word while it fits, a big integer beyond.
type number struct {
	word uint64   // meaningful when big is nil
	big  *big.Int // set only above the range of a word; never written to
}

func fromBig(b *big.Int) number {
	if b.IsUint64() {
		return number{word: b.Uint64()}
	}
	return number{big: b}
}

// fits reports whether n is held in a machine word.
func (n number) fits() bool { return n.big == nil }

func (n number) isZero() bool { return n.big == nil && n.word == 0 }

func (n number) isOne() bool { return n.big == nil && n.word == 1 }

// Big returns a fresh big integer.
func (n number) Big() *big.Int {
	if n.big != nil {
		return new(big.Int).Set(n.big)
	}
	return new(big.Int).SetUint64(n.word)
}

// view returns a big integer that must not be written to.
func (n number) view() *big.Int {
	if n.big != nil {
		return n.big
	}
	return new(big.Int).SetUint64(n.word)
}

func (n number) add(m number) number {
	if n.fits() && m.fits() {
		if sum, carry := bits.Add64(n.word, m.word, 0); carry == 0 {
			return number{word: sum}
		}
	}
	return fromBig(new(big.Int).Add(n.view(), m.view()))
}

func (n number) mul(m number) number {
	if n.fits() && m.fits() {
		if hi, lo := bits.Mul64(n.word, m.word); hi == 0 {
			return number{word: lo}
		}
	}
	return fromBig(new(big.Int).Mul(n.view(), m.view()))
}

// div is the exact quotient; m divides n.
func (n number) div(m number) number {
	if n.fits() && m.fits() {
		return number{word: n.word / m.word}
	}
	return fromBig(new(big.Int).Quo(n.view(), m.view()))
}

func (n number) cmp(m number) int {
	if n.fits() && m.fits() {
		switch {
		case n.word < m.word:
			return -1
		case n.word > m.word:
			return 1
		}
		return 0
	}
	return n.view().Cmp(m.view())
}

func gcd(n, m number) number {
	if n.fits() && m.fits() {
		a, b := n.word, m.word
		for b != 0 {
			a, b = b, a%b
		}
		return number{word: a}
	}
	return fromBig(new(big.Int).GCD(nil, nil, n.view(), m.view()))
}

// reduce divides all numbers by their greatest common divisor.
func reduce(all []number) []number {
	if len(all) == 0 {
		return all
	}
	g := all[0]
	for _, n := range all[1:] {
		if g.isOne() {
			return all
		}
		g = gcd(g, n)
	}
	out := make([]number, len(all))
	for i, n := range all {
		out[i] = n.div(g)
	}
	return out
}

// product multiplies as a balanced tree, so that factors stay of equal length.
func product(all []number) number {
	switch len(all) {
	case 0:
		return number{word: 1}
	case 1:
		return all[0]
	}
	half := len(all) / 2
	return product(all[:half]).mul(product(all[half:]))
}
