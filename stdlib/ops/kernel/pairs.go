package kernel

import "sync/atomic"

// pairs adds up the sums of some tasks in an order that does not depend on who does
// which: first those of two neighbours, then those of two such pairs, until there are
// two sums left. Who is the second of a pair to be done adds it up, so that a thread
// with neighbouring tasks keeps to what is in its own cache.
type pairs [gradChunks]atomic.Uint32

// gradChunks is how many tasks at most the gradient of the weights is cut into, half of
// it the distance between the two sums that are left.
const gradChunks = 8

// done adds up what there is to add up when one of n tasks is done: add adds the sums of
// the second to those of the first.
func (p *pairs) done(task, n int, add func(first, second int)) {
	for step := 1; step < gradChunks/2; step *= 2 {
		first := task &^ (2*step - 1)
		second := first + step
		if second < n {
			if p[second].Add(1) == 1 {
				return // the other one is not done
			}
			add(first, second)
		}
		task = first
	}
}
