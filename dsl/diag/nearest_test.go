package diag

import "testing"

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name       string
		candidates []string
		want       string
	}{
		{"avg_pol", []string{"max_pool", "avg_pool", "zero"}, "avg_pool"},
		{"ziro", []string{"zero", "skip"}, "zero"},
		{"evoultion", []string{"evolution"}, "evolution"},
		{"local", []string{"random", "evolution"}, ""},
		{"", []string{"a"}, ""},
		{"skip", nil, ""},
		{"größe", []string{"große", "grösse"}, "große"},
	} {
		if got := Nearest(c.name, c.candidates); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}
