package train

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/graph"
)

// footprint is the memory of a training in bytes, by what it is for. Kernels keep some
// megabytes of scratch memory beside it, from one training to the next.
type footprint struct {
	weights   int64 // with their gradients
	optimizer int64 // what it remembers
	batches   int64 // those of a step and those made ahead
	maps      int64 // all results of a step, as the plans lay them out
}

func (f footprint) total() int64 { return f.weights + f.optimizer + f.batches + f.maps }

const mebi = 1 << 20

func (f footprint) String() string {
	size := func(n int64) string { return graph.Group((n + mebi - 1) / mebi) }
	return fmt.Sprintf("%s MiB of memory (%s for maps, %s for weights and gradients, %s for the optimizer, %s for batches)",
		size(f.total()), size(f.maps), size(f.weights), size(f.optimizer), size(f.batches))
}

// number is the size of one in bytes.
const number = 4

// least is what a training takes at least, known from its declaration: before
// anything is built, it keeps absurd sizes away.
func (t *Trainer) least(g *graph.Graph, batch int) footprint {
	params, image := g.Params(), int64(batch)*int64(t.set.Channels*t.set.H*t.set.W+1)
	return footprint{weights: 2 * number * params, optimizer: number * params * int64(t.settings.rule().Slots()), batches: (1 + ahead) * number * image}
}

// footprint is what a training takes once it runs. Of its two plans one runs at a time,
// in the same memory.
func (r *Training) footprint() footprint {
	n := r.net
	f := footprint{weights: number * n.weights.count, maps: int64(max(n.training.Memory(), n.scoring.Memory())) + n.remote.Memory()}
	for _, g := range n.grads { // counted among the results of the plan
		f.weights += number * int64(len(g))
		f.maps -= number * int64(len(g))
	}
	for _, slot := range r.optimizer.State().Slots {
		for _, s := range slot {
			f.optimizer += number * int64(len(s))
		}
	}
	f.batches = (1 + ahead) * number * int64(len(n.images)+len(n.targets))
	return f
}

// afford refuses a training that takes more memory than the settings allow or, if they
// say nothing, than the machine has left. Nothing but the weights is allocated then.
func (t *Trainer) afford(need footprint) error {
	if limit := int64(t.settings.Memory * mebi); limit > 0 {
		if need.total() > limit {
			return fmt.Errorf("it needs %v to be trained, and the setting memory allows %s MiB", need, graph.Group(limit/mebi))
		}
		return nil
	}
	left, known := machineMemory()
	if known && need.total() > left {
		debug.FreeOSMemory() // what earlier trainings took
		left, known = machineMemory()
	}
	if known && need.total() > left {
		return fmt.Errorf("it needs %v to be trained, and the machine has %s MiB left", need, graph.Group(left/mebi))
	}
	return nil
}

// machineMemory is how many bytes this process can still have: on Linux what is
// available, within the limit of the control group. Elsewhere it is not known.
func machineMemory() (int64, bool) {
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	left, known := available(info)
	for _, group := range [][2]string{
		{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
		{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"},
	} {
		limit, has := bytesIn(group[0])
		used, counted := bytesIn(group[1])
		if has && counted && (!known || limit-used < left) {
			left, known = max(limit-used, 0), true
		}
	}
	return left, known
}

// available reads the line "MemAvailable:   12345 kB".
func available(info []byte) (int64, bool) {
	_, line, ok := bytes.Cut(info, []byte("MemAvailable:"))
	if !ok {
		return 0, false
	}
	text, _, _ := strings.Cut(string(line), "kB")
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n << 10, err == nil
}

// bytesIn reads a file with one number; "max" is none.
func bytesIn(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
