package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	goplugin "github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/dsl/diag"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
)

// process is one run of a plugin, connected and described.
type process struct {
	host    *Host
	plugin  *Plugin
	client  *plugin.Client
	runner  *runner
	home    *home
	journal *journal
	watch   *watch
	conn    *grpc.ClientConn
	// calls is where short calls go: the direct socket that the plugin offers for
	// them, or else conn.
	calls grpc.ClientConnInterface
	once  sync.Once

	attentive bool // it answers while it works

	life     context.Context // ends with stop
	end      context.CancelFunc
	buried   atomic.Bool   // it is known to have died
	sessions atomic.Uint64 // opened so far

	mu         sync.Mutex     // while a stream is opened
	offer      *nascv1.Direct // for it; nil: none, or taken
	optimizing *steps
	evaluating *trials
}

// steps returns the stream of the optimizers in the process.
func (proc *process) steps() (*steps, error) {
	proc.mu.Lock()
	defer proc.mu.Unlock()
	var err error
	if proc.optimizing == nil {
		proc.optimizing, err = proc.openSteps()
	}
	return proc.optimizing, err
}

// trials returns the stream of the evaluators in the process.
func (proc *process) trials() (*trials, error) {
	proc.mu.Lock()
	defer proc.mu.Unlock()
	var err error
	if proc.evaluating == nil {
		proc.evaluating, err = proc.openTrials()
	}
	return proc.evaluating, err
}

// path is where a stream of a method goes: to the direct socket that the plugin offers, if
// it does for that method and, unless it is good for more, for the first time; else gRPC,
// and then there is no direct connection. The lock is held.
func (proc *process) path(method string) (grpc.ClientConnInterface, *direct.Conn) {
	offer := proc.offer
	if !direct.Carries(offer, method) {
		return proc.conn, nil
	}
	if !direct.Lasts(offer) {
		proc.offer = nil
	}
	straight, err := direct.Dial(offer)
	if err != nil {
		proc.host.opts.Log.Warn("no direct connection", "plugin", proc.plugin.name, "error", err)
		return proc.conn, nil
	}
	return straight, straight
}

// lone is path for a stream with a user of its own, who both sends and receives.
func (proc *process) lone(method string) grpc.ClientConnInterface {
	proc.mu.Lock()
	defer proc.mu.Unlock()
	path, _ := proc.path(method)
	return path
}

// connection is go-plugin's client side of a plugin: the bare connection.
type connection struct{ plugin.NetRPCUnsupportedPlugin }

func (connection) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host serves nothing")
}

func (connection) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, c *grpc.ClientConn) (any, error) {
	return c, nil
}

// launch starts the plugin's process and reads its description.
func (p *Plugin) launch(ctx context.Context) (*process, wire.Description, error) {
	h := p.host
	if !p.Starts() {
		return nil, wire.Description{}, p.fault(CannotStart, "the plugin is not to be started")
	}
	h.first.Do(h.prepare)
	if err := ctx.Err(); err != nil {
		return nil, wire.Description{}, err
	}
	var verified *Verified
	if p.command.Verify != nil {
		var err error
		if verified, err = p.command.Verify(); err != nil {
			return nil, wire.Description{}, &forbiddenError{err}
		}
	}
	defer verified.close()
	where, err := newHome()
	if err != nil {
		d := p.fault(NoSocket, "no folder for the plugin's socket: %v", err)
		d.Help = "set TMPDIR to a short, writable folder"
		return nil, wire.Description{}, d
	}
	log := h.opts.Log.With("plugin", p.name)
	j := newJournal(log, slog.LevelError)
	proc := &process{host: h, plugin: p, home: where, journal: j, runner: newRunner(p.command, verified, where.dir, j)}
	proc.watch = newWatch(proc, h.opts.Patience)
	proc.life, proc.end = context.WithCancel(context.Background())
	timeout, cancel := context.WithTimeout(ctx, h.opts.StartTimeout)
	defer cancel()
	proc.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: wire.CookieKey, MagicCookieValue: wire.CookieValue},
		VersionedPlugins: map[int]plugin.PluginSet{wire.ProtocolVersion: {wire.ServiceName: connection{}}},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (goplugin.Runner, error) {
			proc.runner.cmd.Env = append(proc.runner.cmd.Env, spec.Env...)
			return proc.runner, nil
		},
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: where.dir},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		AutoMTLS:         p.command.TLS,
		StartTimeout:     h.opts.StartTimeout,
		SyncStdout:       proc.journal.printed(),
		SyncStderr:       proc.journal.stream(),
		Logger:           bridge(log),
		GRPCDialOptions: []grpc.DialOption{grpc.WithDefaultCallOptions(
			grpc.MaxCallRecvMsgSize(wire.MaxMessage), grpc.MaxCallSendMsgSize(wire.MaxMessage)),
			grpc.WithInitialWindowSize(wire.Window), grpc.WithInitialConnWindowSize(wire.Window)},
	})
	if err := h.add(proc); err != nil {
		where.remove()
		return nil, wire.Description{}, err
	}
	d, err := proc.connect(timeout)
	if err == nil && d.Name != p.name {
		err = &descriptionError{fmt.Errorf("it calls itself %s", d.Name)}
	}
	if verified != nil {
		if changed := verified.Unchanged(); changed != nil {
			err = &forbiddenError{changed}
		}
	}
	if err == nil {
		return proc, d, nil
	}
	proc.stop() // before its last words are asked for
	var forbidden *forbiddenError
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case !errors.As(err, &forbidden):
		err = p.startFault(proc, err)
	}
	return nil, wire.Description{}, err
}

