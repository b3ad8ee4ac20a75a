package wire

import (
	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
)

// Mixture holds a number for each option of each relaxed decision: mixture weights,
// or their gradients.
type Mixture = [][]float64

// Relaxed lists what has mixture weights, in the order of every Mixture.
type Relaxed struct {
	Decisions []RelaxedDecision
}

// RelaxedDecision is one vector of mixture weights.
type RelaxedDecision struct {
	Address string
	// Edges: the options are edges, of which an architecture has Min to Max.
	// Otherwise they are the candidates of a mixed operation, and it has one.
	Edges    bool
	Min, Max int
	Options  []RelaxedOption
	// Decision is the id of the space's decision that was relaxed; -1 for weights
	// that the relaxation has added (edges of PC-DARTS).
	Decision int
	Sites    int // mixtures of the supernet that it weighs
}

// RelaxedOption is what one mixture weight is for.
type RelaxedOption struct {
	Label       string // as `.nas` text
	Alternative int    // of the decision; -1: no architecture has it
	Absent      bool   // it adds nothing, whatever its weight
	// Under are the decisions of the list whose candidates are multiplied by the
	// weight of this edge.
	Under []int
}

// BatchChoice names a batch of examples.
type BatchChoice int

// The batches of an [ArchGradient].
const (
	NextValid BatchChoice = iota // of the validation part; the next call has the one after it
	SameValid                    // that of the last gradient on the validation part
	NextTrain                    // that of the weight step to come
)

// WeightStep says how weights move, on the next batch of the training part.
type WeightStep struct {
	Rate        *float64 // learning rate; nil: by the evaluator's schedule
	WeightDecay *float64 // nil: by the evaluator's settings
}

// ArchGradient says of what a gradient is wanted.
type ArchGradient struct {
	Batch BatchChoice
	// Unrolled: second order (Liu, Simonyan and Yang, "DARTS", 2019, equations 6 to
	// 8): the loss after the weight step that would come next, with the implicit
	// term by a finite difference. Batch is then one of the validation part.
	Unrolled bool
	Radius   float64 // of that difference, over the norm of the gradient; 0.01 in the paper
}

// Score says on what mixtures are measured: Batches batches of the validation part in
// a circle from First on, 0 being all of them.
type Score struct {
	First, Batches int
	// Recalibrate is how many batches of the training part the running statistics of
	// batch norm are made of for each mixture, which are then used. 0: batch norm is by
	// the statistics of the batch.
	Recalibrate int
}

// Stage is what a stage of a one-shot search has led to.
type Stage struct {
	Genotype space.Genotype     // the architecture that the search would end with now
	Metrics  ValidationMetrics  // of the supernet for it; no values: not measured
	Mixture  Mixture            // the mean one, for people to look at
	Values   map[string]float64 // what else is worth a curve: "eigenvalue", "tau"
	Done     bool               // the search is over
	Text     string             // for people; may be empty
}

// OpenSupernet is a relaxed space that is to be trained.
type OpenSupernet struct {
	Network *lower.Supernet
	Epochs  int // for schedules
	Seed    uint64
}

// SupernetSize is how much there is of a supernet and its data.
type SupernetSize struct {
	Steps  int   // weight steps of an epoch
	Valid  int   // batches of the validation part
	Memory int64 // bytes
}
