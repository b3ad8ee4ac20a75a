// Package segment holds tensors in a file that two processes map into their memory, so
// that an evaluator and the process of an operation hand each other a tensor without
// sending it.
//
// The one side makes the file ([Create]) and names it to the other ([Open]). When both
// have mapped it, the file can be removed: the memory stays until both have closed it, or
// have ended in whatever way, and nothing is left behind. What the file looks like says
// the contract, AttachTensors in plugins/proto.
package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"unsafe"

	"github.com/edsrzf/mmap-go"
)

const (
	magic = "NASCTNS1"
	// align is where tensors begin: at the lines of a cache.
	align = 64
	// most is how large a file may be, and how much its header may say.
	most           = 1 << 40
	mostTensors    = 1 << 14
	mostDimensions = 16
)

// Tensor is an array of numbers, those of the last dimension side by side.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Segment is a mapped file.
type Segment struct {
	Tensors []Tensor
	memory  mmap.MMap
}

// Size is how many numbers a tensor of a shape has.
func Size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Bytes is how large a file with tensors of these shapes is.
func Bytes(shapes [][]int) int64 {
	_, total := layout(shapes)
	return total
}

// layout is where tensors begin, behind the header, and the size of all.
func layout(shapes [][]int) (at []int64, total int64) {
	total = int64(len(magic) + 4)
	for _, s := range shapes {
		total += int64(4 + 4*len(s) + 8)
	}
	for _, s := range shapes {
		total = (total + align - 1) / align * align
		at = append(at, total)
		total += 4 * int64(Size(s))
	}
	return at, total
}

// Create makes a file in a folder, with tensors of zeros. Its owner alone can open it.
// It takes its room on the disk or in the memory at once, so that a lack of room is an
// error here and not the end of the process later.
func Create(folder string, shapes [][]int) (s *Segment, path string, err error) {
	at, total := layout(shapes)
	if total > most || len(shapes) > mostTensors {
		return nil, "", fmt.Errorf("%d tensors of %d bytes are too much", len(shapes), total)
	}
	f, err := os.CreateTemp(folder, "tensors-")
	if err != nil {
		return nil, "", err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	header := binary.NativeEndian.AppendUint32([]byte(magic), uint32(len(shapes)))
	for i, shape := range shapes {
		header = binary.NativeEndian.AppendUint32(header, uint32(len(shape)))
		for _, d := range shape {
			header = binary.NativeEndian.AppendUint32(header, uint32(d))
		}
		header = binary.NativeEndian.AppendUint64(header, uint64(at[i]))
	}
	if _, err := f.Write(header); err != nil {
		return nil, "", err
	}
	if _, err := io.CopyN(f, zeros{}, total-int64(len(header))); err != nil {
		return nil, "", err
	}
	s, err = load(f)
	return s, f.Name(), err
}

// zeros are as many bytes of zero as anybody wants.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Open maps a file that another process has made. Whatever is in it, what comes out is
// tensors within the file or an error.
func Open(path string) (*Segment, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return load(f)
}

func load(f *os.File) (*Segment, error) {
	memory, err := mmap.Map(f, mmap.RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	s := &Segment{memory: memory}
	if err := s.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), s.Close())
	}
	return s, nil
}

// read reads the header.
func (s *Segment) read() error {
	rest := []byte(s.memory)
	take := func(n int) ([]byte, error) {
		if len(rest) < n {
			return nil, fmt.Errorf("the file ends within its header")
		}
		out := rest[:n]
		rest = rest[n:]
		return out, nil
	}
	number := func() (int, error) {
		b, err := take(4)
		if err != nil {
			return 0, err
		}
		return int(binary.NativeEndian.Uint32(b)), nil
	}
	head, err := take(len(magic))
	if err != nil {
		return err
	}
	if string(head) != magic {
		return fmt.Errorf("it holds no tensors")
	}
	count, err := number()
	if err != nil {
		return err
	}
	if count > mostTensors {
		return fmt.Errorf("it says that it holds %d tensors", count)
	}
	for range count {
		rank, err := number()
		if err != nil {
			return err
		}
		if rank > mostDimensions {
			return fmt.Errorf("a tensor of %d dimensions", rank)
		}
		var shape []int
		size := 1
		for range rank {
			d, err := number()
			if err != nil {
				return err
			}
			if d < 1 || size > math.MaxInt32/d {
				return fmt.Errorf("a tensor of shape %v", append(shape, d))
			}
			size *= d
			shape = append(shape, d)
		}
		b, err := take(8)
		if err != nil {
			return err
		}
		at := binary.NativeEndian.Uint64(b)
		if at%4 != 0 || at > uint64(len(s.memory)) || uint64(len(s.memory))-at < 4*uint64(size) {
			return fmt.Errorf("a tensor of shape %v at byte %d of %d", shape, at, len(s.memory))
		}
		s.Tensors = append(s.Tensors, Tensor{shape, unsafe.Slice((*float32)(unsafe.Pointer(&s.memory[at])), size)})
	}
	return nil
}

// Shaped tells whether the tensors have these shapes.
func (s *Segment) Shaped(shapes [][]int) bool {
	return slices.EqualFunc(s.Tensors, shapes, func(t Tensor, shape []int) bool { return slices.Equal(t.Shape, shape) })
}

// Close gives the memory back. No tensor may be used any more.
func (s *Segment) Close() error {
	s.Tensors = nil
	if s.memory == nil {
		return nil
	}
	return s.memory.Unmap()
}
