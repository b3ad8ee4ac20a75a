package store

import (
	"encoding/json"
	"slices"
)

// Status tells how a trial ended.
type Status string

// The ends of a trial.
const (
	OK         Status = "ok"
	Failed     Status = "failed"     // no result
	Infeasible Status = "infeasible" // a result that violates a requirement of the search
)

// statuses are the ends of a trial by the number that the log has for them.
var statuses = []Status{OK, Failed, Infeasible}

// Architecture is a genotype of a folder's runs, kept once for all trials of it.
type Architecture struct {
	ID       int64           `json:"-"` // in its folder, from 1
	Genotype string          `json:"genotype"`
	Labels   json.RawMessage `json:"labels"` // address -> label of the alternative taken
	Hash     string          `json:"hash"`   // canonical hash of the graph; empty when there is none
}

// Trial is one finished evaluation. Its JSON form is a line of the log.
type Trial struct {
	Number int64 `json:"trial"`
	*Architecture
	Status    Status  `json:"status"`
	Failure   string  `json:"failure,omitempty"`
	Reused    *int64  `json:"reused,omitempty"` // the trial whose result this is, when it was not evaluated
	Seed      uint64  `json:"seed"`
	Epochs    float64 `json:"epochs,omitempty"`
	Simulated float64 `json:"simulated_seconds,omitempty"`
	Metrics   Metrics `json:"metrics,omitzero"`

	Seconds float64 `json:"-"` // wall time of the evaluation
	Elapsed float64 `json:"-"` // wall time of the run so far, over all its sessions
}

// Metrics are measured values beside their names.
type Metrics struct {
	Names  []string // of the run; not to be changed
	Values []float64
}

// Get is the value of a metric, 0 where there is none.
func (m Metrics) Get(name string) float64 {
	if i := slices.Index(m.Names, name); i >= 0 && i < len(m.Values) {
		return m.Values[i]
	}
	return 0
}

// Map is the metrics by name.
func (m Metrics) Map() map[string]float64 {
	if len(m.Values) == 0 {
		return nil
	}
	out := make(map[string]float64, len(m.Values))
	for i, v := range m.Values {
		out[m.Names[i]] = v
	}
	return out
}

// IsZero reports that nothing was measured.
func (m Metrics) IsZero() bool { return len(m.Values) == 0 }

// MarshalJSON is an object in the order of the names.
func (m Metrics) MarshalJSON() ([]byte, error) { return json.Marshal(m.Map()) }

// The kinds of event.
const (
	EventStarted     = "started"
	EventResumed     = "resumed"
	EventInterrupted = "interrupted"
	EventStopped     = "stopped" // by an error
	EventFinished    = "finished"
)

// Event is something worth knowing about a run that is not a result.
type Event struct {
	At, Kind, Text string
}
