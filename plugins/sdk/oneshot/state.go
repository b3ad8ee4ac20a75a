package oneshot

import (
	"encoding/json"
	"fmt"

	"github.com/nasc-project/nasc/plugins/sdk"
)

// state is everything that the next stage depends on. Numbers are written so that
// they are read with the same bits.
type state struct {
	Stage, Selected int
	Stopped, Over   bool
	Params          Params
	Kept            [][]bool
	Draws           map[string]uint64 // written in order of name
	WeightDecay     *float64          `json:",omitempty"`
	Components      map[string][]byte // by slot
}

// Save implements [sdk.OneShot].
func (d *driver) Save() ([]byte, error) {
	s := state{Stage: d.stage, Selected: d.selected, Stopped: d.stopped, Over: d.over, Params: d.params, Kept: d.kept, Draws: d.draws,
		WeightDecay: d.weightDecay, Components: map[string][]byte{}}
	for _, c := range d.parts.all() {
		if x, ok := c.any.(Stateful); ok {
			b, err := x.Save()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.slot, err)
			}
			s.Components[c.slot] = b
		}
	}
	return json.Marshal(s)
}

// Load implements [sdk.OneShot].
func (d *driver) Load(b []byte) error {
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("the state of a one-shot search: %w", err)
	}
	r := d.Relaxed()
	if !fits(r, s.Params, s.Kept) {
		return fmt.Errorf("the state is of another supernet than the one that is searched")
	}
	for _, c := range d.parts.all() {
		x, ok := c.any.(Stateful)
		b, saved := s.Components[c.slot]
		if ok != saved {
			return fmt.Errorf("the state is of another method: of `%s` it has %v", d.parts.name(c), map[bool]string{true: "something", false: "nothing"}[saved])
		}
		if ok {
			if err := x.Load(b); err != nil {
				return fmt.Errorf("%s: %w", c.slot, err)
			}
		}
	}
	d.stage, d.selected, d.stopped, d.over = s.Stage, s.Selected, s.Stopped, s.Over
	d.params, d.kept, d.draws, d.weightDecay = s.Params, s.Kept, s.Draws, s.WeightDecay
	if d.draws == nil {
		d.draws = map[string]uint64{}
	}
	d.arrange()
	return nil
}

// fits reports whether parameters and options are those of a supernet.
func fits(r *sdk.Relaxed, p Params, kept [][]bool) bool {
	if len(p) != len(r.Decisions) || len(kept) != len(r.Decisions) {
		return false
	}
	for i, d := range r.Decisions {
		if len(kept[i]) != len(d.Options) || len(p[i]) != 0 && len(p[i]) != len(d.Options) {
			return false
		}
	}
	return true
}
