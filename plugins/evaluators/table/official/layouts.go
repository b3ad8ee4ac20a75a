package official

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/plugins/evaluators/table/nasb"
	space "github.com/nasc-project/nasc/spaces/nasbench101"
)

// layout is a table that is recognised by its columns.
type layout struct {
	benchmark, doc string
	key            string            // the column of the architecture
	needs          []string          // one of these columns must be there
	texts          []string          // columns that are no numbers
	epochs         int               // of a table with one line for each epoch
	valid          func(string) bool // architectures
	columns        []column
	check          func(header, record []string) ([]measure, error)
}

// column says what the columns are whose names match.
type column struct {
	name *regexp.Regexp
	cell func(part []string) cell
}

func of(pattern string, f func(part []string) cell) column {
	return column{regexp.MustCompile("^(?:" + pattern + ")$"), f}
}

// alone is the cell of a number without epoch and seed.
func alone(s nasb.Series) cell { return cell{s, 0, nasb.NoEpoch} }

func (l *layout) column(name string) (cell, bool) {
	for _, c := range l.columns {
		if part := c.name.FindStringSubmatch(name); part != nil {
			return c.cell(part), true
		}
	}
	return cell{}, false
}

// absent tells of the mark by which HW-NAS-Bench says that a device could not run a
// network.
func (l *layout) absent(name string, v float64) bool {
	return v == -1 && strings.HasPrefix(name, "edgetpu_")
}

// recognise finds the layout of a table with such columns.
func recognise(header []string) (*layout, error) {
	for i := range layouts {
		l := &layouts[i]
		if !slices.Contains(header, l.key) || l.epochs > 0 != slices.Contains(header, "epoch") {
			continue
		}
		for _, name := range l.needs {
			if slices.Contains(header, name) {
				return l, nil
			}
		}
	}
	return nil, fmt.Errorf("it is no table that is known: its columns are %.200s", strings.Join(header, ", "))
}

// dataset is the official name of a data set.
func dataset(short string) string {
	if short == "imagenet16" {
		return "ImageNet16-120"
	}
	return short
}

// percent is the series of a top-1 accuracy.
func percent(dataset, split string, schedule int) nasb.Series {
	return nasb.Series{Dataset: dataset, Split: split, Metric: "accuracy", Schedule: schedule, Unit: "%", Higher: true}
}

const sets = "(cifar10|cifar100|imagenet16)"

var indexColumn = of("index", func([]string) cell { return alone(nasb.Series{Metric: "index", Single: true}) })

// nb201Columns are those of tables about NAS-Bench-201, of which the columns of one
// can stand beside those of another.
var nb201Columns = []column{
	indexColumn,
	of("(params|flops)_"+sets+"_m", func(p []string) cell {
		return alone(nasb.Series{Dataset: dataset(p[2]), Metric: p[1], Unit: "M"})
	}),
	of(sets+"_(valid|validtest|test)_(12|200)", func(p []string) cell {
		d, split := dataset(p[1]), p[2]
		if p[1] == "cifar10" && split != "test" { // trained on half of the images
			d = "cifar10-valid"
		}
		if split == "validtest" {
			split = "test"
		}
		epochs, _ := strconv.Atoi(p[3])
		return cell{percent(d, split, epochs), 0, epochs - 1}
	}),
	of("(cifar10_valid|cifar10|cifar100|imagenet16)_epoch_s", func(p []string) cell {
		return alone(nasb.Series{Dataset: dataset(strings.ReplaceAll(p[1], "_", "-")), Split: "train", Metric: "time", Unit: "s"})
	}),
	of("latency_"+sets+"_s", func(p []string) cell {
		return alone(nasb.Series{Dataset: dataset(p[1]), Metric: "latency", Unit: "s"})
	}),
	of("(edgegpu|raspi4|edgetpu|pixel3|eyeriss|fpga)_(latency_ms|energy_mj|arithmetic_intensity)", func(p []string) cell {
		s := hwSeries(p[1] + "_" + strings.TrimSuffix(strings.TrimSuffix(p[2], "_ms"), "_mj"))
		s.Dataset = "cifar10"
		return alone(s)
	}),
	of("([a-z0-9_]+)_ms", func(p []string) cell {
		return alone(nasb.Series{Metric: "latency", Device: p[1], Unit: "ms"})
	}),
}

