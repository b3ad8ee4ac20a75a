//go:build !linux

package host

import (
	"os"
	"time"
)

// sharedMemory is empty: there are no files here that are memory.
func sharedMemory() string { return "" }

// processorTime is not known.
func processorTime(int) time.Duration { return 0 }

// held is the path of a file: programs are executed by name only.
func held(f *os.File) string { return f.Name() }
