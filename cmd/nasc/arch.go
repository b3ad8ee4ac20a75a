package main

import (
	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/runtime/plan"
)

// archForms tells how an architecture is named, archHelp also when it need not be.
const (
	archForms = `

ARCH is a .nas file or .nas text with nothing left to decide, a genotype such as
0,3,1 (as in the trial log), or '#' and the number of the architecture.`
	archHelp = archForms + ` It may
be left out when FILE itself has nothing left to decide.`
)

// architecture reads the ARCH argument, if there is one. resolve, unless nil,
// knows a notation of its own.
func architecture(m *compiler.Module, s *compiler.Space, args []string, resolve plan.Resolver) (*plan.Architecture, error) {
	text := ""
	if len(args) > 0 {
		text = args[0]
	}
	a, diags := plan.ReadArchitecture(s, text, readFile, resolve)
	source := m.Source
	if a != nil && a.Module != nil {
		source = a.Module.Source
	}
	return a, wrong(diags, source)
}
