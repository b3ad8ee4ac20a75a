package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Patience. The host does not see what an operation is asked for, so whoever asks looks
// how long that takes. One that takes too long is given up: the connection ends, with why,
// and a file in the folder of the operations tells the host, which ends the process.
//
// What is counted is looks and not time, so that a process which was stopped meanwhile, or
// slept with the machine, has hardly waited.

// looks is how many of them in a row see the same request under way before it is given up.
const looks = 10

// watch gives up what takes longer than the host says, until the connection ends.
func (c *connection) watch() {
	limit := c.address.Patience
	if limit <= 0 {
		return
	}
	tick := time.NewTicker(max(limit/looks, time.Millisecond))
	defer tick.Stop()
	var last *string
	for seen := 0; ; {
		select {
		case <-c.life.Done():
			return
		case <-tick.C:
		}
		switch now := c.asked.Load(); {
		case now == nil || now != last:
			last, seen = now, 0
		default:
			seen++
		}
		if seen == looks {
			c.giveUp(*last)
			return
		}
	}
}

func (c *connection) giveUp(what string) {
	err := fmt.Errorf("the plugin %s gave no answer for %v while it computed %s", c.address.Source(), c.address.Patience, what)
	if told := os.WriteFile(hangs(c.address.Folder), nil, 0o600); told != nil {
		err = fmt.Errorf("%w, and the host cannot be told: %w", err, told)
	}
	c.end(err)
}

// hangs is the file in the folder of operations that tells of one that was given up.
func hangs(folder string) string { return filepath.Join(folder, "hangs") }

// GivenUp reports whether somebody has given up an operation since it was last asked. The
// folder is that of the operations.
func GivenUp(folder string) bool { return os.Remove(hangs(folder)) == nil }
