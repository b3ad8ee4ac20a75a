// Package remote has operations of plugins computed by their processes, for whoever
// evaluates architectures that have some.
//
// The host starts the processes and tells where they are ([Operations]). A [Network] is
// one architecture, or one supernet, in which any number of them have places; it has a
// connection of its own to each process. An [Op] at its place has its tensors in memory
// that both processes see (package segment), so that a call is a message of some bytes
// each way.
//
// When a process dies, the calls of the network fail, and the next network is served by
// the process that the host has started in its stead. A process that hangs is given up and
// counts as one that has died (patience.go).
package remote

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
)

// Operations are the operations of some plugins. A nil one has none.
type Operations struct{ addresses []wire.OpsAddress }

// At makes the operations that processes at these addresses compute.
func At(addresses []wire.OpsAddress) *Operations { return &Operations{addresses} }

// find returns the address of a plugin.
func (o *Operations) find(plugin string) (wire.OpsAddress, error) {
	if o != nil {
		for _, a := range o.addresses {
			if a.Plugin == plugin {
				return a, nil
			}
		}
	}
	return wire.OpsAddress{}, fmt.Errorf("no process computes the operations of the plugin %s here", plugin)
}

// Network makes a network without any operations yet.
func (o *Operations) Network() *Network {
	n := &Network{operations: o, connections: map[string]*connection{}}
	n.life, n.end = context.WithCancel(context.Background())
	return n
}

// Network is the operations of one network. One goroutine at a time may use it, but for
// Abort.
type Network struct {
	operations  *Operations
	connections map[string]*connection // by plugin
	ops         []*Op
	bytes       int64

	life context.Context
	end  context.CancelFunc
}

// Memory is how many bytes the tensors of all operations take.
func (n *Network) Memory() int64 { return n.bytes }

// Abort ends the connections: a call that is under way fails, and so do all others.
func (n *Network) Abort() { n.end() }

// Close ends the network and gives the memory of its tensors back, which nobody may use
// any more.
func (n *Network) Close() error {
	n.end()
	var errs []error
	for _, o := range n.ops {
		errs = append(errs, o.free())
	}
	n.ops = nil
	return errors.Join(errs...)
}

// Place puts an operation of a plugin into the network.
func (n *Network) Place(plugin string, p wire.PlacedOp) (*Op, error) {
	c, err := n.connect(plugin)
	if err != nil {
		return nil, err
	}
	o := &Op{Placed: p, connection: c, id: uint64(len(n.ops)) + 1}
	m, err := wire.FromPlacedOp(o.id, p)
	if err != nil {
		return nil, err
	}
	resp, err := o.call(&nascv1.OpsWorkRequest{Request: &nascv1.OpsWorkRequest_Place{Place: m}})
	if err != nil {
		return nil, err
	}
	if resp.GetPlaced() == nil {
		return nil, o.wrong("an answer to something else")
	}
	if o.Weights, err = wire.ToOpWeights(resp.GetPlaced().GetWeights()); err != nil {
		return nil, o.wrong(err.Error())
	}
	n.ops = append(n.ops, o)
	n.bytes += o.bytes()
	return o, nil
}

// connect returns the connection to the process of a plugin.
func (n *Network) connect(plugin string) (*connection, error) {
	if c := n.connections[plugin]; c != nil {
		return c, nil
	}
	a, err := n.operations.find(plugin)
	if err != nil {
		return nil, err
	}
	c := &connection{address: a}
	conn, err := direct.Dial(&nascv1.Direct{Socket: a.Socket, Secret: a.Secret})
	if err != nil {
		return nil, fmt.Errorf("the plugin %s cannot be reached: %s", a.Source(), status.Convert(err).Message())
	}
	c.life, c.end = context.WithCancelCause(n.life)
	if c.stream, err = nascv1.NewOpsClient(conn).Work(c.life); err != nil {
		c.end(err)
		return nil, fmt.Errorf("the plugin %s cannot be reached: %s", a.Source(), status.Convert(err).Message())
	}
	go c.watch()
	n.connections[plugin] = c
	return c, nil
}

// connection is the stream to one process.
type connection struct {
	address wire.OpsAddress
	stream  nascv1.Ops_WorkClient
	life    context.Context
	end     context.CancelCauseFunc
	asked   atomic.Pointer[string] // what is under way; nil: nothing

	mu     sync.Mutex
	broken error // why it is of no more use
}

// ask sends a request and waits for the response. What names what is asked for.
func (c *connection) ask(what string, m *nascv1.OpsWorkRequest) (*nascv1.OpsWorkResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, c.broken
	}
	c.asked.Store(&what)
	resp, err := c.exchange(m)
	c.asked.Store(nil)
	switch {
	case err == nil && resp.GetError() != nil:
		return nil, fmt.Errorf("the plugin %s cannot compute %s: %s", c.address.Source(), what, tidy(resp.GetError().GetMessage()))
	case err == nil:
		return resp, nil
	case c.life.Err() != nil:
		c.broken = context.Cause(c.life)
	case status.Code(err) == codes.Unavailable:
		c.broken = fmt.Errorf("the plugin %s died while it computed %s", c.address.Source(), what)
	default:
		c.broken = fmt.Errorf("the plugin %s computes nothing any more: %s", c.address.Source(), tidy(status.Convert(err).Message()))
	}
	return nil, c.broken
}

func (c *connection) exchange(m *nascv1.OpsWorkRequest) (*nascv1.OpsWorkResponse, error) {
	if err := c.stream.Send(m); err != nil {
		return nil, err
	}
	return c.stream.Recv()
}

// tidy makes one line of what a plugin says.
func tidy(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if len(s) > 1000 {
		s = s[:1000] + "…"
	}
	return s
}

// name is that of a file below the folder, as the message has it.
func name(path string) string { return filepath.Base(path) }

// shapes are those of the tensors of an operation, in the order of a segment.
func (o *Op) shapes() [][]int {
	var weights [][]int
	for _, w := range o.Weights {
		weights = append(weights, w.Shape)
	}
	return slices.Concat(o.Placed.Inputs, weights, [][]int{o.Placed.Output}, o.Placed.Inputs, weights, [][]int{o.Placed.Output})
}
