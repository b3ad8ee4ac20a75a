//go:build unix

package host

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/proto/nasc/v1"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
)

// recorded is everything that was said to an optimizer and, as fingerprints, that it has
// answered, in a search whose results a table gives.
func recorded(t *testing.T, o *Optimizer, e *Evaluator, n, batch int, disturb func(done int)) []byte {
	t.Helper()
	ctx := t.Context()
	var results []wire.Told
	for done := 0; done < n; {
		all, err := o.Step(ctx, results, batch)
		if err != nil {
			t.Fatal(err)
		}
		results = make([]wire.Told, len(all))
		jobs := make([]wire.Job, len(all))
		for i, g := range all {
			results[i].Trial = int64(done + i)
			v := int64(1000 * (landscape(g) + 50))
			jobs[i] = wire.Job{Number: int64(i), Architecture: uint64(v + 1), Seed: uint64(done + i),
				Graph: func() (*graph.Graph, error) { return oneOp(v), nil }}
		}
		if err := e.EvaluateAll(ctx, jobs, func(ev wire.Event) { results[ev.Number].Metrics = ev.Result.Metrics }); err != nil {
			t.Fatal(err)
		}
		done += len(all)
		disturb(done)
	}
	return o.past.bytes
}

// TestDirectIsTheSame: a search has the same history, byte for byte, over direct
// connections and over gRPC; also when processes are killed again and again.
func TestDirectIsTheSame(t *testing.T) {
	for name, batch := range map[string]int{"nasc/random": 7, "nasc/evolution": 1, "nasc/local": 3} {
		var want []byte
		for _, way := range []string{"grpc", "direct", "killed"} {
			h := newTestHost(t, Options{})
			op, ep := start(t, h, name), start(t, h, "test/lookup")
			if way == "grpc" {
				op.proc.offer, ep.proc.offer = nil, nil
			}
			o := open(t, op, 3, nil)
			e, err := ep.Evaluator(t.Context(), EvaluatorConfig{})
			if err != nil {
				t.Fatal(err)
			}
			kills := 0
			got := recorded(t, o, e, 60, batch, func(done int) {
				s, tr := o.session.at.proc.optimizing, e.session.at.proc.evaluating
				if direct := way != "grpc"; (s.in.straight != nil) != direct || (tr.in.straight != nil) != direct {
					t.Fatalf("the search goes another way than over %s", way)
				}
				if way == "killed" && done > 10*(kills+1) && kills < 2 {
					killProcess(t, o.session)
					killProcess(t, e.session)
					kills++
				}
			})
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) || way == "killed" && kills < 2 {
				t.Errorf("%s by %d, %s, %d kills: another history", name, batch, way, kills)
			}
			h.Close()
		}
	}
}

