package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// origin is what two supernets have in common that do the same in the same calls.
type origin struct {
	Seed     uint64
	Epochs   int
	Settings Settings
	Facts    map[string]string // of the data, and the kernels
}

// note is what is saved beside package supernet's state. The position in the training
// part is the number of the weight step.
type note struct {
	Origin origin
	Asked  int
}

func (s *Supernet) note() note {
	return note{origin{s.seed, s.epochs, s.trainer.settings.essence(), s.trainer.Facts()}, s.asked}
}

// Save writes everything that the next call depends on to a file, also in the middle
// of an epoch; a crash leaves the old file or the new one.
func (s *Supernet) Save(path string) error { return s.net.Save(path, s.note()) }

// Load makes the supernet as it was when it was saved: what follows has the same bits.
// It must be relaxed as that one was. A file of another search, or a damaged one, is an
// error and changes nothing.
func (s *Supernet) Load(path string) error {
	var from note
	err := s.net.Load(path, func(text []byte) error {
		if err := json.Unmarshal(text, &from); err != nil {
			return err
		}
		return s.note().Origin.differs(from)
	})
	if err != nil {
		return err
	}
	s.asked = from.Asked
	return nil
}

// differs says in what a note is of another search.
func (o origin) differs(from note) error {
	f := from.Origin
	switch {
	case o.Seed != f.Seed:
		return fmt.Errorf("its seed is %d, not %d", f.Seed, o.Seed)
	case o.Epochs != f.Epochs:
		return fmt.Errorf("it is of a search of %d epochs, not %d", f.Epochs, o.Epochs)
	case o.Settings != f.Settings:
		return fmt.Errorf("its settings are %+v, not %+v", f.Settings, o.Settings)
	case !maps.Equal(o.Facts, f.Facts):
		return errors.New("its data or its kernels are others")
	case from.Asked < 0:
		return fmt.Errorf("it has seen %d batches of the validation part", from.Asked)
	}
	return nil
}
