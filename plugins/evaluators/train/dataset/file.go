package dataset

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// read returns the contents of path or path.gz, unpacked, and which of the two it
// was; a missing file is fs.ErrNotExist.
func read(path string) (data []byte, name string, err error) {
	name = path
	data, err = os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.HasSuffix(path, ".gz") {
		name = path + ".gz"
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, path, err
	}
	if strings.HasSuffix(name, ".gz") {
		zr, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, name, refuse("data", "file %s is not a gzip file", name)
		}
		unpacked, err := io.ReadAll(zr)
		if err != nil {
			return nil, name, refuse("data", "file %s is damaged or cut off: %v after %d bytes unpacked of %d bytes packed", name, err, len(unpacked), len(data))
		}
		data = unpacked
	}
	return data, name, nil
}
