//go:build unix && !linux

package direct

import "os"

// now reads by way of the runtime, and leaves writing to it.
type now struct{ *os.File }

func newNow(f *os.File) (*now, error) { return &now{f}, nil }

func (*now) send([]byte) int { return 0 }
