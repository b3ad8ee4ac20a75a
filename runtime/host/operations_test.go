package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/plugins/remote"
	"github.com/nasc-project/nasc/plugins/wire"
	"github.com/nasc-project/nasc/plugins/wire/direct"
	"github.com/nasc-project/nasc/stdlib/ops/kernel"
)

// computer starts a process that computes operations.
func computer(t testing.TB, c Command, name string) *Computer {
	t.Helper()
	return patientComputer(t, Patience{}, c, name)
}

func patientComputer(t testing.TB, patience Patience, c Command, name string) *Computer {
	t.Helper()
	if !direct.Supported {
		t.Skip("operations are computed over Unix sockets")
	}
	h := newTestHost(t, Options{Commands: map[string]Command{name: c}, Patience: patience})
	k, err := start(t, h, name).Computer(t.Context())
	if err != nil {
		t.Fatalf("%v%s", err, notes(err))
	}
	t.Cleanup(k.Close)
	return k
}

func network(t testing.TB, k *Computer) *remote.Network {
	n := k.Operations().Network()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func on(op string, shape []int, attrs ...graph.Attr) wire.PlacedOp {
	return wire.PlacedOp{Op: op, Attributes: attrs, Inputs: [][]int{shape}, Output: shape}
}

// TestOperation: tensors go to another process and come back, and no file stays.
func TestOperation(t *testing.T) {
	k := computer(t, command("test/operations"), "test/operations")
	n := network(t, k)
	op, err := n.Place("test/operations", on("scale", []int{2, 3, 1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	if len(op.Weights) != 1 || op.Weights[0].Name != "factor" || !slices.Equal(op.Weights[0].Shape, []int{3}) || op.Weights[0].Mean != 1 {
		t.Fatalf("its weights are %+v", op.Weights)
	}
	x, err := op.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	copy(x.Inputs[0].Data, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	copy(x.Weights[0].Data, []float32{1, 10, 100})
	if err := op.Forward(true, 1); err != nil {
		t.Fatal(err)
	}
	if want := []float32{1, 2, 30, 40, 500, 600, 7, 8, 90, 100, 1100, 1200}; !slices.Equal(x.Output.Data, want) {
		t.Errorf("the result is %v, not %v", x.Output.Data, want)
	}
	for i := range x.OutputGrad.Data {
		x.OutputGrad.Data[i] = 1
	}
	for range 2 { // gradients are zero before each call
		if err := op.Backward(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []float32{18, 26, 34}; !slices.Equal(x.WeightGrads[0].Data, want) {
		t.Errorf("the gradient of the weights is %v, not %v", x.WeightGrads[0].Data, want)
	}
	if want := []float32{1, 1, 10, 10, 100, 100, 1, 1, 10, 10, 100, 100}; !slices.Equal(x.InputGrads[0].Data, want) {
		t.Errorf("the gradient of the operand is %v, not %v", x.InputGrads[0].Data, want)
	}
	left, err := filepath.Glob(filepath.Join(k.process.home.dir, "tensors-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("files of tensors are left: %v (%v)", left, err)
	}
	home := k.process.home.dir
	k.Close()
	if _, err := os.Stat(home); !os.IsNotExist(err) {
		t.Errorf("the folder of the operations is left: %v", err)
	}
}

// TestOperationDies: a call during which the process dies fails and names the plugin; the
// next network is served by another process.
func TestOperationDies(t *testing.T) {
	t.Run("go", func(t *testing.T) { operationDies(t, command("test/operations"), "test/operations") })
	t.Run("python", func(t *testing.T) { operationDies(t, python(t), "test/copy") })
}

func operationDies(t *testing.T, c Command, plugin string) {
	k := computer(t, c, plugin)
	for range 5 {
		if err := k.process.ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := network(t, k)
		op, err := n.Place(plugin, on("fragile", []int{1, 1, 2, 2}, graph.Attr{Name: "fatal", Value: 13.0}))
		if err != nil {
			t.Fatal(err)
		}
		x, err := op.Tensors()
		if err != nil {
			t.Fatal(err)
		}
		x.Inputs[0].Data[0] = 12
		if err := op.Forward(true, 1); err != nil {
			t.Fatal(err)
		}
		x.Inputs[0].Data[0] = 13
		err = op.Forward(true, 1)
		if err == nil || !strings.Contains(err.Error(), "the plugin "+plugin+" 0.1.0 died while it computed fragile") {
			t.Errorf("the error is %v", err)
		}
		if again := op.Forward(true, 1); again == nil || again.Error() != err.Error() {
			t.Errorf("then it is %v", again)
		}
	}
}

// TestOperationRefuses: what a plugin says no to, and a panic in it, are errors of the
// call; the process goes on.
func TestOperationRefuses(t *testing.T) {
	k := computer(t, command("test/operations"), "test/operations")
	n := network(t, k)
	shape := []int{1, 1, 2, 2}
	for _, c := range []struct {
		plugin string
		op     wire.PlacedOp
		want   string
	}{
		{"test/operations", on("other", shape), `cannot compute other: there is no operation "other"`},
		{"test/operations", on("fragile", shape), "cannot compute fragile: the attribute fatal is missing"},
		{"test/operations", on("fragile", shape, graph.Attr{Name: "fatal", Value: "soon"}), "is soon, which is no real"},
		{"test/operations", on("rude", shape, graph.Attr{Name: "how", Value: "place"}), "cannot compute rude: not here"},
		{"test/operations", on("scale", []int{1, 0, 2, 2}), "a tensor of shape"},
		{"no/such", on("scale", shape), "no process computes the operations of the plugin no/such"},
	} {
		if _, err := n.Place(c.plugin, c.op); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, without %q", c.op.Op, err, c.want)
		}
	}
	for how, want := range map[string]string{"panic": "the plugin's code panicked: rude", "say": "cannot compute rude: no no no"} {
		op, err := n.Place("test/operations", on("rude", shape, graph.Attr{Name: "how", Value: how}))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := op.Forward(true, 1); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error is %v", how, err)
			}
		}
		if err := op.Backward(); err == nil || !strings.Contains(err.Error(), "before there is a result") {
			t.Errorf("the gradient of nothing: %v", err)
		}
	}
	op, err := n.Place("test/operations", on("scale", shape))
	if err == nil {
		err = op.Forward(false, 1)
	}
	if err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(filepath.Base(k.process.home.dir), wire.SocketHomePrefix) {
		t.Error(k.process.home.dir)
	}
}

// TestOperationHangs: who gives up a network need not wait for an operation that never
// ends, and the process ends all the same.
func TestOperationHangs(t *testing.T) {
	k := computer(t, command("test/operations"), "test/operations")
	n := network(t, k)
	op, err := n.Place("test/operations", on("endless", []int{1, 1, 2, 2}))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(50*time.Millisecond, n.Abort)
	begun := time.Now()
	if err := op.Forward(true, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("the call ends with %v", err)
	}
	pid := k.process.session.at.proc.runner.cmd.Process
	k.Close()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if err := pid.Signal(syscall.Signal(0)); err == nil {
		t.Error("the process is still there")
	}
}

// TestOperationGivenUp: an operation that never ends is given up when it has taken as long as
// it may, with the name of the plugin, and the process ends. One that is called for longer,
// but again and again, is not.
func TestOperationGivenUp(t *testing.T) {
	const limit = 500 * time.Millisecond
	k := patientComputer(t, Patience{Operation: limit}, command("test/operations"), "test/operations")
	copies := func() {
		t.Helper()
		op, err := network(t, k).Place("test/operations", on("copy", []int{1, 1, 2, 2}))
		for begun := time.Now(); err == nil && time.Since(begun) < 2*limit; {
			err = op.Forward(true, 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := k.process.alive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	copies()
	op, err := network(t, k).Place("test/operations", on("endless", []int{1, 1, 2, 2}))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	err = op.Forward(true, 1)
	if err == nil || !strings.Contains(err.Error(), "the plugin test/operations 0.1.0 gave no answer for 500ms while it computed endless") {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(begun); took < limit {
		t.Errorf("it was given up after %v", took)
	}
	if again := op.Backward(); again == nil || again.Error() != err.Error() {
		t.Errorf("then it is %v", again)
	}
	pid := k.process.session.at.proc.runner.pid()
	d := fails(t, k.process.alive(t.Context()), Hung, "the plugin hangs", "it was ended since it gave no answer for 500ms", "--patience", "source: test/operations")
	if !HasDied(d) || !HasHung(d) {
		t.Error("it does not count as one that has died")
	}
	if !gone(pid) {
		t.Error("the process is still there")
	}
	if err := k.process.ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	copies()
}

// TestOperationFolders: the folder for the tensors of a host that was killed is removed by
// the next.
func TestOperationFolders(t *testing.T) {
	base := sharedMemory()
	if base == "" {
		t.Skip("there are no files here that are memory")
	}
	kept, err := newHomeIn(base)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.remove()
	left, err := newHomeIn(base)
	if err != nil {
		t.Fatal(err)
	}
	left.lock.Close() // as the end of its process would
	sweepHomes()
	if _, err := os.Stat(left.dir); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", left.dir, err)
	}
	if info, err := os.Stat(kept.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("that of a host at work is gone, or open to others: %v, %v", info, err)
	}
}

// python is the command of the example in Python.
func python(t testing.TB) Command {
	t.Helper()
	if err := exec.Command("python3", "-c", "import grpc, google.protobuf").Run(); err != nil {
		t.Skip("python3 has no grpcio and protobuf")
	}
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	repo, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return Command{Path: path, Args: []string{filepath.Join("testdata", "copying.py")}, Env: []string{"PYTHONPATH=" + filepath.Join(repo, "plugins", "python", "src"), "PYTHONDONTWRITEBYTECODE=1"}}
}

// BenchmarkOperation is the way of a tensor (64,16,32,32) to the process of an operation
// that copies it and back, as a network has it: with the channels last at home and as the
// shape says in between.
func BenchmarkOperation(b *testing.B) {
	const n, channels, pixels = 64, 16, 32 * 32
	ws := kernel.NewWorkers(2)
	defer ws.Close()
	x, y := make([]float32, n*channels*pixels), make([]float32, n*channels*pixels)
	for _, c := range []struct {
		name    string
		plugin  string
		command func(testing.TB) Command
	}{
		{"go", "test/operations", func(testing.TB) Command { return command("test/operations") }},
		{"python", "test/copy", python},
	} {
		b.Run(c.name, func(b *testing.B) {
			k := computer(b, c.command(b), c.plugin)
			net := network(b, k)
			p := on("copy", []int{n, channels, 32, 32})
			op, err := net.Place(c.plugin, p)
			if err != nil {
				b.Fatal(err)
			}
			t, err := op.Tensors()
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(2 * 4 * int64(len(x)))
			for b.Loop() {
				kernel.Transpose(ws, n, pixels, channels, x, t.Inputs[0].Data)
				if err := op.Forward(true, 1); err != nil {
					b.Fatal(err)
				}
				kernel.Transpose(ws, n, channels, pixels, t.Output.Data, y)
			}
		})
	}
}
