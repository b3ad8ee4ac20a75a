// Package stream derives independent random number streams from one seed.
//
// Everything random in nasc (a sample, an initial weight, a shuffled epoch)
// draws from a stream that is named by what it is for and counted by which one
// it is. Streams do not depend on one another or on the order in which they are
// made, so a search that is resumed, or evaluates in another order, draws the
// same numbers.
//
// The rule: the first 16 bytes of SHA-256 over the text "nasc.stream.v1", the
// seed, the length of the name in bytes, the name and the counter (numbers as
// 8 bytes, little endian) are, as two little-endian words, the two seeds of a
// PCG generator as in math/rand/v2. The rule never changes, so neither do the
// results of a seed.
package stream

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// New returns the stream of the seed with this name and counter.
func New(seed uint64, name string, counter uint64) *rand.Rand {
	hi, lo := words(seed, name, counter)
	return rand.New(rand.NewPCG(hi, lo))
}

// Seed derives a seed, for a plugin or a trial that makes streams of its own.
func Seed(seed uint64, name string, counter uint64) uint64 {
	hi, _ := words(seed, name, counter)
	return hi
}

func words(seed uint64, name string, counter uint64) (hi, lo uint64) {
	b := make([]byte, 0, 64)
	b = append(b, "nasc.stream.v1"...)
	b = binary.LittleEndian.AppendUint64(b, seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(name)))
	b = append(b, name...)
	b = binary.LittleEndian.AppendUint64(b, counter)
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])
}
