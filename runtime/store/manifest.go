package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// ManifestFormat is the version of the manifest's layout.
const ManifestFormat = 3

// Manifest records everything that could confound a comparison of two runs.
// It is written before the first trial and never changed. Sources are those of its
// folder.
type Manifest struct {
	Format     int         `json:"format"`
	Nasc       string      `json:"nasc"` // version of nasc
	Name       string      `json:"name"`
	Started    string      `json:"started"` // RFC 3339; not part of any comparison
	Space      Space       `json:"space"`
	Search     string      `json:"search,omitempty"` // name of the search block
	Optimizer  Component   `json:"optimizer"`
	Evaluator  Component   `json:"evaluator"`
	Objectives []Objective `json:"objectives"`
	// Requirements are the conditions that the winner must satisfy.
	Requirements []string `json:"requirements,omitempty"`
	// Analytic are the metrics that nasc computes itself, because an objective or
	// a requirement names them and the evaluator does not report them.
	Analytic []string `json:"analytic,omitempty"`
	// Retrain is the space in which the winner is tested, when it is another one.
	Retrain *Space `json:"retrain,omitempty"`
	// Report is what tests the winner, and the stages of a one-shot search, in place
	// of the evaluator.
	Report *Component `json:"report,omitempty"`
	// Operations are the plugins that compute operations of architectures.
	Operations []Program `json:"operations,omitempty"`
	// Relaxation is how a one-shot optimizer has the space relaxed at first, which
	// follows from its parameters; nil for other optimizers.
	Relaxation *Relaxation `json:"relaxation,omitempty"`
	Budget     Budget      `json:"budget"`
	Seed       uint64      `json:"seed"`
	// Batch is how many architectures are proposed at once; Workers, how many are
	// evaluated at once, changes no result.
	Batch   int    `json:"batch"`
	Workers int    `json:"workers"`
	Reuse   string `json:"reuse"`
	// Metrics are what trials are measured by: those of the evaluator, and the
	// analytic ones.
	Metrics []string     `json:"metrics"`
	Machine Machine      `json:"machine"`
	Sources []SourceFile `json:"sources,omitempty"`
}

// OneShot reports whether the run searches a supernet: its trials are stages.
func (m *Manifest) OneShot() bool { return m.Relaxation != nil }

// Tester is what tests the winner.
func (m *Manifest) Tester() *Component {
	if m.Report != nil {
		return m.Report
	}
	return &m.Evaluator
}

// Space says what was searched, or in which space the winner was tested.
type Space struct {
	File string         `json:"file"` // as given on the command line
	Name string         `json:"name"`
	Args map[string]any `json:"args,omitempty"`
	Hash string         `json:"hash"` // of the decision tree
	Size string         `json:"size"` // decimal
	// Sources is the hash of everything the space was compiled from, the
	// standard library included.
	Sources string `json:"sources"`
}

// Component is a plugin's component with every parameter after defaults.
type Component struct {
	Plugin     string            `json:"plugin"`
	Version    string            `json:"version"`
	Component  string            `json:"component"`
	Method     string            `json:"method,omitempty"` // the name by which it was given, "gdas"
	Checksum   string            `json:"checksum"`         // of the executable or package
	Parameters map[string]any    `json:"parameters"`
	Seed       uint64            `json:"seed"`
	Threads    int               `json:"threads,omitempty"`
	Facts      map[string]string `json:"facts,omitempty"` // data set hashes and the like
	Units      map[string]string `json:"units,omitempty"` // of an evaluator's metrics
	// Higher says of an evaluator's metrics whether more is better.
	Higher map[string]bool `json:"higher_is_better,omitempty"`
	// Deterministic evaluators give equal results for equal requests.
	Deterministic bool `json:"deterministic,omitempty"`
}

// Program is a plugin that computes operations.
type Program struct {
	Plugin   string `json:"plugin"`
	Version  string `json:"version"`
	Checksum string `json:"checksum"` // of the executable or package
}

// Title is how people call it.
func (c *Component) Title() string { return cmp.Or(c.Method, Title(c.Plugin, c.Component)) }

