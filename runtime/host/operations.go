package host

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
)

// operations is a process that computes the operations of a plugin for one evaluator.
// The host starts it, watches it and ends it; the evaluator's process calls it over a
// socket of which the host has told both, since tensors are too large to go by way of the
// host. The socket lies in a home of its own and is the same for each process that is
// started anew, so that the evaluator need not be told of that.
type operations struct {
	plugin  *Plugin
	session *session
	home    *home // of the socket and of the files of tensors
	address wire.OpsAddress
	hangs   atomic.Int32 // in a row
}

// operations starts a process for an evaluator.
func (p *Plugin) operations(ctx context.Context, threads int) (*operations, error) {
	if !direct.Supported {
		return nil, p.fault(CannotStart, "the plugin's operations cannot be computed on this system, which has no Unix sockets")
	}
	base := sharedMemory()
	if base == "" {
		var err error
		if base, err = homeBase(); err != nil {
			return nil, p.fault(NoSocket, "no folder for the plugin's operations: %v", err)
		}
	}
	h, err := newHomeIn(base)
	if err != nil {
		return nil, p.fault(NoSocket, "no folder for the plugin's operations: %v", err)
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	o := &operations{plugin: p, home: h, address: wire.OpsAddress{Plugin: p.name, Version: p.description.Version,
		Socket: filepath.Join(h.dir, "operations"), Secret: secret, Folder: h.dir,
		Patience: p.host.opts.Patience.Operation}}
	open := &nascv1.OpsOpenRequest{Socket: o.address.Socket, Secret: secret, Folder: h.dir, Threads: int32(threads)}
	o.session = p.session(wire.Component{Kind: "operations"}, func(ctx context.Context, at place) error {
		_, err := nascv1.NewOpsClient(at.proc.calls).Open(ctx, open)
		// What the evaluator calls it for, the host does not see: it is always watched.
		at.proc.watch.join(0).begin()
		return err
	})
	if err := o.ready(ctx); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// ready makes sure that the process is there, a new one if the last has died.
func (o *operations) ready(ctx context.Context) error { return o.session.call(ctx, answers) }

// alive is nil if the process is there, and tells how it died otherwise, or that it hung.
func (o *operations) alive(ctx context.Context) error {
	o.hangs.Store(0) // who calls this counts them
	if err := o.heed(); err != nil {
		return err
	}
	return o.session.once(ctx, answers)
}

// heed ends the process if the evaluator has given up an operation, and tells so. Otherwise
// what was computed since it was last called counts as a success.
func (o *operations) heed() error {
	if !remote.GivenUp(o.home.dir) {
		o.hangs.Store(0)
		return nil
	}
	o.session.mu.Lock()
	proc := o.session.at.proc
	o.session.mu.Unlock()
	if proc == nil {
		return nil
	}
	proc.watch.end(&verdict{fmt.Sprintf("it gave no answer for %v while it computed an operation", o.address.Patience), mayTakeLonger})
	o.session.keeper.bury(proc)
	n := int(o.hangs.Add(1))
	return o.session.died(deaths{n, n, proc})
}

// answers calls a process to hear whether it is there.
func answers(ctx context.Context, at place) error {
	_, err := nascv1.NewPluginClient(at.proc.calls).Describe(ctx, &nascv1.DescribeRequest{})
	return err
}

func (o *operations) close() {
	o.session.close()
	o.home.remove()
}

// Computer is a process that computes a plugin's operations, for who is no evaluator.
type Computer struct{ process *operations }

// Computer starts a process that computes the plugin's operations.
func (p *Plugin) Computer(ctx context.Context) (*Computer, error) {
	o, err := p.operations(ctx, 0)
	if err != nil {
		return nil, err
	}
	return &Computer{o}, nil
}

// Operations are what the process computes.
func (c *Computer) Operations() *remote.Operations {
	return remote.At([]wire.OpsAddress{c.process.address})
}

// Close ends the process.
func (c *Computer) Close() { c.process.close() }

// start starts the processes that compute operations for the evaluator.
func (e *Evaluator) start(ctx context.Context, cfg EvaluatorConfig) (addresses []wire.OpsAddress, err error) {
	if !e.component.Operations {
		return nil, nil
	}
	for _, p := range cfg.Operations {
		o, err := p.operations(ctx, cfg.Threads)
		if err != nil {
			return nil, err
		}
		e.operations = append(e.operations, o)
		addresses = append(addresses, o.address)
	}
	return addresses, nil
}

// ready makes sure that the processes are there that compute operations.
func (e *Evaluator) ready(ctx context.Context) error {
	for _, o := range e.operations {
		if err := o.ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// heed ends the processes that the evaluator has given up while it judged an architecture,
// which has failed of that. It is an error of one that hangs time and again.
func (e *Evaluator) heed() error {
	for _, o := range e.operations {
		if err := o.heed(); err != nil && o.hangs.Load() > MaxHangs {
			return err
		}
	}
	return nil
}
