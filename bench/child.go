package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// childFlag makes this program the nasc side of one work.
const childFlag = "-child"

// child is the nasc side: what peer.py is in Python.
func child(config string, in io.Reader, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(config), &j); err != nil {
		return err
	}
	answers := json.NewEncoder(out)
	task, err := prepare(j.Work, j.Threads)
	if err != nil {
		return err
	}
	defer task.close()
	if err := task.run(); err != nil { // warm-up
		return err
	}
	if err := answers.Encode(answer{Ready: kernel.Variant()}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		var a answer
		for range n {
			start, busy := time.Now(), processorTime()
			if err := task.run(); err != nil {
				return err
			}
			a.Seconds = append(a.Seconds, time.Since(start).Seconds())
			a.CPU = append(a.CPU, (processorTime() - busy).Seconds())
		}
		a.Peak = peak()
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
	return nil
}

// peak is the most memory that has been resident so far, in bytes; 0 where the
// system does not tell.
func peak() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}
