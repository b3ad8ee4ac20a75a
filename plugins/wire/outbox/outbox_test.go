package outbox

import (
	"errors"
	"slices"
	"sync"
	"testing"
)

// TestOrder: every item is sent once, those of a goroutine in their order, and
// send is never called twice at once.
func TestOrder(t *testing.T) {
	for _, most := range []int{0, 3} {
		const goroutines, items = 8, 500
		var busy sync.Mutex
		var all [][2]int
		done := make(chan struct{})
		o := New(most, func(batch [][2]int) error {
			if !busy.TryLock() {
				t.Error("two calls of send at once")
			}
			defer busy.Unlock()
			if len(batch) == 0 {
				t.Error("nothing was sent")
			}
			all = append(all, batch...)
			if len(all) == goroutines*items {
				close(done)
			}
			return nil
		})
		for g := range goroutines {
			go func() {
				for i := range items {
					o.Put([2]int{g, i})
					if i%3 == 0 {
						o.Send()
					} else {
						o.Post()
					}
				}
			}()
		}
		<-done
		o.Close()
		var next [goroutines]int
		for _, item := range all {
			if item[1] != next[item[0]] {
				t.Fatalf("item %v, expected %d", item, next[item[0]])
			}
			next[item[0]]++
		}
	}
}

// What is put while something is sent leaves as one message.
func TestTogether(t *testing.T) {
	var sizes []int
	var o *Outbox[int]
	o = New(0, func(batch []int) error {
		if len(sizes) == 0 {
			o.Put(1, 2)
			o.Put(3)
		}
		sizes = append(sizes, len(batch))
		return nil
	})
	o.Put(0)
	if err := o.Send(); err != nil || !slices.Equal(sizes, []int{1, 3}) {
		t.Errorf("%v, %v", sizes, err)
	}
}

func TestEnd(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	o := New(1, func([]int) error { calls++; return broken })
	for range 3 {
		o.Put(1) // must not wait for ever
		if err := o.Send(); err != broken {
			t.Errorf("got %v", err)
		}
	}
	o.Close()
	o.Put(1)
	o.Post()
	if o.Send(); calls != 1 {
		t.Errorf("%d calls of send", calls)
	}
}
