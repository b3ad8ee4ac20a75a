package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestLossCurves trains five cells of NAS-Bench-201 for 200 steps here and in PyTorch,
// from the same weights on the same batches.
//
// Both round differently. As soon as that moves one activation across the kink of a
// ReLU, a gradient jumps, and training carries that on: with its own two convolutions
// (oneDNN and native) PyTorch parts from itself by 0.1 at a learning rate of 0.01, by
// 0.003 at 0.001 and by 0.0003 at 0.0002, the rate here. Before the first kink the losses
// agree to rounding.
func TestLossCurves(t *testing.T) {
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import torch").CombinedOutput(); err != nil {
		t.Skipf("no PyTorch for %s: %v %s", python, err, out)
	}
	const steps, limit = 200, 1e-3
	s := quick()
	s.Lr, s.Clip, s.Epochs, s.Schedule, s.Nesterov = 0.0002, 0, 10, "constant", true
	trainer := newTrainer(t, s, 2)
	// Drawn glyphs have large areas of one value, whose activations cross a kink together.
	grain := rand.New(rand.NewPCG(1, 2))
	for i, v := range trainer.set.Train.Pixels {
		trainer.set.Train.Pixels[i] = uint8(min(max(float64(v)/2+64+24*grain.NormFloat64(), 0), 255))
	}
	for _, edges := range [][]edge{
		{conv3, conv3, conv3, conv3, conv3, conv3},
		{conv3, conv3, conv3, skip, conv3, conv3}, // the best of the benchmark on CIFAR-10
		{conv1, skip, conv3, avg3, skip, conv1},
		{avg3, avg3, conv1, skip, conv1, avg3},
		{conv3, zero, skip, conv1, zero, avg3},
	} {
		job := curveJob{Lr: s.Lr, Steps: steps, Images: append([]int{s.BatchSize}, image...)}
		for _, e := range edges {
			job.Ops = append(job.Ops, e.op)
		}
		t.Run(fmt.Sprint(job.Ops), func(t *testing.T) {
			r, err := trainer.Begin(Job{Graph: nasbench201(8, 1, 10, image, cell(4, edges...)), Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			want := job.run(t, python, r)
			worst, at := 0.0, 0
			for i := range want {
				got, err := r.Step(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				if d := math.Abs(got - want[i]); !(d <= worst) {
					worst, at = d, i
				}
				if i == 0 && math.Abs(got-want[i]) > 1e-5 {
					t.Errorf("the first loss is %v, in PyTorch %v", got, want[i])
				}
			}
			if worst > limit {
				t.Errorf("the loss of step %d differs by %.2g", at+1, worst)
			}
			t.Logf("losses from %.3f to %.3f; the largest difference is %.1e, in step %d", want[0], want[steps-1], worst, at+1)
		})
	}
}

// curveJob is what testdata/curve.py is told.
type curveJob struct {
	File   string       `json:"file"`
	Params []curveParam `json:"params"`
	Ops    []string     `json:"ops"`
	Images []int        `json:"images"` // shape of a batch
	Steps  int          `json:"steps"`
	Lr     float64      `json:"lr"`
}

type curveParam struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

// run hands the weights and all batches of a training over and returns PyTorch's losses.
func (j curveJob) run(t *testing.T, python string, r *Training) []float64 {
	t.Helper()
	var file bytes.Buffer
	put := func(x []float32) {
		if err := binary.Write(&file, binary.LittleEndian, x); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range r.net.weights.learned {
		j.Params = append(j.Params, curveParam{p.Name(), p.Shape()})
		put(p.Value().Data().([]float32))
	}
	b := &batch{images: make([]float32, len(r.net.images)), targets: make([]float32, len(r.net.targets))}
	for i := range j.Steps {
		r.lessons.fill(b, i)
		put(b.images)
		put(b.targets)
	}
	j.File = filepath.Join(t.TempDir(), "numbers")
	if err := os.WriteFile(j.File, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	cmd := exec.Command(python, "testdata/curve.py")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaint.String())
	}
	var losses []float64
	if err := json.Unmarshal(out, &losses); err != nil {
		t.Fatal(err)
	}
	return losses
}
