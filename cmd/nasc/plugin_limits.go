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

// unsaid is a time that nobody has given.
const unsaid time.Duration = -1

// patienceFlag is the value of --patience.
var patienceFlag = unsaid

// addPatience adds the flag to a command that searches.
func addPatience(c *cobra.Command) {
	c.Flags().Func("patience", "how long a plugin may say nothing in a call before it is taken for one that hangs, a `duration` like 30m; "+
		"0: as long as it likes (default 10m for an optimizer or an operation, 24h for an evaluator)", func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("it is no time; write it like 90s or 30m")
		}
		patienceFlag = d
		return nil
	})
}

// startTimeout is how long a plugin may take to start; 0: as the host thinks.
func startTimeout() (time.Duration, error) {
	d, err := limit(startTimeoutKey)
	if d == 0 && err == nil {
		return 0, refuse(plan.UnknownSetting, "write it like 90s or 2m", "%s is 0, in which no plugin starts", startTimeoutKey)
	}
	return max(d, 0), err
}

// patience is how long a plugin may keep a call waiting.
func patience() (host.Patience, error) {
	p := host.DefaultPatience
	pulse, err := limit(pulseKey)
	if err != nil {
		return p, err
	}
	if pulse != unsaid {
		p.Pulse = pulse
	}
	d := patienceFlag
	if d == unsaid {
		if d, err = limit(patienceKey); err != nil {
			return p, err
		}
	}
	switch d {
	case unsaid:
	case 0:
		p = host.Patience{}
	default:
		p.Answer, p.Evaluation, p.Operation = d, d, d
	}
	return p, nil
}

// limit is the time that a variable says.
func limit(key string) (time.Duration, error) {
	text := os.Getenv(key)
	if text == "" {
		return unsaid, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return unsaid, refuse(plan.UnknownSetting, "write it like 90s or 2m", "%s is %q, which is no time", key, text)
	}
	return d, nil
}
