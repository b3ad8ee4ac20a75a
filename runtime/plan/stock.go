package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/runtime/host"
	"github.com/nasc-project/nasc/runtime/packages"
	"github.com/nasc-project/nasc/runtime/search"
	"github.com/nasc-project/nasc/runtime/store"
)

// stock is what the runs of a study have in common, made when the first of them
// needs it: plugins are started once, and a space is compiled once for each set of
// arguments. One goroutine at a time may take from it, except checksums.
type stock struct {
	plugins    map[string]*started
	spaces     map[string]*compiled
	components map[string]wire.Component // by their settings
	replaced   map[string]wire.Component // by their names

	mu        sync.Mutex        // guards what follows
	checksums map[string]string // by path
}

func newStock() *stock {
	return &stock{plugins: map[string]*started{}, spaces: map[string]*compiled{},
		components: map[string]wire.Component{}, replaced: map[string]wire.Component{}, checksums: map[string]string{}}
}

// started is a plugin, or why it does not start.
type started struct {
	once   sync.Once
	plugin *host.Plugin
	err    error
}

// claim reserves the place of a plugin, so that two can be started at once.
func (s *stock) claim(name string) *started {
	p := s.plugins[name]
	if p == nil {
		p = &started{}
		s.plugins[name] = p
	}
	return p
}

func (p *started) start(ctx context.Context, h *host.Host, name string) (*host.Plugin, error) {
	p.once.Do(func() { p.plugin, p.err = h.Start(ctx, name) })
	return p.plugin, p.err
}

// compiled is a space with its arguments, and what runs know of it.
type compiled struct {
	*compiler.Space
	described store.Space
	catalogue *search.Catalogue // of the folder that the runs are in
}

// space compiles a space of a module.
func (s *stock) space(m *compiler.Module, name string, args []compiler.Argument) (*compiled, diag.List) {
	sorted := slices.Clone(args)
	slices.SortFunc(sorted, func(a, b compiler.Argument) int { return strings.Compare(a.Name, b.Name) })
	var key strings.Builder
	fmt.Fprintf(&key, "%p %s", m, name)
	for _, a := range sorted {
		fmt.Fprintf(&key, " %s=%#v", a.Name, a.Value)
	}
	if known := s.spaces[key.String()]; known != nil {
		return known, nil
	}
	sp, diags := m.Space(name, args)
	if diags.HasErrors() {
		return nil, diags
	}
	c := &compiled{Space: sp, described: store.Space{Name: sp.Name, Args: map[string]any{}, Hash: sp.Digest(),
		Size: sp.Size().String(), Sources: m.Hash()}}
	for _, a := range args {
		c.described.Args[a.Name] = a.Value
	}
	s.spaces[key.String()] = c
	return c, diags
}

// describe asks an evaluator whose reports vary what it reports with its settings.
func (s *stock) describe(ctx context.Context, p *Part, diags *diag.List) {
	if !p.Component.Varies || diags.HasErrors() {
		return
	}
	key := fmt.Sprintf("%s %s %#v", p.Plugin.Description().Name, p.Component.Name, p.Settings)
	c, ok := s.components[key]
	if !ok {
		e, err := p.Plugin.Evaluator(ctx, host.EvaluatorConfig{Component: p.Component.Name, Settings: p.Settings})
		if err != nil {
			*diags = append(*diags, p.place(Explain(err, ""))...)
			return
		}
		c = e.Component()
		e.Close()
		s.components[key] = c
	}
	p.Component = c
}

// in is the catalogue of the space for runs in a folder.
func (c *compiled) in(f *store.Folder) *search.Catalogue {
	if c.catalogue == nil {
		var admits func(space.Genotype) error
		if c.Constrained() {
			admits = c.Admits
		}
		c.catalogue = search.NewCatalogue(c.Space, admits, f)
	}
	return c.catalogue
}

// checksum is that of a plugin's program, which several plugins may share.
func (s *stock) checksum(plugins Plugins, name string) (string, error) {
	if sum := plugins.Commands[name].Sum; sum != "" {
		return sum, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	path := plugins.Commands[name].Path
	if sum, ok := s.checksums[path]; ok {
		return sum, nil
	}
	sum, err := packages.Sum(path)
	if err == nil {
		s.checksums[path] = sum
	}
	return sum, err
}
