package nasb

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A record is, for each run, 10 bytes (series, seed, first epoch, number of values,
// each a uint16 but the seed) and the values; before all, the number of runs. Values
// that are all the same, as seconds per epoch are in many benchmarks, are written
// once, and their number has its highest bit set.
const (
	recordHead = 4
	runHead    = 10
	constant   = 1 << 15
)

// appendRecord writes a record with its checksum.
func appendRecord(b []byte, series []Series, runs []Run) ([]byte, error) {
	if len(runs) > maxRuns {
		return nil, fmt.Errorf("%d runs of one architecture are more than %d", len(runs), maxRuns)
	}
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(runs)))
	for _, r := range runs {
		switch {
		case r.Series < 0 || r.Series >= min(len(series), 1<<16):
			return nil, fmt.Errorf("there is no series %d", r.Series)
		case len(r.Values) == 0 || len(r.Values) >= constant:
			return nil, fmt.Errorf("%s has %d values", series[r.Series], len(r.Values))
		case r.First < 0 || r.First > NoEpoch || r.First == NoEpoch && len(r.Values) > 1:
			return nil, fmt.Errorf("%s begins at epoch %d", series[r.Series], r.First)
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(r.Series))
		b = binary.LittleEndian.AppendUint32(b, r.Seed)
		b = binary.LittleEndian.AppendUint16(b, uint16(r.First))
		values, n := r.Values, uint16(len(r.Values))
		if n > 1 && same(values) {
			values, n = values[:1], n|constant
		}
		b = binary.LittleEndian.AppendUint16(b, n)
		for _, v := range values {
			if !series[r.Series].Single {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
				continue
			}
			if float64(float32(v)) != v && !math.IsNaN(v) {
				return nil, fmt.Errorf("%s is %v, which 32 bits cannot hold", series[r.Series], v)
			}
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		}
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b[start:])), nil
}

// same tells whether all values are equal bit for bit.
func same(values []float64) bool {
	for _, v := range values[1:] {
		if math.Float64bits(v) != math.Float64bits(values[0]) {
			return false
		}
	}
	return true
}

// Record is what a file holds of one architecture: a view into the mapped file.
type Record struct {
	series []Series
	data   []byte // without the checksum
}

// record checks the bytes of a record.
func record(series []Series, b []byte) (Record, error) {
	if len(b) < recordHead+4 {
		return Record{}, damaged("a record has %d bytes", len(b))
	}
	body := b[:len(b)-4]
	if checksum(body) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return Record{}, damaged("a record does not have its checksum")
	}
	r := Record{series, body}
	n := int(binary.LittleEndian.Uint32(body))
	rest := body[recordHead:]
	for range n {
		if len(rest) < runHead {
			return Record{}, damaged("a record ends inside a run")
		}
		size, ok := r.size(rest)
		if !ok || len(rest) < runHead+size {
			return Record{}, damaged("a record ends inside a run")
		}
		rest = rest[runHead+size:]
	}
	if len(rest) != 0 {
		return Record{}, damaged("a record is longer than its runs")
	}
	return r, nil
}

// size is the number of bytes of the values of the run that b begins with.
func (r Record) size(b []byte) (int, bool) {
	id := int(binary.LittleEndian.Uint16(b))
	if id >= len(r.series) {
		return 0, false
	}
	n := int(binary.LittleEndian.Uint16(b[8:]))
	if n&constant != 0 {
		n = 1
	}
	return n * r.width(id), true
}

// width is the number of bytes of a value of a series.
func (r Record) width(series int) int {
	if r.series[series].Single {
		return 4
	}
	return 8
}

// count is the number of values of the run that b begins with, and whether they are
// all the same.
func count(b []byte) (int, bool) {
	n := int(binary.LittleEndian.Uint16(b[8:]))
	return n &^ constant, n&constant != 0
}

// Runs yields the runs of the record. The values of a run are valid until the next.
func (r Record) Runs(yield func(Run) bool) {
	rest := r.data[recordHead:]
	var values []float64
	for len(rest) > 0 {
		size, _ := r.size(rest)
		run := r.head(rest)
		values = r.append(values[:0], run.Series, rest[runHead:runHead+size])
		if n, all := count(rest); all && n > 0 {
			for len(values) < n {
				values = append(values, values[0])
			}
			values = values[:n]
		}
		run.Values = values
		if !yield(run) {
			return
		}
		rest = rest[runHead+size:]
	}
}

func (r Record) head(b []byte) Run {
	return Run{
		Series: int(binary.LittleEndian.Uint16(b)),
		Seed:   binary.LittleEndian.Uint32(b[2:]),
		First:  int(binary.LittleEndian.Uint16(b[6:])),
	}
}

func (r Record) append(values []float64, series int, b []byte) []float64 {
	if r.series[series].Single {
		for ; len(b) > 0; b = b[4:] {
			values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
		return values
	}
	for ; len(b) > 0; b = b[8:] {
		values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return values
}

// At calls f with the seed and the value of a series at an epoch (NoEpoch for what
// has none), for every training that has one. It does not allocate.
func (r Record) At(series, epoch int, f func(seed uint32, value float64)) {
	rest := r.data[recordHead:]
	for len(rest) > 0 {
		size, _ := r.size(rest)
		run := r.head(rest)
		if run.Series == series {
			n, all := count(rest)
			if k := epoch - run.First; k >= 0 && k < n {
				if all {
					k = 0
				}
				var one [1]float64
				at := runHead + k*r.width(series)
				v := r.append(one[:0], series, rest[at:at+r.width(series)])
				f(run.Seed, v[0])
			}
		}
		rest = rest[runHead+size:]
	}
}
