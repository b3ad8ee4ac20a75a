package compare

// role is what a field of the manifest has to do with the result of a run.
type role int

const (
	decides    role = iota // another value may give another result
	harmless               // it cannot
	physical               // it can when results depend on the machine
	repetition             // the seed and what follows from it
)

// rule says what fields at and below a path do, and why.
type rule struct {
	path   string
	role   role
	reason string
}

// rules are looked up by the longest path that a field lies within. A field that
// none of them knows decides: the list of what is harmless is closed, so that a
// manifest that grows makes comparisons stricter and never laxer.
var rules = []rule{
	{"", decides, "nasc does not know what it does, so it may change the result"},

	{"seed", repetition, ""},
	{"optimizer.seed", repetition, ""},
	{"evaluator.seed", repetition, ""},
	{"report.seed", repetition, ""},

	{"optimizer", decides, "another method"},
	{"optimizer.method", harmless, "a name for the method with its parameters"},
	{"evaluator.method", harmless, "a name for the evaluator with its parameters"},
	{"report.method", harmless, "a name for the evaluator with its parameters"},
	{"optimizer.version", decides, "another version of the method"},
	{"optimizer.checksum", decides, "another program of the method"},
	{"optimizer.parameters", decides, "the method is set differently"},

	{"space", decides, "another space"},
	{"space.hash", decides, "the space has other decisions"},
	{"space.size", decides, "the space has another number of architectures"},
	{"space.args", decides, "the space is built with other sizes"},
	{"space.sources", decides, "the space, or something it imports, has another text"},
	{"space.file", harmless, "where the file lies; what it says is in space.sources"},

	{"evaluator", decides, "another evaluator"},
	{"evaluator.version", decides, "another version of the evaluator"},
	{"evaluator.checksum", decides, "another program of the evaluator"},
	{"evaluator.parameters", decides, "candidates are judged differently"},
	{"evaluator.facts", decides, "candidates are judged on other data"},
	{"evaluator.units", decides, "values are in another unit"},
	{"evaluator.threads", physical, "the order of sums depends on the number of threads"},

	{"operations", decides, "operations are computed by another plugin or another version of one"},

	{"report", decides, "winners are tested by another evaluator"},
	{"report.version", decides, "another version of what tests winners"},
	{"report.checksum", decides, "another program of what tests winners"},
	{"report.parameters", decides, "winners are tested differently"},
	{"report.facts", decides, "winners are tested on other data"},
	{"report.units", decides, "values are in another unit"},
	{"report.threads", physical, "the order of sums depends on the number of threads"},

	{"objectives", decides, "other winners"},
	{"requirements", decides, "other architectures may win"},
	{"analytic", decides, "the optimizer is told other metrics"},
	{"metrics", decides, "the optimizer is told other metrics"},
	{"budget", decides, "a search that may spend more finds more"},
	{"reuse", decides, "what is not evaluated again costs nothing"},
	{"batch", decides, "what is asked at once is not informed by each other"},
	{"retrain", decides, "winners are tested in another network"},
	{"retrain.file", harmless, "where the file lies; what it says is in retrain.sources"},
	{"workers", physical, "how many are evaluated at once changes when they end"},

	{"relaxation", harmless, "it follows from the method and its parameters"},
	{"nasc", decides, "what differs between versions of nasc cannot be excluded"},
	{"machine", physical, "results depend on the machine"},

	{"format", harmless, "the layout of the manifest"},
	{"name", harmless, "a name"},
	{"search", harmless, "the name of the search block; what it says is in the other fields"},
	{"started", harmless, "a date"},
}

// circumstances are what else decides whether a field may change a result.
type circumstances struct {
	// dependent: results depend on where and how fast a run was, because an
	// evaluator is not deterministic or the budget is real time.
	dependent bool
	// sameSpaces: the files differ only in what is not of spaces.
	sameSpaces bool
}

// judge tells whether a field may change results, and why.
func (c circumstances) judge(path string) (changes bool, reason string, ro role) {
	best := rules[0]
	for _, r := range rules {
		if within(path, r.path) && len(r.path) > len(best.path) {
			best = r
		}
	}
	switch {
	case best.role == physical && !c.dependent:
		return false, "the evaluator is deterministic and no clock decides", best.role
	case c.sameSpaces && (path == "space.sources" || path == "retrain.sources"):
		return false, "only search blocks differ, or files that do no more than import", harmless
	case best.role == physical, best.role == decides:
		return true, best.reason, best.role
	}
	return false, best.reason, best.role
}

// about finds the circumstances of runs.
func about(runs []*Run) circumstances {
	c := circumstances{sameSpaces: sameSpaces(runs)}
	for _, r := range runs {
		_, reports := r.Fields["report.plugin"]
		if r.Fields["evaluator.deterministic"] != "true" || reports && r.Fields["report.deterministic"] != "true" || r.Fields.text("budget.unit") == "wall" {
			c.dependent = true
		}
	}
	return c
}
