// Package reproduce knows published experiments that nasc can repeat: the study that
// repeats each, the data it needs and where they come from, what was published, and
// how far what we reached is from that.
//
// A study is a .nas file of this folder like any other, with a search block that
// sweeps methods and seeds; nothing in it is particular to being reproduced. What
// stands in Go is only what a search block has no words for.
package reproduce

import (
	"bytes"
	"fmt"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/spaces"
)

// Study is a published experiment.
type Study struct {
	Name     string // as on the command line
	Title    string // one line
	Protocol string // what is measured, in a sentence or two
	File     string // of spaces.Files; its search block is the study
	Seeds    int    // that the study sweeps, from 0
	Data     Data
	Columns  []Column
	Methods  []Method
	Sources  []Source
}

// Column is a test metric that is reported.
type Column struct {
	Metric string // of the evaluator
	Title  string
}

// Method is one that the study runs, and what others reached with it.
type Method struct {
	Point   string // the label of its points in the study's grid, without the seed
	Title   string
	Reports []Report
}

// Report is what a source says that a method reached.
type Report struct {
	Source int     // index of Study.Sources
	Values []Value // one for each column
}

// Source is where numbers come from.
type Source struct {
	Text string // a citation and the protocol in short
	// Same tells whether its protocol is that of our study, so that a difference
	// beyond chance means that one of the two is wrong.
	Same bool
}

// Studies are all that nasc can repeat.
func Studies() []Study { return []Study{nasBench201} }

// Find returns the study of a name.
func Find(name string) (Study, bool) {
	for _, s := range Studies() {
		if s.Name == name {
			return s, true
		}
	}
	return Study{}, false
}

// MostSeeds is how many seeds a study can sweep.
func (s Study) MostSeeds() int { return compiler.MaxPoints / len(s.Methods) }

// Text is the source of the study over seeds from 0, from one of them to MostSeeds.
func (s Study) Text(seeds int) ([]byte, error) {
	text, err := spaces.Files.ReadFile(s.File)
	if err != nil {
		return nil, err
	}
	own := fmt.Appendf(nil, "= 0..%d\n", s.Seeds-1)
	if bytes.Count(text, own) != 1 {
		return nil, fmt.Errorf("%s does not sweep the seeds 0..%d", s.File, s.Seeds-1)
	}
	given := fmt.Appendf(nil, "= 0..%d\n", seeds-1)
	if seeds == 1 {
		given = []byte("= 0\n")
	}
	return bytes.Replace(text, own, given, 1), nil
}
