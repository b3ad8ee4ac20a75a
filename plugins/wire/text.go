package wire

import "strings"

// text makes s fit for a message, whose strings are UTF-8: an error that quotes
// bytes of a broken file would otherwise not reach the user.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// texts is text for every key of a map.
func texts[V any](m map[string]V) map[string]V {
	out := make(map[string]V, len(m))
	for k, v := range m {
		out[text(k)] = v
	}
	return out
}

// FromFacts makes texts fit for a message: facts of an evaluator, labels.
func FromFacts(facts map[string]string) map[string]string {
	out := make(map[string]string, len(facts))
	for k, v := range facts {
		out[text(k)] = text(v)
	}
	return out
}
