package kernel

import "math"

// SoftCrossEntropy is the mean over n rows of k classes of the cross-entropy of
// logits with targets, shares of every class that sum to one.
func SoftCrossEntropy[T Float](n, k int, logits, targets []T) T {
	var loss float64
	for i := range n {
		x, t := logits[i*k:][:k], targets[i*k:][:k]
		l := logSumExp(x)
		for j, v := range x {
			loss += float64(t[j]) * (l - float64(v))
		}
	}
	return T(loss / float64(n))
}

// SoftCrossEntropyGrad is upstream * (softmax(logits) - targets) / n.
func SoftCrossEntropyGrad[T Float](n, k int, logits, targets []T, upstream T, dlogits []T) {
	f := upstream / T(n)
	for i := range n {
		x, t, d := logits[i*k:][:k], targets[i*k:][:k], dlogits[i*k:][:k]
		l := logSumExp(x)
		for j, v := range x {
			d[j] = (T(math.Exp(float64(v)-l)) - t[j]) * f
		}
	}
}