// connect starts the process, waits for its handshake and has it describe
// itself, all before ctx ends.
func (proc *process) connect(ctx context.Context) (wire.Description, error) {
	if err := proc.start(ctx); err != nil {
		return wire.Description{}, err
	}
	m, err := nascv1.NewPluginClient(proc.conn).Describe(ctx, &nascv1.DescribeRequest{})
	if err != nil {
		return wire.Description{}, err
	}
	d, err := wire.ToDescription(m)
	if err != nil {
		return d, &descriptionError{err}
	}
	proc.attentive = m.GetAttentive()
	go proc.watch.run()
	if !direct.Supported {
		return d, nil
	}
	for _, offer := range []*nascv1.Direct{m.GetDirect(), m.GetCalls()} {
		if offer == nil {
			continue
		}
		if _, _, err := proc.runner.PluginToHost("unix", offer.GetSocket()); err != nil {
			return d, &descriptionError{err}
		}
	}
	proc.offer = m.GetDirect()
	if offer := m.GetCalls(); offer != nil {
		calls, err := direct.DialCalls(proc.life, offer)
		if err != nil {
			proc.host.opts.Log.Warn("no direct connection for calls", "plugin", proc.plugin.name, "error", err)
			return d, nil
		}
		proc.calls = calls
	}
	return d, nil
}

type descriptionError struct{ error }

// forbiddenError is why a plugin may not be started, at any later time either.
type forbiddenError struct{ error }

func (f *forbiddenError) Unwrap() error { return f.error }

func (proc *process) start(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		c, err := proc.client.Client()
		if err == nil {
			var raw any
			if raw, err = c.Dispense(wire.ServiceName); err == nil {
				proc.conn = raw.(*grpc.ClientConn)
				proc.calls = proc.conn
			}
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		proc.runner.Kill(context.Background())
		<-done
		return ctx.Err()
	}
}

// startFault tells why a plugin did not come up.
func (p *Plugin) startFault(proc *process, err error) error {
	var d *diag.Diagnostic
	var described *descriptionError
	text := tidy(err.Error(), 500)
	switch {
	case errors.As(err, &d):
		return d
	case errors.As(err, &described):
		return p.bad("its description is wrong: %s", text)
	case errors.Is(err, context.DeadlineExceeded), status.Code(err) == codes.DeadlineExceeded,
		strings.HasPrefix(text, "timeout while waiting"):
		d = p.fault(TooSlow, "the plugin did not start within %v", p.host.opts.StartTimeout)
	case strings.HasPrefix(text, "incompatible "), strings.HasPrefix(text, "unsupported plugin protocol"):
		d = p.fault(WrongProtocol, "the plugin speaks another protocol: %s", text)
		d.Help = fmt.Sprintf("this nasc speaks version %d over gRPC", wire.ProtocolVersion)
	case strings.Contains(text, "authentication handshake failed"):
		d = p.fault(CannotStart, "the plugin does not encrypt its connection: %s", text)
		d.Help = "where it cannot, its plugin.json says `\"unencrypted\": true`"
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission), errors.Is(err, exec.ErrNotFound):
		d = p.fault(CannotStart, "the plugin cannot be started: %s", text)
	case strings.HasPrefix(text, "Unrecognized remote plugin message"), strings.HasPrefix(text, "plugin exited before"):
		d = p.fault(CannotStart, "the plugin ended before it was ready")
	default:
		d = p.fault(CannotStart, "the plugin failed at its start: %s", text)
	}
	proc.obituary(d)
	return d
}

// obituary notes how the process ended and what it said last.
func (proc *process) obituary(d *diag.Diagnostic) {
	if v := proc.watch.verdict.Load(); v != nil {
		d.Notes = append(d.Notes, diag.Note{Text: "it was ended since " + v.why})
		d.Help = v.help
	}
	select {
	case <-proc.runner.ended:
		if err := proc.runner.err; err != nil {
			d.Notes = append(d.Notes, diag.Note{Text: "the process ended with " + err.Error()})
		}
	default:
	}
	if words := proc.journal.words(); len(words) > 0 {
		d.Notes = append(d.Notes, diag.Note{Text: "its last words: " + strings.Join(words, " / ")})
	}
}

// crashed reports whether a call failed because the process died or no longer
// answers, rather than because the plugin said no.
func (proc *process) crashed(err error) bool {
	patience := 100 * time.Millisecond
	if status.Code(err) == codes.Unavailable {
		patience = 2 * time.Second
	}
	select {
	case <-proc.runner.ended:
		return true
	case <-time.After(patience):
		return status.Code(err) == codes.Unavailable
	}
}

// stop ends the process: it is asked to finish, then killed with its group.
func (proc *process) stop() {
	proc.once.Do(func() {
		if proc.conn != nil {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			nascv1.NewPluginClient(proc.conn).Shutdown(ctx, &nascv1.ShutdownRequest{})
			cancel()
		}
		proc.end()
		if err := proc.runner.Kill(context.Background()); err != nil {
			proc.host.opts.Log.Error("plugin does not end", "plugin", proc.plugin.name, "error", err)
		}
		proc.client.Kill()
		proc.home.remove()
		proc.host.remove(proc)
	})
}

func (h *Host) add(p *process) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return errors.New("the host is closed")
	}
	h.live[p] = true
	return nil
}

func (h *Host) remove(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.live, p)
}
