package syntax

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// units gives for every unit the factor to base units: counts for K to Gi,
// seconds for times, a fraction for %.
var units = map[string]struct {
	num, den int64
	count    bool
}{
	"K": {1_000, 1, true}, "M": {1_000_000, 1, true}, "G": {1_000_000_000, 1, true},
	"Ki": {1 << 10, 1, true}, "Mi": {1 << 20, 1, true}, "Gi": {1 << 30, 1, true},
	"us": {1, 1_000_000, false}, "ms": {1, 1_000, false}, "s": {1, 1, false}, "m": {60, 1, false}, "h": {3600, 1, false},
	"%": {1, 100, false},
}

// unitNames lists the units for messages, smallest first within each kind.
const unitNames = "K M G, Ki Mi Gi, us ms s m h, %"

// numberLen is the length of the number that s starts with, together with
// letters and digits that touch it, so that `12Q` is one wrong number and not
// a number and a name. A `%` that touches the number is a unit, unless an
// operand follows at once (`10%3` is a remainder).
func numberLen(s string) int {
	n := digits(s, 0)
	if n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
		n = digits(s, n+1)
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		m := n + 1
		if m < len(s) && (s[m] == '+' || s[m] == '-') {
			m++
		}
		if m < len(s) && isDigit(s[m]) {
			n = digits(s, m)
		}
	}
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n])) {
		n++
	}
	if n < len(s) && s[n] == '%' {
		if n+1 == len(s) || !isLetter(s[n+1]) && !isDigit(s[n+1]) && s[n+1] != '(' && s[n+1] != '[' {
			n++
		}
	}
	return n
}

func digits(s string, i int) int {
	for i < len(s) && (isDigit(s[i]) || s[i] == '_') {
		i++
	}
	return i
}

// number reads a literal. Malformed ones are reported with E0106.
func number(t *lexer.Token) (*Number, error) {
	body := t.Value
	bad := func(help, format string, args ...any) (*Number, error) {
		return nil, fail(t, "E0106", help, format, args...)
	}
	// Split off the unit: the letters, or %, behind digits and exponent.
	cut := digits(body, 0)
	if cut < len(body) && body[cut] == '.' {
		cut = digits(body, cut+1)
	}
	if cut+1 < len(body) && (body[cut] == 'e' || body[cut] == 'E') {
		m := cut + 1
		if body[m] == '+' || body[m] == '-' {
			m++
		}
		if m < len(body) && isDigit(body[m]) {
			cut = digits(body, m)
		}
	}
	unit := body[cut:]
	body = body[:cut]
	u, known := units[unit]
	switch {
	case unit == "":
		u.num, u.den = 1, 1
	case !known:
		return bad("units are "+unitNames, "`%s` has an unknown unit `%s`", t.Value, unit)
	}
	if body[0] == '.' {
		return bad("write `0"+t.Value+"`", "a number starts with a digit")
	}
	for i := 0; i < len(body); i++ {
		if body[i] == '_' && (i == 0 || i+1 == len(body) || !isDigit(body[i-1]) || !isDigit(body[i+1])) {
			return bad("", "`_` stands between two digits")
		}
	}
	plain := strings.ReplaceAll(body, "_", "")
	whole := strings.Trim(plain, "0123456789") == ""
	n := &Number{node: tokenNode(t), Text: t.Value, Unit: unit}
	// Exact arithmetic for what can be a count: 1.5K is 1500.
	if (unit == "" && whole) || u.count && !strings.ContainsAny(plain, "eE") {
		if len(plain) > 400 {
			return bad("", "this number has too many digits")
		}
		r, ok := new(big.Rat).SetString(plain)
		if !ok {
			return bad("", "`%s` is not a number", t.Value)
		}
		r.Mul(r, big.NewRat(u.num, u.den))
		n.Value, _ = r.Float64()
		if r.IsInt() {
			if !r.Num().IsInt64() {
				return bad("", "`%s` does not fit into 64 bits", t.Value)
			}
			n.Int, n.IsInt = r.Num().Int64(), true
		}
		return n, nil
	}
	v, err := strconv.ParseFloat(plain, 64)
	if err != nil {
		return bad("", "`%s` is beyond what a real number can hold", t.Value)
	}
	n.Value = v * float64(u.num) / float64(u.den)
	if math.IsInf(n.Value, 0) {
		return bad("", "`%s` is beyond what a real number can hold", t.Value)
	}
	return n, nil
}

// str reads a string literal with the escapes \" \\ \n \r \t and \u{…}.
func str(t *lexer.Token) (*String, error) {
	s := &String{node: tokenNode(t), Text: t.Value}
	in := t.Value[1 : len(t.Value)-1]
	if strings.IndexByte(in, '\\') < 0 {
		s.Value = in
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(in); i++ {
		if in[i] != '\\' {
			b.WriteByte(in[i])
			continue
		}
		i++
		switch in[i] {
		case '"', '\\':
			b.WriteByte(in[i])
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			end := strings.IndexByte(in[i:], '}')
			if !strings.HasPrefix(in[i:], "u{") || end < 0 {
				return nil, escapeError(t, i-1, 2)
			}
			v, err := strconv.ParseUint(in[i+2:i+end], 16, 32)
			if err != nil || !utf8.ValidRune(rune(v)) {
				return nil, escapeError(t, i-1, end+2)
			}
			b.WriteRune(rune(v))
			i += end
		default:
			_, w := utf8.DecodeRuneInString(in[i:])
			return nil, escapeError(t, i-1, 1+w)
		}
	}
	s.Value = b.String()
	return s, nil
}

// escapeError points at n bytes inside the string, at of its inner text.
func escapeError(t *lexer.Token, at, n int) error {
	esc := t.Value[1+at : 1+at+n]
	e := fail(t, "E0116", "escapes are \\\" \\\\ \\n \\r \\t and \\u{1F600}", "`%s` is no escape", esc)
	start := startPos(t)
	start.Offset += 1 + at
	start.Col += utf8.RuneCountInString(t.Value[:1+at])
	end := start
	end.Offset += n
	end.Col += utf8.RuneCountInString(esc)
	e.d.Span.Start, e.d.Span.End = start, end
	return e
}

// Quote writes s as a literal that reads back as s.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if !strconv.IsPrint(r) {
				fmt.Fprintf(&b, `\u{%x}`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}
