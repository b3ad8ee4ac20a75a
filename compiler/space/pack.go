package space

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
)

// width is the number of bits that a value of d takes when packed.
func (d *Decision) width() int {
	if d.Kind == Subset {
		return len(d.Alts)
	}
	return bits.Len(uint(len(d.Alts) - 1))
}

// Pack writes g in as few bits per decision as its alternatives need, decisions
// that do not exist taking none. Equal genotypes pack to equal bytes and no
// others do, so the bytes serve as a key.
func (s *Space) Pack(g Genotype) []byte {
	var out []byte
	var word uint64
	used := 0
	put := func(v uint64, width int) {
		for width > 0 {
			n := min(width, 8-used)
			word |= v & (1<<n - 1) << used
			v >>= n
			width -= n
			if used += n; used == 8 {
				out = append(out, byte(word))
				word, used = 0, 0
			}
		}
	}
	for d := range s.Active(g) {
		put(uint64(g[d.ID]), d.width())
	}
	if used > 0 {
		out = append(out, byte(word))
	}
	return out
}

// Unpack reads what Pack writes.
func (s *Space) Unpack(packed []byte) (Genotype, error) {
	at := 0
	take := func(width int) (v uint64, ok bool) {
		if at+width > 8*len(packed) {
			return 0, false
		}
		for i := range width {
			v |= uint64(packed[at/8]>>(at%8)&1) << i
			at++
		}
		return v, true
	}
	g, err := s.read(func(d *Decision) (int64, error) {
		v, ok := take(d.width())
		if !ok {
			return 0, fmt.Errorf("the packed genotype ends before %s", d.Address)
		}
		return int64(v), nil
	})
	if err != nil {
		return nil, err
	}
	surplus := (at+7)/8 != len(packed)
	if padding, _ := take(-at & 7); surplus || padding != 0 {
		return nil, errors.New("the packed genotype is longer than this architecture needs")
	}
	return g, nil
}

// Digest identifies the tree: two spaces have the same digest exactly when they
// have the same decisions in the same order, so that genotypes, ranks and seeds
// mean the same in both. The name and the place in the source do not count.
func (s *Space) Digest() string {
	h := sha256.New()
	buf := make([]byte, 0, 256)
	number := func(n int) { buf = binary.LittleEndian.AppendUint64(buf, uint64(n)) }
	text := func(t string) { number(len(t)); buf = append(buf, t...) }
	group := func(g *Group) {
		number(len(g.Decisions))
		for _, d := range g.Decisions {
			number(d.ID)
		}
	}
	group(s.Root)
	for _, d := range s.Decisions {
		text(d.Address)
		text(string(d.Kind))
		number(d.Min)
		number(d.Max)
		number(len(d.Alts))
		for _, a := range d.Alts {
			text(a.Label)
			group(a.Sub)
		}
		h.Write(buf)
		buf = buf[:0]
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}
