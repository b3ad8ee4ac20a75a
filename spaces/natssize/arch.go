// Package natssize speaks the language of the size search space of NATS-Bench (Dong,
// Liu, Musial and Gabrys, TPAMI 2021): an architecture is five numbers of channels.
// [Recognise] finds them in an architecture that the compiler bound.
package natssize

import (
	"fmt"
	"strconv"
	"strings"
)

// Architectures is the number of networks: eight widths at each of five places.
const Architectures = 32768

// The widths are multiples of Step up to Most.
const (
	Step = 8
	Most = 64
)

// Arch is the channels of the five layers.
type Arch [5]int

// String is the benchmark's notation, 8:16:24:32:64.
func (a Arch) String() string {
	parts := make([]string, len(a))
	for i, c := range a {
		parts[i] = strconv.Itoa(c)
	}
	return strings.Join(parts, ":")
}

// Parse reads the benchmark's notation.
func Parse(text string) (Arch, error) {
	var a Arch
	parts := strings.Split(strings.TrimSpace(text), ":")
	if len(parts) != len(a) {
		return a, fmt.Errorf("an architecture of NATS-Bench size has %d widths, this has %d", len(a), len(parts))
	}
	for i, p := range parts {
		c, err := strconv.Atoi(p)
		if err != nil {
			return a, fmt.Errorf("%q is no number of channels", p)
		}
		a[i] = c
	}
	return a, a.check()
}

// check tells of a width that the benchmark does not have.
func (a Arch) check() error {
	for i, c := range a {
		if c < Step || c > Most || c%Step != 0 {
			return fmt.Errorf("width %d is %d: NATS-Bench has the multiples of %d from %d to %d", i+1, c, Step, Step, Most)
		}
	}
	return nil
}
