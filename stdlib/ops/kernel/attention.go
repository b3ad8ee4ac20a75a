package kernel

import "math"

// Attention is the geometry of attention (Vaswani et al. 2017): B sequences of N
// tokens, each of Heads times Width features, the features of a token one after
// the other. With Reach > 0 there are learned vectors for the places of two tokens
// relative to each other (Shaw, Uszkoreit and Vaswani 2018), on a plane as in
// AutoFormer: the first token stands apart, the others are the pixels of a square,
// and a pair of tokens has the sum of two vectors, one for how many rows and one
// for how many columns lie between, neither counting for more than Reach.
type Attention struct {
	B, Heads, Width, N, Reach int
}

// Entries is the number of vectors in a table: one for pairs with the first
// token, then the distances from -Reach to Reach.
func (g Attention) Entries() int { return 2*g.Reach + 2 }

// Places lists the entries of all pairs of tokens in the table of rows and in that
// of columns.
func (g Attention) Places() (rows, columns []int) {
	side := int(math.Sqrt(float64(g.N - 1)))
	entry := func(d int) int { return min(max(d, -g.Reach), g.Reach) + g.Reach + 1 }
	rows, columns = make([]int, g.N*g.N), make([]int, g.N*g.N)
	for i := 1; i < g.N; i++ {
		for j := 1; j < g.N; j++ {
			rows[i*g.N+j] = entry((j-1)/side - (i-1)/side)
			columns[i*g.N+j] = entry((j-1)%side - (i-1)%side)
		}
	}
	return rows, columns
}

// A Table holds vectors of Width numbers and says which of them each pair of
// tokens has.
type Table[T Float] struct {
	Vectors []T
	Places  []int
}

// headOf is the features of one head of one sequence as a matrix (N,Width).
func headOf[T Float](g Attention, x []T, i int) matrix[T] {
	features := g.Heads * g.Width
	return dense(x[i/g.Heads*g.N*features:][:g.N*features], g.N, features).part(0, g.N, i%g.Heads*g.Width, g.Width)
}

// AttentionScores sets s[i,j] of every head to scale * q[i] · (k[j] + the vectors
// of the pair).
func AttentionScores[T Float](ws *Workers, g Attention, scale T, q, k []T, tables []Table[T], s []T) {
	n, e := g.N, g.Entries()
	ws.Run(g.B*g.Heads, func(worker, i int) {
		s := s[i*n*n:][:n*n]
		left := headOf(g, q, i)
		product(ws, worker, scale, left, headOf(g, k, i).turned(), dense(s, n, n), false)
		for _, t := range tables {
			dots := buffer[T](ws, worker, slotPartial, n*e)
			product(ws, worker, scale, left, dense(t.Vectors, e, g.Width).turned(), dense(dots, n, e), false)
			for r := range n {
				row, places, dots := s[r*n:][:n], t.Places[r*n:][:n], dots[r*e:][:e]
				for j, place := range places {
					row[j] += dots[place]
				}
			}
		}
	})
}

// AttentionMix sets y[i] of every head to scale * the sum over j of s[i,j] * (v[j]
// + the vectors of the pair). It is the gradient of AttentionScores for q, and the
// last step of attention.
func AttentionMix[T Float](ws *Workers, g Attention, scale T, s, v []T, tables []Table[T], y []T) {
	n, e := g.N, g.Entries()
	ws.Run(g.B*g.Heads, func(worker, i int) {
		s, y := s[i*n*n:][:n*n], headOf(g, y, i)
		product(ws, worker, scale, dense(s, n, n), headOf(g, v, i), y, false)
		for _, t := range tables {
			bins := buffer[T](ws, worker, slotPartial, n*e)
			fillBins(bins, s, t.Places, n, e)
			product(ws, worker, scale, dense(bins, n, e), dense(t.Vectors, e, g.Width), y, true)
		}
	})
}

// AttentionGather sets dk[j] of every head to scale * the sum over i of s[i,j] *
// q[i]: the gradient of AttentionScores for k, and of AttentionMix for v.
func AttentionGather[T Float](ws *Workers, g Attention, scale T, s, q, dk []T) {
	n := g.N
	ws.Run(g.B*g.Heads, func(worker, i int) {
		product(ws, worker, scale, dense(s[i*n*n:][:n*n], n, n).turned(), headOf(g, q, i), headOf(g, dk, i), false)
	})
}

// AttentionGradTable sets dt to scale * the sum over all pairs of s[i,j] * q[i],
// each added to the vector of its pair.
func AttentionGradTable[T Float](ws *Workers, g Attention, scale T, s, q []T, places []int, dt []T) {
	n, e := g.N, g.Entries()
	heads := g.B * g.Heads
	chunks := min(heads, gradChunks)
	size := e * g.Width
	partial := buffer[T](ws, 0, slotWeights, chunks*size)
	ws.Run(chunks, func(worker, chunk int) {
		sum := partial[chunk*size:][:size]
		clear(sum)
		bins := buffer[T](ws, worker, slotPartial, n*e)
		for i := chunk * heads / chunks; i < (chunk+1)*heads/chunks; i++ {
			fillBins(bins, s[i*n*n:][:n*n], places, n, e)
			product(ws, worker, scale, dense(bins, n, e).turned(), headOf(g, q, i), dense(sum, e, g.Width), true)
		}
	})
	sumPartials(dt, partial, chunks)
}

// fillBins adds up the s of every token by the entries of its pairs.
func fillBins[T Float](bins, s []T, places []int, n, e int) {
	clear(bins[:n*e])
	for r := range n {
		row, places, bins := s[r*n:][:n], places[r*n:][:n], bins[r*e:][:e]
		for j, place := range places {
			bins[place] += row[j]
		}
	}
}
