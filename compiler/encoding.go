package compiler

import (
	"fmt"

	"github.com/nasc-project/nasc/compiler/encode"
)

// Encoding lays out an encoding of the space; see package encode.
func (s *Space) Encoding(kind encode.Kind) (encode.Encoding, error) {
	e, err := encode.New(kind, s.plan)
	if err != nil {
		return nil, fmt.Errorf("space %s: %w", s.Name, err)
	}
	return e, nil
}
