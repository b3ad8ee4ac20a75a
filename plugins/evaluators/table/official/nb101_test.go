package official

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
)

func of101(split string, schedule int) nasb.Series {
	return nasb.Series{Dataset: "cifar10", Split: split, Metric: "accuracy", Schedule: schedule, Unit: fraction, Higher: true}
}

// TestNASBench101 compares every number of the decoded form of real files in the
// layout of NAS-Bench-101.
func TestNASBench101(t *testing.T) {
	files := map[string]*nasb.File{
		"4v": imported(t, "nasbench101", data(t, "official/nasbench-tfrecord/energy_4V9E.tfrecord")),
		"5v": imported(t, "nasbench101", data(t, "official/nasbench-tfrecord/energy_5V9E.tfrecord")),
	}
	if a, b := files["4v"].Len(), files["5v"].Len(); a != 91 || b != 2532 {
		t.Errorf("%d and %d modules, want 91 and 2532", a, b)
	}
	rows := csvRows(t, data(t, "ecnas.csv.gz"))
	at := func(r []string, column string) string { return r[slices.Index(rows[0], column)] }
	compared := 0
	for _, r := range rows[1:] {
		f, hash, epochs := files[at(r, "space")], at(r, "hash"), int(number(t, at(r, "epochs")))
		seed := uint32(number(t, at(r, "repeat")))
		check := func(s nasb.Series, epoch int, column string) {
			v, ok := value(t, f, hash, s, seed, epoch)
			if want := number(t, at(r, column)); !ok || math.Abs(v-want) > 5.1e-6*max(1, math.Abs(want)) {
				t.Fatalf("%s of %s, %d epochs, repeat %d is %v (%v), want %v", column, hash, epochs, seed, v, ok, want)
			}
			compared++
		}
		for split, column := range map[string]string{"train": "train_acc", "valid": "valid_acc", "test": "test_acc"} {
			check(of101(split, epochs), epochs-1, column)
		}
		check(nasb.Series{Dataset: "cifar10", Metric: "elapsed", Unit: "s", Schedule: epochs}, epochs-1, "train_time_s")
		check(nasb.Series{Dataset: "cifar10", Metric: "energy", Unit: "kWh", Schedule: epochs}, epochs-1, "energy_kwh")
		check(nasb.Series{Dataset: "cifar10", Metric: "total-time", Unit: "s", Schedule: epochs}, noEpoch, "total_time_s")
		check(nasb.Series{Dataset: "cifar10", Metric: "total-energy", Unit: "kWh", Schedule: epochs}, noEpoch, "total_energy_kwh")
		p, ok := value(t, f, hash, nasb.Series{Metric: "params"}, 0, noEpoch)
		if !ok || p != number(t, at(r, "trainable_parameters")) {
			t.Fatalf("%s has %v parameters", hash, p)
		}
		n := len(strings.Split(at(r, "ops"), ","))
		var upper float64
		for u := range n {
			for v := u + 1; v < n; v++ {
				upper = 2*upper + float64(at(r, "adjacency")[u*n+v]-'0')
			}
		}
		if e, ok := value(t, f, hash, nasb.Series{Metric: "edges", Single: true}, 0, noEpoch); !ok || e != upper {
			t.Fatalf("the edges of %s are %v, want %v", hash, e, upper)
		}
		compared += 2
	}
	t.Logf("%d rows, %d numbers compared", len(rows)-1, compared)
	if len(rows)-1 != 3624 {
		t.Errorf("%d rows", len(rows)-1)
	}
	if _, v := best(t, files["4v"], of101("test", 108), 107); math.Abs(v-0.935296) > 5e-7 {
		t.Errorf("best of four vertices is %v", v)
	}
	if _, v := best(t, files["5v"], of101("test", 4), 3); math.Abs(v-0.762520) > 5e-7 {
		t.Errorf("best of five vertices is %v", v)
	}
}

// frame writes a record of a TFRecord file.
func frame(data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(b))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, maskedCRC(data))
}

// record101 writes a training as NAS-Bench-101 does: half of 4 epochs ends at step
// 312 of 625.
func record101(hash string, epochs int, matrix, ops string, valid float64) []byte {
	var m []byte
	for i, epoch := range []float64{0, float64(int(float64(epochs)/2*156.25)) / 156.25, float64(epochs)} {
		var e []byte
		for k, v := range []float64{epoch, 10 * epoch, 0.1 + float64(i)/4, valid, valid - 0.01} {
			e = protowire.AppendFixed64(protowire.AppendTag(e, protowire.Number(k+1), protowire.Fixed64Type), math.Float64bits(v))
		}
		e = protowire.AppendString(protowire.AppendTag(e, 6, protowire.BytesType), "checkpoint")
		m = protowire.AppendBytes(protowire.AppendTag(m, 1, protowire.BytesType), e)
	}
	m = protowire.AppendVarint(protowire.AppendTag(m, 2, protowire.VarintType), 2694282)
	m = protowire.AppendFixed64(protowire.AppendTag(m, 3, protowire.Fixed64Type), math.Float64bits(1500))
	return fmt.Appendf(nil, `[%q, %d, %q, %q, "%s\n"]`, hash, epochs, matrix, ops, base64.StdEncoding.EncodeToString(m))
}

const convHash = "b49ac8c578b4561d79ac7087988f1c61" // input -> conv3x3 -> output
const noneHash = "043721b9c7fe8c5fad811d47d83132ec" // input -> output

