package store

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"math"
)

// Stage is what a stage of a one-shot search has led to, beside the trial of the same
// number, which has the architecture derived then.
type Stage struct {
	Number int64
	// Mixture holds the mixture weights of each decision of Weighed.
	Mixture [][]float64
	Weighed []Weighed
	Values  map[string]float64 // what else is worth a curve: "eigenvalue", "tau"
	Report  map[string]float64 // the architecture's metrics on the test split; nil: none
	Text    string             // for people
}

// Weighed is one vector of mixture weights of a supernet.
type Weighed struct {
	Address string   `json:"address"`
	Edges   bool     `json:"edges,omitempty"` // the options are edges, not candidates of an operation
	Min     int      `json:"min"`             // options that an architecture has, at least and at most
	Max     int      `json:"max"`
	Options []string `json:"options"` // as `.nas` text
}

// Relaxation says how a space is relaxed for a one-shot optimizer.
type Relaxation struct {
	Channels    int  `json:"channels"` // 1/K of them go through mixed operations
	EdgeWeights bool `json:"edge_weights"`
}

// Checkpoint is what a one-shot search goes on from: how things were at the end of a
// stage.
type Checkpoint struct {
	Stage      int64
	State      []byte // of the optimizer
	File       string // of the evaluator, in the run's WorkDir
	Relaxation Relaxation
	Steps      int64 // weight steps so far
	Done       bool  // the search is over
}

// AppendStage adds a stage with its trial and the checkpoint that takes the place of
// the last one: all of it is on the disk when it returns, or none.
func (r *Run) AppendStage(t *Trial, s *Stage, c *Checkpoint) error {
	ops := []op{{run: r, trial: t}}
	add := func(query string, params ...any) { ops = append(ops, op{query: query, params: params}) }
	weighed, err := json.Marshal(s.Weighed)
	if err != nil {
		return err
	}
	values, err := json.Marshal(s.Values)
	if err != nil {
		return err
	}
	last, err := r.weighed()
	if err != nil {
		return err
	}
	if string(weighed) != last {
		add(`INSERT INTO relaxed VALUES (?,?,?)`, r.id, s.Number, string(weighed))
	}
	mixture := []byte{} // a nil blob is no value
	for _, d := range s.Mixture {
		for _, v := range d {
			mixture = binary.LittleEndian.AppendUint64(mixture, math.Float64bits(v))
		}
	}
	add(`INSERT INTO stages VALUES (?,?,?,?,?)`, r.id, s.Number, mixture, string(values), s.Text)
	for name, v := range s.Report {
		add(`INSERT INTO reports VALUES (?,?,?,?)`, r.id, s.Number, name, v)
	}
	state := append([]byte{}, c.State...)
	add(`INSERT OR REPLACE INTO checkpoints VALUES (?,?,?,?,?,?,?,?)`, r.id, c.Stage, state, c.File,
		c.Relaxation.Channels, c.Relaxation.EdgeWeights, c.Steps, c.Done)
	return r.Folder.put(true, ops...)
}

// weighed is what the mixture of the last stage weighs, as the log has it.
func (r *Run) weighed() (text string, err error) {
	err = r.Folder.each(`SELECT decisions FROM relaxed WHERE run = ? ORDER BY stage DESC LIMIT 1`, func(rows *sql.Rows) error {
		return rows.Scan(&text)
	}, r.id)
	return text, err
}

// Checkpoint is where a one-shot search goes on; nil when no stage is finished.
func (r *Run) Checkpoint() (c *Checkpoint, err error) {
	err = r.Folder.each(`SELECT stage, state, file, channels, edge_weights, steps, done FROM checkpoints WHERE run = ?`, func(rows *sql.Rows) error {
		c = &Checkpoint{}
		return rows.Scan(&c.Stage, &c.State, &c.File, &c.Relaxation.Channels, &c.Relaxation.EdgeWeights, &c.Steps, &c.Done)
	}, r.id)
	return c, err
}

