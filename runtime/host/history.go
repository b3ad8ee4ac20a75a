package host

import (
	"encoding/binary"
	"iter"

	"google.golang.org/protobuf/proto"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// history is every step that an optimizer has made, to be repeated after a crash:
// some thirty bytes for a step of one trial.
type history struct {
	// Of each step the fingerprint of its answer, the length of the request, and
	// the request.
	bytes []byte
}

// past is a step of the history.
type past struct {
	step   *nascv1.Step
	answer uint64 // its fingerprint
}

func (h *history) add(m *nascv1.Step, all []space.Genotype, done bool) error {
	m.Session = 0
	h.bytes = binary.LittleEndian.AppendUint64(h.bytes, fingerprint(all, done))
	options := proto.MarshalOptions{Deterministic: true}
	h.bytes = binary.AppendUvarint(h.bytes, uint64(options.Size(m)))
	options.UseCachedSize = true // nothing has changed since
	out, err := options.MarshalAppend(h.bytes, m)
	if err == nil {
		h.bytes = out
	}
	return err
}

// steps are the steps in their order.
func (h *history) steps() iter.Seq2[past, error] {
	return func(yield func(past, error) bool) {
		for rest := h.bytes; len(rest) > 0; {
			p := past{step: &nascv1.Step{}, answer: binary.LittleEndian.Uint64(rest)}
			size, n := binary.Uvarint(rest[8:])
			rest = rest[8+n:]
			err := proto.Unmarshal(rest[:size], p.step)
			if rest = rest[size:]; !yield(p, err) || err != nil {
				return
			}
		}
	}
}

// fingerprint tells answers apart: FNV-1a over their numbers.
func fingerprint(all []space.Genotype, done bool) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset) ^ uint64(len(all))
	if done {
		h ^= 1 << 63
	}
	for _, g := range all {
		for _, v := range g {
			h = (h ^ uint64(v)) * prime
		}
	}
	return h
}

// untold are the numbers that were proposed and are not told yet.
type untold struct {
	first int64  // the number of told[0]
	told  []bool // from there on
	open  int
}

// next is the number of the next proposal.
func (u *untold) next() int64 { return u.first + int64(len(u.told)) }

func (u *untold) has(n int64) bool {
	return n >= u.first && n < u.next() && !u.told[n-u.first]
}

func (u *untold) add(proposed int) {
	u.told = append(u.told, make([]bool, proposed)...)
	u.open += proposed
}

func (u *untold) take(n int64) {
	u.told[n-u.first] = true
	u.open--
	for len(u.told) > 0 && u.told[0] {
		u.told, u.first = u.told[1:], u.first+1
	}
}
