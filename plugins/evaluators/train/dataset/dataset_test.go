package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if strings.HasSuffix(path, ".gz") {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		data = b.Bytes()
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// idxBytes is an idx file whose bytes count up.
func idxBytes(modulo int, dims ...uint32) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	n := 1
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
		n *= int(d)
	}
	for i := range n {
		b = append(b, byte(i%modulo))
	}
	return b
}

func cifarBytes(n int) []byte {
	b := make([]byte, n*cifarRecord)
	for i := range n {
		b[i*cifarRecord] = byte(i % 10)
		b[i*cifarRecord+1] = byte(i)
	}
	return b
}

func load(t *testing.T, o Options) *Set {
	t.Helper()
	s, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestIdx(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "train-images-idx3-ubyte.gz"), idxBytes(251, 50, 4, 3))
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), idxBytes(7, 50))
	s := load(t, Options{Name: "idx", Path: dir})
	if got, want := s.String(), "idx [1, 4, 3], 7 classes, 30/10/10 examples"; got != want {
		t.Errorf("without test files: %s, want %s", got, want)
	}
	if !strings.Contains(s.Facts["dataset.split"], "no test files") {
		t.Errorf("the facts do not say where the test part is from: %v", s.Facts)
	}
	// Example i holds the numbers from 12*i on and has the label i%7.
	seen := map[byte]bool{}
	for _, part := range []Split{s.Train, s.Valid, s.Test} {
		for i, label := range part.Labels {
			first := part.Pixels[12*i]
			n := int(first) / 12
			if seen[first] && n < 20 {
				t.Errorf("image %d is in two parts", n)
			}
			seen[first] = true
			for ; n < 50; n++ {
				if byte(n*12%251) == first {
					break
				}
			}
			if n < 50 && byte(n%7) != label {
				t.Errorf("image %d has the label %d", n, label)
			}
		}
	}
	write(t, filepath.Join(dir, "t10k-images-idx3-ubyte"), idxBytes(251, 9, 4, 3))
	write(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), idxBytes(7, 9))
	s = load(t, Options{Name: "idx", Path: filepath.Join(dir, "train"), Train: 20})
	if got, want := s.String(), "idx [1, 4, 3], 7 classes, 20/10/9 examples"; got != want {
		t.Errorf("with test files: %s, want %s", got, want)
	}
	if s.Facts["dataset.files"] != "train, t10k" || len(s.Facts["dataset.test.sha256"]) != 64 {
		t.Errorf("facts %v", s.Facts)
	}
}

func TestCifar10(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "data_batch_1.bin"), cifarBytes(30))
	write(t, filepath.Join(dir, "data_batch_2.bin.gz"), cifarBytes(20))
	s := load(t, Options{Name: "cifar10", Path: dir})
	if got, want := s.String(), "cifar10 [3, 32, 32], 10 classes, 30/10/10 examples"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	write(t, filepath.Join(dir, "test_batch.bin"), cifarBytes(7))
	s = load(t, Options{Name: "cifar10", Path: dir})
	if s.Test.Len() != 7 || s.Train.Len() != 40 || s.Facts["dataset.files"] != "data_batch_1.bin, data_batch_2.bin, test_batch.bin" {
		t.Errorf("%v %v", s, s.Facts)
	}
}

func TestGlyphs(t *testing.T) {
	a, b := load(t, Options{Name: "glyphs", Train: 60}), load(t, Options{Name: "glyphs", Train: 120})
	if a.Facts["dataset.valid.sha256"] != b.Facts["dataset.valid.sha256"] {
		t.Error("the validation part depends on the size of the training part")
	}
	if !bytes.Equal(a.Train.Pixels, b.Train.Pixels[:len(a.Train.Pixels)]) {
		t.Error("fewer examples are not the first of more")
	}
	for label, n := range count(a.Train.Labels) {
		if n != 6 {
			t.Errorf("class %d has %d of 60 examples", label, n)
		}
	}
	c := load(t, Options{Name: "glyphs", Classes: 36, Size: 24, Color: true, Train: 72, Valid: 36, Test: 36})
	if got, want := c.String(), "glyphs [3, 24, 24], 36 classes, 72/36/36 examples"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(c.Mean) != 3 || c.Std[0] < 10 {
		t.Errorf("mean %v, deviation %v: the images are blank", c.Mean, c.Std)
	}
}

// TestLend: a validation part larger than a fifth of the training files takes from the
// end of the training part, so that what was in the parts of smaller sizes stays there.
func TestLend(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "data_batch_1.bin"), cifarBytes(50))
	write(t, filepath.Join(dir, "test_batch.bin"), cifarBytes(5))
	usual := load(t, Options{Name: "cifar10", Path: dir})
	if got, want := usual.String(), "cifar10 [3, 32, 32], 10 classes, 40/10/5 examples"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	halves := load(t, Options{Name: "cifar10", Path: dir, Train: 20, Valid: 25})
	if got, want := halves.String(), "cifar10 [3, 32, 32], 10 classes, 20/25/5 examples"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	if !bytes.Equal(halves.Train.Pixels, usual.Train.Pixels[:20*3072]) || !bytes.Equal(halves.Train.Labels, usual.Train.Labels[:20]) {
		t.Error("the training part is another")
	}
	if !bytes.Equal(halves.Valid.Pixels, slices.Concat(usual.Valid.Pixels, usual.Train.Pixels[25*3072:])) ||
		!bytes.Equal(halves.Valid.Labels, slices.Concat(usual.Valid.Labels, usual.Train.Labels[25:])) {
		t.Error("the validation part is not the fifth and then the end of the training part")
	}
	if want := "15 more, that would else be trained on"; !strings.Contains(halves.Facts["dataset.split"], want) {
		t.Errorf("facts %v", halves.Facts)
	}
	for o, want := range map[Options]string{
		{Valid: 50}:            "valid asks for 50 examples, but there are 50, of which some must be left to train on",
		{Valid: 25, Train: 26}: "train asks for 26 examples, but there are 25",
	} {
		o.Name, o.Path = "cifar10", dir
		if _, err := Load(o); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Load(Options{Name: "glyphs", Train: 100, Valid: 3000, Test: 10}); err != nil { // drawn, not divided
		t.Error(err)
	}
}

