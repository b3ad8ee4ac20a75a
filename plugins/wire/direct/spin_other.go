//go:build unix && !linux

package direct

import "os"

// spin looks for a message before a reader waits for it. Here it does not.
type spin struct{}

func newSpin(*os.File) (*spin, error) { return &spin{}, nil }

func (*spin) patient() {}

func (*spin) read([]byte) int { return 0 }
