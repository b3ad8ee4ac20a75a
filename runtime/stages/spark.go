package stages

import "math"

// bars are the heights of a sparkline (Tufte, "Beautiful Evidence", 2006).
var bars = []rune("▁▂▃▄▅▆▇█")

// Spark draws numbers between low and high as a line of at most so many bars, each the
// mean of as many numbers as fall on it. Where there is no number there is a blank.
func Spark(values []float64, low, high float64, most int) string {
	n := min(len(values), most)
	out := make([]rune, n)
	for i := range out {
		sum, seen := 0.0, 0
		for _, v := range values[i*len(values)/n : (i+1)*len(values)/n] {
			if !math.IsNaN(v) {
				sum, seen = sum+v, seen+1
			}
		}
		out[i] = ' '
		if seen > 0 {
			share := 0.5
			if high > low {
				share = (sum/float64(seen) - low) / (high - low)
			}
			out[i] = bars[int(min(max(share, 0), 1)*float64(len(bars)-1)+0.5)]
		}
	}
	return string(out)
}

// Range is the least and the largest of numbers; ok is false when there are none.
func Range(values []float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			low, high, ok = min(low, v), max(high, v), true
		}
	}
	return low, high, ok
}
