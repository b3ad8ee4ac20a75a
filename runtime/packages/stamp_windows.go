package packages

import (
	"os"
	"time"
)

// stamp is what tells a file from itself when it was something else.
type stamp struct {
	mode    os.FileMode
	size    int64
	written time.Time
}

// changed is when the file was last changed.
func (s stamp) changed() time.Time { return s.written }

// stampAt is that of the file at a path.
func stampAt(path string) (stamp, error) { return newStamp(os.Lstat(path)) }

// stampOf is that of an open file.
func stampOf(f *os.File) (stamp, error) { return newStamp(f.Stat()) }

func newStamp(info os.FileInfo, err error) (stamp, error) {
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.Mode(), info.Size(), info.ModTime()}, nil
}
