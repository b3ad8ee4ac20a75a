package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

var update = flag.Bool("update", false, "write the outlines of the fonts for nasc_torch")

// curves are the outlines of all fonts as nasc_torch draws them: rows of seven int16,
// the number of the outline and the three points of a quadratic curve.
func curves(t *testing.T) []byte {
	t.Helper()
	var out []byte
	for f, ttf := range slices.Concat(glyphTrain, glyphValid, glyphTest) {
		letters, err := outlines(ttf)
		if err != nil {
			t.Fatal(err)
		}
		for i, letter := range letters {
			var at, start fixed.Point26_6
			put := func(control, end fixed.Point26_6) {
				for _, v := range []fixed.Int26_6{fixed.Int26_6(f*len(alphabet) + i), at.X, at.Y, control.X, control.Y, end.X, end.Y} {
					out = binary.LittleEndian.AppendUint16(out, uint16(int16(v)))
				}
				at = end
			}
			middle := func(a, b fixed.Point26_6) fixed.Point26_6 {
				return fixed.Point26_6{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
			}
			closed := func() {
				if at != start {
					put(middle(at, start), start)
				}
			}
			for _, s := range letter.segments {
				switch s.Op {
				case sfnt.SegmentOpMoveTo:
					closed()
					at, start = s.Args[0], s.Args[0]
				case sfnt.SegmentOpLineTo:
					put(middle(at, s.Args[0]), s.Args[0])
				case sfnt.SegmentOpQuadTo:
					put(s.Args[0], s.Args[1])
				default:
					t.Fatalf("font %d has a curve of another degree", f)
				}
			}
			closed()
		}
	}
	return out
}

// TestOutlines: the file that nasc_torch draws its glyphs from has the fonts of today.
func TestOutlines(t *testing.T) {
	file := filepath.Join("..", "..", "..", "python", "src", "nasc_torch", "data", "outlines.gz")
	want := curves(t)
	if *update {
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not of these fonts; write it anew with go test ./plugins/evaluators/train/dataset -run TestOutlines -update", file)
	}
}