// Stages goes through the stages of a one-shot search in order; a run of another kind
// has none.
func (r *Run) Stages() iter.Seq2[*Stage, error] {
	return func(yield func(*Stage, error) bool) {
		all, err := r.stages()
		if err != nil {
			yield(nil, err)
			return
		}
		for _, s := range all {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (r *Run) stages() ([]*Stage, error) {
	var all []*Stage
	byNumber := map[int64]*Stage{}
	var mixtures [][]byte
	err := r.Folder.each(`SELECT number, mixture, vals, text FROM stages WHERE run = ? ORDER BY number`, func(rows *sql.Rows) error {
		s := &Stage{}
		var mixture, values []byte
		if err := rows.Scan(&s.Number, &mixture, &values, &s.Text); err != nil {
			return err
		}
		if err := json.Unmarshal(values, &s.Values); err != nil {
			return damaged("the values of stage %d: %w", s.Number, err)
		}
		all, mixtures, byNumber[s.Number] = append(all, s), append(mixtures, mixture), s
		return nil
	}, r.id)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	err = r.Folder.each(`SELECT stage, decisions FROM relaxed WHERE run = ? ORDER BY stage`, func(rows *sql.Rows) error {
		var from int64
		var text []byte
		var weighed []Weighed
		if err := rows.Scan(&from, &text); err != nil {
			return err
		}
		if err := json.Unmarshal(text, &weighed); err != nil {
			return damaged("what the mixtures from stage %d on weigh: %w", from, err)
		}
		for _, s := range all {
			if s.Number >= from {
				s.Weighed = weighed
			}
		}
		return nil
	}, r.id)
	if err != nil {
		return nil, err
	}
	for i, s := range all {
		if err := s.unpack(mixtures[i]); err != nil {
			return nil, r.Folder.in(err)
		}
	}
	err = r.Folder.each(`SELECT number, name, value FROM reports WHERE run = ?`, func(rows *sql.Rows) error {
		var number int64
		var name string
		var v float64
		if err := rows.Scan(&number, &name, &v); err != nil {
			return err
		}
		if s := byNumber[number]; s != nil {
			if s.Report == nil {
				s.Report = map[string]float64{}
			}
			s.Report[name] = v
		}
		return nil
	}, r.id)
	return all, err
}

// unpack reads a mixture, decision by decision.
func (s *Stage) unpack(data []byte) error {
	n := 0
	for _, d := range s.Weighed {
		n += len(d.Options)
	}
	if len(data) != 8*n {
		return damaged("the mixture of stage %d has %d bytes, not %d", s.Number, len(data), 8*n)
	}
	for _, d := range s.Weighed {
		weights := make([]float64, len(d.Options))
		for i := range weights {
			weights[i] = math.Float64frombits(binary.LittleEndian.Uint64(data))
			data = data[8:]
		}
		s.Mixture = append(s.Mixture, weights)
	}
	return nil
}

// line is a stage in the log of trials.
type line struct {
	*Trial
	Stage struct {
		Mixture [][]float64        `json:"mixture"`
		Values  map[string]float64 `json:"values,omitempty"`
		Report  map[string]float64 `json:"report,omitempty"`
	} `json:"stage"`
}

// inLog is what the log of trials has for each of them: the trial, and what belongs
// to its stage.
func (r *Run) inLog() (func(*Trial) (any, error), error) {
	all, err := r.stages()
	if err != nil {
		return nil, err
	}
	byNumber := make(map[int64]*Stage, len(all))
	for _, s := range all {
		byNumber[s.Number] = s
	}
	return func(t *Trial) (any, error) {
		s := byNumber[t.Number]
		if s == nil && len(all) > 0 {
			return nil, fmt.Errorf("stage %d is not in the log", t.Number)
		}
		if s == nil {
			return t, nil
		}
		l := line{Trial: t}
		l.Stage.Mixture, l.Stage.Values, l.Stage.Report = s.Mixture, s.Values, s.Report
		return l, nil
	}, nil
}
