// Package stdlib holds the standard operations.
//
// An op has two files: its signature in one of the .nas modules here (tensor
// shapes, attributes with defaults, params and MACs, the algebra it obeys),
// which the compiler reads, and its Gorgonia implementation in stdlib/ops, which
// the training evaluator runs. Checking, counting and drawing a space need only
// the first.
package stdlib

import "embed"

//go:embed *.nas
var files embed.FS

// Core is the module whose names every other module knows without importing.
const Core = "std/core"

// Source returns the text of a standard module such as "std/vision".
func Source(module string) ([]byte, bool) {
	const prefix = "std/"
	if len(module) <= len(prefix) || module[:len(prefix)] != prefix {
		return nil, false
	}
	b, err := files.ReadFile(module[len(prefix):] + ".nas")
	return b, err == nil
}

// Modules lists the standard modules in alphabetical order.
func Modules() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		names = append(names, "std/"+name[:len(name)-len(".nas")])
	}
	return names
}
