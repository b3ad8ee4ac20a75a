package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/encode"
	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/dsl/diag"
)

// recordStyle is how sample and enumerate write an architecture for a program.
type recordStyle struct {
	asJSON   bool
	encoding string
}

// bytesEncoding is the genotype in as few bytes as it needs.
const bytesEncoding = "bytes"

func encodings() []string {
	var out []string
	for _, k := range encode.Kinds {
		out = append(out, string(k))
	}
	return append(out, bytesEncoding)
}

func (r *recordStyle) add(c *cobra.Command) {
	c.Flags().BoolVar(&r.asJSON, "json", false, "print one JSON object per line")
	c.Flags().StringVar(&r.encoding, "encoding", "", "add an encoding to the JSON: "+strings.Join(encodings(), ", "))
}

func (r *recordStyle) check(c *cobra.Command) error {
	switch {
	case r.encoding == "":
		return nil
	case !slices.Contains(encodings(), r.encoding):
		hint := ""
		if near, ok := diag.Suggest(r.encoding, encodings()); ok {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return usage(c, "there is no encoding %q, only %s%s", r.encoding, strings.Join(encodings(), ", "), hint)
	case !r.asJSON:
		return usage(c, "--encoding needs -json")
	}
	return nil
}

// recorder makes records of the architectures of a space.
type recorder struct {
	recordStyle
	space   *compiler.Space
	encoder encode.Encoding // nil for none, for bytes, and for paths too many to number
}

func (r recordStyle) recorder(s *compiler.Space) (*recorder, error) {
	out := &recorder{recordStyle: r, space: s}
	if r.encoding == "" || r.encoding == bytesEncoding {
		return out, nil
	}
	e, err := s.Encoding(encode.Kind(r.encoding))
	switch {
	case err == nil:
		out.encoder = e
	case !errors.Is(err, encode.ErrTooManyPaths):
		return nil, err
	}
	return out, nil
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

	Encoding any                `json:"encoding,omitempty"`
	Paths    []encode.CellPaths `json:"paths,omitempty"`
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
	out := &record{
		Index: rank, Genotype: s.Format(g), Labels: labels,
		Hash: bound.Hash().String(), Params: bound.Params(), MACs: bound.MACs(),
	}
	switch {
	case r.encoding == bytesEncoding:
		out.Encoding = hex.EncodeToString(s.Pack(g))
	case r.encoder != nil:
		out.Encoding, err = r.encoder.Encode(g)
	case r.encoding == string(encode.PathKind):
		out.Paths, err = encode.PathsOf(bound)
	}
	return out, err
}

// printLine prints a value as one line.
func printLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
