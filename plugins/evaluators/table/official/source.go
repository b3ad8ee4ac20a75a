package official

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// source is a file that is read once from beginning to end, and hashed on the way.
type source struct {
	path string
	job  *job
	file *os.File
	size int64
	sum  hash.Hash
}

// open opens a regular file.
func (j *job) open(path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no file")
	}
	if err != nil {
		f.Close()
		return nil, unreadable(path, err)
	}
	return &source{path: path, job: j, file: f, size: info.Size(), sum: sha256.New()}, nil
}

// Read implements io.Reader. It ends when the import is given up.
func (s *source) Read(p []byte) (int, error) {
	if err := s.job.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.file.Read(p)
	s.sum.Write(p[:n])
	s.job.read(int64(n))
	return n, err
}

// read counts bytes of sources.
func (j *job) read(n int64) {
	j.done += n
	if j.report != nil {
		j.report(j.done, max(j.size, j.done))
	}
}

// end reads what is left and notes the file as a source.
func (s *source) end() error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return s.broken(err)
	}
	s.job.out.Source(nasb.Source{Name: filepath.Base(s.path), Size: s.size, SHA256: hex.EncodeToString(s.sum.Sum(nil))})
	return s.file.Close()
}

// broken makes an error of the source of one of reading or unpacking.
func (s *source) broken(err error) error { return broken(s.path, err) }

func broken(path string, err error) error {
	var own *Error
	var syntax *pickle.SyntaxError
	var forbidden *pickle.ForbiddenError
	var bz bzip2.StructuralError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		if own.Path == "" {
			own.Path = path
		}
		return err
	case errors.As(err, &forbidden) && forbidden.Offset == 0, errors.As(err, &syntax) && syntax.Offset == 0:
		return fail(WrongFile, path, "", "it does not begin as a pickle does")
	case errors.As(err, &forbidden):
		return fail(Forbidden, path, "", "%v", err)
	case errors.As(err, &syntax):
		return fail(Damaged, path, "", "it is no pickle that can be read: %v", err)
	case errors.Is(err, errLarge):
		return fail(TooLarge, path, "", "%v", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fail(Damaged, path, "", "the file ends too early: it is incomplete")
	case errors.As(err, &bz), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fail(Damaged, path, "", "%v", err)
	case strings.HasPrefix(err.Error(), "flate: "), strings.HasPrefix(err.Error(), "zip: "):
		return fail(Damaged, path, "", "%v", err)
	}
	return err
}

// maxValues bounds what a pickle holds, or one architecture of it. Real ones have a
// hundredth.
const maxValues = 1 << 22

var errLarge = errors.New("it unpacks to more than any real file of the kind")

// bounded is a reader that fails after so many bytes, where io.LimitReader ends.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if n, err := io.ReadFull(b.r, make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, errLarge
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// unpacked is the content of a source that may be packed by gzip or bzip2.
func (s *source) unpacked(limit int64) (io.Reader, error) {
	raw := bufio.NewReaderSize(s, 1<<16)
	magic, err := raw.Peek(3)
	if err != nil && err != io.EOF {
		return nil, s.broken(err)
	}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, s.broken(err)
		}
		return &bounded{z, limit}, nil
	case bytes.HasPrefix(magic, []byte("BZh")):
		return &bounded{bzip2.NewReader(raw), limit}, nil
	}
	return &bounded{raw, limit}, nil
}
