// Package nasb is the file format of imported benchmarks: everything that was
// measured of every architecture of a space, in one file that is opened by mapping it
// into memory.
//
// A file holds one record per architecture. A record holds series: the values of one
// quantity in one training, over epochs or a single one. What a series is about
// (data set, split, metric, schedule) is said once, in the header that all records
// share. Layout, all numbers little-endian:
//
//	magic    8 bytes
//	records  one after the other, each ending with its CRC-32C
//	keys     the names of the architectures, sorted, for finding one
//	offsets  where each record begins
//	header   JSON
//	tail     where keys, offsets and header are, CRC-32C of each, version, magic
//
// Opening reads the tail, the header and the two indexes; a record is checked when it
// is read, so damage is found before a number of it is used. A file is written to a
// new name and takes its own only when it is complete.
package nasb

import (
	"errors"
	"fmt"
	"hash/crc32"
)

// Version is that of the format. A reader refuses files of another.
const Version = 2

var magic = [8]byte{'N', 'A', 'S', 'B', '\r', '\n', 0x1a, '\n'}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// Header says what a file is about.
type Header struct {
	Benchmark string   `json:"benchmark"`       // "nasbench201", "nasbench101", …
	Doc       string   `json:"doc"`             // one sentence
	Total     int      `json:"total,omitempty"` // architectures of the benchmark; the file may hold fewer
	Source    []Source `json:"source"`          // the files that it was made of
	Series    []Series `json:"series"`
	Extents   []Extent `json:"extents"` // of the series, one for each
	SHA256    string   `json:"sha256"`  // of all records: what was measured
}

// Extent says how much of a series there is, over all architectures.
type Extent struct {
	Architectures int      `json:"architectures"`    // that have a number of it
	Epochs        [][2]int `json:"epochs,omitempty"` // stretches of epochs, first and last, from 0; none for what has no epoch
	Seeds         []uint32 `json:"seeds"`            // of trainings, ascending; the first thousand
}

// Has reports whether any architecture has a number at an epoch (NoEpoch for what has
// none).
func (e Extent) Has(epoch int) bool {
	if epoch == NoEpoch {
		return len(e.Epochs) == 0
	}
	for _, s := range e.Epochs {
		if s[0] <= epoch && epoch <= s[1] {
			return true
		}
	}
	return false
}

// Last is the last epoch, NoEpoch for what has none.
func (e Extent) Last() int {
	if len(e.Epochs) == 0 {
		return NoEpoch
	}
	return e.Epochs[len(e.Epochs)-1][1]
}

// Source is a file that was imported.
type Source struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Series says what some numbers of a record are.
type Series struct {
	Dataset  string `json:"dataset,omitempty"`  // "cifar10-valid"
	Split    string `json:"split,omitempty"`    // "train", "valid", "test"; none for what is not about a split
	Metric   string `json:"metric"`             // "accuracy", "loss", "params", "latency"
	Schedule int    `json:"schedule,omitempty"` // epochs of the training that the numbers belong to
	Device   string `json:"device,omitempty"`   // of a latency or an energy
	Unit     string `json:"unit,omitempty"`     // "%", "s", "ms", "mJ"
	Higher   bool   `json:"higher,omitempty"`   // whether higher is better
	Single   bool   `json:"single,omitempty"`   // stored in 32 bits; else in 64
}

// String names a series for people: cifar10-valid valid accuracy, 200 epochs.
func (s Series) String() string {
	text := s.Metric
	if s.Split != "" {
		text = s.Split + " " + text
	}
	if s.Dataset != "" {
		text = s.Dataset + " " + text
	}
	if s.Device != "" {
		text += " on " + s.Device
	}
	if s.Schedule != 0 {
		text += fmt.Sprintf(", %d epochs", s.Schedule)
	}
	return text
}

// Run is the values of a series of one training of one architecture.
type Run struct {
	Series int    // index in Header.Series
	Seed   uint32 // of the training; 0 for what no seed is known of
	First  int    // the epoch of the first value, from 0; NoEpoch for what has none
	Values []float64
}

// NoEpoch marks values that belong to no epoch, such as a number of parameters.
const NoEpoch = 0xffff

// Limits of a record. Real ones stay far below.
const (
	maxRuns = 1 << 14
	maxKey  = 1 << 12
)

// Errors that say what is wrong with a file.
var (
	ErrNotNASB = errors.New("it is no .nasb file")
	ErrVersion = errors.New("it was written by another version of nasc")
	ErrDamaged = errors.New("it is damaged")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}