// A process that is killed while it evaluates is replaced, whoever reads.
func TestDirectDeathUnderWay(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/lookup")
	e, err := p.Evaluator(t.Context(), EvaluatorConfig{Settings: wire.Settings{"wait": int64(500)}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	under := make(chan error, 1)
	go func() { _, err := e.Evaluate(ctx, trial(0, 500), nil); under <- err }()
	var first *process
	within(t, "it evaluates", func() bool {
		first = e.session.at.proc
		first.mu.Lock()
		defer first.mu.Unlock()
		return first.evaluating != nil && first.evaluating.in.waiting.Load() == 1 && len(first.evaluating.in.turn) == 1
	})
	killProcess(t, e.session)
	within(t, "it evaluates again", func() bool {
		e.session.mu.Lock()
		proc := e.session.at.proc
		e.session.mu.Unlock()
		if proc == nil || proc == first {
			return false
		}
		proc.mu.Lock()
		defer proc.mu.Unlock()
		return proc.evaluating != nil && proc.evaluating.in.waiting.Load() == 1
	})
	cancel()
	if err := <-under; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Several searches that wait at once have a reader of their own, and go on when they
// are alone again.
func TestDirectCrowd(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/lookup")
	var made atomic.Int64
	var wg sync.WaitGroup
	var all []*Evaluator
	for i := range 8 {
		e, err := p.Evaluator(t.Context(), EvaluatorConfig{Seed: uint64(i)})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
		wg.Go(func() {
			for range 20 {
				scores(t, e, numbered(30, &made), 0)
			}
		})
	}
	wg.Wait()
	scores(t, all[3], numbered(30, &made), 0)
}

// The socket for calls is gone as soon as the host is there; that for streams, which is
// good for several, with the process, whether the host has come or not.
func TestDirectSocketsAreRemoved(t *testing.T) {
	tmp := shortTemp(t)
	t.Setenv("TMPDIR", tmp)
	h := newTestHost(t, Options{})
	used, unused := start(t, h, "nasc/random"), start(t, h, "nasc/local")
	sockets := []string{used.proc.offer.GetSocket(), unused.proc.offer.GetSocket()}
	for _, s := range sockets {
		info, err := os.Stat(s)
		if err != nil || info.Mode()&os.ModeSocket == 0 {
			t.Errorf("%s: %v, %v", s, info, err)
		}
	}
	search(t, open(t, used, 1, nil), 3, 1, nil)
	calls := filepath.Join(filepath.Dir(sockets[0]), "calls")
	if _, err := os.Stat(calls); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", calls, err)
	}
	h.Close()
	if entries, err := os.ReadDir(tmp); err != nil || len(entries) != 0 {
		t.Errorf("%v left, %v", entries, err)
	}
}

// What is wrong with a direct connection is told as of gRPC.
func TestDirectLies(t *testing.T) {
	for lie, want := range map[string][2]string{
		"torn":     {Crashed, "died 4 times"},
		"huge":     {Failed, "a message of 67108865 bytes"},
		"kind":     {Failed, "a frame of kind 7"},
		"nonsense": {Failed, "a message cannot be read"},
		"ends":     {BadAnswer, "ended the work before all was done"},
		"gives_up": {Failed, "no more"},
	} {
		name := "bad/direct_" + lie
		h := newTestHost(t, Options{Commands: commands(name)})
		_, err := open(t, start(t, h, name), 1, nil).Step(t.Context(), nil, 1)
		fails(t, err, want[0], want[1], name+" 6.6.6")
		h.Close()
	}
	h := newTestHost(t, Options{Commands: commands("bad/direct_elsewhere", "bad/direct_nobody")})
	_, err := h.Start(t.Context(), "bad/direct_elsewhere")
	fails(t, err, BadAnswer, "outside of its folder")
	// Where nobody listens, gRPC does.
	all, err := open(t, start(t, h, "bad/direct_nobody"), 1, nil).Step(t.Context(), nil, 1)
	if err != nil || len(all) != 1 || !all[0].Equal(make(space.Genotype, 6)) {
		t.Errorf("%v, %v", all, err)
	}
}

// A call that waits alone, and so reads, is given up at once when its context ends, and
// what it waited for harms nobody.
func TestDirectReaderIsCancelled(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/lookup")
	e, err := p.Evaluator(t.Context(), EvaluatorConfig{Settings: wire.Settings{"wait": int64(500)}})
	if err != nil {
		t.Fatal(err)
	}
	var made atomic.Int64
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		if _, err := e.Evaluate(ctx, trial(0, 500), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		cancel()
		scores(t, e, numbered(20, &made), 0)
	}
}

// TestOneShotIsDirect: both streams of a one-shot search go over direct connections as
// often as it begins, over gRPC where a plugin offers a socket for another stream only,
// and the search is the same.
func TestOneShotIsDirect(t *testing.T) {
	var want []string
	for _, offered := range []bool{true, false} {
		s := newToySearch(t, wire.Settings{"shared": true}, nil)
		for range 2 {
			if err := s.begin(); err != nil {
				t.Fatal(err)
			}
			if !offered {
				for _, at := range []place{s.shot.search.at, s.net.at} {
					at.proc.offer.Methods = nil
				}
				if err := s.begin(); err != nil {
					t.Fatal(err)
				}
			}
			_, optimizer := s.shot.search.stream.(*grpc.GenericClientStream[nascv1.OneShotRequest, nascv1.OneShotResponse]).ClientStream.(*direct.Stream)
			_, evaluator := s.net.stream.(*grpc.GenericClientStream[nascv1.SupernetRequest, nascv1.SupernetResponse]).ClientStream.(*direct.Stream)
			if optimizer != offered || evaluator != offered {
				t.Fatalf("offered %v, the streams are direct: %v and %v", offered, optimizer, evaluator)
			}
		}
		if err := s.run(); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = s.log
		}
		if !slices.Equal(s.log, want) {
			t.Errorf("over gRPC\n%q\nbut over direct connections\n%q", s.log, want)
		}
	}
}