func conv101(epochs int, valid float64) []byte {
	return record101(convHash, epochs, "010001000", "input,conv3x3-bn-relu,output", valid)
}

// write101 writes a file.
func write101(t testing.TB, records ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.tfrecord")
	var b []byte
	for _, r := range records {
		b = append(b, frame(r)...)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNASBench101Full: trainings of four lengths and three repeats, scattered over the
// file, and an evaluation that is not at the end of an epoch.
func TestNASBench101Full(t *testing.T) {
	var records [][]byte
	for repeat := range 3 {
		for _, epochs := range []int{108, 4, 12, 36} {
			records = append(records, conv101(epochs, 0.5+float64(epochs)/1000+float64(repeat)/100),
				record101(noneHash, epochs, "0100", "input,output", 0.2+float64(repeat)/100))
		}
	}
	f := imported(t, "nasbench101", write101(t, records...))
	if f.Len() != 2 {
		t.Fatalf("%d modules", f.Len())
	}
	for repeat := range 3 {
		for _, epochs := range []int{4, 12, 36, 108} {
			for _, at := range []int{epochs/2 - 1, epochs - 1} {
				v, ok := value(t, f, convHash, of101("valid", epochs), uint32(repeat), at)
				if want := 0.5 + float64(epochs)/1000 + float64(repeat)/100; !ok || v != want {
					t.Errorf("%d epochs, repeat %d, epoch %d: %v (%v), want %v", epochs, repeat, at, v, ok, want)
				}
			}
		}
	}
	if v, ok := value(t, f, convHash, nasb.Series{Dataset: "cifar10", Metric: "epoch", Schedule: 4}, 1, 1); !ok || v != 312/156.25 {
		t.Errorf("the evaluation half-way is of epoch %v (%v)", v, ok)
	}
	before := of101("train", 36)
	before.Metric = "initial-accuracy"
	if v, ok := value(t, f, noneHash, before, 2, noEpoch); !ok || v != 0.1 {
		t.Errorf("before training %v (%v)", v, ok)
	}
}

func TestNASBench101Refused(t *testing.T) {
	good := conv101(108, 0.9)
	for _, c := range []struct {
		what, code, about string
		records           [][]byte
	}{
		{"twice", Twice, "a training of 108 epochs comes twice", [][]byte{good, conv101(108, 0.8), good}},
		{"another hash", Damaged, convHash + ": its matrix and operations have another hash", [][]byte{record101(convHash, 108, "010001000", "input,maxpool3x3,output", 0.9)}},
		{"no hash", Damaged, "is no MD5 hash", [][]byte{record101("xyz", 108, "0100", "input,output", 0.9)}},
		{"NaN", BadValue, convHash + ": its cifar10 valid initial-accuracy, 108 epochs is NaN", [][]byte{conv101(108, math.NaN())}},
		{"per cent", BadValue, "is 91.5, which is no fraction of one", [][]byte{conv101(108, 91.5)}},
		{"matrix", Damaged, "a matrix of 4 digits are no module", [][]byte{record101(convHash, 108, "0100", "input,conv3x3-bn-relu,output", 0.9)}},
		{"no list", Damaged, "a record is no list of five", [][]byte{[]byte("[]")}},
		{"base64", Damaged, "not in base64", [][]byte{[]byte(`["` + convHash + `",108,"010001000","input,conv3x3-bn-relu,output","$"]`)}},
		{"no metrics", Damaged, "no protocol buffer", [][]byte{[]byte(`["` + convHash + `",108,"010001000","input,conv3x3-bn-relu,output",""]`)}},
	} {
		t.Run(c.what, func(t *testing.T) { refused(t, c.code, c.about, "nasbench101", write101(t, c.records...)) })
	}
	path := write101(t, good, conv101(108, 0.8), conv101(36, 0.7))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(b []byte) {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(whole); i += 7 { // every bit is under a checksum
		b := slices.Clone(whole)
		b[i] ^= 1 << (i % 8)
		f := frames{r: bytes.NewReader(b)}
		var err error
		for err == nil {
			_, err = f.next()
		}
		if err == io.EOF {
			t.Fatalf("bit %d of byte %d was turned, and nothing was said", i%8, i)
		}
	}
	put(whole[:len(whole)-9])
	refused(t, Damaged, "incomplete", "nasbench101", path)
	b := slices.Clone(whole)
	b[len(b)-30] ^= 4
	put(b)
	refused(t, Damaged, "record 2: a record does not have its checksum", "nasbench101", path)
	huge := binary.LittleEndian.AppendUint64(nil, 1<<50)
	put(append(slices.Clone(whole), binary.LittleEndian.AppendUint32(huge, maskedCRC(huge))...))
	refused(t, Damaged, "longer than any real one", "nasbench101", path)
}

func FuzzTFRecord(f *testing.F) {
	f.Add(frame(conv101(108, 0.9)))
	f.Add(append(frame(conv101(4, 0.5)), frame(conv101(12, 0.5))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := frames{r: bytes.NewReader(b)}
		for {
			data, err := in.next()
			if err != nil {
				break
			}
			if r, err := parseRow(data); err == nil {
				_, _ = r.measures(0)
				r.module.Hash()
			}
		}
		// And what lies inside, without checksums in the way.
		if r, err := parseRow(b); err == nil {
			_, _ = r.measures(0)
		}
		var r row
		if r.metrics(b) == nil {
			r.epochs = 108
			_, _ = r.measures(0)
		}
	})
}