// Title is how people call a component of a plugin, as on the command line: by the name of the
// plugin, where that tells which component it is.
func Title(plugin, component string) string {
	name, own := strings.CutPrefix(plugin, "nasc/")
	if own || name[strings.LastIndexByte(name, '/')+1:] == component {
		return name
	}
	return name + "." + component
}

// Objective is a metric to be made large or small.
type Objective struct {
	Metric   string `json:"metric"`
	Maximize bool   `json:"maximize"`
}

// Budget is the amount of one resource that a search may spend.
type Budget struct {
	// Unit is evaluations, epochs, simulated (seconds of a tabular benchmark's
	// clock) or wall (seconds of real time: such a run cannot be repeated).
	Unit   string  `json:"unit"`
	Amount float64 `json:"amount"`
}

// Machine is where the run was started.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
}

// SourceFile is one file the space was compiled from.
type SourceFile struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Text   string `json:"text"`
}

// readManifest reads what text writes.
func readManifest(text []byte) (*Manifest, error) {
	m := new(Manifest)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(m); err != nil {
		return nil, damaged("the manifest: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, damaged("the manifest goes on after its end")
	}
	if m.Format != ManifestFormat {
		return nil, damaged("the manifest has format %d, this nasc reads format %d", m.Format, ManifestFormat)
	}
	all := []map[string]any{m.Space.Args, m.Optimizer.Parameters, m.Evaluator.Parameters}
	if m.Retrain != nil {
		all = append(all, m.Retrain.Args)
	}
	if m.Report != nil {
		all = append(all, m.Report.Parameters)
	}
	for _, args := range all {
		restoreNumbers(args)
	}
	return m, nil
}

// realNumber keeps a real parameter real in JSON: 1.0 stays 1.0 and is not
// read back as the integer 1.
type realNumber float64

func (r realNumber) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(float64(r))
	if err == nil && !bytes.ContainsAny(text, ".eE") {
		text = append(text, ".0"...)
	}
	return text, err
}

// restoreNumbers gives parameters their types int64, float64 and []int64 back.
func restoreNumbers(args map[string]any) {
	for name, v := range args {
		switch v := v.(type) {
		case json.Number:
			if i, err := v.Int64(); err == nil {
				args[name] = i
			} else if f, err := v.Float64(); err == nil {
				args[name] = f
			}
		case []any: // a shape
			dims := make([]int64, len(v))
			for i, d := range v {
				n, _ := d.(json.Number)
				dims[i], _ = n.Int64()
			}
			args[name] = dims
		}
	}
}

func keepReals(args map[string]any) map[string]any {
	if args == nil {
		return nil
	}
	out := make(map[string]any, len(args))
	for name, v := range args {
		if f, ok := v.(float64); ok {
			v = realNumber(f)
		}
		out[name] = v
	}
	return out
}

// text is the manifest as JSON.
func (m *Manifest) text(indent string) ([]byte, error) {
	c := *m
	c.Format = ManifestFormat
	c.Space.Args = keepReals(c.Space.Args)
	if m.Retrain != nil {
		r := *m.Retrain
		r.Args = keepReals(r.Args)
		c.Retrain = &r
	}
	if m.Report != nil {
		r := *m.Report
		r.Parameters = keepReals(r.Parameters)
		c.Report = &r
	}
	c.Optimizer.Parameters = keepReals(c.Optimizer.Parameters)
	c.Evaluator.Parameters = keepReals(c.Evaluator.Parameters)
	return encode(&c, indent)
}

func encode(v any, indent string) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", indent)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return buf.Bytes(), nil
}

// describe is the manifest file: that of the only run, or what a study is.
func (f *Folder) describe(points []Point) ([]byte, error) {
	if !f.Study() {
		return points[0].Manifest.text("  ")
	}
	study := struct {
		Format  int             `json:"format"`
		Nasc    string          `json:"nasc"`
		Name    string          `json:"name"`
		Started string          `json:"started"`
		Options json.RawMessage `json:"options"`
		Runs    []string        `json:"runs"` // what sets each apart
		Sources []SourceFile    `json:"sources"`
	}{ManifestFormat, f.Nasc, f.Name, f.Started, f.Options, nil, f.Sources}
	for _, p := range points {
		study.Runs = append(study.Runs, p.Label)
	}
	return encode(study, "  ")
}
