package train

import (
	"context"
	"math"

	"github.com/nasc-project/nasc/plugins/evaluators/train/supernet"
)

// course hands out the batches of lessons one after another. They are made ahead, so
// that none is waited for; after a leap they are made from there on.
type course struct {
	lessons *lessons
	batch         // in hand
	classes []int // of the examples in hand
	number  int   // of the batch in hand; -1: none
	feed    *feed // that makes the one after it
}

func newCourse(l *lessons) *course {
	size := l.set.Channels * l.set.H * l.set.W
	return &course{lessons: l, number: -1, classes: make([]int, l.size),
		batch: batch{make([]float32, l.size*size), make([]float32, l.size)}}
}

// take brings a batch into hand.
func (c *course) take(ctx context.Context, number int) error {
	if number == c.number {
		return nil
	}
	if c.feed == nil || number != c.number+1 {
		c.stop()
		c.feed = newFeed(number, math.MaxInt, len(c.images), len(c.targets), c.lessons.fill)
	}
	if err := c.feed.next(ctx, c.images, c.targets); err != nil {
		c.stop()
		return err
	}
	c.number = number
	for i, k := range c.targets {
		c.classes[i] = int(k)
	}
	return nil
}

// examples is the batch in hand.
func (c *course) examples() supernet.Examples {
	return supernet.Examples{Images: c.images, Labels: c.classes}
}

// stop ends the goroutine that makes batches; nothing is in hand then.
func (c *course) stop() {
	if c.feed != nil {
		c.feed.stop()
		c.feed = nil
	}
	c.number = -1
}

// memory is the bytes that batches take.
func (c *course) memory() int64 { return (1 + ahead) * number * int64(len(c.images)+len(c.targets)) }
