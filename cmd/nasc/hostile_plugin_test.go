//go:build unix

package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	nascv1 "github.com/nasc-project/nasc/plugins/proto/nasc/v1"
)

// doom is the trial at which a hostile plugin shows what it is.
const doom = 5

// hostile is a plugin that is not written with the SDK: `hostile FOLDER`. What it does
// wrong is in the file mode of the folder, and is asked for each time, so that the same
// package can behave afterwards. It is an optimizer and an evaluator, bad/plugin, and
// computes an operation.
type hostile struct {
	nascv1.UnimplementedPluginServer
	folder    string
	decisions int // of the space
	deaf      atomic.Bool
}

// does reports whether the plugin is to do this wrong.
func (h *hostile) does(mode string) bool {
	text, err := os.ReadFile(filepath.Join(h.folder, "mode"))
	return err == nil && string(text) == mode
}

// once is does for the first time only.
func (h *hostile) once(mode string) bool {
	return h.does(mode) && os.Mkdir(filepath.Join(h.folder, mode), 0o700) == nil
}

// note writes a file into the folder, for the test.
func (h *hostile) note(name, text string) {
	if err := os.WriteFile(filepath.Join(h.folder, name), []byte(text), 0o600); err != nil {
		panic(err)
	}
}

func init() { programs["hostile"] = serveHostile }

func serveHostile() {
	h := &hostile{folder: os.Args[1]}
	version := 1
	switch {
	case h.does("exits"):
		fmt.Fprintln(os.Stderr, "cannot find libtorch.so")
		os.Exit(3)
	case h.does("mute"):
		time.Sleep(time.Hour)
	case h.does("older"):
		version = 0
	case h.does("newer"):
		version = 99
	case h.does("stubborn"):
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	}
	address := filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "s")
	listener, err := net.Listen("unix", address)
	if err != nil {
		panic(err)
	}
	s := grpc.NewServer(grpc.ForceServerCodecV2(inflating{}))
	nascv1.RegisterPluginServer(s, h)
	nascv1.RegisterOptimizerServer(s, hostileOptimizer{hostile: h})
	nascv1.RegisterEvaluatorServer(s, hostileEvaluator{hostile: h})
	nascv1.RegisterOpsServer(s, hostileOps{hostile: h})
	fmt.Printf("1|%d|unix|%s|grpc|\n", version, address)
	panic(s.Serve(listener))
}

func (h *hostile) Describe(context.Context, *nascv1.DescribeRequest) (*nascv1.DescribeResponse, error) {
	if h.does("silent") || h.deaf.Load() {
		time.Sleep(time.Hour)
	}
	return &nascv1.DescribeResponse{Name: "bad/plugin", Version: "6.6.6", Attentive: true, Signatures: hostileSignatures, Components: []*nascv1.Component{
		{Kind: nascv1.Component_KIND_OPTIMIZER, Name: "optimizer"},
		{Kind: nascv1.Component_KIND_EVALUATOR, Name: "evaluator", Metrics: []*nascv1.Metric{{Name: "accuracy", HigherIsBetter: true}}},
	}}, nil
}

func (h *hostile) Shutdown(context.Context, *nascv1.ShutdownRequest) (*nascv1.ShutdownResponse, error) {
	if h.does("stubborn") {
		time.Sleep(time.Hour)
	}
	return &nascv1.ShutdownResponse{}, nil
}

// configured does what is wrong when a session begins.
func (h *hostile) configured() {
	switch {
	case h.does("spies"):
		h.note("seen", strings.Join(os.Environ(), "\n"))
	case h.once("forks"):
		for _, session := range []bool{false, true} { // the second leaves the group of the plugin
			c := exec.Command("sleep", "3600")
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
			if err := c.Start(); err != nil {
				panic(err)
			}
			h.note(fmt.Sprint("child", session), fmt.Sprint(c.Process.Pid))
		}
	case h.once("daemon"):
		h.daemon("its daemon", "3600")
	case h.once("litters"):
		for i := range 5 {
			h.daemon(fmt.Sprint("litter", i), "0.1")
		}
	}
}

// daemon starts a process that sleeps, in a session of its own, without a word of the
// environment and without a parent.
func (h *hostile) daemon(name, seconds string) {
	c := exec.Command("env", "-i", "PATH="+os.Getenv("PATH"), "sh", "-c", "sleep "+seconds+" >/dev/null 2>&1 & echo $!")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pid, err := c.Output()
	if err != nil {
		panic(err)
	}
	h.note(name, strings.TrimSpace(string(pid)))
}

