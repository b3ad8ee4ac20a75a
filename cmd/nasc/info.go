package main

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/nasc-project/nasc/compiler"
	"github.com/nasc-project/nasc/compiler/survey"
	"github.com/nasc-project/nasc/compiler/unique"
	"github.com/nasc-project/nasc/runtime/report"
	"github.com/nasc-project/nasc/spaces/published"
)

// The limits of a survey: seconds, not minutes.
const (
	surveyLimit  = 20_000
	surveySample = 1_000
)

// spaceInfo is what info tells of a space.
type spaceInfo struct {
	Name      string             `json:"name"`
	Doc       string             `json:"doc,omitempty"`
	Size      *big.Int           `json:"size"`              // nil: not known under Unknown
	Choices   *big.Int           `json:"choices,omitempty"` // ways to take the decisions, requirements aside
	Unknown   string             `json:"unknown,omitempty"`
	Published []published.Number `json:"published,omitempty"`
	Survey    *survey.Survey     `json:"survey"`
	Decisions []decisionInfo     `json:"decisions"`
}

type decisionInfo struct {
	Address string   `json:"address"`
	Kind    string   `json:"kind"`
	Least   int      `json:"min"`
	Most    int      `json:"max"`
	Labels  []string `json:"alternatives"`
}

func newInfo() *cobra.Command {
	var chosen spaceFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "info FILE",
		Short: "Tell what a space holds",
		Long: fmt.Sprintf(`info prints the decisions of a space, its exact size, and the range of params,
MACs and depth: as built and, where that is another range, of the live graph, without
what cannot influence the output. Of a space whose publication counts in other ways,
these numbers follow with their rules. A space of up to %d architectures is
enumerated, of a larger one %d are drawn. How many architectures differ is told
where that takes a second or two; 'nasc count --unique' goes further.`, surveyLimit, surveySample),
		Example: "  nasc info spaces/darts/darts.nas",
		Args:    args(1, 1),
	}
	chosen.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		m, s, err := chosen.compile(c, args[0])
		if err != nil {
			return err
		}
		info := describe(m, s)
		if err := info.count(s); err != nil {
			return placed(m, err)
		}
		found, err := survey.Of(s, survey.Sampler(s.Space), surveyLimit, surveySample)
		if err != nil {
			return err
		}
		info.Survey = found
		if found.Unique == nil {
			classes, err := s.UniqueSoon(c.Context())
			var no *unique.UnknownError
			switch {
			case err == nil:
				n := classes.Len()
				found.Unique = &n
			case !errors.As(err, &no):
				return err
			}
		}
		if info.Published, err = published.Numbers(s.Space); err != nil {
			return err
		}
		if asJSON {
			return printJSON(c.OutOrStdout(), info)
		}
		return printInfo(c.OutOrStdout(), info)
	}
	return c
}

// count sets the size, which a requirement may leave unknown.
func (info *spaceInfo) count(s *compiler.Space) (err error) {
	if s.Constrained() {
		info.Choices = s.Size()
	}
	var unknown *compiler.UnknownCount
	if info.Size, err = s.Count(); errors.As(err, &unknown) {
		info.Unknown = unknown.Requirement
		return nil
	}
	if err == nil && info.Size.Sign() == 0 {
		return s.Empty()
	}
	return err
}

func describe(m *compiler.Module, s *compiler.Space) spaceInfo {
	info := spaceInfo{Name: s.Name, Doc: m.Doc(s.Name)}
	for _, d := range s.Decisions {
		one := decisionInfo{Address: d.Address, Kind: string(d.Kind), Least: d.Min, Most: d.Max}
		for _, a := range d.Alts {
			one.Labels = append(one.Labels, a.Label)
		}
		info.Decisions = append(info.Decisions, one)
	}
	return info
}

func printInfo(out io.Writer, info spaceInfo) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "space\t%s\n", info.Name)
	if info.Doc != "" {
		fmt.Fprintf(w, "\t%s\n", firstSentence(info.Doc))
	}
	switch {
	case info.Size == nil:
		fmt.Fprintf(w, "size\tnot known under `require %s`; %s without it\n", info.Unknown, report.Group(info.Choices.String()))
	case info.Choices != nil:
		fmt.Fprintf(w, "size\t%s architectures, %s without `require`\n", report.Group(info.Size.String()), report.Group(info.Choices.String()))
	default:
		fmt.Fprintf(w, "size\t%s architectures\n", report.Group(info.Size.String()))
	}
	about := ""
	if n := info.Survey.Unique; n != nil {
		fmt.Fprintf(w, "unique\t%s up to isomorphism\n", report.Count(int64(*n)))
	}
	if s := info.Survey; !s.Exact {
		about = fmt.Sprintf(" (of %s drawn)", report.Count(int64(s.Looked)))
	}
	label := "counts"
	for _, n := range info.Published {
		fmt.Fprintf(w, "%s\t%s %s\n", label, report.Count(int64(n.Count)), n.Rule)
		label = ""
	}
	for _, r := range []struct {
		name        string
		built, live survey.Range
	}{
		{"params", info.Survey.Params, info.Survey.Live.Params},
		{"MACs", info.Survey.MACs, info.Survey.Live.MACs},
		{"depth", info.Survey.Depth, info.Survey.Depth},
	} {
		text := fmt.Sprintf("%s to %s", report.Count(r.built.Min), report.Count(r.built.Max))
		if r.live != r.built {
			text += fmt.Sprintf(" as built, %s to %s live", report.Count(r.live.Min), report.Count(r.live.Max))
		}
		fmt.Fprintf(w, "%s\t%s%s\n", r.name, text, about)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d decisions\tkind\talternatives\n", len(info.Decisions))
	first := map[string]string{} // who has these alternatives, by kind and text
	for _, d := range info.Decisions {
		kind := d.Kind
		if d.Kind == "subset" {
			kind = fmt.Sprintf("%d of", d.Least)
			if d.Most != d.Least {
				kind = fmt.Sprintf("%d..%d of", d.Least, d.Most)
			}
		}
		text := strings.Join(d.Labels, " | ")
		if same, ok := first[kind+text]; !ok {
			first[kind+text] = d.Address
		} else if same = "as " + same; len(same) < len(text) {
			text = same
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", d.Address, kind, text)
	}
	return w.Flush()
}
