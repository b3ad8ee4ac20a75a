package sdk

import (
	"os"
	"runtime"
	"time"
)

// processors is how many processors the process of a shared component uses.
//
// Steps of a few microseconds are done soonest by one: with more, the Go runtime
// wakes a thread for every message, to find that there is nothing left to do, which
// costs more than the step (a third of what a sequential search takes). So the
// process begins with one, and takes all as soon as a task is not finished soon
// after it has come: because it takes long, or because too many have come.
type processors struct {
	begun bool
	few   bool
	// slack is memory that is never touched. Garbage may grow as large before it is
	// collected; a plugin that holds little would otherwise collect all the time.
	slack []byte
}

// soon is when a task should be finished.
const soon = 10 * time.Millisecond

// shared prepares the process for the sessions of a shared component. What the user
// has said in the environment stands.
func (p *pool) shared() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cpu.begun {
		return
	}
	p.cpu.begun = true
	if os.Getenv("GOMAXPROCS") == "" {
		p.cpu.few = true
		runtime.GOMAXPROCS(1)
	}
	if os.Getenv("GOGC") == "" {
		p.cpu.slack = make([]byte, 16<<20)
	}
}

// finished notes that tasks are finished which came at a time. It returns the
// present, as long as it is of interest.
func (c *processors) finished(came time.Time) time.Time {
	if !c.few {
		return came
	}
	now := time.Now()
	if now.Sub(came) > soon {
		c.few = false
		runtime.SetDefaultGOMAXPROCS()
	}
	return now
}
