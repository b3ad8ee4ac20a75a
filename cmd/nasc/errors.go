package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/dsl/diag"
)

// The exit codes of every command.
const (
	exitOK      = 0
	exitInput   = 1 // the input is wrong
	exitUsage   = 2
	exitMachine = 3 // a plugin or the machine failed
)

// usageError is a command line that makes no sense.
type usageError struct {
	message string
	command *cobra.Command
}

func (e *usageError) Error() string { return e.message }

func usage(c *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), c}
}

// inputError is diagnostics about what the user gave, with the text they are about.
type inputError struct {
	diags  diag.List
	source func(file string) []byte
	shown  bool // already printed
}

func (e *inputError) Error() string { return e.diags.Error() }

// wrong makes an error of diagnostics, nil when they hold none. Warnings are
// printed right away.
func wrong(diags diag.List, source func(string) []byte) error {
	if diags.HasErrors() {
		return &inputError{diags: diags, source: source}
	}
	show(os.Stderr, diags, source)
	return nil
}

// refuse is a single diagnostic about a command line, without a place in a file.
func refuse(code, help, format string, args ...any) error {
	var diags diag.List
	diags.Add(code, diag.Span{}, format, args...).Help = help
	return &inputError{diags: diags}
}

// machineError is diagnostics about a plugin or the machine failing.
type machineError struct {
	diags  diag.List
	source func(file string) []byte
}

func (e *machineError) Error() string { return e.diags.Error() }

func machine(code, help string, err error) error {
	return &machineError{diags: diag.List{{Code: code, Message: err.Error(), Help: help}}}
}

// conclude prints an error and returns the exit code that goes with it.
func conclude(err error) int {
	var input *inputError
	var use *usageError
	var mach *machineError
	var list diag.List
	var one *diag.Diagnostic
	var told exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &told):
		return int(told)
	case errors.As(err, &use):
		fmt.Fprintf(os.Stderr, "nasc: %s\n", use.message)
		fmt.Fprintf(os.Stderr, "Try '%s --help'.\n", use.command.CommandPath())
		return exitUsage
	case errors.As(err, &input):
		if !input.shown {
			show(os.Stderr, input.diags, input.source)
		}
		return exitInput
	case errors.As(err, &list):
		show(os.Stderr, list, nil)
		return exitInput
	case errors.As(err, &one):
		show(os.Stderr, diag.List{one}, nil)
		return exitInput
	case errors.As(err, &mach):
		show(os.Stderr, mach.diags, mach.source)
		return exitMachine
	case errors.Is(err, context.Canceled):
		return exitMachine // said by who was interrupted
	}
	fmt.Fprintf(os.Stderr, "nasc: %v\n", err)
	return exitMachine
}

// show renders diagnostics for people.
func show(w io.Writer, diags diag.List, source func(string) []byte) {
	if source == nil {
		source = func(string) []byte { return nil }
	}
	diag.Render(w, diags, source, diag.RenderOptions{Color: colour(w)})
}

// terminal reports whether a stream is one that a person watches.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

func colour(w io.Writer) bool { return terminal(w) && os.Getenv("NO_COLOR") == "" }
