package table

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nasc-project/nasc/compiler/space"
	"github.com/nasc-project/nasc/plugins/sdk"
	"github.com/nasc-project/nasc/spaces/nasbench201"
	"github.com/nasc-project/nasc/spaces/nasbenchasr"
	"github.com/nasc-project/nasc/spaces/natssize"
	"github.com/nasc-project/nasc/spaces/transnasbench101"
)

// Benchmarks have notations of their own for architectures, which people copy from
// papers and logs. A notation is read for spaces that are written like the shipped
// ones: decisions whose addresses end alike, and alternatives that are the
// benchmark's operations.

func problem(format string, args ...any) error {
	return &sdk.Problem{Path: "architecture", Message: fmt.Sprintf(format, args...)}
}

// edges are the decisions of a space about the edges of a cell of four vertices, whose
// addresses end in n[v].edge[u].
func edges(decisions []sdk.Choice, benchmark string) (map[string]sdk.Choice, error) {
	byEdge := map[string]sdk.Choice{}
	for _, d := range decisions {
		at := edgeAddress.FindString(d.Address)
		if at == "" || d.Kind == space.Subset {
			return nil, problem("the space decides %s, which is no edge of a cell of %s", d.Address, benchmark)
		}
		if other, twice := byEdge[at]; twice {
			return nil, problem("the space has two edges %s: %s and %s", at, other.Address, d.Address)
		}
		byEdge[at] = d
	}
	if len(byEdge) > len(nasbench201.Edges) {
		return nil, problem("the space decides %d edges, a cell of %s has %d", len(byEdge), benchmark, len(nasbench201.Edges))
	}
	return byEdge, nil
}

// onEdges takes an alternative for each edge of a cell of four vertices.
func onEdges(decisions []sdk.Choice, benchmark string, op func(edge int) nasbench201.Op) (map[string]string, error) {
	byEdge, err := edges(decisions, benchmark)
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	for i, edge := range nasbench201.Edges {
		at := fmt.Sprintf("n[%d].edge[%d]", edge[1]-1, edge[0])
		d, ok := byEdge[at]
		if !ok {
			return nil, problem("the space has no decision %s", at)
		}
		if labels[d.Address], ok = choose(d.Labels, op(i)); !ok {
			return nil, problem("%s cannot be %s: its alternatives are %s", d.Address, op(i), strings.Join(d.Labels, " | "))
		}
	}
	return labels, nil
}

// resolveCell201 reads |op~0|+|op~0|op~1|+|op~0|op~1|op~2|.
func resolveCell201(text string, decisions []sdk.Choice) (map[string]string, bool, error) {
	if !strings.HasPrefix(text, "|") {
		return nil, false, nil
	}
	a, err := nasbench201.ParseArch(text)
	if err != nil {
		return nil, true, problem("%v", err)
	}
	labels, err := onEdges(decisions, "NAS-Bench-201", func(edge int) nasbench201.Op { return a[edge] })
	return labels, true, err
}

// resolveSizes reads 8:16:24:32:64, the five decisions of a space in their order.
func resolveSizes(text string, decisions []sdk.Choice) (map[string]string, bool, error) {
	if strings.Count(text, ":") < 2 {
		return nil, false, nil
	}
	a, err := natssize.Parse(text)
	if err != nil {
		return nil, true, problem("%v", err)
	}
	if len(decisions) != len(a) {
		return nil, true, problem("the space has %d decisions, and NATS-Bench size five", len(decisions))
	}
	labels := map[string]string{}
	for i, d := range decisions {
		label := strconv.Itoa(a[i])
		if !slices.Contains(d.Labels, label) {
			return nil, true, problem("%s cannot be %s: its alternatives are %s", d.Address, label, strings.Join(d.Labels, " | "))
		}
		labels[d.Address] = label
	}
	return labels, true, nil
}

// resolveTransNAS reads 64-41414-1_02_333 and 64-1234-basic.
func resolveTransNAS(text string, decisions []sdk.Choice) (map[string]string, bool, error) {
	if !strings.HasPrefix(text, "64-") {
		return nil, false, nil
	}
	if c, ok := transnasbench101.ParseCell(text); ok {
		ops := []nasbench201.Op{nasbench201.None, nasbench201.Skip, nasbench201.Conv1x1, nasbench201.Conv3x3}
		labels, err := onEdges(decisions, "TransNAS-Bench-101", func(edge int) nasbench201.Op { return ops[c[edge]] })
		return labels, true, err
	}
	s, ok := transnasbench101.ParseSkeleton(text)
	if !ok {
		return nil, true, problem("TransNAS-Bench-101 has no architecture %q", text)
	}
	labels := map[string]string{}
	for _, d := range decisions {
		label := ""
		m := moduleAddress.FindStringSubmatch(d.Address)
		switch {
		case d.Kind == space.Depth:
			label = strconv.Itoa(len(s))
		case m == nil:
			return nil, true, problem("the space decides %s, which is nothing of a skeleton of TransNAS-Bench-101", d.Address)
		default:
			i, _ := strconv.Atoi(m[1])
			if i >= len(s) {
				continue // the module is not there
			}
			kind := s[i] - 1 // bit 0 doubles, bit 1 halves
			if m[2] == "out" {
				label = d.Labels[min(kind&1, len(d.Labels)-1)]
			} else {
				label = strconv.Itoa(1 + kind>>1)
			}
		}
		if !slices.Contains(d.Labels, label) {
			return nil, true, problem("%s cannot be %s: its alternatives are %s", d.Address, label, strings.Join(d.Labels, " | "))
		}
		labels[d.Address] = label
	}
	return labels, true, nil
}

// resolveASR reads [[1,0],[1,0,0],[1,0,0,0]].
func resolveASR(text string, decisions []sdk.Choice) (map[string]string, bool, error) {
	if !strings.HasPrefix(text, "[[") {
		return nil, false, nil
	}
	a, err := nasbenchasr.Parse(text)
	if err != nil {
		return nil, true, problem("%v", err)
	}
	labels := map[string]string{}
	for _, d := range decisions {
		m := speechAddress.FindStringSubmatch(d.Address)
		if m == nil {
			return nil, true, problem("the space decides %s, which is nothing of a cell of NAS-Bench-ASR", d.Address)
		}
		v, _ := strconv.Atoi(m[1])
		u, _ := strconv.Atoi(m[2])
		if v > 2 || u > v {
			return nil, true, problem("a cell of NAS-Bench-ASR has no %s", d.Address)
		}
		place := 0 // among the alternatives, which stand in the benchmark's order
		switch {
		case m[2] == "":
			place = int(a.Ops[v])
		case a.Skips[v][u]:
			place = 1
		}
		if place >= len(d.Labels) {
			return nil, true, problem("%s has only the alternatives %s", d.Address, strings.Join(d.Labels, " | "))
		}
		labels[d.Address] = d.Labels[place]
	}
	return labels, true, nil
}

var (
	edgeAddress   = regexp.MustCompile(`n\[[0-9]+\]\.edge\[[0-9]+\]$`)
	moduleAddress = regexp.MustCompile(`module\[([0-9]+)\]\.(out|stride)$`)
	speechAddress = regexp.MustCompile(`n\[([0-9]+)\]\.(?:main|branch\[([0-9]+)\])$`)
	call          = regexp.MustCompile(`^(\w+)(?:\((.*)\))?$`)
	kernel        = regexp.MustCompile(`(?:^|,)\s*kernel:\s*([0-9]+)\s*(?:,|$)`)
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
			match = m[1] == "zero" || m[1] == "none"
		case nasbench201.Skip:
			match = m[1] == "skip" || m[1] == "shortcut"
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
