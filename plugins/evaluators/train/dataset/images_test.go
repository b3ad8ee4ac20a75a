package dataset

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// paint draws a picture of w by h pixels of one grey or colour, in the format that
// the name says.
func paint(t *testing.T, name string, w, h int, c color.Color) []byte {
	t.Helper()
	var m interface {
		image.Image
		Set(x, y int, c color.Color)
	} = image.NewRGBA(image.Rect(0, 0, w, h))
	if _, ok := c.(color.Gray); ok {
		m = image.NewGray(image.Rect(0, 0, w, h))
	}
	for y := range h {
		for x := range w {
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	var err error
	if path.Ext(name) == ".png" {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// grow makes a tree of files; a name that ends in a slash is a folder.
func grow(t *testing.T, files map[string][]byte) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range files {
		at := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(at, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(at, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// greys is n pictures of every class in a folder; picture i of class c is of the grey
// 10*c+i.
func greys(t *testing.T, to map[string][]byte, folder string, classes []string, n int) {
	for c, class := range classes {
		for i := range n {
			name := fmt.Sprintf("%s%s/%02d.png", folder, class, i)
			to[name] = paint(t, name, 3, 2, color.Gray{uint8(10*c + i)})
		}
	}
}

func TestImages(t *testing.T) {
	files := map[string][]byte{"train/notes.txt": []byte("no picture"), ".git/x.png": []byte("hidden"), "train/ant/.x.png": []byte("hidden")}
	greys(t, files, "train/", []string{"bee", "ant", "cat"}, 5)
	greys(t, files, "test/", []string{"cat", "ant"}, 2)
	s := load(t, Options{Name: "images", Path: grow(t, files)})
	if got, want := s.String(), "images [1, 2, 3], 3 classes, 12/3/4 examples"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if s.Facts["dataset.files"] != "train 15, test 4" || s.Facts["dataset.classes"] != "ant bee cat" {
		t.Errorf("facts %v", s.Facts)
	}
	// In the test part ant comes first: greys 10 and 11 there, 0 and 1 for cat.
	if !slices.Equal(s.Test.Labels, []byte{0, 0, 2, 2}) || s.Test.Pixels[0] != 10 || s.Test.Pixels[len(s.Test.Pixels)-1] != 1 {
		t.Errorf("test part %v %v", s.Test.Labels, s.Test.Pixels)
	}
	for i, label := range slices.Concat(s.Train.Labels, s.Valid.Labels) {
		grey := slices.Concat(s.Train.Pixels, s.Valid.Pixels)[6*i]
		if want := []byte{1, 0, 2}[grey/10]; label != want { // bee was painted first
			t.Errorf("an image of grey %d has the label %d", grey, label)
		}
	}
	greys(t, files, "val/", []string{"ant", "bee", "cat"}, 1)
	s = load(t, Options{Name: "images", Path: grow(t, files)})
	if got, want := s.String(), "images [1, 2, 3], 3 classes, 15/3/4 examples"; got != want {
		t.Errorf("with a validation part: %s, want %s", got, want)
	}
	for name := range files {
		if strings.HasPrefix(name, "test/") {
			delete(files, name)
		}
	}
	s = load(t, Options{Name: "images", Path: grow(t, files)})
	if got, want := s.String(), "images [1, 2, 3], 3 classes, 12/3/3 examples"; got != want {
		t.Errorf("without a test part: %s, want %s", got, want)
	}
	pool := map[string][]byte{}
	greys(t, pool, "", []string{"10", "9"}, 5)
	s = load(t, Options{Name: "images", Path: grow(t, pool)})
	if s.String() != "images [1, 2, 3], 2 classes, 6/2/2 examples" || s.Facts["dataset.classes"] != "9 10" {
		t.Errorf("a pool: %v %v", s, s.Facts)
	}
}

// TestImageColours: JPEG and PNG have the same colours, and grey among them three equal
// channels.
func TestImageColours(t *testing.T) {
	files := map[string][]byte{}
	for i := range 6 {
		for _, name := range []string{fmt.Sprintf("a/%d.png", i), fmt.Sprintf("b/%d.jpeg", i)} {
			files[name] = paint(t, name, 4, 4, color.RGBA{200, 100, 50, 255})
		}
	}
	files["a/grey.png"] = paint(t, "grey.png", 4, 4, color.Gray{77})
	s := load(t, Options{Name: "images", Path: grow(t, files)})
	if s.Channels != 3 {
		t.Fatalf("%d channels", s.Channels)
	}
	seen := map[byte]int{}
	for _, part := range []Split{s.Train, s.Valid, s.Test} {
		for i := range part.Labels {
			image := part.Pixels[48*i:][:48]
			red, green, blue := image[0], image[16], image[47]
			near := func(a, b byte) bool { return max(a, b)-min(a, b) <= 2 }
			if !(near(red, 200) && near(green, 100) && near(blue, 50)) && !(red == 77 && green == 77 && blue == 77) {
				t.Errorf("an image of %d %d %d", red, green, blue)
			}
			seen[red]++
		}
	}
	if seen[77] != 1 {
		t.Errorf("reds %v", seen)
	}
}

// TestImageArchives: archives count as if they were unpacked, and files without
// folders have their class in their names.
func TestImageArchives(t *testing.T) {
	files := map[string][]byte{}
	for i := range 12 {
		name := fmt.Sprintf("train/%05d_%d.png", i, i%3)
		files[name] = paint(t, name, 3, 3, color.Gray{uint8(20*(i%3) + i)})
	}
	for i := range 3 {
		name := fmt.Sprintf("test/%05d_%d.png", i, 2-i)
		files[name] = paint(t, name, 3, 3, color.Gray{uint8(100 + i)})
	}
	want := load(t, Options{Name: "images", Path: grow(t, files)})
	if want.String() != "images [1, 3, 3], 3 classes, 10/2/3 examples" || !slices.Equal(want.Test.Labels, []byte{2, 1, 0}) {
		t.Errorf("%v %v", want, want.Test.Labels)
	}
	var tared, zipped bytes.Buffer
	gz := gzip.NewWriter(&tared)
	tw, zw := tar.NewWriter(gz), zip.NewWriter(&zipped)
	for name, data := range files { // in any order
		var err error
		if strings.HasPrefix(name, "train") {
			if err = tw.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err == nil {
				_, err = tw.Write(data)
			}
		} else if w, e := zw.Create(name); e != nil {
			err = e
		} else {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), gz.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	got := load(t, Options{Name: "images", Path: grow(t, map[string][]byte{"a.tar.gz": tared.Bytes(), "b.zip": zipped.Bytes()})})
	for _, fact := range []string{"dataset.train.sha256", "dataset.valid.sha256", "dataset.test.sha256", "dataset.files", "dataset.classes"} {
		if got.Facts[fact] != want.Facts[fact] {
			t.Errorf("%s is %s in archives, %s in folders", fact, got.Facts[fact], want.Facts[fact])
		}
	}
	for name, data := range map[string][]byte{"a.tar.gz": tared.Bytes()[:tared.Len()/2], "b.zip": zipped.Bytes()[:zipped.Len()/2], "c.tar": []byte("nonsense, but long enough for a header of a file that is 512 bytes " + strings.Repeat("x", 512))} {
		_, err := Load(Options{Name: "images", Path: grow(t, map[string][]byte{name: data})})
		if err == nil || !strings.Contains(err.Error(), "archive ") || !strings.Contains(err.Error(), name+" is damaged, cut off or none") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestImageErrors(t *testing.T) {
	with := func(change func(map[string][]byte)) string {
		files := map[string][]byte{}
		greys(t, files, "train/", []string{"ant", "bee"}, 5)
		change(files)
		return grow(t, files)
	}
	grey := paint(t, "x.png", 3, 2, color.Gray{1})
	for _, c := range []struct {
		root, want string
	}{
		{"", "must name the folder of the images"},
		{filepath.Join(t.TempDir(), "nowhere"), "nowhere cannot be read"},
		{t.TempDir(), "holds no JPEG or PNG file"},
		{with(func(f map[string][]byte) { f["train/ant/03.png"] = grey[:len(grey)-20] }), "train/ant/03.png cannot be read: "},
		{with(func(f map[string][]byte) {
			f["train/bee/03.jpg"], f["train/bee/04.png"] = []byte("text"), []byte("text")
		}), "train/bee/03.jpg cannot be read: image: unknown format"},
		{with(func(f map[string][]byte) { f["train/bee/03.png"] = paint(t, "x.png", 4, 2, color.Gray{1}) }),
			"train/bee/03.png has 4x2 pixels (width, height), but "},
		{with(func(f map[string][]byte) { f["train/cat/"] = nil }), "train/cat holds no image"},
		{with(func(f map[string][]byte) { f["test/cat/x.png"] = grey }), "test/cat/x.png is of the class cat, of which there is no training image"},
		{with(func(f map[string][]byte) { f["extra/cat/x.png"] = grey }), "extra/cat/x.png is beside the folder of the training images"},
		{with(func(f map[string][]byte) { f["train/x_ant.png"] = grey }), "train/x_ant.png is beside folders of classes"},
		{with(func(f map[string][]byte) { f["test/x.png"] = grey }), "test/x.png is in no folder of a class, and its name does not end in one"},
		{grow(t, map[string][]byte{"train/a/1.png": grey, "train/b/2.png": grey}), "has only 2 training images"},
		{grow(t, map[string][]byte{"train/a/1.png": grey, "train/a/2.png": grey}), "has images of 1 classes; 2 to 256 can be told apart"},
	} {
		_, err := Load(Options{Name: "images", Path: c.root})
		var p *Problem
		if !errors.As(err, &p) || p.Option != "data" || !strings.Contains(filepath.ToSlash(p.Message), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	// The same one of many is reported each time.
	broken := with(func(f map[string][]byte) {
		for name := range f {
			f[name] = []byte("text")
		}
	})
	for range 5 {
		if _, err := Load(Options{Name: "images", Path: broken}); err == nil || !strings.Contains(filepath.ToSlash(err.Error()), "train/ant/00.png") {
			t.Errorf("error %v", err)
		}
	}
}

// TestRealImages decodes CIFAR-10 as 60,000 JPEG files.
func TestRealImages(t *testing.T) {
	path := filepath.Join(real(t), "images", "cifar10")
	if _, err := os.Stat(filepath.Join(path, "train_jpeg.tar.gz")); err != nil {
		t.Skipf("no JPEG files of CIFAR-10: %v", err)
	}
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	s := load(t, Options{Name: "images", Path: path})
	if got, want := s.String(), "images [3, 32, 32], 10 classes, 40000/10000/10000 examples"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if want := []byte{3, 8, 8, 0, 6, 6, 1, 6, 3, 1}; !slices.Equal(s.Test.Labels[:10], want) { // the published order
		t.Errorf("the test labels begin with %v, want %v", s.Test.Labels[:10], want)
	}
	for c, want := range []float64{125.3, 123.0, 113.9} { // the published means of CIFAR-10
		if d := float64(s.Mean[c]) - want; d > 1 || d < -1 {
			t.Errorf("channel %d has the mean %v, want %v", c, s.Mean[c], want)
		}
	}
}
