// Command nasc searches for neural network architectures.
//
// It has no logic of its own: each file holds one command, which reads its
// arguments, calls the packages that do the work and prints. Data goes to
// stdout, talk to stderr. Exit codes: 0 ok, 1 the input is wrong, 2 usage,
// 3 a plugin or the machine failed.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/nasc-project/nasc/runtime/plan"
)

func main() { os.Exit(run()) }

// run is main with an exit code. A panic is a bug in nasc: the user gets one
// sentence, or the trace with NASC_DEBUG set.
func run() (code int) {
	defer func() {
		if r := recover(); r != nil {
			if os.Getenv("NASC_DEBUG") != "" {
				fmt.Fprintf(os.Stderr, "panic: %v\n\n%s", r, debug.Stack())
			}
			message, _, _ := strings.Cut(fmt.Sprint(r), "\n")
			fmt.Fprintf(os.Stderr, "nasc: internal error: %s\n", message)
			fmt.Fprintln(os.Stderr, "This is a bug in nasc. Please report it with the command and the file; NASC_DEBUG=1 shows where it happened.")
			code = exitMachine
		}
	}()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // commands hold little; twice as much saves a twentieth of a study
	}
	root := newRoot()
	out := &output{to: os.Stdout}
	root.SetOut(out)
	root.SetArgs(longFlags(os.Args[1:]))
	return conclude(out.verdict(root.Execute()))
}

// output is stdout, and remembers that it could not be written: a command that
// prints to nowhere has failed.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// verdict is the error of a command that ended with err, the lost output included.
func (o *output) verdict(err error) error {
	if o.err == nil || err != nil && !errors.Is(err, o.err) {
		return err
	}
	return machine(plan.CannotWrite, "", fmt.Errorf("cannot write the output: %v", reason(o.err)))
}

// longFlags lets the flags that programs use be written with one dash, as the
// documentation does.
func longFlags(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if a == "--" {
			copy(out[i:], args[i:])
			break
		}
		if a == "-json" {
			a = "--json"
		}
		out[i] = a
	}
	return out
}
