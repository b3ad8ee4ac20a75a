package kernel

import (
	"math"
	"slices"
)

// share is how many rows or columns of the weights a task of a linear layer
// handles.
const share = 64

// shares runs f over the parts of [0,n).
func shares(ws *Workers, n int, f func(worker, from, count int)) {
	ws.Run((n+share-1)/share, func(worker, i int) { f(worker, i*share, min(share, n-i*share)) })
}

// Linear computes y (B,K) = x (B,F) * w (K,F) transposed + bias (K); there may be
// no bias.
func Linear[T Float](ws *Workers, b, f, k int, x, w, bias, y []T) {
	shares(ws, k, func(worker, from, count int) {
		product(ws, worker, 1, dense(w, k, f).part(from, count, 0, f), dense(x, b, f).turned(), dense(y, b, k).part(0, b, from, count).turned(), false)
		if len(bias) > 0 {
			for i := range b {
				row := y[i*k+from:][:count]
				add(row, row, bias[from:][:count])
			}
		}
	})
}

// LinearGradInput computes dx (B,F) = dy (B,K) * w (K,F).
func LinearGradInput[T Float](ws *Workers, b, f, k int, w, dy, dx []T) {
	shares(ws, f, func(worker, from, count int) {
		product(ws, worker, 1, dense(dy, b, k), dense(w, k, f).part(0, k, from, count), dense(dx, b, f).part(0, b, from, count), false)
	})
}

// LinearGradWeight computes dw (K,F) = dy (B,K) transposed * x (B,F).
func LinearGradWeight[T Float](ws *Workers, b, f, k int, x, dy, dw []T) {
	shares(ws, k, func(worker, from, count int) {
		product(ws, worker, 1, dense(dy, b, k).part(0, b, from, count).turned(), dense(x, b, f), dense(dw, k, f).part(from, count, 0, f), false)
	})
}

// LinearGradBias computes db (K), the sum of dy (B,K) over the batch.
func LinearGradBias[T Float](b, k int, dy, db []T) {
	clear(db)
	for i := range b {
		add(db, db, dy[i*k:][:k])
	}
}

// CrossEntropy is the geometry of a classification: N places, those of images or
// those of all frames of speech, in K classes, logits (N,K). With Smoothing s the
// target is 1-s at the label and s spread over all classes (Szegedy et al. 2016).
type CrossEntropy struct {
	N, K      int
	Smoothing float64
}

// CrossEntropyMean is the mean over the places of the cross-entropy with the labels
// (N), class numbers held as floats.
func CrossEntropyMean[T Float](g CrossEntropy, logits, labels []T) T {
	var loss float64
	for i := range g.N {
		x := logits[i*g.K:][:g.K]
		loss += logSumExp(x) - (1-g.Smoothing)*float64(x[int(labels[i])])
		if g.Smoothing > 0 {
			for _, v := range x {
				loss -= g.Smoothing / float64(g.K) * float64(v)
			}
		}
	}
	return T(loss / float64(g.N))
}

// CrossEntropyGrad is upstream * (softmax(logits) - target) / N.
func CrossEntropyGrad[T Float](ws *Workers, g CrossEntropy, logits, labels []T, upstream T, dlogits []T) {
	const numbers = 32 // that take as long as two powers of e
	f := upstream / T(g.N)
	spread := g.Smoothing / float64(g.K)
	tasks := min(g.N, leastTasks)
	ws.runSome(tasks, numbers*g.N*g.K, func(_, task int) {
		for i := task * g.N / tasks; i < (task+1)*g.N/tasks; i++ {
			x, d := logits[i*g.K:][:g.K], dlogits[i*g.K:][:g.K]
			l := logSumExp(x)
			for k, v := range x {
				d[k] = T(math.Exp(float64(v)-l)-spread) * f
			}
			d[int(labels[i])] -= T(1-g.Smoothing) * f
		}
	})
}

// logSumExp is the logarithm of the sum of e^x.
func logSumExp[T Float](x []T) float64 {
	m := float64(slices.Max(x))
	var s float64
	for _, v := range x {
		s += math.Exp(float64(v) - m)
	}
	return m + math.Log(s)
}
