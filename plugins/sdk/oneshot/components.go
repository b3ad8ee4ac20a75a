package oneshot

import (
	"context"
	"math/rand/v2"

	"github.com/nasc-project/nasc/compiler/lower"
	"github.com/nasc-project/nasc/plugins/sdk"
)

// Params are arch parameters: a vector for each decision of a [Layout], with a number
// for each option. That of a decision that is not learned is empty.
type Params = [][]float64

// Choice is an architecture in terms of a supernet: the options taken of each
// decision.
type Choice = lower.Choice

// Moment is where a search is. Epochs and steps are counted from 0.
type Moment struct {
	Epoch, Epochs int // of those in which mixtures are learned
	Step, Steps   int // weight steps of the epoch
}

// Kinds is a set of kinds of relaxed decision.
type Kinds uint

// The kinds of relaxed decision.
const (
	Operations    Kinds = 1 << iota // one candidate is taken
	Edges                           // a fixed number of edges is taken
	VariableEdges                   // the number of edges is open
)

// Handler is a component that cannot handle every kind of decision. One that is no
// Handler can. A relaxation is asked only about decisions that have parameters.
type Handler interface{ Handles() Kinds }

// Relaxation turns arch parameters into mixtures. See [Independent] for one that treats
// each decision by itself. What it needs to remember is in the parameters, or it is
// [Stateful].
//
// A relaxation may also be a [Handler], a [Regulariser], an [Epilogue], a [Reporter],
// a [Grouped] and [Unbounded].
type Relaxation interface {
	// Init draws the parameters that a search begins with.
	Init(l *Layout, rng *rand.Rand) Params
	// Draw makes a mixture. back turns the gradient of a loss with respect to the
	// mixture into the one with respect to p; it is nil where nothing is learned so.
	Draw(l *Layout, p Params, at Moment, rng *rand.Rand) (m sdk.Mixture, back Backward)
	// Mean is the mixture that stands for p when an architecture is selected, without
	// randomness.
	Mean(l *Layout, p Params) sdk.Mixture
}

// Backward turns the gradient with respect to a mixture into that with respect to the
// parameters.
type Backward func(grad sdk.Mixture) Params

// Regulariser is a relaxation that adds to the loss of an arch step.
type Regulariser interface {
	Penalty(l *Layout, p Params, at Moment) (loss float64, grad Params)
}

// Epilogue is a component that does more at the end of each epoch, before the guard, as
// the controller of ENAS that is trained then.
type Epilogue interface {
	Epilogue(ctx context.Context, s *Search, at Moment) error
}

// Reporter is a component with numbers that are worth a curve.
type Reporter interface {
	Values(at Moment) map[string]float64
}

// Grouped is a relaxation that must know which decisions are terms of one sum. It gets
// a decision for each sum with edge weights (see [sdk.Relaxation]).
type Grouped interface{ Grouped() }

// Unbounded is a relaxation whose weights of a decision do not add up to one.
type Unbounded interface{ Unbounded() }

// Perturbation changes the mixture under which a weight step is made. m is the
// caller's; only decisions that are learned are perturbed.
type Perturbation interface {
	Perturb(ctx context.Context, s *Search, m sdk.Mixture, at Moment) (sdk.Mixture, error)
}

// Channels says how wide mixed operations are.
//
// It may also be a [Prologue].
type Channels interface {
	// Relaxation is the one that the search begins with.
	Relaxation() sdk.Relaxation
}

// Prologue is a component that does something at the start of each epoch, as channels
// that become wider.
type Prologue interface {
	Prologue(ctx context.Context, s *Search, at Moment) error
}

// Order gives the gradient of the mixture in an arch step.
//
// It may also be [SingleLevel].
type Order interface {
	Gradient(ctx context.Context, s *Search, m sdk.Mixture) (loss float64, grad sdk.Mixture, err error)
}

// SingleLevel is an order in which the weight step takes the mixture and batch of the
// arch step, so that both move along the gradients of one loss.
type SingleLevel interface{ SingleLevel() }

// Update moves arch parameters. What it remembers is saved, see [Stateful].
type Update interface {
	// Start is told the parameters that a search begins with, and may change them.
	Start(l *Layout, p Params) error
	// Step moves p along the gradient, which has the shape of p.
	Step(p, grad Params)
}

// Guard looks at a search after each epoch.
type Guard interface {
	Watch(ctx context.Context, s *Search, at Moment) (Verdict, error)
}

// Verdict is what a guard has found.
type Verdict struct {
	Stop   bool   // the search is over
	Choice Choice // with Stop: the architecture it ends with; nil: that of now, and the stages of the selection follow
	Values map[string]float64
	Text   string
}

// Selection derives architectures.
//
// It may also be [Staged].
type Selection interface {
	// Derive is the architecture that the search would end with now.
	Derive(ctx context.Context, s *Search) (Choice, error)
}

// Staged is a selection that takes stages of its own after the last epoch.
type Staged interface {
	// Epochs is how many of the epochs of the budget its stages take.
	Epochs(s *Search) int
	// Stage does stage n, counted from 0.
	Stage(ctx context.Context, s *Search, n int) (Outcome, error)
}

// Outcome is what a stage of a selection has led to.
type Outcome struct {
	Choice  Choice
	Epochs  float64               // weight steps that it has made, in epochs
	Metrics sdk.ValidationMetrics // of the supernet for it; without values it is measured
	Values  map[string]float64
	Text    string
	Done    bool // the search is over
}

// Stateful is a component that remembers something from one stage to the next. Its
// state must be the same bytes whenever it is the same.
type Stateful interface {
	Save() ([]byte, error)
	// Load makes it as it was, whatever it is now.
	Load(state []byte) error
}
