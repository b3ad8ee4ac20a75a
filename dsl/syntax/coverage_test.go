package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/nasc-project/nasc/dsl/diag"
)

// ebnf is a piece of dsl/grammar.ebnf.
type ebnf struct {
	kind  byte   // '"' word or sign, '<' kind of token, 'N' production, '|', ',' sequence, or '?', '*', '+'
	text  string // of a word, kind or name
	parts []*ebnf
}

func (e *ebnf) String() string {
	var parts []string
	for _, p := range e.parts {
		parts = append(parts, p.String())
	}
	switch e.kind {
	case '"':
		return `"` + e.text + `"`
	case '<':
		return "<" + e.text + ">"
	case 'N':
		return e.text
	case ',':
		return strings.Join(parts, " ")
	case '|':
		return "(" + strings.Join(parts, " | ") + ")"
	}
	if e.parts[0].kind == ',' {
		return "(" + parts[0] + ")" + string(e.kind)
	}
	return parts[0] + string(e.kind)
}

// readEBNF reads the right side of a production.
func readEBNF(t *testing.T, rhs string) *ebnf {
	t.Helper()
	toks := regexp.MustCompile(`"[^"]+"|<[a-z]+>|[A-Za-z]+|[()|*+?.]`).FindAllString(rhs, -1)
	var alternatives func() *ebnf
	sequence := func() *ebnf {
		seq := &ebnf{kind: ','}
		for len(toks) > 0 && !strings.Contains("|).", toks[0]) {
			tok := toks[0]
			toks = toks[1:]
			var e *ebnf
			switch tok[0] {
			case '(':
				e = alternatives()
				toks = toks[1:]
			case '"', '<':
				e = &ebnf{kind: tok[0], text: tok[1 : len(tok)-1]}
			default:
				e = &ebnf{kind: 'N', text: tok}
			}
			for len(toks) > 0 && strings.Contains("*+?", toks[0]) {
				e = &ebnf{kind: toks[0][0], parts: []*ebnf{e}}
				toks = toks[1:]
			}
			seq.parts = append(seq.parts, e)
		}
		if len(seq.parts) == 1 {
			return seq.parts[0]
		}
		return seq
	}
	alternatives = func() *ebnf {
		alt := &ebnf{kind: '|', parts: []*ebnf{sequence()}}
		for len(toks) > 0 && toks[0] == "|" {
			toks = toks[1:]
			alt.parts = append(alt.parts, sequence())
		}
		if len(alt.parts) == 1 {
			return alt.parts[0]
		}
		return alt
	}
	e := alternatives()
	if len(toks) != 1 || toks[0] != "." {
		t.Fatalf("cannot read %q at %q", rhs, toks)
	}
	return e
}

// point is one way through a piece of the grammar: an alternative, or an
// optional or repeated part that is there or is not.
type point struct {
	at  *ebnf
	way int
}

// derivation is how a piece of a file follows from the grammar.
type derivation struct {
	end   int // in tokens; -1 when there is none
	way   point
	parts []*derivation
}

var none = &derivation{end: -1}

// recogniser reads a file by the written grammar alone: the first alternative
// that fits, as many repetitions as fit.
type recogniser struct {
	productions map[string]*ebnf
	toks        []lexer.Token
	done        map[string]*derivation
	furthest    int
}

var tokenKinds = map[string]lexer.TokenType{"ident": tokIdent, "number": tokNumber, "string": tokString, "doc": tokDoc}