func count(labels []byte) map[byte]int {
	n := map[byte]int{}
	for _, l := range labels {
		n[l]++
	}
	return n
}

// TestGlyphFonts checks what makes the test honest: no font is in two parts.
func TestGlyphFonts(t *testing.T) {
	seen := map[*byte]bool{}
	for _, part := range [][][]byte{glyphTrain, glyphValid, glyphTest} {
		for _, f := range part {
			if seen[&f[0]] {
				t.Error("a font is in two parts")
			}
			seen[&f[0]] = true
		}
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	folder := func(files map[string][]byte) string {
		d, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range files {
			write(t, filepath.Join(d, name), data)
		}
		return d
	}
	const images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	packed := new(bytes.Buffer)
	w := gzip.NewWriter(packed)
	if _, err := w.Write(idxBytes(200, 50, 4, 4)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	cut := folder(nil)
	if err := os.WriteFile(filepath.Join(cut, images+".gz"), packed.Bytes()[:packed.Len()-20], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o            Options
		option, want string
	}{
		{Options{Name: "mnist"}, "dataset", "not glyphs, idx, cifar10 or images"},
		{Options{Name: "idx"}, "data", "must name the folder"},
		{Options{Name: "cifar10"}, "data", "must name the folder"},
		{Options{Name: "idx", Path: filepath.Join(dir, "nowhere")}, "data", "nowhere-images-idx3-ubyte (or .gz) is missing"},
		{Options{Name: "idx", Path: folder(nil)}, "data", images + " (or .gz) is missing"},
		{Options{Name: "idx", Path: folder(map[string][]byte{images: idxBytes(9, 50, 4, 4)})}, "data", labels + " (or .gz) is missing"},
		{Options{Name: "idx", Path: folder(map[string][]byte{images: idxBytes(9, 50, 4, 4)[:700]})}, "data", "should have 816 bytes for dimensions [50 4 4], but has 700"},
		{Options{Name: "idx", Path: folder(map[string][]byte{images: {0, 0, 8}})}, "data", "has 3 bytes; an idx header of 3 dimensions has 16"},
		{Options{Name: "idx", Path: folder(map[string][]byte{images: []byte("not an idx file at all")})}, "data", "it starts with 6e 6f 74 20"},
		{Options{Name: "idx", Path: folder(map[string][]byte{images: idxBytes(9, 50, 4, 4), labels: idxBytes(9, 49)})}, "data", "has 50 images, but"},
		{Options{Name: "idx", Path: cut}, "data", "is damaged or cut off"},
		{Options{Name: "cifar10", Path: folder(nil)}, "data", "has no file data_batch_*.bin"},
		{Options{Name: "cifar10", Path: folder(map[string][]byte{"data_batch_1.bin": cifarBytes(10)[:30000]})}, "data", "has 30000 bytes: 9 images of 3073 bytes and 2343 bytes more"},
		{Options{Name: "glyphs", Classes: 40}, "classes", "glyphs have 2 to 36"},
		{Options{Name: "glyphs", Size: 4}, "size", "glyphs have 8 to 128 pixels"},
		{Options{Name: "glyphs", Path: "x"}, "data", "need no file"},
		{Options{Name: "cifar10", Path: folder(map[string][]byte{"data_batch_1.bin": cifarBytes(10)}), Train: 9}, "train", "asks for 9 examples, but there are 6"},
		{Options{Name: "cifar10", Path: folder(map[string][]byte{"data_batch_1.bin": cifarBytes(10)}), Classes: 3}, "classes", "is 3, but the files have 10"},
	} {
		_, err := Load(c.o)
		var p *Problem
		if !errors.As(err, &p) || p.Option != c.option || !strings.Contains(p.Message, c.want) {
			t.Errorf("%+v: %v, want %s … %s", c.o, err, c.option, c.want)
		}
	}
}

// real finds the folder of real image files: $NASC_DATA, or shared/data beside
// the repository.
func real(t *testing.T) string {
	t.Helper()
	if d := os.Getenv("NASC_DATA"); d != "" {
		return d
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	d := filepath.Join(filepath.Dir(dir), "shared", "data")
	if _, err := os.Stat(d); err != nil {
		t.Skip("no real data: neither NASC_DATA nor ../shared/data beside the repository")
	}
	return d
}

func TestRealFiles(t *testing.T) {
	data := real(t)
	for _, c := range []struct{ name, folder, want string }{
		{"idx", "images/mnist", "idx [1, 28, 28], 10 classes, 48000/12000/10000 examples"},
		{"idx", "images/fashion-mnist", "idx [1, 28, 28], 10 classes, 2169/723/723 examples"},
		{"cifar10", "images/cifar10", "cifar10 [3, 32, 32], 10 classes, 2400/800/800 examples"},
	} {
		path := filepath.Join(data, c.folder)
		if _, err := os.Stat(path); err != nil {
			t.Logf("%s is not there", path)
			continue
		}
		s, err := Load(Options{Name: c.name, Path: path})
		if err != nil || s.String() != c.want {
			t.Errorf("%s: %v %v, want %s", c.folder, s, err, c.want)
		}
	}
}
