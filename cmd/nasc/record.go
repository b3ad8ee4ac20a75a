package main

import (
	"encoding/json"
	"io"
	"math/big"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/space"
)

// recordStyle is how sample and enumerate write an architecture for a program.
type recordStyle struct {
	asJSON bool
}

func (r *recordStyle) add(c *cobra.Command) {
	c.Flags().BoolVar(&r.asJSON, "json", false, "print one JSON object per line")
}

func (r *recordStyle) check(*cobra.Command) error { return nil }

// recorder makes records of the architectures of a space.
type recorder struct {
	recordStyle
	space *compiler.Space
}

func (r recordStyle) recorder(s *compiler.Space) (*recorder, error) {
	return &recorder{recordStyle: r, space: s}, nil
}

// record is one architecture for a program to read.
type record struct {
	Index    *big.Int          `json:"index"`
	Genotype string            `json:"genotype"`
	Labels   map[string]string `json:"labels"`
	Hash     string            `json:"hash"`
	Params   int64             `json:"params"`
	MACs     int64             `json:"macs"`
	Source   string            `json:"source,omitempty"`
}

func (r *recorder) record(g space.Genotype) (*record, error) {
	s := r.space
	rank, err := s.Rank(g)
	if err != nil {
		return nil, err
	}
	bound, err := s.Bind(g)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for _, l := range s.Labels(g) {
		labels[l.Address] = l.Label
	}
	return &record{
		Index: rank, Genotype: s.Format(g), Labels: labels,
		Hash: bound.Hash().String(), Params: bound.Params(), MACs: bound.MACs(),
	}, nil
}

// printLine prints a value as one line.
func printLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
