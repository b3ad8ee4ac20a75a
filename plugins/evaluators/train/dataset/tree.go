package dataset

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoders of image.Decode
	_ "image/png"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// tree is the pictures of a folder.
type tree struct {
	root     string
	pictures []*picture // by path, at least one
	folders  map[string]bool
}

// picture is a decoded file.
type picture struct {
	name   string // path below the root, with slashes
	h, w   int
	grey   bool
	pixels []byte // planes: one if it is grey, else red, green and blue
	err    error
}

// at is how users name a file of the tree.
func (t *tree) at(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// empty are the folders, inside of others or not, without a picture anywhere below.
func (t *tree) empty() []string {
	full := map[string]bool{}
	for _, p := range t.pictures {
		for d := path.Dir(p.name); d != "."; d = path.Dir(d) {
			full[d] = true
		}
	}
	var out []string
	for d := range t.folders {
		if !full[d] {
			out = append(out, d)
		}
	}
	slices.Sort(out)
	return out
}

// readTree reads all pictures below a folder, on all processors. Of several that
// cannot be read it reports the first.
func readTree(root string) (*tree, error) {
	r := &reader{tree: tree{root: root, folders: map[string]bool{}}, work: make(chan func() *picture)}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for load := range r.work {
				p := load()
				mu.Lock()
				r.pictures = append(r.pictures, p)
				mu.Unlock()
			}
		})
	}
	err := r.folder("", 0)
	close(r.work)
	wg.Wait()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(r.pictures, func(a, b *picture) int { return cmp.Compare(a.name, b.name) })
	for i, p := range r.pictures {
		if p.err != nil {
			return nil, p.err
		}
		if i > 0 && p.name == r.pictures[i-1].name {
			return nil, refuse("data", "image %s is there twice, in a folder and in an archive", r.at(p.name))
		}
	}
	if len(r.pictures) == 0 {
		return nil, refuse("data", "folder %s holds no JPEG or PNG file, nor an archive with some", root)
	}
	return &r.tree, nil
}

// reader walks through a tree and hands out the pictures to be decoded.
type reader struct {
	tree
	work chan func() *picture
}

// depth is how far folders are nested at most; links may go round in circles.
const depth = 32

func (r *reader) folder(name string, level int) error {
	dir := r.at(name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return refuse("data", "folder %s cannot be read: %v", dir, err)
	}
	if level > depth {
		return refuse("data", "folder %s is nested more than %d folders deep", dir, depth)
	}
	if name != "" {
		r.folders[name] = true
	}
	for _, e := range entries {
		inside := path.Join(name, e.Name())
		if hidden(inside) {
			continue
		}
		st, err := os.Stat(r.at(inside)) // of what a link leads to
		if err != nil {
			return refuse("data", "file %s cannot be read: %v", r.at(inside), err)
		}
		switch {
		case st.IsDir():
			err = r.folder(inside, level+1)
		case level == 0 && isArchive(inside):
			err = r.archive(inside)
		case isPicture(inside):
			r.work <- func() *picture {
				data, err := os.ReadFile(r.at(inside))
				return decode(inside, r.at(inside), data, err)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hidden reports what is in no part: names that begin with a dot, and what macOS puts
// into archives.
func hidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(s string) bool { return strings.HasPrefix(s, ".") || s == "__MACOSX" })
}

func isPicture(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".jpg" || ext == ".jpeg" || ext == ".png"
}

func isArchive(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{".tar", ".tar.gz", ".tgz", ".zip"}, func(s string) bool { return strings.HasSuffix(name, s) })
}

// archive reads a file of files.
func (r *reader) archive(name string) error {
	var err error
	if strings.HasSuffix(strings.ToLower(name), ".zip") {
		err = r.zip(name)
	} else {
		err = r.tar(name)
	}
	var p *Problem
	if err != nil && !errors.As(err, &p) {
		err = refuse("data", "archive %s is damaged, cut off or none: %v", r.at(name), err)
	}
	return err
}

func (r *reader) zip(name string) error {
	z, err := zip.OpenReader(r.at(name))
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		if err := r.member(name, f.Name, f.FileInfo().IsDir(), f.Open); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) tar(name string) error {
	f, err := os.Open(r.at(name))
	if err != nil {
		return err
	}
	defer f.Close()
	var in io.Reader = f
	if !strings.HasSuffix(strings.ToLower(name), ".tar") {
		if in, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	t := tar.NewReader(in)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
			continue
		}
		if err := r.member(name, h.Name, h.Typeflag == tar.TypeDir, func() (io.ReadCloser, error) { return io.NopCloser(t), nil }); err != nil {
			return err
		}
	}
}

// maxFile is how large a packed picture may be.
const maxFile = 64 << 20

// member takes a file or folder out of an archive.
func (r *reader) member(archive, name string, isFolder bool, open func() (io.ReadCloser, error)) error {
	name = strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(name)), "/")
	switch {
	case name == "" || hidden(name):
		return nil
	case isFolder:
		r.folders[name] = true
		return nil
	case !isPicture(name):
		return nil
	}
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	r.work <- func() *picture { return decode(name, r.at(archive)+":"+name, data, nil) }
	return nil
}

// maxPixels is how many an image may have.
const maxPixels = 1 << 24

// decode makes a picture of the contents of a file, or of why they cannot be had.
func decode(name, at string, data []byte, err error) *picture {
	p := &picture{name: name}
	var c image.Config
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("it has more than %d bytes", maxFile)
	}
	if err == nil {
		c, _, err = image.DecodeConfig(bytes.NewReader(data))
	}
	if err == nil && (c.Width < 1 || c.Height < 1 || c.Width > maxPixels/c.Height) {
		err = fmt.Errorf("it has %dx%d pixels", c.Width, c.Height)
	}
	var m image.Image
	if err == nil {
		m, _, err = image.Decode(bytes.NewReader(data))
	}
	if err != nil {
		p.err = refuse("data", "image %s cannot be read: %v", at, err)
		return p
	}
	p.h, p.w = m.Bounds().Dy(), m.Bounds().Dx()
	p.grey = m.ColorModel() == color.GrayModel || m.ColorModel() == color.Gray16Model
	p.pixels = planes(m, p.grey)
	return p
}

// planes are the bytes of an image by channel.
func planes(m image.Image, grey bool) []byte {
	b := m.Bounds()
	area, i := b.Dx()*b.Dy(), 0
	if grey {
		out := make([]byte, area)
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				out[i] = color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y
				i++
			}
		}
		return out
	}
	out := make([]byte, 3*area)
	jpeg, _ := m.(*image.YCbCr)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			var red, green, blue uint8
			if jpeg != nil {
				at := jpeg.COffset(x, y)
				red, green, blue = color.YCbCrToRGB(jpeg.Y[jpeg.YOffset(x, y)], jpeg.Cb[at], jpeg.Cr[at])
			} else {
				r, g, b, _ := m.At(x, y).RGBA()
				red, green, blue = uint8(r>>8), uint8(g>>8), uint8(b>>8)
			}
			out[i], out[area+i], out[2*area+i] = red, green, blue
			i++
		}
	}
	return out
}
