package nasb

import "slices"

// extent gathers an [Extent] while records are written.
type extent struct {
	architectures int
	last          int // the row that counted last, from 1
	epochs        []bool
	seeds         []uint32 // ascending
}

// maxSeeds bounds the list of seeds.
const maxSeeds = 1000

// extend notes a run of the architecture of a row.
func (w *Writer) extend(r Run, row int) {
	for len(w.extents) <= r.Series {
		w.extents = append(w.extents, extent{})
	}
	e := &w.extents[r.Series]
	if e.last != row+1 {
		e.architectures, e.last = e.architectures+1, row+1
	}
	if at, known := slices.BinarySearch(e.seeds, r.Seed); !known && len(e.seeds) < maxSeeds {
		e.seeds = slices.Insert(e.seeds, at, r.Seed)
	}
	if r.First == NoEpoch {
		return
	}
	for len(e.epochs) < r.First+len(r.Values) {
		e.epochs = append(e.epochs, false)
	}
	for i := range r.Values {
		e.epochs[r.First+i] = true
	}
}

func (w *Writer) extent(series int) Extent {
	if series >= len(w.extents) {
		return Extent{Seeds: []uint32{}}
	}
	e := w.extents[series]
	out := Extent{Architectures: e.architectures, Seeds: e.seeds}
	for epoch, has := range e.epochs {
		switch n := len(out.Epochs); {
		case !has:
		case epoch > 0 && e.epochs[epoch-1]:
			out.Epochs[n-1][1] = epoch
		default:
			out.Epochs = append(out.Epochs, [2]int{epoch, epoch})
		}
	}
	return out
}
