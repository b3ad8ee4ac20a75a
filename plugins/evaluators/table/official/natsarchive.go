package official

import (
	"io"
	"os"

	"github.com/nasc-project/nasc/plugins/evaluators/table/pickle"
)

// All of NAS-Bench-201 in one pickle is
//
//	{'meta_archs': [names], 'total_archs': n, 'arch2infos': {index: {set-up: …}}}
//
// where each entry of arch2infos is as in the NATS form, with 'less' and 'full' for 12 and 200 epochs in the older files.

// nasbench201 reads NAS-Bench-201-v1_0-e61699.pth and NAS-Bench-201-v1_1-096897.pth.
func nasbench201(j *job, paths []string) error {
	j.about(topology.benchmark, topology.doc)
	info, err := os.Stat(paths[0])
	if err != nil {
		return unreadable(paths[0], err)
	}
	j.size = 3 * info.Size()
	t, err := j.torch(paths[0])
	if err != nil {
		return err
	}
	if err := j.natsStream(paths[0], t.open, topology); err != nil {
		return err
	}
	return t.end()
}

// natsArchive reads NATS-*.pickle.pbz2.
func (j *job) natsArchive(path string, s natsSpace, unpack func(io.Reader) (io.Reader, error)) error {
	src, err := j.open(path)
	if err != nil {
		return err
	}
	j.size = 3 * src.size
	open := func() (*pickle.Decoder, func() error, error) {
		in := &watched{io.NewSectionReader(src.file, 0, src.size), j}
		r, err := unpack(in)
		if err != nil {
			return nil, nil, err
		}
		return pickle.NewDecoder(r), func() error {
			_, err := io.Copy(io.Discard, r)
			return err
		}, nil
	}
	if err := j.natsStream(path, open, s); err != nil {
		return err
	}
	return src.end()
}

func (j *job) natsStream(path string, open func() (*pickle.Decoder, func() error, error), s natsSpace) error {
	names := map[int]string{}
	item := func(key, value any) error {
		index, ok := intOf(key)
		if !ok || index < 0 || index >= totals[s.benchmark] {
			return fail(Damaged, path, "", "an entry of \"arch2infos\" has no number of an architecture")
		}
		a, err := natsChecked(path, value, index, s, nil)
		if err != nil {
			return err
		}
		names[index] = a.name
		return j.add(path, a.name, a.measures)
	}
	want := func(p []any) bool { return len(p) == 1 && p[0] == "arch2infos" }
	v, err := stream(path, open, 1, want, func(_ []any, key, value any) error { return item(key, value) })
	if err != nil {
		return err
	}
	d, err := dictOf(v)
	if err != nil {
		return fail(WrongFile, path, "", "%v", err)
	}
	infos, err := dictIn(d, "arch2infos")
	if err != nil {
		return fail(WrongFile, path, "", "%v", err)
	}
	for i, k := range infos.Keys {
		if err := item(k, infos.Values[i]); err != nil {
			return err
		}
	}
	all, err := namesOf(d, s)
	if err != nil {
		return broken(path, err)
	}
	for index, name := range all {
		if got, ok := names[index]; ok && got != name {
			return fail(NotInBenchmark, path, got, "number %d of the list of architectures is another", index)
		}
	}
	return nil
}
