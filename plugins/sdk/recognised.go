package sdk

import (
	"sync"

	"github.com/nasc-project/nasc/plugins/wire"
)

// maxRecognised is how many architectures a family remembers at least.
const maxRecognised = 1 << 17

// family is what evaluators that are configured alike have recognised, by the
// number of the architecture. It remembers those that were needed last: when the
// young ones are as many as may be, they become the old ones, and the old ones that
// nobody has asked for since are forgotten.
type family struct {
	mu         sync.Mutex
	young, old map[uint64]*recognised
}

// recognised is an architecture and what an evaluator made of it.
type recognised struct {
	once  sync.Once
	graph []byte // until it is recognised
	key   any
	err   error
}

// find returns an architecture that was sent before or is sent now; nil when
// there is neither.
func (f *family) find(architecture uint64, graph []byte) *recognised {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.young[architecture]
	if a != nil {
		return a
	}
	if a = f.old[architecture]; a == nil {
		if graph == nil {
			return nil
		}
		a = &recognised{graph: graph}
	}
	if f.young == nil || len(f.young) == maxRecognised {
		f.young, f.old = map[uint64]*recognised{}, f.young
	}
	f.young[architecture] = a
	return a
}

// by recognises the architecture, the first time that it is called.
func (a *recognised) by(r Recogniser) (any, error) {
	a.once.Do(func() {
		a.err = &Problem{Path: "architecture", Message: "the plugin's code panicked on it"} // unless it does not
		g, err := wire.ReadGraph(a.graph)
		if err == nil {
			a.key, err = r.Recognise(g)
		}
		a.graph, a.err = nil, err
	})
	return a.key, a.err
}
