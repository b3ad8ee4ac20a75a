package kernel

import "math"

// Linear computes y (B,K) = x (B,F) * w (K,F) transposed + bias (K).
func Linear[T Float](b, f, k int, x, w, bias, y []T) {
	for i := range b {
		for j := range k {
			y[i*k+j] = dot(x[i*f:][:f], w[j*f:][:f]) + bias[j]
		}
	}
}

// LinearGradInput computes dx (B,F) = dy (B,K) * w (K,F).
func LinearGradInput[T Float](b, f, k int, w, dy, dx []T) {
	clear(dx)
	for i := range b {
		for j := range k {
			axpy(dx[i*f:][:f], w[j*f:][:f], dy[i*k+j])
		}
	}
}

// LinearGradWeight computes dw (K,F) = dy (B,K) transposed * x (B,F).
func LinearGradWeight[T Float](b, f, k int, x, dy, dw []T) {
	clear(dw)
	for i := range b {
		for j := range k {
			axpy(dw[j*f:][:f], x[i*f:][:f], dy[i*k+j])
		}
	}
}

// LinearGradBias computes db (K), the sum of dy (B,K) over the batch.
func LinearGradBias[T Float](b, k int, dy, db []T) {
	clear(db)
	for i := range b {
		add(db, db, dy[i*k:][:k])
	}
}

// axpy adds a*x to y.
func axpy[T Float](y, x []T, a T) { affine2(y, x, y, a, 1, 0) }

// CrossEntropy is the mean over the batch of -log softmax(logits)[label].
// Labels are class numbers held as floats.
func CrossEntropy[T Float](b, k int, logits, labels []T) T {
	var loss float64
	for i := range b {
		row := logits[i*k:][:k]
		loss += logSumExp(row) - float64(row[int(labels[i])])
	}
	return T(loss / float64(b))
}

// CrossEntropyGrad is upstream * (softmax(logits) - onehot(label)) / B.
func CrossEntropyGrad[T Float](b, k int, logits, labels []T, upstream T, dlogits []T) {
	for i := range b {
		row, d := logits[i*k:][:k], dlogits[i*k:][:k]
		l := logSumExp(row)
		for j, v := range row {
			d[j] = T(math.Exp(float64(v)-l)) * upstream / T(b)
		}
		d[int(labels[i])] -= upstream / T(b)
	}
}

func logSumExp[T Float](x []T) float64 {
	m := float64(x[0])
	for _, v := range x {
		m = max(m, float64(v))
	}
	var s float64
	for _, v := range x {
		s += math.Exp(float64(v) - m)
	}
	return m + math.Log(s)
}
