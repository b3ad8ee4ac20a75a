package official

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// A TFRecord file is a sequence of frames: the length of the data in 8 bytes, the
// CRC-32C of those 8 bytes in 4, the data, its CRC-32C in 4. Numbers are
// little-endian, and sums are masked: turned right by 15 bits, plus a constant.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func maskedCRC(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// frameHead is what a frame takes beside its data.
const frameHead = 8 + 4 + 4

// maxFrame bounds a frame; those of NAS-Bench-101 have below 2 kB.
const maxFrame = 1 << 20

var (
	errFrameSum  = errors.New("a record does not have its checksum")
	errFrameSize = errors.New("a record is longer than any real one")
)

// frames reads a TFRecord file.
type frames struct {
	r   io.Reader
	buf []byte
}

// next is the data of the next frame, valid until the one after. At the end it
// returns io.EOF.
func (f *frames) next() ([]byte, error) {
	var head [12]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return nil, err
	}
	if maskedCRC(head[:8]) != binary.LittleEndian.Uint32(head[8:]) {
		return nil, errFrameSum
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > maxFrame {
		return nil, errFrameSize
	}
	if uint64(cap(f.buf)) < n+4 {
		f.buf = make([]byte, n+4)
	}
	f.buf = f.buf[:n+4]
	if _, err := io.ReadFull(f.r, f.buf); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if maskedCRC(f.buf[:n]) != binary.LittleEndian.Uint32(f.buf[n:]) {
		return nil, errFrameSum
	}
	return f.buf[:n], nil
}