var layouts = []layout{
	{
		benchmark: topology.benchmark, doc: topology.doc, key: "arch", valid: validCell, epochs: 200,
		needs: []string{"train_acc", "valid_acc"},
		columns: []column{indexColumn, of("(train|valid)_acc", func(p []string) cell {
			return cell{percent("cifar10-valid", p[1], 200), 0, 0}
		})},
	},
	{
		benchmark: topology.benchmark, doc: topology.doc, key: "arch", valid: validCell, columns: nb201Columns,
		needs: []string{"cifar10_valid_200", "cifar10_test_200", "cifar10_valid_12", "raspi4_latency_ms", "pixel3_latency_ms", "eyeriss_latency_ms", "fpga_latency_ms", "1080ti_1_ms", "eagle_i7_7820x_ms"},
	},
	{
		benchmark: sizes.benchmark, doc: sizes.doc, key: "channels", valid: validSizes,
		needs: []string{"cifar10_test_90"},
		columns: []column{
			indexColumn,
			of("params_"+sets, func(p []string) cell { return alone(nasb.Series{Dataset: dataset(p[1]), Metric: "params"}) }),
			of(sets+"_test_90", func(p []string) cell { return cell{percent(dataset(p[1]), "test", 90), 777, 89} }),
		},
	},
	{
		benchmark: "nasbench101", doc: nasbench101Doc, key: "hash", valid: validHash, check: checkModule,
		needs: []string{"test_acc_108"}, texts: []string{"vertices", "edges", "ops"},
		columns: []column{
			of("params", func([]string) cell { return alone(nasb.Series{Metric: "params"}) }),
			of("test_acc_108", func([]string) cell { return cell{percent("cifar10", "test", 108), 0, 107} }),
		},
	},
	{
		benchmark: "nasbenchmacro", doc: macroDoc, key: "arch", valid: validMacro,
		needs: []string{"test_acc_0"},
		columns: []column{
			of("test_acc_([0-9])", func(p []string) cell {
				return cell{percent("cifar10", "test", 0), uint32(p[1][0] - '0'), nasb.NoEpoch}
			}),
			of("mean_acc", func([]string) cell {
				s := percent("cifar10", "test", 0)
				s.Metric = "mean-accuracy"
				return alone(s)
			}),
			of("std", func([]string) cell {
				return alone(nasb.Series{Dataset: "cifar10", Split: "test", Metric: "accuracy-deviation"})
			}),
			of("params|flops", func(p []string) cell { return alone(nasb.Series{Metric: p[0]}) }),
		},
	},
	{
		benchmark: "transnasbench101", doc: transnasDoc, key: "arch", valid: transnasName.MatchString,
		needs: []string{"class_scene"},
		columns: []column{
			of("class_scene|class_object|jigsaw", func(p []string) cell { return alone(percent(p[0], "valid", 0)) }),
			of("segmentsemantic", func(p []string) cell {
				return alone(nasb.Series{Dataset: p[0], Split: "valid", Metric: "acc", Unit: "%", Higher: true})
			}),
			of("room_layout", func(p []string) cell {
				return alone(nasb.Series{Dataset: p[0], Split: "valid", Metric: "neg_loss", Higher: true})
			}),
			of("normal|autoencoder", func(p []string) cell {
				return alone(nasb.Series{Dataset: p[0], Split: "valid", Metric: "ssim", Higher: true})
			}),
			of("zen_([a-z_]+)", func(p []string) cell { return alone(nasb.Series{Dataset: p[1], Metric: "zen", Higher: true}) }),
		},
	},
}

const macroDoc = "NAS-Bench-Macro: eight layers of three kinds, trained on CIFAR-10."

var macroName = regexp.MustCompile(`^[0-2]{8}$`)

func validMacro(arch string) bool { return macroName.MatchString(arch) }

var hashName = regexp.MustCompile(`^[0-9a-f]{32}$`)

func validHash(arch string) bool { return hashName.MatchString(arch) }

// checkModule reads the module of a line of NAS-Bench-101: the number of vertices,
// the upper triangle of the matrix and a letter for each operation. Its hash must be
// the one of the line.
func checkModule(header, record []string) ([]measure, error) {
	field := func(name string) string {
		if i := slices.Index(header, name); i >= 0 {
			return record[i]
		}
		return ""
	}
	n, err := strconv.Atoi(field("vertices"))
	edges, ops := field("edges"), field("ops")
	if err != nil || n < 2 || n > space.Vertices || len(edges) != n*(n-1)/2 || len(ops) != n-2 {
		return nil, fmt.Errorf("%.10q vertices, the edges %.30q and the operations %.10q are no module", field("vertices"), edges, ops)
	}
	m := space.Module{Reads: make([]uint32, n), Ops: make([]space.Op, n-2)}
	for u := range n {
		for v := u + 1; v < n; v++ {
			switch edges[0] {
			case '1':
				m.Reads[v] |= 1 << u
			case '0':
			default:
				return nil, fmt.Errorf("%.30q are no edges", field("edges"))
			}
			edges = edges[1:]
		}
	}
	for i, c := range []byte(ops) {
		if c < 'a' || c > 'c' {
			return nil, fmt.Errorf("%.10q are no operations", ops)
		}
		m.Ops[i] = space.Op(c - 'a')
	}
	if h, ok := m.Hash(); !ok || h != field("hash") {
		return nil, fmt.Errorf("its edges and operations have another hash")
	}
	return moduleMeasures(m), nil
}
