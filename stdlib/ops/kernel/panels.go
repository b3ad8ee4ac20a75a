package kernel

import "slices"

const (
	broad = 32 // channels of an inner loop, as many as any has
	wide  = 16
	slim  = 8
	nine  = 9 // taps of an inner loop over single channels
)

// loops is what a plan knows of the inner loops.
type loops struct {
	tile int // pixels, or rows of the gradient of the weights, that one computes

	// The blocks of channels that there are loops for.
	convolution []choice
	squares     []choice // the same, but whole ones
	correlation []choice // gradients of weights; the widest loop reads whole blocks
	channelwise []choice // depthwise convolution and pooling
	taps        []choice // gradients of the weights of these
}

// choice is a block of width channels, taken while there are at least so many.
type choice struct{ width, least int }

var (
	loopsAVX2 = loops{
		tile:        6,
		convolution: []choice{{wide, slim + 1}, {slim, 1}},
		squares:     []choice{{wide, wide}, {slim, slim}},
		correlation: []choice{{wide, wide}, {slim, 1}},
		channelwise: []choice{{wide, slim + 1}, {slim, 1}},
		taps:        []choice{{slim, 1}},
	}
	loopsAVX512 = loops{
		tile:        8,
		convolution: []choice{{broad, wide + 1}, {wide, slim + 1}, {slim, 1}},
		squares:     []choice{{broad, broad}, {wide, wide}, {slim, slim}},
		correlation: []choice{{broad, broad}, {wide, slim + 1}, {slim, 1}},
		channelwise: []choice{{wide, slim + 1}, {slim, 1}},
		taps:        []choice{{wide, slim + 1}, {slim, 1}},
	}
)

// planned are the loops that plans are made for; those in Go take any plan.
func planned() *loops {
	if haveAVX512 {
		return &loopsAVX512
	}
	return &loopsAVX2
}

// panel is some output channels of a group, as many as an inner loop computes.
type panel struct {
	group        int
	first, count int // channels of the group
	width        int // of a loop
	at           int // where the rows of the block begin, length of them to a block
}

// divide divides kg channels of every group into blocks, each the first of some
// choices that there are enough channels left for, and says how many numbers all
// blocks have.
func divide(groups, kg int, choices []choice, length int) (all []panel, size int) {
	for gr := range groups {
		for k := 0; k < kg; {
			i := slices.IndexFunc(choices, func(c choice) bool { return kg-k >= c.least })
			b := panel{group: gr, first: k, count: min(choices[i].width, kg-k), width: choices[i].width, at: size}
			all = append(all, b)
			size += b.width * length
			k += b.count
		}
	}
	return all, size
}
