package plan

import (
	"slices"

	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/store"
)

// metrics are the names of what a trial reports: what the evaluator measures, then
// what nasc computes.
func (p *Plan) metrics() []string {
	out := p.measured()
	for _, name := range p.analytic {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// measured are the names of what the evaluator measures.
func (p *Plan) measured() []string {
	var out []string
	for _, m := range p.Evaluator.Component.Metrics {
		out = append(out, m.Name)
	}
	return out
}

// learnt is what components tell when they are configured.
type learnt struct {
	evaluator, report map[string]string
	relaxation        *store.Relaxation
}

func (p *Plan) manifest(plugins Plugins, facts learnt) (*store.Manifest, error) {
	optimizer, err := p.Optimizer.manifest(plugins, p.stock)
	if err != nil {
		return nil, err
	}
	evaluator, err := p.Evaluator.manifest(plugins, p.stock)
	if err != nil {
		return nil, err
	}
	judges(&evaluator, p.Evaluator.Component, facts.evaluator)
	m := &store.Manifest{
		Nasc: Version(), Space: p.described(p.Space),
		Search: p.Search, Optimizer: optimizer, Evaluator: evaluator, Objectives: p.Objectives, Analytic: p.analytic,
		Budget: store.Budget(p.Budget), Seed: p.Seed, Batch: p.Batch, Workers: p.Workers, Reuse: string(p.Reuse), Metrics: p.metrics(),
		Relaxation: facts.relaxation, Machine: thisMachine(), Sources: p.read,
	}
	for _, q := range p.Requirements {
		m.Requirements = append(m.Requirements, q.Text)
	}
	if p.Retrain != nil {
		r := p.described(p.Retrain)
		m.Retrain = &r
	}
	for _, plugin := range p.Operations {
		d := plugin.Description()
		sum, err := p.stock.checksum(plugins, d.Name)
		if err != nil {
			return nil, err
		}
		m.Operations = append(m.Operations, store.Program{Plugin: d.Name, Version: d.Version, Checksum: sum})
	}
	if p.Report != nil {
		r, err := p.Report.manifest(plugins, p.stock)
		if err != nil {
			return nil, err
		}
		judges(&r, p.Report.Component, facts.report)
		m.Report = &r
	}
	return m, nil
}

// judges adds to an evaluator what it measures by.
func judges(c *store.Component, e wire.Component, facts map[string]string) {
	c.Facts, c.Units, c.Higher = facts, units(e), higher(e)
}

// described is a space as manifests keep it.
func (p *Plan) described(s *compiled) store.Space {
	out := s.described
	out.File = p.file
	return out
}

func (p *Part) manifest(plugins Plugins, s *stock) (store.Component, error) {
	d := p.Plugin.Description()
	sum, err := s.checksum(plugins, d.Name)
	return store.Component{Plugin: d.Name, Version: d.Version, Component: p.Component.Name, Method: p.method, Checksum: sum,
		Parameters: p.Settings, Seed: p.Seed, Threads: p.Threads, Deterministic: p.Component.Deterministic}, err
}
