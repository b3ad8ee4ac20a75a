package optim

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// peer makes the same steps with torch.optim: it reads {start, grads, rates, clip}
// and the constructor of an optimizer, and writes the weights after every step.
const peer = `
import json, sys, torch
job = json.load(sys.stdin)
torch.set_num_threads(1)
out = {}
for name, make in job["make"].items():
    w = [torch.tensor(x, dtype=torch.float32, requires_grad=True) for x in job["start"]]
    o = eval(make, {"torch": torch, "w": w})
    path = []
    for grads, rate in zip(job["grads"], job["rates"]):
        for p, g in zip(w, grads):
            p.grad = torch.tensor(g, dtype=torch.float32)
        if job["clip"]:
            torch.nn.utils.clip_grad_norm_(w, job["clip"])
        for group in o.param_groups:
            group["lr"] = rate
        o.step()
        path.append([p.detach().tolist() for p in w])
    out[name] = path
json.dump(out, sys.stdout)
`

// torch runs the peer or skips the test.
func torch(t *testing.T, job, answer any) {
	t.Helper()
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import torch").CombinedOutput(); err != nil {
		t.Skipf("no PyTorch for %s: %v %s", python, err, out)
	}
	in, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	cmd := exec.Command(python, "-c", peer)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaint.String())
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

// TestTorch compares 30 steps of every rule with torch.optim. The weights differ by
// the rounding of float32, which adds up over the steps.
func TestTorch(t *testing.T) {
	const steps, clip = 30, 3.0
	made := map[string]string{
		"plain SGD":        "torch.optim.SGD(w, lr=1, weight_decay=0.1)",
		"heavy ball":       "torch.optim.SGD(w, lr=1, momentum=0.9, weight_decay=0.1)",
		"Nesterov":         "torch.optim.SGD(w, lr=1, momentum=0.9, weight_decay=0.1, nesterov=True)",
		"RMSProp":          "torch.optim.RMSprop(w, lr=1, alpha=0.9, eps=0.01, weight_decay=0.1)",
		"RMSProp momentum": "torch.optim.RMSprop(w, lr=1, alpha=0.9, eps=0.01, momentum=0.5, weight_decay=0.1)",
		"Adam":             "torch.optim.Adam(w, lr=1, betas=(0.9, 0.99), eps=0.01, weight_decay=0.1)",
		"AdamW":            "torch.optim.AdamW(w, lr=1, betas=(0.9, 0.99), eps=0.01, weight_decay=0.1)",
	}
	r := rand.New(rand.NewPCG(5, 6))
	draw := func() [][]float32 {
		var all [][]float32
		for _, n := range []int{1, 5, 37} {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			all = append(all, x)
		}
		return all
	}
	start := draw()
	var grads [][][]float32
	var rates []float64
	schedule := Schedule{Shape: Cosine, Rate: 0.1, Steps: steps, Warmup: 3}
	for i := range steps {
		grads = append(grads, draw())
		rates = append(rates, schedule.At(i))
	}
	var paths map[string][][][]float32
	torch(t, map[string]any{"start": start, "grads": grads, "rates": rates, "clip": clip, "make": made}, &paths)
	ws := workers(t, 2)
	for name := range made {
		w := clone(start)
		o := New(rules[name], w)
		for i := range steps {
			g := clone(grads[i])
			ClipNorm(ws, g, clip)
			o.Step(ws, g, rates[i])
			for k := range w {
				for j := range w[k] {
					want := paths[name][i][k][j]
					if d := math.Abs(float64(w[k][j] - want)); !(d <= 2e-6*max(1, math.Abs(float64(want)))) {
						t.Fatalf("%s: after step %d weight %d of tensor %d is %v, in PyTorch %v", name, i+1, j, k, w[k][j], want)
					}
				}
			}
		}
	}
}
