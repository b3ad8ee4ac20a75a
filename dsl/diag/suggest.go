package diag

import "strings"

// Suggest finds the candidate that name is most likely a slip of: at most a
// third of its letters wrong, missing, superfluous or swapped with a neighbour,
// upper and lower case counting alike. In a word of one or two letters nothing
// may differ but their order and case. Ties go to the candidate that comes first.
func Suggest(name string, candidates []string) (best string, ok bool) {
	n := len([]rune(name))
	if n == 0 || n > 100 {
		return "", false
	}
	limit := n / 3
	if n == 2 {
		limit = 1
	}
	low := strings.ToLower(name)
	bestDist := limit + 1
	for _, c := range candidates {
		if c == name || c == "" {
			continue
		}
		if d := distance(low, strings.ToLower(c), limit); d < bestDist && (n > 2 || d == 0 || swapped(low, strings.ToLower(c))) {
			best, bestDist = c, d
		}
	}
	return best, bestDist <= limit
}

// swapped reports whether a is b with its two letters exchanged.
func swapped(a, b string) bool {
	x, y := []rune(a), []rune(b)
	return len(x) == 2 && len(y) == 2 && x[0] == y[1] && x[1] == y[0]
}

// distance is the optimal string alignment distance of a and b, or limit+1
// when it exceeds limit.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > limit || -d > limit {
		return limit + 1
	}
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return min(prev[len(y)], limit+1)
}
