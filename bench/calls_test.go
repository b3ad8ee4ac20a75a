package main

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestCallsOf: the rows of the kernels add up to that of the step, in times and in calls,
// and a training, whose kernels are not observed, is refused.
func TestCallsOf(t *testing.T) {
	of := func(name string) (string, error) {
		chosen, err := choose(name)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		err = callsOf(t.Context(), &out, chosen[0], 3)
		return out.String(), err
	}
	if _, err := of("c-n1"); err == nil || !strings.Contains(err.Error(), "not observed") {
		t.Errorf("a training: %v", err)
	}
	text, err := of("b-tiny")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")[1:]
	sums := map[bool][3]float64{} // of the rows, and of the last
	names := map[string]bool{}
	for i, line := range lines {
		fields := strings.Fields(line)
		names[strings.Join(fields[4:], " ")] = true
		s := sums[i == len(lines)-1]
		for k, at := range [3]int{0, 1, 3} {
			v, err := strconv.ParseFloat(fields[at], 64)
			if err != nil {
				t.Fatal(line, err)
			}
			s[k] += v
		}
		sums[i == len(lines)-1] = s
	}
	for k, total := range sums[true] {
		if math.Abs(total-sums[false][k]) > 0.001*float64(len(lines)) || total <= 0 {
			t.Errorf("column %d: %v, and the rows make %v:\n%s", k, total, sums[false][k], text)
		}
	}
	for _, name := range []string{"ConvForward", "ConvGradInput", "ConvGradWeight", "Combine", "optim.ClipNorm", "between them", "b-tiny"} {
		if !names[name] {
			t.Errorf("no row is called %s:\n%s", name, text)
		}
	}
}
