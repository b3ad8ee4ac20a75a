package sdk

import (
	"context"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/wire"
)

// The types of the one-shot loop, under shorter names.
type (
	// Mixture holds a number for each option of each relaxed decision.
	Mixture = wire.Mixture
	// Relaxed lists what has mixture weights.
	Relaxed = wire.Relaxed
	// RelaxedDecision is one vector of mixture weights.
	RelaxedDecision = wire.RelaxedDecision
	// RelaxedOption is what one mixture weight is for.
	RelaxedOption = wire.RelaxedOption
	// WeightStep says how weights move.
	WeightStep = wire.WeightStep
	// ArchGradient says of what a gradient is wanted.
	ArchGradient = wire.ArchGradient
	// Score says on what mixtures are measured.
	Score = wire.Score
	// Stage is what a stage of a one-shot search has led to.
	Stage = wire.Stage
	// OpenSupernet is a relaxed space that is to be trained.
	OpenSupernet = wire.OpenSupernet
	// SupernetSize is how much there is of a supernet and its data.
	SupernetSize = wire.SupernetSize
	// Relaxation says how a space is relaxed.
	Relaxation = lower.Relaxation
)

// The batches of an [ArchGradient].
const (
	NextValid = wire.NextValid
	SameValid = wire.SameValid
	NextTrain = wire.NextTrain
)

// Supernet is a relaxed space with weights that an evaluator trains. A one-shot
// optimizer is handed one whose calls go to the evaluator; an evaluator implements
// one. Calls come one at a time.
type Supernet interface {
	// Size tells how much there is.
	Size() SupernetSize
	// WeightStep moves the weights once under a mixture and returns the loss before
	// that. Weights of candidates that weigh exactly zero stay as they are.
	WeightStep(ctx context.Context, m Mixture, o WeightStep) (loss float64, err error)
	// ArchGradient is the gradient of the loss with respect to the mixture. No weight
	// moves.
	ArchGradient(ctx context.Context, m Mixture, o ArchGradient) (loss float64, grad Mixture, err error)
	// Score measures mixtures, one-hot ones being architectures.
	Score(ctx context.Context, ms []Mixture, o Score) ([]ValidationMetrics, error)
}

// OneShot is an optimizer that searches a supernet. Calls come one at a time.
//
// A search is a number of stages, as a rule epochs. Within one it may do to the
// supernet what it likes, in straight code; between two of them the search is saved.
// A search that is resumed gets a new OneShot, to which Load gives the state of the
// last stage, and a supernet that is as it was; all that it draws must come from
// [Env.Rand] with counters that are in the state.
type OneShot interface {
	// Relaxation says how the space is to be relaxed.
	Relaxation() Relaxation
	// Begin hands it the supernet, before the first stage or Load.
	Begin(n SearchedSupernet) error
	// Stage does the next stage and says what it has led to.
	Stage(ctx context.Context) (Stage, error)
	// Save returns everything that the next stage depends on, but for the supernet.
	Save() ([]byte, error)
	// Load makes it as it was when state was saved.
	Load(state []byte) error
}

// SearchedSupernet is the supernet of a one-shot search.
type SearchedSupernet interface {
	Supernet
	// Relaxed lists what has mixture weights.
	Relaxed() *Relaxed
	// Epochs is how many epochs of weight steps the search may take.
	Epochs() int
	// Relax goes on with the same weights in another relaxation of the space.
	Relax(ctx context.Context, r Relaxation) error
	// Check tells which architectures satisfy all constraints of the space and all
	// requirements of the search that need no evaluation, as params <= 1M.
	Check(ctx context.Context, gs []space.Genotype) (admissible []bool, err error)
}

// Ahead is a [SearchedSupernet] that takes the next call while a weight step is under
// way. What an optimizer does next rarely depends on the loss of a weight step, and a
// supernet that has the next call already does not wait for it. That of every plugin is
// one.
type Ahead interface {
	// BeginWeightStep is WeightStep without waiting for the loss, which wait does, once.
	// One step is under way at a time: a second one waits for the first to be done.
	BeginWeightStep(ctx context.Context, m Mixture, o WeightStep) (wait func() (loss float64, err error), err error)
}

// SupernetTrainer is an [Evaluator] that trains supernets.
type SupernetTrainer interface {
	OpenSupernet(ctx context.Context, o OpenSupernet) (TrainedSupernet, error)
}

// TrainedSupernet is a supernet as an evaluator offers it.
type TrainedSupernet interface {
	Supernet
	// Relax goes on with another relaxation of the same space; weights go over where
	// they fit, and where there are more channels they are widened (Chen, Goodfellow
	// and Shlens, "Net2Net", ICLR 2016). After an error it is as before.
	Relax(ctx context.Context, n *lower.Supernet) error
	// Save writes everything that the next call depends on to a file; a crash leaves
	// the old file or the new one.
	Save(path string) error
	// Load makes it as it was when it was saved; what follows has the same bits. After
	// an error it is as before.
	Load(path string) error
	// Close is called once, when nothing more is asked of it; the evaluator may have been
	// closed before.
	Close() error
}
