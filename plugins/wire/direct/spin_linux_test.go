package direct

import (
	"errors"
	"io"
	"testing"
)

// TestSpin: what has come is read without waiting, unless the reader rests; what comes
// while it rests, and the end of the connection, are for who waits.
func TestSpin(t *testing.T) {
	near, far := pair(t)
	buf := make([]byte, 10)
	look := func(step string, rest, want int) {
		t.Helper()
		near.spin.rest = rest
		if n := near.spin.read(buf); n != want {
			t.Fatalf("%s: %d bytes, not %d", step, n, want)
		}
	}
	look("nothing", 0, 0)
	if _, err := far.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	look("at rest", 2, 0)
	look("still at rest", near.spin.rest, 0)
	look("awake", near.spin.rest, 3)
	if string(buf[:3]) != "abc" {
		t.Errorf("it read %q", buf[:3])
	}
	far.Close()
	look("the end", 0, 0)
	if n, err := near.Read(buf); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d bytes, %v", n, err)
	}
	near.Close()
	look("closed", 0, 0)
}

// A reader that looks in vain rests for one message, then for two, and so on; it does
// not rest after it has found something. After the processor was away it rests whatever
// it has found, the longer the more often that was so, until it has been there for many
// looks.
func TestSpinRests(t *testing.T) {
	s := spin{wary: shortPause}
	look := func(got int, busy bool) int {
		s.rest, s.got, s.busy = 0, got, busy
		s.settle()
		return s.rest
	}
	for i, c := range []struct {
		got  int
		busy bool
		rest int
	}{{5, false, 0}, {0, false, 1}, {0, false, 2}, {0, false, 4}, {9, false, 0}, {0, false, 1},
		{0, true, shortPause}, {3, true, 4 * shortPause}, {3, false, 0}, {3, true, 16 * shortPause}, {0, true, 64 * shortPause}, {0, true, longPause}, {0, true, longPause}} {
		if rest := look(c.got, c.busy); rest != c.rest {
			t.Errorf("look %d: a rest of %d messages, not %d", i, rest, c.rest)
		}
	}
	for range calmed {
		look(3, false)
	}
	if rest := look(3, true); rest != shortPause {
		t.Errorf("after %d looks with the processor there a rest of %d messages, not %d", calmed, rest, shortPause)
	}
	for range 1000 {
		look(0, false)
	}
	if s.rest != maxPause {
		t.Errorf("after many looks in vain a rest of %d messages", s.rest)
	}
}
