package kernel

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPairs: sums are added up in one order, in whichever order tasks are done.
func TestPairs(t *testing.T) {
	for n, want := range []string{"", "0", "(01)", "((01)2)", "((01)(23))", "((01)(23)) 4", "((01)(23)) (45)",
		"((01)(23)) ((45)6)", "((01)(23)) ((45)(67))"} {
		for range 50 {
			sums := strings.Split("01234567", "")[:n]
			var p pairs
			for _, task := range rand.Perm(n) {
				p.done(task, n, func(first, second int) { sums[first], sums[second] = "("+sums[first]+sums[second]+")", "" })
			}
			got := ""
			for i := 0; i < n; i += gradChunks / 2 {
				got += " " + sums[i]
			}
			if got = strings.TrimSpace(got); got != want {
				t.Fatalf("%d tasks: %s, want %s", n, got, want)
			}
		}
	}
}
