package table

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces/nasbench201"
)

// Resolve reads the benchmark's string, |op~0|+|op~0|op~1|+|op~0|op~1|op~2|,
// for a space whose decisions are the six edges: addresses that end in
// n[v].edge[u] and alternatives that are the benchmark's operations.
func (e *Evaluator) Resolve(text string, decisions []sdk.Choice) (map[string]string, bool, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "|") {
		return nil, false, nil
	}
	a, err := nasbench201.ParseArch(text)
	if err != nil {
		return nil, true, problem("%v", err)
	}
	byEdge := map[string]sdk.Choice{}
	for _, d := range decisions {
		at := edgeAddress.FindString(d.Address)
		if at == "" || d.Kind == space.Subset {
			return nil, true, problem("the space decides %s, which is no edge of a NAS-Bench-201 cell", d.Address)
		}
		if other, twice := byEdge[at]; twice {
			return nil, true, problem("the space has two edges %s: %s and %s", at, other.Address, d.Address)
		}
		byEdge[at] = d
	}
	if len(byEdge) > len(nasbench201.Edges) {
		return nil, true, problem("the space decides %d edges, a NAS-Bench-201 cell has %d", len(byEdge), len(nasbench201.Edges))
	}
	labels := map[string]string{}
	for i, edge := range nasbench201.Edges {
		at := fmt.Sprintf("n[%d].edge[%d]", edge[1]-1, edge[0])
		d, ok := byEdge[at]
		if !ok {
			return nil, true, problem("the space has no decision %s", at)
		}
		label, ok := choose(d.Labels, a[i])
		if !ok {
			return nil, true, problem("%s cannot be %s: its alternatives are %s", d.Address, a[i], strings.Join(d.Labels, " | "))
		}
		labels[d.Address] = label
	}
	return labels, true, nil
}

func problem(format string, args ...any) error {
	return &sdk.Problem{Path: "architecture", Message: fmt.Sprintf(format, args...)}
}

var (
	edgeAddress = regexp.MustCompile(`n\[[0-9]+\]\.edge\[[0-9]+\]$`)
	call        = regexp.MustCompile(`^(\w+)(?:\((.*)\))?$`)
	kernel      = regexp.MustCompile(`(?:^|,)\s*kernel:\s*([0-9]+)\s*(?:,|$)`)
)

// choose finds the alternative that is op.
func choose(labels []string, op nasbench201.Op) (string, bool) {
	for _, label := range labels {
		m := call.FindStringSubmatch(label)
		if m == nil {
			continue
		}
		size := "3" // of relu_conv_bn and avg_pool unless told
		if k := kernel.FindStringSubmatch(m[2]); k != nil {
			size = k[1]
		}
		match := false
		switch op {
		case nasbench201.None:
			match = m[1] == "zero"
		case nasbench201.Skip:
			match = m[1] == "skip"
		case nasbench201.Conv1x1:
			match = m[1] == "relu_conv_bn" && size == "1"
		case nasbench201.Conv3x3:
			match = m[1] == "relu_conv_bn" && size == "3"
		case nasbench201.AvgPool:
			match = m[1] == "avg_pool" && size == "3"
		}
		if match {
			return label, true
		}
	}
	return "", false
}
