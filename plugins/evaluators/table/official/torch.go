package official

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"

	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// torch.save writes an object in one of two forms: since 1.6 a zip archive, whose
// member NAME/data.pkl is the pickle; before, three pickles (a number by which the
// form is known, its version, facts about the machine) and then the object. A
// number of more than 64 bits is no data that this program reads, so the first
// pickle is known by its bytes.

var torchLegacy = []byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")

// errNoTorch: the file is neither.
var errNoTorch = errors.New("torch.save has not written it")

// torchObject positions a decoder at the object.
func torchObject(r io.Reader) (*pickle.Decoder, error) {
	raw := bufio.NewReaderSize(r, 1<<16)
	if head, err := raw.Peek(len(torchLegacy)); err != nil || !bytes.Equal(head, torchLegacy) {
		if err != nil && err != io.EOF {
			return nil, err
		}
		return nil, errNoTorch
	}
	if _, err := raw.Discard(len(torchLegacy)); err != nil {
		return nil, err
	}
	d := pickle.NewDecoder(raw)
	for range 2 {
		if _, err := d.Decode(); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return d, nil
}

// torchFile is a file of torch.save, of which the object can be read several times.
type torchFile struct {
	path string
	job  *job
	zip  *zip.File // nil: the older form
	raw  func() (io.Reader, error)
	end  func() error
}

// torch opens a file of torch.save. The older form may be packed by gzip or bzip2.
func (j *job) torch(name string) (*torchFile, error) {
	s, err := j.open(name)
	if err != nil {
		return nil, err
	}
	t := &torchFile{path: name, job: j, end: s.end}
	magic := make([]byte, 4)
	if _, err := s.file.ReadAt(magic, 0); err != nil && err != io.EOF {
		return nil, unreadable(name, err)
	}
	if string(magic) == "PK\x03\x04" {
		z, err := zip.NewReader(s.file, s.size)
		if err != nil {
			return nil, broken(name, err)
		}
		for _, f := range z.File {
			if path.Base(f.Name) == "data.pkl" {
				t.zip = f
			}
		}
		if t.zip == nil {
			return nil, fail(WrongFile, name, "", "it is a zip archive without data.pkl: %v", errNoTorch)
		}
		return t, nil
	}
	t.raw = func() (io.Reader, error) {
		if err := j.ctx.Err(); err != nil {
			return nil, err
		}
		return &watched{io.NewSectionReader(s.file, 0, s.size), j}, nil
	}
	r, err := t.raw()
	if err != nil {
		return nil, err
	}
	if _, err := torchObject(r); errors.Is(err, errNoTorch) {
		return nil, fail(WrongFile, name, "", "%v", err)
	}
	return t, nil
}

// open starts reading the object.
func (t *torchFile) open() (*pickle.Decoder, func() error, error) {
	if t.zip == nil {
		r, err := t.raw()
		if err != nil {
			return nil, nil, err
		}
		d, err := torchObject(r)
		return d, func() error { return nil }, err
	}
	r, err := t.zip.Open()
	if err != nil {
		return nil, nil, err
	}
	in := &watched{&bounded{r, maxArchive}, t.job}
	return pickle.NewDecoder(in), func() error {
		if _, err := io.Copy(io.Discard, in); err != nil { // so that the checksum is looked at
			return err
		}
		return r.Close()
	}, nil
}

// watched is a reader that ends when the import is given up, and counts.
type watched struct {
	r   io.Reader
	job *job
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.job.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	w.job.read(int64(n))
	return n, err
}

// stream goes through the object twice: first for what the pickle refers back to,
// so that nothing else is remembered, then for the items of the dictionaries whose
// path want accepts. It returns what is left of the object.
func (t *torchFile) stream(depth int, want func([]any) bool, item func(path []any, key, value any) error) (any, error) {
	return stream(t.path, t.open, depth, want, item)
}

func stream(name string, open func() (*pickle.Decoder, func() error, error), depth int, want func([]any) bool, item func(path []any, key, value any) error) (any, error) {
	d, end, err := open()
	if err != nil {
		return nil, broken(name, err)
	}
	keep, err := d.References()
	if err == nil {
		err = end()
	}
	if err != nil {
		return nil, broken(name, err)
	}
	if d, end, err = open(); err != nil {
		return nil, broken(name, err)
	}
	d.Keep(keep)
	d.Limit(maxValues)
	d.Each(depth, want, item)
	v, err := d.Decode()
	if err == nil {
		err = end()
	}
	if err != nil {
		return nil, broken(name, err)
	}
	return v, nil
}
