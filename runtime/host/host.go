// Package host runs plugins as processes of their own and keeps nasc safe from
// them.
//
// A [Host] knows how to start plugins by name. [Host.Start] starts one and reads
// its description; [Plugin.Settings] checks what the user wrote against the
// declared parameters; [Plugin.Optimizer] or [Plugin.Evaluator] then configures
// the process and gives a handle to work with. Whatever a plugin answers is
// checked, and whatever goes wrong is a [diag.Diagnostic] that names the plugin;
// see codes.go.
//
// A one-shot search has two plugins that never meet ([OneShot], [Supernet]): in a stage
// the optimizer calls for things to be done, and whoever drives it hands each [Call] to
// the evaluator and its [Reply] back.
//
// Components that say that they can be shared serve any number of handles in one
// process; the others get a process for each. Everything that the handles say to
// one process goes through one stream, in which the messages of many leave together
// (steps.go, trials.go).
//
// A plugin that dies is started anew, at most [MaxRestarts] times in a row. An
// optimizer is brought back by configuring it with the same seed and repeating
// its steps, an evaluator by sending again what it had not finished, so that every
// search ends with the same trial log (session.go, keeper.go). One that hangs is ended, and
// counts as one that has died, but is started anew at most [MaxHangs] times (patience.go).
//
// Of a process (see process.go, runner.go and home.go) the host takes care that
// it ends with the host, with everything it has started; that it sees nothing of
// the environment but what is allowed; that its socket lies in a private folder;
// and that nothing it prints can harm.
package host

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/wire"
)

// Command is how to start a plugin.
type Command struct {
	Path string
	Args []string
	Env  []string // in addition to what every plugin gets
	// TLS encrypts the connection with keys made for this one process. It costs
	// some 50 ms at the start; every Go plugin can do it. Without it the
	// private folder of the socket keeps others out.
	TLS bool
	// Sum identifies the program in manifests; empty: the SHA-256 of the file.
	Sum string
	// Verify is called before each start and may forbid it; nil: it may always start.
	Verify func() (*Verified, error)
}

// Options configure a Host.
type Options struct {
	// Commands are the known plugins by name, "nasc/evolution". A name without
	// an owner stands for nasc's own plugin.
	Commands map[string]Command
	// Missing may say more of a plugin that is not among them; nil, or an answer of
	// nil: there is nothing to say.
	Missing func(name string) *diag.Diagnostic
	// Describe tells what a plugin says of itself, for a host that is to start nothing:
	// its plugins can be asked about, and not be put to work. nil: plugins are started.
	Describe func(name string) (wire.Description, error)
	// Log receives what plugins log and print; nil discards it.
	Log *slog.Logger
	// StartTimeout is how long a plugin may take to start and describe itself;
	// 0 means 30 s.
	StartTimeout time.Duration
	// Patience is how long plugins may keep a call waiting; a plugin that takes longer
	// counts as one that has died. Without it they may wait as long as they like.
	Patience Patience
	// Adopt says that this process starts no others but by hosts. It is then made the parent
	// of all that plugins leave behind, so that nothing of them can get away; on Linux only.
	Adopt bool
}

// Host starts plugins and ends them.
type Host struct {
	opts  Options
	first sync.Once // before a plugin is started
	// backOff is the wait before the first restart of a plugin; each further one
	// waits four times as long.
	backOff time.Duration

	mu   sync.Mutex
	live map[*process]bool
	over bool
}

// New makes a host. Nothing is started yet.
func New(opts Options) *Host {
	if opts.Log == nil {
		opts.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if opts.StartTimeout == 0 {
		opts.StartTimeout = 30 * time.Second
	}
	return &Host{opts: opts, backOff: 100 * time.Millisecond, live: map[*process]bool{}}
}

// prepare makes this process one that starts plugins.
func (h *Host) prepare() {
	sweepHomes()
	if h.opts.Adopt {
		if err := adopt(); err != nil {
			h.opts.Log.Warn("what plugins leave behind may get away", "error", err)
		}
	}
}

// BuiltIn is the command that serves a plugin by the running binary itself:
// `nasc plugin serve NAME`.
func BuiltIn(name string) (Command, error) {
	self, err := os.Executable()
	if err != nil {
		return Command{}, err
	}
	return Command{Path: self, Args: []string{"plugin", "serve", name}, TLS: true}, nil
}

// Names are the known plugins, sorted.
func (h *Host) Names() []string {
	var out []string
	for name := range h.opts.Commands {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// find returns the full name and the command of a plugin.
func (h *Host) find(name string) (string, Command, error) {
	full := name
	if !strings.Contains(name, "/") {
		full = "nasc/" + name
	}
	if c, ok := h.opts.Commands[full]; ok {
		return full, c, nil
	}
	if h.opts.Missing != nil {
		if d := h.opts.Missing(full); d != nil {
			return "", Command{}, d
		}
	}
	d := &diag.Diagnostic{Code: UnknownPlugin, Message: "there is no plugin called " + name}
	candidates := h.Names()
	if !strings.Contains(name, "/") {
		for i := range candidates {
			candidates[i] = strings.TrimPrefix(candidates[i], "nasc/")
		}
	}
	if near, ok := diag.Suggest(name, candidates); ok {
		d.Help = "did you mean `" + near + "`?"
	}
	return "", Command{}, d
}

// Start starts a plugin by name and reads its description.
func (h *Host) Start(ctx context.Context, name string) (*Plugin, error) {
	full, command, err := h.find(name)
	if err != nil {
		return nil, err
	}
	p := &Plugin{host: h, name: full, command: command, shared: map[string]*house{}, families: map[string]uint64{}}
	if h.opts.Describe != nil {
		p.description, err = h.opts.Describe(full)
		return p, err
	}
	proc, d, err := p.launch(ctx)
	if err != nil {
		return nil, err
	}
	p.proc, p.description = proc, d
	return p, nil
}

// Close ends every plugin process.
func (h *Host) Close() {
	h.mu.Lock()
	h.over = true
	var all []*process
	for p := range h.live {
		all = append(all, p)
	}
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(p.stop)
	}
	wg.Wait()
}

// Crash kills the processes of a plugin as a crash would, for the conformance suite.
func (p *Plugin) Crash() {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	for proc := range p.host.live {
		if proc.plugin == p {
			proc.runner.Kill(context.Background())
		}
	}
}

// Plugin is a started plugin. Components of it can be configured any number of
// times, by many goroutines.
type Plugin struct {
	host        *Host
	name        string
	command     Command
	description wire.Description

	mu       sync.Mutex
	proc     *process          // until a component takes it
	shared   map[string]*house // by component
	families map[string]uint64 // of evaluators, by configuration
}

// Starts reports whether it can be put to work.
func (p *Plugin) Starts() bool { return p.host.opts.Describe == nil }

// Description is what the plugin tells about itself.
func (p *Plugin) Description() wire.Description { return p.description }

// Source is how diagnostics name the plugin: "nasc/evolution 0.1.0".
func (p *Plugin) Source() string {
	if p.description.Version == "" {
		return p.name
	}
	return p.name + " " + p.description.Version
}

// Close ends the process that was started for the description, if no component has
// taken it, and those of shared components.
func (p *Plugin) Close() {
	p.mu.Lock()
	proc := p.proc
	p.proc = nil
	houses := slices.Collect(maps.Values(p.shared))
	p.mu.Unlock()
	if proc != nil {
		proc.stop()
	}
	for _, h := range houses {
		h.keeper.close()
		h.aside.keeper.close()
	}
}
