package official

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// A pickler in the manner of Python's: it remembers every text and collection,
// refers back to texts that come again, and fills collections in batches of 1,000, the
// last item of 1,001 alone.

type (
	dict  []any // keys and values take turns
	list  []any
	tuple []any
)

type pickler struct {
	b        []byte
	memo     map[string]uint32
	next     uint32
	protocol byte
}

// pickled writes a value.
func pickled(protocol byte, v any) []byte {
	p := pickler{memo: map[string]uint32{}, protocol: protocol}
	p.b = append(p.b, 0x80, protocol)
	p.value(v)
	return append(p.b, '.')
}

func (p *pickler) put() uint32 {
	n := p.next
	p.next++
	switch {
	case p.protocol >= 4:
		p.b = append(p.b, 0x94)
	case n < 256:
		p.b = append(p.b, 'q', byte(n))
	default:
		p.b = binary.LittleEndian.AppendUint32(append(p.b, 'r'), n)
	}
	return n
}

func (p *pickler) value(v any) {
	switch v := v.(type) {
	case nil:
		p.b = append(p.b, 'N')
	case int:
		switch {
		case v >= 0 && v < 256:
			p.b = append(p.b, 'K', byte(v))
		case v >= 0 && v < 65536:
			p.b = binary.LittleEndian.AppendUint16(append(p.b, 'M'), uint16(v))
		default:
			p.b = binary.LittleEndian.AppendUint32(append(p.b, 'J'), uint32(int32(v)))
		}
	case float64:
		p.b = binary.BigEndian.AppendUint64(append(p.b, 'G'), math.Float64bits(v))
	case string:
		if n, ok := p.memo[v]; ok {
			if n < 256 {
				p.b = append(p.b, 'h', byte(n))
			} else {
				p.b = binary.LittleEndian.AppendUint32(append(p.b, 'j'), n)
			}
			return
		}
		if p.protocol >= 4 && len(v) < 256 {
			p.b = append(p.b, 0x8c, byte(len(v)))
		} else {
			p.b = binary.LittleEndian.AppendUint32(append(p.b, 'X'), uint32(len(v)))
		}
		p.b = append(p.b, v...)
		p.memo[v] = p.put()
	case tuple:
		if len(v) > 3 {
			p.b = append(p.b, '(')
		}
		for _, x := range v {
			p.value(x)
		}
		if len(v) > 3 {
			p.b = append(p.b, 't')
		} else {
			p.b = append(p.b, [4]byte{')', 0x85, 0x86, 0x87}[len(v)])
		}
		p.put()
	case list:
		p.b = append(p.b, ']')
		p.put()
		p.batches(v, 1, 'a', 'e')
	case dict:
		p.b = append(p.b, '}')
		p.put()
		p.batches(v, 2, 's', 'u')
	default:
		panic("no pickle of that")
	}
}

func (p *pickler) batches(items []any, width int, single, many byte) {
	for len(items) > 0 {
		n := min(1000*width, len(items))
		if n > width {
			p.b = append(p.b, '(')
		}
		for _, x := range items[:n] {
			p.value(x)
		}
		if n > width {
			p.b = append(p.b, many)
		} else {
			p.b = append(p.b, single)
		}
		items = items[n:]
	}
}

// torchZip writes a file as torch.save does since 1.6.
func torchZip(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range map[string][]byte{"archive/data.pkl": pickled(2, v), "archive/version": []byte("3\n")} {
		f, err := w.CreateRaw(&zip.FileHeader{
			Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(content),
			CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// torchOld writes a file as torch.save did before: the object, then the list of the
// storages of its tensors, of which there are none.
func torchOld(v any) []byte {
	b := append([]byte(nil), torchLegacy...)
	b = append(b, pickled(2, 1001)...)
	b = append(b, pickled(2, dict{"protocol_version", 1001, "little_endian", 1, "type_sizes", dict{"short", 2, "int", 4, "long", 4}})...)
	b = append(b, pickled(2, v)...)
	return append(b, pickled(2, list{})...)
}

func writeBytes(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