func (r *recogniser) derive(e *ebnf, at int) *derivation {
	r.furthest = max(r.furthest, at)
	d := &derivation{end: at}
	take := func(p *ebnf) bool {
		next := r.derive(p, d.end)
		if next == none {
			return false
		}
		d.end, d.parts = next.end, append(d.parts, next)
		return true
	}
	switch e.kind {
	case '"', '<':
		if at == len(r.toks) {
			return none
		}
		t := r.toks[at]
		if e.kind == '<' && t.Type != tokenKinds[e.text] || e.kind == '"' && (t.Value != e.text || t.Type == tokString) {
			return none
		}
		return &derivation{end: at + 1}
	case 'N':
		key := fmt.Sprint(e.text, " ", at)
		known, ok := r.done[key]
		if !ok {
			known = r.derive(r.productions[e.text], at)
			r.done[key] = known
		}
		return known
	case ',':
		for _, p := range e.parts {
			if !take(p) {
				return none
			}
		}
	case '|':
		for i, p := range e.parts {
			if take(p) {
				d.way = point{e, i}
				return d
			}
		}
		return none
	case '?':
		if take(e.parts[0]) {
			d.way = point{e, 1}
		} else {
			d.way = point{e, 0}
		}
	default:
		for take(e.parts[0]) {
		}
		if d.way = (point{e, min(len(d.parts), 2)}); e.kind == '+' && len(d.parts) == 0 {
			return none
		}
	}
	return d
}

// ways lists the points of a piece and says what each is.
func ways(e *ebnf, visit func(p point, what string)) {
	switch e.kind {
	case '|':
		for i, p := range e.parts {
			visit(point{e, i}, p.String())
		}
	case '?':
		visit(point{e, 0}, "no "+e.parts[0].String())
		visit(point{e, 1}, e.parts[0].String())
	case '*', '+':
		for n, many := range []string{"no", "one", "several"} {
			if n > 0 || e.kind == '*' {
				visit(point{e, n}, many+" "+e.parts[0].String())
			}
		}
	}
	for _, p := range e.parts {
		ways(p, visit)
	}
}

// TestGrammarCoverage reads the files that the parser accepts by the written
// grammar alone. It must accept them too, and every way through it must be taken
// by one of them: each alternative, each optional part with and without, each
// repetition never, once and more often.
func TestGrammarCoverage(t *testing.T) {
	text, err := os.ReadFile("../grammar.ebnf")
	if err != nil {
		t.Fatal(err)
	}
	r := &recogniser{productions: map[string]*ebnf{}}
	var names []string
	for _, l := range strings.Split(string(text), "\n") {
		for name, rhs := range productions(l) {
			r.productions[name] = readEBNF(t, rhs)
			names = append(names, name)
		}
	}
	taken := map[point]int{}
	files := 0
	for name, src := range corpus(t) {
		if _, errs := Parse(name, src); len(errs) > 0 {
			t.Fatal(name, errs)
		}
		var errs diag.List
		r.toks, r.done, r.furthest = scan(name, src, &errs).toks, map[string]*derivation{}, 0
		d := r.derive(r.productions["File"], 0)
		if d.end != len(r.toks) {
			t.Errorf("the written grammar does not accept what the parser does: %s:%v", name, r.toks[min(r.furthest, len(r.toks)-1)].Pos)
			continue
		}
		files++
		var count func(d *derivation)
		count = func(d *derivation) {
			taken[d.way]++
			for _, p := range d.parts {
				count(p)
			}
		}
		count(d)
	}
	all, covered := 0, 0
	for _, name := range names {
		of, had := 0, 0
		ways(r.productions[name], func(p point, what string) {
			of++
			if taken[p] > 0 {
				had++
			} else {
				t.Errorf("%s: no file has %s", name, what)
			}
		})
		t.Logf("%-8s %2d of %2d ways", name, had, of)
		all, covered = all+of, covered+had
	}
	t.Logf("%d of %d ways through %d productions, in %d files", covered, all, len(names), files)
}

// corpus are the files that are in order: samples, the standard library, the
// spaces, and those of the language page.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	out := samples(t)
	for _, pattern := range []string{"../../stdlib/*.nas", "../../spaces/*/*.nas"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal("no files match", pattern, err)
		}
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = src
		}
	}
	page, err := os.ReadFile("../../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```nas ([a-z_0-9]+\\.nas|prelude)\n(.*?)^```").FindAllSubmatch(page, -1)
	if len(blocks) == 0 {
		t.Fatal("the language page shows no files")
	}
	for i, b := range blocks {
		out[fmt.Sprintf("language.md %s %d", b[1], i)] = slices.Clone(b[2])
	}
	return out
}
