package main

import (
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/plan"
)

// The variables that say how long plugins may take.
const (
	startTimeoutKey = "NASC_START_TIMEOUT" // to start
	patienceKey     = "NASC_PATIENCE"      // for a call, where --patience is not given
	pulseKey        = "NASC_PULSE"         // to give a sign of life in one
)

// patienceFlag is the value of --patience; nil: it is not given.
var patienceFlag *time.Duration

// addPatience adds the flag to a command that searches.
func addPatience(c *cobra.Command) {
	c.Flags().Func("patience", "how long a plugin may say nothing in a call before it is taken for one that hangs, a `duration` like 30m; "+
		"0: as long as it likes (default 10m for an optimizer, 24h for an evaluator)", func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("it is no time; write it like 90s or 30m")
		}
		patienceFlag = &d
		return nil
	})
}

// startTimeout is how long a plugin may take to start; 0: as the host thinks.
func startTimeout() (time.Duration, error) { return limit(startTimeoutKey, os.Getenv(startTimeoutKey)) }

// patience is how long a plugin may keep a call waiting.
func patience() (host.Patience, error) {
	p := host.DefaultPatience
	if text := os.Getenv(pulseKey); text != "" {
		d, err := limit(pulseKey, text)
		if err != nil {
			return p, err
		}
		p.Pulse = d
	}
	d := patienceFlag
	if text := os.Getenv(patienceKey); d == nil && text != "" {
		said, err := limit(patienceKey, text)
		if err != nil {
			return p, err
		}
		d = &said
	}
	switch {
	case d == nil:
	case *d == 0:
		p = host.Patience{}
	default:
		p.Answer, p.Evaluation = *d, *d
	}
	return p, nil
}

// limit reads a time that a flag or a variable says; 0: there is no limit.
func limit(from, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, refuse(plan.UnknownSetting, "write it like 90s or 2m", "%s is %q, which is no time", from, text)
	}
	return d, nil
}
