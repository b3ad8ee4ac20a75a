package direct

import (
	"errors"
	"io"
	"testing"
)

// TestSpin: what has come is read without waiting. A reader that looks in vain rests
// for one message, then for two, and does not rest after it has found something; what
// comes while it rests, and the end of the connection, are for who waits.
func TestSpin(t *testing.T) {
	near, far := pair(t)
	buf := make([]byte, 10)
	look := func(step string, want int) {
		t.Helper()
		if n := near.spin.read(buf); n != want {
			t.Fatalf("%s: %d bytes, not %d", step, n, want)
		}
	}
	send := func(text string) {
		t.Helper()
		if _, err := far.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	look("nothing", 0)
	send("abc")
	look("at rest", 0)
	look("awake", 3)
	look("nothing again", 0)
	look("at rest again", 0)
	look("in vain", 0)
	send("de")
	look("at rest twice, first", 0)
	look("at rest twice, second", 0)
	look("awake again", 2)
	if string(buf[:2]) != "de" {
		t.Errorf("it read %q", buf[:2])
	}
	for range 1000 {
		near.spin.read(buf)
	}
	if near.spin.pause != maxPause {
		t.Errorf("a pause of %d messages", near.spin.pause)
	}
	near.spin.rest = 0
	far.Close()
	look("the end", 0)
	if n, err := near.Read(buf); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d bytes, %v", n, err)
	}
	near.Close()
	near.spin.rest = 0
	look("closed", 0)
}
