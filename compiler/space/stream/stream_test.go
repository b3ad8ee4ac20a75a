package stream

import "testing"

// TestWords pins the rule: values computed apart from this package by its
// definition.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		seed    uint64
		name    string
		counter uint64
		hi, lo  uint64
	}{
		{1, "ask", 0, 0xc4b496ea9fc0316a, 0x5504ff4e84ebd3a5},
		{1<<64 - 1, "größe", 7, 0x49ea4170c2320f72, 0x3c89a20a7e3e5198},
	} {
		if hi, lo := words(c.seed, c.name, c.counter); hi != c.hi || lo != c.lo {
			t.Errorf("words(%d, %q, %d) = %x, %x", c.seed, c.name, c.counter, hi, lo)
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(3) {
		for _, name := range []string{"", "a", "ask"} {
			for counter := range uint64(3) {
				seen[New(seed, name, counter).Uint64()] = true
			}
		}
	}
	if len(seen) != 27 {
		t.Errorf("27 streams begin with %d different numbers", len(seen))
	}
}
