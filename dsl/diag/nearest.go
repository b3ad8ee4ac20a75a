package diag

// Nearest returns the candidate that name is most likely a slip of the pen for,
// or "" when none is close: at most a third of the longer word's runes may have
// to be inserted, deleted, replaced or swapped with their neighbour. Of equally
// close candidates the first wins.
func Nearest(name string, candidates []string) string {
	const longest = 200 // of anything a user types by hand
	best, least := "", -1
	a := []rune(name)
	if len(a) > longest {
		return ""
	}
	for _, c := range candidates {
		b := []rune(c)
		limit := max(len(a), len(b)) / 3
		if len(b) > longest || max(len(a), len(b))-min(len(a), len(b)) > limit {
			continue
		}
		if d := editDistance(a, b); d <= limit && (least < 0 || d < least) {
			best, least = c, d
		}
	}
	return best
}

// editDistance is the optimal string alignment distance.
func editDistance(a, b []rune) int {
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j]+cost, prev[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], prev2[j-1]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
