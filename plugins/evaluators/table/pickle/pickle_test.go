package pickle

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func decode(t *testing.T, data string) (any, error) {
	t.Helper()
	return NewDecoder(strings.NewReader(data)).Decode()
}

// TestValues reads what Python's pickle.dumps writes.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		name, data string
		want       any
	}{
		{"None", "\x80\x04N.", nil},
		{"True", "\x80\x04\x88.", true},
		{"True, protocol 0", "I01\n.", true},
		{"-1", "\x80\x04J\xff\xff\xff\xff.", int64(-1)},
		{"300", "\x80\x04M,\x01.", int64(300)},
		{"2**40", "\x80\x04\x8a\x06\x00\x00\x00\x00\x00\x01.", int64(1) << 40},
		{"-2**63", "\x80\x04\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", int64(math.MinInt64)},
		{"2**63-1 with a leading zero", "\x80\x04\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\x00.", int64(math.MaxInt64)},
		{"1.5", "\x80\x04G?\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{"1.5, protocol 0", "F1.5\n.", 1.5},
		{"text", "\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x02\xc3\xa9\x94.", "é"},
		{"text, protocol 0", "V\\u00e9\\u005cx\np0\n.", `é\x`},
		{"text of Python 2", "S'it\\'s \\x41'\np0\n.", "it's A"},
		{"bytes", "\x80\x04C\x02\x00\xff\x94.", []byte{0, 255}},
		{"bytes, protocol 2", "\x80\x02c_codecs\nencode\nq\x00X\x02\x00\x00\x00\xc3\xbfq\x01X\x06\x00\x00\x00latin1q\x02\x86q\x03Rq\x04.", []byte{255}},
		{"list", "\x80\x04]\x94(K\x01K\x02e.", &List{[]any{int64(1), int64(2)}}},
		{"tuple", "\x80\x04K\x01K\x02K\x03\x87\x94.", Tuple{int64(1), int64(2), int64(3)}},
		{"tuple of four", "\x80\x04(K\x01K\x02K\x03K\x04t\x94.", Tuple{int64(1), int64(2), int64(3), int64(4)}},
		{"dict", "\x80\x04}\x94\x8c\x01a\x94K\x01s.", &Dict{[]any{"a"}, []any{int64(1)}}},
		{"dict, protocol 0", "(dp0\nVa\np1\nI1\ns.", &Dict{[]any{"a"}, []any{int64(1)}}},
		{"set", "\x80\x04\x8f\x94(K\x01K\x02\x90.", &Set{[]any{int64(1), int64(2)}}},
		{"OrderedDict", "\x80\x04\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94(K\x01K\x02K\x03K\x04u.",
			&Dict{[]any{int64(1), int64(3)}, []any{int64(2), int64(4)}}},
		{"the same list twice", "\x80\x04]\x94(]\x94h\x01e.", &List{[]any{&List{}, &List{}}}},
		{"numpy.float64(0.5)", "\x80\x04\x8c\x15numpy.core.multiarray\x94\x8c\x06scalar\x94\x93\x94\x8c\x05numpy\x94\x8c\x05dtype\x94\x93\x94" +
			"\x8c\x02f8\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01<\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00t\x94b" +
			"C\x08\x00\x00\x00\x00\x00\x00\xe0?\x94\x86\x94R\x94.", 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decode(t, c.data)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%#v, want %#v", got, c.want)
			}
		})
	}
}

// TestForbidden: a pickle that would run something says what, and nothing runs.
func TestForbidden(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"a call of os.system", "cposix\nsystem\n(S'touch /tmp/pwned'\ntR.", "posix.system"},
		{"the same in protocol 4", "\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02ls\x94\x85\x94R.", "posix.system"},
		{"eval", "cbuiltins\neval\n(V1\ntR.", "builtins.eval"},
		{"a nested attribute", "\x80\x04\x8c\x05numpy\x94\x8c\x0bsys.modules\x94\x93.", "numpy.sys.modules"},
		{"INST", "(S'x'\nios\nsystem\n.", "INST"},
		{"OBJ", "(cbuiltins\nlist\no.", "OBJ"},
		{"a persistent identifier", "Pfile\n.", "PERSID"},
		{"an extension", "\x80\x02\x82\x01.", "EXT1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(t, c.data)
			var f *ForbiddenError
			if !errors.As(err, &f) || f.Name != c.want {
				t.Errorf("%v, want %s to be refused", err, c.want)
			}
		})
	}
}

