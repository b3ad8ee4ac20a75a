package official

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	space "github.com/nasc-project/nasc/spaces/nasbench101"
)

// A record of NAS-Bench-101 (Ying et al., ICML 2019) is one training: the JSON list
//
//	[hash, epochs, adjacency matrix as digits, operations with commas, metrics]
//
// where metrics are a protocol buffer in base64 with the fields
//
//	1 evaluation, repeated: 1 epoch, 2 seconds since the beginning, 3 train,
//	  4 valid, 5 test accuracy (fractions), 6 checkpoint
//	2 trainable parameters
//	3 seconds in all
//
// Evaluations are made before training, half-way and after it. EC-NAS (Bakhtiarifard,
// Igel and Selvan, 2024) adds energy in further fields.

// row is a training.
type row struct {
	hash        string
	epochs      int
	module      space.Module
	evaluations []evaluation
	params      float64
	total       map[protowire.Number]float64 // other fields, by number
}

// evaluation holds the fields of one, by number.
type evaluation map[protowire.Number]float64

func parseRow(data []byte) (row, error) {
	var r row
	var parts []json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) != 5 {
		return r, fmt.Errorf("a record is no list of five, as those of NAS-Bench-101 are")
	}
	var matrix, ops, metrics string
	for i, to := range []any{&r.hash, &r.epochs, &matrix, &ops, &metrics} {
		if err := json.Unmarshal(parts[i], to); err != nil {
			return r, fmt.Errorf("entry %d of a record is not what it is in NAS-Bench-101", i)
		}
	}
	if raw, err := hex.DecodeString(r.hash); err != nil || len(raw) != 16 {
		return r, fmt.Errorf("%.40q is no MD5 hash", r.hash)
	}
	var err error
	if r.module, err = moduleOf(matrix, strings.Split(ops, ",")); err != nil {
		return r, err
	}
	raw, err := base64.StdEncoding.DecodeString(metrics) // which passes over line breaks
	if err != nil {
		return r, fmt.Errorf("the metrics are not in base64")
	}
	return r, r.metrics(raw)
}

// moduleOf reads a matrix written as digits, row by row.
func moduleOf(digits string, ops []string) (space.Module, error) {
	n := len(ops)
	if n > space.Vertices || len(digits) != n*n {
		return space.Module{}, fmt.Errorf("%d operations and a matrix of %d digits are no module", n, len(digits))
	}
	matrix := make([][]int, n)
	for u := range matrix {
		matrix[u] = make([]int, n)
		for v := range n {
			matrix[u][v] = int(digits[u*n+v]) - '0'
		}
	}
	return space.New(matrix, ops)
}

var errProto = fmt.Errorf("the metrics are no protocol buffer of NAS-Bench-101")

func (r *row) metrics(b []byte) error {
	r.total = map[protowire.Number]float64{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errProto
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.BytesType:
			msg, k := protowire.ConsumeBytes(b)
			if k < 0 {
				return errProto
			}
			e, err := numbers(msg)
			if err != nil {
				return err
			}
			r.evaluations = append(r.evaluations, e)
			n = k
		case num == 2 && typ == protowire.VarintType:
			v, k := protowire.ConsumeVarint(b)
			if k < 0 || v > 1<<40 {
				return errProto
			}
			r.params, n = float64(v), k
		case typ == protowire.Fixed64Type:
			v, k := protowire.ConsumeFixed64(b)
			if k < 0 {
				return errProto
			}
			r.total[num], n = math.Float64frombits(v), k
		default:
			if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
				return errProto
			}
		}
		b = b[n:]
	}
	if len(r.evaluations) == 0 || r.params == 0 {
		return errProto
	}
	return nil
}

// numbers reads the fields of a message that are doubles.
func numbers(b []byte) (evaluation, error) {
	e := evaluation{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, errProto
		}
		b = b[n:]
		if typ == protowire.Fixed64Type {
			v, k := protowire.ConsumeFixed64(b)
			if k < 0 {
				return nil, errProto
			}
			e[num], n = math.Float64frombits(v), k
		} else if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return nil, errProto
		}
		b = b[n:]
	}
	return e, nil
}

// nb101Fields are the fields of an evaluation. Those of EC-NAS are 6, energy, and 7,
// carbon dioxide, until then; what its other fields mean is not documented, and they
// are kept under their numbers.
var nb101Fields = map[protowire.Number]nasb.Series{
	2: {Metric: "elapsed", Unit: "s"},
	3: {Split: "train", Metric: "accuracy", Unit: fraction, Higher: true},
	4: {Split: "valid", Metric: "accuracy", Unit: fraction, Higher: true},
	5: {Split: "test", Metric: "accuracy", Unit: fraction, Higher: true},
	6: {Metric: "energy", Unit: "kWh"},
	7: {Metric: "co2eq", Unit: "g"},
}

// totalFields are those of a whole training.
var totalFields = map[protowire.Number]nasb.Series{
	3: {Metric: "total-time", Unit: "s"},
	4: {Metric: "total-energy", Unit: "kWh"},
}

// measures are what a training says, as repeat number seed.
func (r *row) measures(seed uint32) ([]measure, error) {
	var out []measure
	add := func(s nasb.Series, at int, v float64) {
		s.Dataset, s.Schedule = "cifar10", r.epochs
		out = append(out, measure{s, seed, at, []float64{v}})
	}
	for _, e := range r.evaluations {
		epoch, ok := e[1]
		if !ok || math.IsNaN(epoch) || epoch < 0 || epoch > float64(r.epochs)+0.5 {
			return nil, fmt.Errorf("an evaluation is of epoch %v of %d", epoch, r.epochs)
		}
		// Half of four epochs is 312 of 625 steps, which is not quite two epochs.
		at := int(math.Round(epoch)) - 1
		if at >= 0 && float64(at+1) != epoch {
			add(nasb.Series{Metric: "epoch"}, at, epoch)
		}
		for _, field := range slices.Sorted(maps.Keys(e)) {
			s, ok := nb101Fields[field]
			switch {
			case field == 1:
				continue
			case !ok:
				s.Metric = fmt.Sprintf("field-%d", field)
			}
			if at < 0 { // before training, which no epoch is
				s.Metric = "initial-" + s.Metric
				add(s, nasb.NoEpoch, e[field])
			} else {
				add(s, at, e[field])
			}
		}
	}
	for _, field := range slices.Sorted(maps.Keys(r.total)) {
		s, ok := totalFields[field]
		if !ok {
			s.Metric = fmt.Sprintf("total-field-%d", field)
		}
		add(s, nasb.NoEpoch, r.total[field])
	}
	return out, nil
}

// moduleMeasures writes the module itself as numbers: how many vertices, the upper
// triangle of the matrix row by row as binary digits (the first is the highest), and
// the operations of the inner vertices as digits to the base of 3 (0 conv3x3-bn-relu,
// 1 conv1x1-bn-relu, 2 maxpool3x3; the first is the highest).
func moduleMeasures(m space.Module) []measure {
	n := len(m.Reads)
	edges, ops := 0.0, 0.0
	for u := range n {
		for v := u + 1; v < n; v++ {
			edges = 2*edges + float64(m.Reads[v]>>u&1)
		}
	}
	for _, op := range m.Ops {
		ops = 3*ops + float64(op)
	}
	number := func(metric string, v float64) measure { return one(nasb.Series{Metric: metric, Single: true}, v) }
	return []measure{number("vertices", float64(n)), number("edges", edges), number("operations", ops)}
}
