//go:build unix

package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	nascv1 "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire/direct"
)

// hostileSignatures are those of an operation whose results are zero.
const hostileSignatures = "/// Zero.\nop turn(x: [c, h, w], times: int = 1) -> [c, h, w]\n"

// hostileOps computes it, where it does not hang.
type hostileOps struct {
	nascv1.UnimplementedOpsServer
	*hostile
}

func (h hostileOps) Open(_ context.Context, req *nascv1.OpsOpenRequest) (*nascv1.OpsOpenResponse, error) {
	h.hangIn("Open")
	l, err := direct.ListenAt(req.GetSocket(), req.GetSecret())
	if err != nil {
		return nil, err
	}
	go l.Serve(direct.Methods{nascv1.Ops_Work_FullMethodName: func(stream grpc.ServerStream) error {
		return h.Work(&grpc.GenericServerStream[nascv1.OpsWorkRequest, nascv1.OpsWorkResponse]{ServerStream: stream})
	}})
	return &nascv1.OpsOpenResponse{}, nil
}

func (h hostileOps) Work(stream nascv1.Ops_WorkServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		resp := &nascv1.OpsWorkResponse{Response: &nascv1.OpsWorkResponse_Done{Done: &nascv1.ComputedOp{}}}
		switch req.GetRequest().(type) {
		case *nascv1.OpsWorkRequest_Place:
			h.hangIn("Place")
			resp.Response = &nascv1.OpsWorkResponse_Placed{Placed: &nascv1.PlacedOp{}}
		case *nascv1.OpsWorkRequest_Forward:
			h.hangIn("Forward")
		case *nascv1.OpsWorkRequest_Backward:
			h.hangIn("Backward")
		}
		if err := stream.Send(resp); err != nil {
			return err
		}
	}
}

// hangIn loops for ever where it is told to.
func (h hostileOps) hangIn(where string) {
	if h.does("operation in "+where) || h.once("operation once in "+where) {
		for {
			time.Sleep(time.Microsecond)
		}
	}
}

// hanging runs a search of which an operation hangs, with little patience.
func hanging(t *testing.T, mode, search string) (*siege, ended) {
	t.Helper()
	s := besieged(t, mode)
	s.write("tiny.nas", search)
	s.env = []string{"NASC_PATIENCE=4s"}
	e := s.nasc(s.plugged("run", "tiny.nas", "-o", s.run)...)
	s.env = nil
	return s, e
}

// hostileOpsSearch judges a network without the operation, two with it, and another without.
const hostileOpsSearch = `import { skip, conv_bn, global_pool, linear } from "std/vision"
import plugin "bad/plugin" as bad
import plugin "nasc/exhaustive" as exhaustive
import plugin "nasc/train" as train

block step = skip | bad.turn | bad.turn(times: 2) | conv_bn(out: 4)

space tiny(image: [1, 8, 8]) -> [10] = image -> conv_bn(out: 4) -> step -> global_pool -> linear(out: 10)

search s over tiny {
    optimizer = exhaustive
    evaluator = train(size: 8, train: 64, valid: 32, test: 32, epochs: 1)
    maximize accuracy
}
`

// TestHostileOperation: an operation that never ends fails the training that waits for it,
// and ends the search if the next one does so too, both with the name of its plugin.
func TestHostileOperation(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains networks")
	}
	const says = "the plugin bad/plugin 6.6.6 gave no answer for 4s while it computed turn"
	for mode, failed := range map[string][]int{ // trials; those of two end the search
		"operation once in Forward":  {1},
		"operation once in Backward": {1},
		"operation once in Place":    {1},
		"operation in Forward":       {1, 2},
		"operation in Backward":      {1, 2},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s, e := hanging(t, mode, hostileOpsSearch)
			if len(failed) > 1 {
				const why = "error E0530 [bad/plugin 6.6.6]: the plugin hung 2 times in a row"
				if e.code != exitMachine || !strings.Contains(e.stderr, why) {
					t.Errorf("exit code %d, and nothing says %q:\n%s", e.code, why, e.stderr)
				}
				if n := len(s.log()); n != 3 {
					t.Errorf("%d trials are kept", n)
				}
				s.does("")
				e = s.nasc(s.plugged("resume", s.run)...)
			}
			log := s.log()
			if e.code != 0 || len(log) != 4 {
				t.Fatalf("exit code %d, %d trials\n%s", e.code, len(log), e.stderr)
			}
			for i, line := range log {
				if strings.Contains(line, says) != slices.Contains(failed, i) {
					t.Errorf("trial %d: %s", i, line)
				}
			}
		})
	}
}

// hostileSupernet trains the operation among others.
const hostileSupernet = `import { skip, conv_bn, conv_bn_relu, global_pool, linear } from "std/vision"
import { darts } from "std/oneshot"
import plugin "bad/plugin" as bad
import plugin "nasc/train" as train

block edge = skip | bad.turn | conv_bn_relu(kernel: 1)

cell normal(x) {
    node n[1] = sum(edge(prev))
    return n[0]
}

space net(image: [1, 8, 8]) -> [10] = image -> conv_bn(out: 4) -> normal -> global_pool -> linear(out: 10)

search s over net {
    optimizer = darts
    evaluator = train(size: 8, train: 64, valid: 64, test: 64, supernet_batch: 16, epochs: 1)
    budget    = epochs(2)
    maximize accuracy
}
`

// TestHostileOperationInSupernet: a stage of a one-shot search in which an operation hangs is
// done again, once.
func TestHostileOperationInSupernet(t *testing.T) {
	if testing.Short() {
		t.Skip("it trains supernets")
	}
	for mode, says := range map[string]string{ // empty: the search goes on to its end
		"operation once in Forward": "",
		"operation in Backward":     "= note: it has hung 2 times in a row",
		"operation in Place":        "the plugin bad/plugin 6.6.6 gave no answer for 4s while it computed turn",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			_, e := hanging(t, mode, hostileSupernet)
			want := 0
			if says != "" {
				want = exitMachine
			}
			if e.code != want || !strings.Contains(e.stderr, says) {
				t.Errorf("exit code %d, and it says\n%s", e.code, e.stderr)
			}
		})
	}
}
