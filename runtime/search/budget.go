package search

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/runtime/store"
)

// The units of a budget.
const (
	Evaluations = "evaluations"
	Epochs      = "epochs"
	Simulated   = "simulated" // seconds on the clock of a tabular benchmark
	Wall        = "wall"      // seconds of real time; such a search is not deterministic
)

// MostEvaluations is the largest budget of evaluations: the counts up to it are exact.
const MostEvaluations = 1 << 53

// measured says in words what an evaluator must report for a budget.
var measured = map[string]string{Epochs: "epochs", Simulated: "simulated seconds"}

// Budget is what a search may spend of one resource. The batch of trials that
// reaches the amount is the last one and is kept, as published protocols do.
type Budget store.Budget

// String is the budget as ParseBudget reads it.
func (b Budget) String() string {
	amount := strconv.FormatFloat(b.Amount, 'f', -1, 64)
	switch b.Unit {
	case Simulated:
		return amount + "s"
	case Wall:
		return "wall(" + amount + "s)"
	}
	return b.Unit + "(" + amount + ")"
}

// ParseBudget reads a budget from the command line: 100, evaluations(100), 50epochs or
// epochs(50), 12000s or simulated(12000s), wall(10m).
func ParseBudget(text string) (Budget, error) {
	unit, amount := "", strings.ReplaceAll(strings.TrimSpace(text), "_", "")
	if i := strings.IndexByte(amount, '('); i >= 0 && strings.HasSuffix(amount, ")") {
		unit, amount = strings.TrimSpace(amount[:i]), strings.TrimSpace(amount[i+1:len(amount)-1])
	}
	for _, u := range []string{Evaluations, Epochs} {
		if rest, ok := strings.CutSuffix(amount, u); ok && unit == "" && rest != "" && !strings.HasSuffix(rest, " ") {
			unit, amount = u, rest
		}
	}
	scale, timed := 1.0, false
	if n := len(amount); n > 0 {
		if s, ok := map[byte]float64{'s': 1, 'm': 60, 'h': 3600}[amount[n-1]]; ok {
			amount, scale, timed = amount[:n-1], s, true
		}
	}
	if unit == "" {
		unit = Evaluations
		if timed {
			unit = Simulated
		}
	}
	n, err := strconv.ParseFloat(amount, 64)
	if err != nil || timed && (unit == Evaluations || unit == Epochs) {
		return Budget{}, fmt.Errorf("%q is not a budget; write 100, 50epochs, 12000s or wall(10m)", text)
	}
	return NewBudget(unit, n*scale)
}

// NewBudget checks a budget: a known unit and a positive amount, whole for
// evaluations.
func NewBudget(unit string, amount float64) (Budget, error) {
	switch unit {
	case Evaluations, Epochs, Simulated, Wall:
	default:
		hint := ""
		if best, ok := diag.Suggest(unit, []string{Evaluations, Epochs, Simulated, Wall}); ok {
			hint = fmt.Sprintf("; did you mean %s?", best)
		}
		return Budget{}, fmt.Errorf("unknown kind of budget %s%s", unit, hint)
	}
	if !(amount > 0) || math.IsInf(amount, 0) {
		return Budget{}, fmt.Errorf("a budget must be more than nothing")
	}
	if unit == Evaluations && (amount != math.Trunc(amount) || amount > MostEvaluations) {
		return Budget{}, fmt.Errorf("%v evaluations is not a whole number of them", amount)
	}
	return Budget{Unit: unit, Amount: amount}, nil
}

// batch is how many trials may be started, at most workers; 0 when the budget
// is spent.
func (b Budget) batch(s Spent, workers int) int {
	left := b.Amount - s.of(b.Unit)
	if left <= 0 {
		return 0
	}
	if b.Unit == Evaluations {
		return int(min(left, float64(workers)))
	}
	return workers
}

// Part is the part of the budget, within [0, 1], that is spent.
func (b Budget) Part(s Spent) float64 { return min(1, s.of(b.Unit)/b.Amount) }

// Spent is what trials have used of every resource.
type Spent struct {
	trials    int
	epochs    float64
	simulated float64
	wall      float64
}

// Add counts a trial.
func (s *Spent) Add(t *store.Trial) {
	s.trials++
	s.epochs += t.Epochs
	s.simulated += t.Simulated
	s.wall = max(s.wall, t.Elapsed)
}

// Epochs are those that trials have trained.
func (s Spent) Epochs() float64 { return s.epochs }

func (s Spent) of(unit string) float64 {
	switch unit {
	case Epochs:
		return s.epochs
	case Simulated:
		return s.simulated
	case Wall:
		return s.wall
	}
	return float64(s.trials)
}