// TestBombs: a small pickle does not become a large value.
func TestBombs(t *testing.T) {
	pairs := "]q\x00(" + strings.Repeat("NN\x86", 1000) + "e"
	array := "C\xff" + strings.Repeat("x", 255) + "q\x00"
	for _, c := range []struct{ name, data, want string }{
		{"one list becomes many dictionaries", pairs + strings.Repeat("ccollections\nOrderedDict\nq\x01h\x00\x85R", 1) + strings.Repeat("h\x01h\x00\x85R", 1000), "far more than the file holds"},
		{"some bytes become many arrays", array + "cnumpy.core.multiarray\n_reconstruct\nq\x010(K\x01K\xff\x85cnumpy\ndtype\nU\x02i1\x85R\x89h\x00tq\x020" +
			strings.Repeat("h\x01)Rh\x02b", 3000), "far more than the file holds"},
		{"more values than allowed", "](" + strings.Repeat("N", 20_001) + "e.", "more than 20000 values"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := NewDecoder(strings.NewReader(c.data))
			d.Limit(20_000)
			_, err := d.Decode()
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// TestDamaged: what is no pickle is refused, quickly, with the place.
func TestDamaged(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"cut off", "\x80\x04]\x94(K\x01", "the file ends inside a pickle"},
		{"a text of 2^60 bytes", "\x8d\x00\x00\x00\x00\x00\x00\x00\x10.", "longer than"},
		{"a text longer than the file", "X\xff\xff\xff\x0fabc.", "the file ends"},
		{"nothing left", ".", "ends with 0 values"},
		{"two values", "NN.", "ends with 2 values"},
		{"no mark", "NNt.", "a mark is missing"},
		{"a missing operand", "]a.", "a value is missing"},
		{"an operand below the mark", "]K\x01(a.", "a value is missing"},
		{"append to a dict", "}(K\x01e.", "no list"},
		{"a key without a value", "}(K\x01u.", "a key has no value"},
		{"a value never remembered", "h\x07.", "never remembered"},
		{"a call of a list", "])R.", "no function"},
		{"a call of a type", "cnumpy\nndarray\n)R.", "only names data"},
		{"a state for a list", "]}b.", "a value that has none"},
		{"a number beyond 64 bits", "\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00.", "more than 64 bits"},
		{"protocol 9", "\x80\x09N.", "protocol 9"},
		{"no instruction", "\xff.", "0xff is no instruction"},
		{"marks without end", strings.Repeat("(", 20_000), "nested more than"},
		{"an array larger than its bytes", "cnumpy.core.multiarray\n_reconstruct\n)R(K\x01J\xff\xff\xff\x7f\x85cnumpy\ndtype\nU\x02f8\x85R\x89U\x00tb.", "state that is not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(t, c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestEach streams two levels: {"a": {1: [1], 2: [2]}, "b": 3}.
func TestEach(t *testing.T) {
	const data = "\x80\x04}\x94(\x8c\x01a\x94}\x94(K\x01]\x94K\x01aK\x02]\x94K\x02au\x8c\x01b\x94K\x03u."
	var got []any
	d := NewDecoder(strings.NewReader(data))
	d.Each(1, func(path []any) bool { return len(path) == 1 && path[0] == "a" },
		func(_ []any, key, value any) error {
			got = append(got, key, value.(*List).Items[0])
			return nil
		})
	rest, err := d.Decode()
	if err != nil {
		t.Fatal(err)
	}
	if want := []any{int64(1), int64(1), int64(2), int64(2)}; !reflect.DeepEqual(got, want) {
		t.Errorf("handed over %v, want %v", got, want)
	}
	a, _ := rest.(*Dict).Get("a")
	if b, _ := rest.(*Dict).Get("b"); b != int64(3) || len(a.(*Dict).Keys) != 0 {
		t.Errorf("left over: %v", rest)
	}
}

// official lists the pickles of the data folder.
func official(t testing.TB) []string {
	t.Helper()
	for _, root := range []string{os.Getenv("NASC_DATA"), "../../../../../shared/data"} {
		if files, _ := filepath.Glob(filepath.Join(root, "official", "nats-*", "*.pbz2")); root != "" && len(files) > 0 {
			return files
		}
	}
	t.Skip("no official NATS-Bench files in $NASC_DATA or ../shared/data")
	return nil
}

// TestOfficial reads real files of NATS-Bench, also with only the values kept that
// are referred to.
func TestOfficial(t *testing.T) {
	for _, file := range official(t) {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(bzip2.NewReader(f))
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		all, err := NewDecoder(bytes.NewReader(data)).Decode()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		refs, err := NewDecoder(bytes.NewReader(data)).References()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		d := NewDecoder(bytes.NewReader(data))
		d.Keep(refs)
		some, err := d.Decode()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !reflect.DeepEqual(all, some) {
			t.Errorf("%s: other values when only those referred to are kept", file)
		}
	}
}

// FuzzDecode: any bytes end in a value or an error, and read the same twice.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"\x80\x04}\x94(\x8c\x01a\x94}\x94(K\x01]\x94K\x01aK\x02]\x94K\x02au\x8c\x01b\x94K\x03u.",
		"(dp0\nVa\np1\nI1\ns.", "cposix\nsystem\n(S'ls'\ntR.", "\x80\x02cnumpy\ndtype\nU\x02f8\x85R.", "]2a.",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := NewDecoder(bytes.NewReader(data)).Decode()
		d := NewDecoder(bytes.NewReader(data))
		d.Each(3, func([]any) bool { return true }, func([]any, any, any) error { return nil })
		if _, again := d.Decode(); (err == nil) != (again == nil) {
			t.Errorf("%v, but streamed %v", err, again)
		}
	})
}
