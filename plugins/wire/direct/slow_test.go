//go:build unix

package direct

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// slowSocket offers a slow method.
func slowSocket(t *testing.T, serve func(nascv1.OneShot_SearchServer) error) *nascv1.Direct {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "nasc-direct-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	l, err := Listen(folder, "stream", nascv1.OneShot_Search_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go l.Serve(Methods{nascv1.OneShot_Search_FullMethodName: func(s grpc.ServerStream) error {
		return serve(&grpc.GenericServerStream[nascv1.OneShotRequest, nascv1.OneShotResponse]{ServerStream: s})
	}})
	return l.Offer()
}

func search(t *testing.T, ctx context.Context, offer *nascv1.Direct) nascv1.OneShot_SearchClient {
	t.Helper()
	c, err := Dial(offer)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nascv1.NewOneShotClient(c).Search(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSlow: an offer of a slow method is good for several streams at a time; small and
// large messages arrive, those that come at once and those that are waited for.
func TestSlow(t *testing.T) {
	offer := slowSocket(t, func(s nascv1.OneShot_SearchServer) error {
		for {
			m, err := s.Recv()
			if err != nil {
				return err
			}
			state := m.GetBegin().GetState()
			time.Sleep(time.Duration(len(state)%7) * 300 * time.Microsecond)
			if err := s.Send(&nascv1.OneShotResponse{Response: &nascv1.OneShotResponse_Stage{Stage: &nascv1.Stage{State: state}}}); err != nil {
				return err
			}
		}
	})
	var all sync.WaitGroup
	for range 3 {
		s := search(t, t.Context(), offer)
		all.Go(func() {
			for i, n := range []int{0, 1, 5, 100, 6, 5000, 3_000_001, 4, 70_000, 0, 2} {
				state := make([]byte, n)
				for k := range state {
					state[k] = byte(i + k)
				}
				if err := s.Send(&nascv1.OneShotRequest{Request: &nascv1.OneShotRequest_Begin{Begin: &nascv1.Begin{State: state}}}); err != nil {
					t.Error(err)
					return
				}
				m, err := s.Recv()
				if err != nil || string(m.GetStage().GetState()) != string(state) {
					t.Errorf("message %d of %d bytes: %d bytes came back, %v", i, n, len(m.GetStage().GetState()), err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestHangup: who works on something, and does not read, hears through its context that
// the host is gone.
func TestHangup(t *testing.T) {
	began, over := make(chan bool, 1), make(chan bool, 1)
	offer := slowSocket(t, func(s nascv1.OneShot_SearchServer) error {
		began <- true
		select {
		case <-s.Context().Done():
			over <- true
		case <-time.After(time.Minute):
			over <- false
		}
		return s.Context().Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	s := search(t, ctx, offer)
	<-began
	cancel()
	if !<-over {
		t.Error("the context went on")
	}
	if _, err := s.Recv(); err == nil {
		t.Error("there was a message")
	}
}
