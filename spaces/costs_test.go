package spaces_test

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/graph"
	"github.com/nasc-project/nasc/compiler/space"
)

// table reads a file of real benchmark data, or skips the test: its header by
// column and its rows.
func table(t *testing.T, name string) (map[string]int, [][]string) {
	t.Helper()
	for _, dir := range []string{os.Getenv("NASC_DATA"), filepath.Join("..", "..", "shared", "data")} {
		if dir == "" {
			continue
		}
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(z).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		col := map[string]int{}
		for i, h := range rows[0] {
			col[h] = i
		}
		return col, rows[1:]
	}
	t.Skipf("%s is neither in $NASC_DATA nor in ../shared/data", name)
	return nil, nil
}

// bind builds the architecture that takes the labelled alternatives.
func bind(t *testing.T, s *compiler.Space, labels map[string]string) *graph.Graph {
	t.Helper()
	g, err := s.FromLabels(labels)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Bind(g)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestNATSSizeParams compares the params of every architecture on every data set
// with the published table.
func TestNATSSizeParams(t *testing.T) {
	col, rows := table(t, "nats_sss.csv.gz")
	for _, set := range []struct {
		name    string
		classes int64
	}{{"cifar10", 10}, {"cifar100", 100}, {"imagenet16", 120}} {
		_, s := load(t, "natssize/natssize.nas", compiler.Argument{Name: "classes", Value: set.classes})
		for _, r := range rows {
			g := make(space.Genotype, 5)
			for i, c := range strings.Split(r[col["channels"]], ":") {
				n, err := strconv.Atoi(c)
				if err != nil {
					t.Fatal(err)
				}
				g[i] = int64(n/8 - 1)
			}
			a, err := s.Bind(g)
			if err != nil {
				t.Fatal(err)
			}
			if got := strconv.FormatInt(a.Params(), 10); got != r[col["params_"+set.name]] {
				t.Fatalf("%s on %s has %s params, the table says %s", r[col["channels"]], set.name, got, r[col["params_"+set.name]])
			}
		}
	}
}

// TestNASBenchASRParams is the model that the benchmark's own tests name:
// [[1, 0], [1, 0, 0], [1, 0, 0, 0]], three convolutions and no skip connections.
func TestNASBenchASRParams(t *testing.T) {
	_, s := load(t, "nasbenchasr/nasbenchasr.nas")
	labels := map[string]string{}
	for i := range 3 {
		labels[fmt.Sprintf("micro.n[%d].main", i)] = "conv_relu(kernel: 5, groups: 100)"
		for j := range i + 1 {
			labels[fmt.Sprintf("micro.n[%d].branch[%d]", i, j)] = "zero"
		}
	}
	if got := bind(t, s, labels).Params(); got != 26_338_848 {
		t.Errorf("%d params, the benchmark says 26338848", got)
	}
}

// TestMobileNetV3Params builds MobileNetV3-Large (Howard et al., ICCV 2019) from
// the operations of the Once-for-all space; torchvision's has 5,483,032 params and
// 0.22 G multiply-accumulates.
func TestMobileNetV3Params(t *testing.T) {
	const src = `
import { conv_bn_act, mbconv, linear_act } from "std/mobile"
import { global_pool, linear } from "std/vision"
space mobilenet(image: [3, 224, 224]) -> [1000]
    = image
    -> conv_bn_act(out: 16, stride: 2, act: "h_swish")
    -> mbconv(expand: 1, out: 16)
    -> mbconv(expand: 4, out: 24, stride: 2)
    -> mbconv(expand: 3, out: 24)
    -> mbconv(kernel: 5, expand: 3, out: 40, stride: 2, se: true) -> mbconv(kernel: 5, expand: 3, se: true) * 2
    -> mbconv(expand: 6, out: 80, stride: 2) -> mbconv(expand: 2.5) -> mbconv(expand: 2.3) * 2
    -> mbconv(expand: 6, out: 112, se: true) -> mbconv(expand: 6, se: true)
    -> mbconv(kernel: 5, expand: 6, out: 160, stride: 2, se: true) -> mbconv(kernel: 5, expand: 6, se: true) * 2
    -> conv_bn_act(out: 960, kernel: 1, act: "h_swish")
    -> global_pool -> linear_act(out: 1280, act: "h_swish") -> linear(out: 1000)
`
	a, err := alone(t, src).Bind(space.Genotype{})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Params(); got != 5_483_032 {
		t.Errorf("%d params, torchvision has 5483032", got)
	}
	if got := fmt.Sprintf("%.2f", float64(a.MACs())/1e9); got != "0.22" {
		t.Errorf("%s G multiply-accumulates, torchvision says 0.22", got)
	}
}

// TestFBNetC is FBNet-C, for which the paper states 5.5M params and 375M FLOPs,
// both some hundredths below what its table of layers adds up to.
func TestFBNetC(t *testing.T) {
	_, s := load(t, "fbnet/fbnet.nas")
	labels := map[string]string{}
	alts := map[string]string{"skip": "bypass(out: out, stride: stride)"}
	for _, k := range []string{"3", "5"} {
		for _, e := range []string{"1", "3", "6"} {
			alts["k"+k+"_e"+e] = "grouped_mbconv(kernel: " + k + ", expand: " + e + ", out: out, stride: stride)"
		}
	}
	blocks := strings.Fields(`k3_e1
		k3_e6 skip k3_e1 k3_e1   k5_e6 k5_e3 k5_e6 k3_e6   k5_e6 k5_e3 k5_e6 k5_e6
		k5_e6 k5_e6 k5_e6 k5_e3  k5_e6 k5_e6 k5_e6 k5_e6   k3_e6`)
	for i, d := range s.Decisions {
		labels[d.Address] = alts[blocks[i]]
	}
	a := bind(t, s, labels)
	within(t, "params", a.Params(), 5.5e6, 5.5e6/40)
	within(t, "MACs", a.MACs(), 375e6, 375e6/30)
}

// TestAutoFormerTiny is AutoFormer-T with the heads of the published model, for
// which the paper states 5.7M params. (The published model uses hidden ratio 3.0 in
// three layers, below the range that the paper's table gives.)
func TestAutoFormerTiny(t *testing.T) {
	_, s := load(t, "autoformer/autoformer.nas")
	labels := map[string]string{"dim": "192", "depth": "13"}
	ratios := strings.Fields("3.5 3.5 3.5 3.5 3.5 3.5 4.0 4.0 3.5 4.0 3.5 4.0 3.5")
	for i, r := range ratios {
		labels[fmt.Sprintf("layer[%d].heads", i)] = "3"
		labels[fmt.Sprintf("layer[%d].ratio", i)] = r
	}
	labels["layer[10].heads"] = "4"
	const lower = 3 * 0.5 * 192 * (2*192 + 1) // what three layers of ratio 3.0 save
	within(t, "params", bind(t, s, labels).Params()-int64(lower), 5.7e6, 0.2e6)
}

func within(t *testing.T, what string, got int64, want, tolerance float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > tolerance {
		t.Errorf("%s: %d, published %.0f", what, got, want)
	}
}
