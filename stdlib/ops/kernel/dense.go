package kernel

import "math"

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

// CrossEntropy is the geometry of a classification: N examples, each of Area
// positions (1 for images, frames for speech) in K classes, logits (N,K,Area). With
// Smoothing s the target is 1-s at the label and s spread over all classes
// (Szegedy et al. 2016).
type CrossEntropy struct {
	N, K, Area int
	Smoothing  float64
}

// CrossEntropyMean is the mean over examples and positions of the cross-entropy with the
// labels (N,Area), class numbers held as floats.
func CrossEntropyMean[T Float](g CrossEntropy, logits, labels []T) T {
	var loss float64
	for i := range g.N {
		for p := range g.Area {
			x := logits[i*g.K*g.Area+p:]
			loss += logSumExp(x, g.K, g.Area) - (1-g.Smoothing)*float64(x[int(labels[i*g.Area+p])*g.Area])
			if g.Smoothing > 0 {
				for k := range g.K {
					loss -= g.Smoothing / float64(g.K) * float64(x[k*g.Area])
				}
			}
		}
	}
	return T(loss / float64(g.N*g.Area))
}

// CrossEntropyGrad is upstream * (softmax(logits) - target) / (N*Area).
func CrossEntropyGrad[T Float](g CrossEntropy, logits, labels []T, upstream T, dlogits []T) {
	f := upstream / T(g.N*g.Area)
	spread := g.Smoothing / float64(g.K)
	for i := range g.N {
		for p := range g.Area {
			at := i*g.K*g.Area + p
			l := logSumExp(logits[at:], g.K, g.Area)
			for k := range g.K {
				dlogits[at+k*g.Area] = T(math.Exp(float64(logits[at+k*g.Area])-l)-spread) * f
			}
			dlogits[at+int(labels[i*g.Area+p])*g.Area] -= T(1-g.Smoothing) * f
		}
	}
}

// logSumExp is the logarithm of the sum of e^x over k numbers, step apart.
func logSumExp[T Float](x []T, k, step int) float64 {
	m := float64(x[0])
	for i := range k {
		m = max(m, float64(x[i*step]))
	}
	var s float64
	for i := range k {
		s += math.Exp(float64(x[i*step]) - m)
	}
	return m + math.Log(s)
}