// die ends the process without a word.
func (h *hostile) die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	time.Sleep(time.Hour)
}

// stop stops the process until somebody lets it go on.
func (h *hostile) stop() {
	stop()
	time.Sleep(time.Hour)
}

// compute keeps a processor busy, and answers nobody meanwhile.
func (h *hostile) compute() {
	h.deaf.Store(true)
	defer h.deaf.Store(false)
	for begun := time.Now(); time.Since(begun) < 4*time.Second; {
	}
}

// buried waits until a process that was noted has ended and was asked how.
func (h *hostile) buried(name string) {
	pid, err := os.ReadFile(filepath.Join(h.folder, name))
	for end := time.Now().Add(30 * time.Second); err == nil; time.Sleep(10 * time.Millisecond) {
		if _, err = os.Stat("/proc/" + string(pid)); err == nil && time.Now().After(end) {
			h.note("unburied", name)
			return
		}
	}
}

// flood prints what go-plugin's own readers stumble over.
func (h *hostile) flood() {
	line := []byte(strings.Repeat("x", 1<<20))
	for range 64 {
		_, _ = os.Stdout.Write(line)
		_, _ = os.Stderr.Write(line)
	}
	fmt.Fprintln(os.Stderr, "\n"+`{"@level": 7, "@message": "odd"}`)
	fmt.Fprintln(os.Stderr, `{"@level": "info", "@message": [], "@timestamp": {}}`)
	fmt.Fprintln(os.Stderr, `{"@level": "info", "@message": "m", "@timestamp": 5, "deep": `+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`)
	for i := range 100_000 {
		fmt.Fprintln(os.Stderr, "line", i)
	}
}

// swap changes the program of the package that it runs from.
func (h *hostile) swap() {
	if len(os.Args) < 3 {
		panic("the program is not known")
	}
	text, err := os.ReadFile(os.Args[2])
	if err == nil {
		err = os.WriteFile(os.Args[2], append(text, "# another one\n"...), 0o755)
	}
	if err != nil {
		panic(err)
	}
	h.die()
}

// hostileOptimizer goes through spaces whose decisions have three alternatives.
type hostileOptimizer struct {
	nascv1.UnimplementedOptimizerServer
	*hostile
}

func (h hostileOptimizer) Configure(_ context.Context, req *nascv1.OptimizerConfigureRequest) (*nascv1.OptimizerConfigureResponse, error) {
	h.decisions = len(req.GetSpace().GetDecisions())
	h.configured()
	return &nascv1.OptimizerConfigureResponse{}, nil
}

func (h hostileOptimizer) Run(stream nascv1.Optimizer_RunServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		m := &nascv1.OptimizerResponse{}
		for _, s := range req.GetSteps() {
			m.Answers = append(m.Answers, h.propose(s))
			if s.GetFirstTrial() == doom && s.GetAsk() > 0 {
				h.wrong(m)
			}
		}
		if err := stream.Send(m); err != nil {
			return err
		}
	}
}

// propose makes the genotypes whose numbers in base 3 are those of the trials.
func (h hostileOptimizer) propose(s *nascv1.Step) *nascv1.Answer {
	a := &nascv1.Answer{Session: s.GetSession(), Count: s.GetAsk()}
	for i := range int64(s.GetAsk()) {
		n := s.GetFirstTrial() + i
		for range h.decisions {
			a.Genotypes = append(a.Genotypes, n%3)
			n /= 3
		}
	}
	return a
}

// wrong makes an answer what it must not be.
func (h hostileOptimizer) wrong(m *nascv1.OptimizerResponse) {
	a := m.Answers[0]
	switch {
	case h.does("optimizer outside"):
		a.Genotypes[0] = 77
	case h.does("optimizer lengths"):
		a.Genotypes = a.Genotypes[1:]
	case h.does("optimizer counts"):
		a.Count = 1 << 30
	case h.does("optimizer strangers"):
		a.Session += 1000
	case h.does("optimizer loops"), h.once("optimizer dies"):
		h.die()
	case h.does("optimizer hangs"), h.once("optimizer sleeps"):
		h.note("hanging", "")
		time.Sleep(time.Hour)
	case h.once("optimizer stops"):
		h.stop()
	case h.does("optimizer inflates"):
		m.Answers = nil // an empty message is sent as a gigabyte
	}
}

// hostileEvaluator judges by the number of the trial.
type hostileEvaluator struct {
	nascv1.UnimplementedEvaluatorServer
	*hostile
}

func (h hostileEvaluator) Configure(context.Context, *nascv1.EvaluatorConfigureRequest) (*nascv1.EvaluatorConfigureResponse, error) {
	h.configured()
	return &nascv1.EvaluatorConfigureResponse{}, nil
}

func (h hostileEvaluator) Evaluate(stream nascv1.Evaluator_EvaluateServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, t := range req.GetTrials() {
			for i, id := range t.GetIds() {
				m := &nascv1.EvaluateResponse{Ids: []uint64{id}, Results: &nascv1.ValidationMetrics{Values: []float64{float64(t.GetNumbers()[i])}}}
				if t.GetNumbers()[i] == doom {
					if err := h.wrong(m, stream); err != nil {
						return err
					}
				}
				if err := stream.Send(m); err != nil {
					return err
				}
			}
		}
	}
}

// Test has nothing to test on.
func (h hostileEvaluator) Test(_ *nascv1.TestRequest, stream nascv1.Evaluator_TestServer) error {
	return stream.Send(&nascv1.TestEvent{Event: &nascv1.TestEvent_Failure{Failure: &nascv1.Problem{Message: "there is no test split"}}})
}

// wrong makes a result what it must not be.
func (h hostileEvaluator) wrong(m *nascv1.EvaluateResponse, stream nascv1.Evaluator_EvaluateServer) error {
	progress := func(text string) error {
		return stream.Send(&nascv1.EvaluateResponse{Events: []*nascv1.EvaluateEvent{{Id: m.Ids[0],
			Event: &nascv1.EvaluateEvent_Progress{Progress: &nascv1.Progress{Text: text}}}}})
	}
	switch {
	case h.does("evaluator nan"):
		m.Results.Values[0] = math.NaN()
	case h.does("evaluator lengths"):
		m.Results.Values = append(m.Results.Values, 1, 2)
	case h.does("evaluator duplicates"):
		return stream.Send(m)
	case h.does("evaluator strangers"):
		m.Ids[0] += 1000
	case h.does("evaluator dies of one"), h.once("evaluator dies"):
		h.die()
	case h.does("evaluator hangs"), h.does("stubborn"), h.once("evaluator sleeps"):
		h.note("hanging", "")
		time.Sleep(time.Hour)
	case h.does("evaluator chatters"):
		h.note("hanging", "")
		for text := strings.Repeat("c", 1<<20); ; {
			if err := progress(text); err != nil {
				return err
			}
		}
	case h.once("evaluator stops"):
		h.stop()
	case h.once("evaluator rests"):
		h.note("hanging", "")
		time.Sleep(2 * time.Second)
	case h.once("evaluator computes"):
		h.compute()
	case h.does("evaluator inflates"):
		m.Ids, m.Results = nil, nil
	case h.once("evaluator floods"):
		h.flood()
	case h.once("swaps"):
		h.swap()
	case h.does("litters"):
		for i := range 5 {
			h.buried(fmt.Sprint("litter", i))
		}
	case h.does("daemon") && os.Mkdir(filepath.Join(h.folder, "died"), 0o700) == nil:
		h.die() // and the daemon goes on
	}
	return nil
}

// inflating sends an empty message of a stream as a gigabyte, of which it holds a
// mebibyte.
type inflating struct{}

func (inflating) Marshal(v any) (mem.BufferSlice, error) {
	empty := false
	switch m := v.(type) {
	case *nascv1.EvaluateResponse:
		empty = proto.Size(m) == 0
	case *nascv1.OptimizerResponse:
		empty = proto.Size(m) == 0
	}
	if empty {
		one := mem.SliceBuffer(make([]byte, 1<<20))
		all := make(mem.BufferSlice, 1<<10)
		for i := range all {
			all[i] = one
		}
		return all, nil
	}
	out, err := proto.Marshal(v.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(out)}, err
}

func (inflating) Unmarshal(in mem.BufferSlice, v any) error {
	return proto.Unmarshal(in.Materialize(), v.(proto.Message))
}

func (inflating) Name() string { return "proto" }
