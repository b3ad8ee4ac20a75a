package sym

import (
	"fmt"
	"math"
	"math/big"
)

// maxText bounds the texts that `+` makes: forty doublings are a terabyte.
const maxText = 1 << 16

// compute applies one operator or function of the language to plain values.
// Whole numbers stay whole: 7 / 2 is 3.5, 8 / 2 is 4. Overflow, division by
// zero and mixed types are errors.
func compute(fn string, v []any) (any, error) {
	switch fn {
	case "not":
		b, ok := v[0].(bool)
		if !ok {
			return nil, fmt.Errorf("`not` takes a truth value, not %v", v[0])
		}
		return !b, nil
	case "and", "or":
		a, ok1 := v[0].(bool)
		b, ok2 := v[1].(bool)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("`%s` takes truth values, not %v and %v", fn, v[0], v[1])
		}
		if fn == "and" {
			return a && b, nil
		}
		return a || b, nil
	case "==", "!=":
		eq, err := equal(v[0], v[1])
		if err != nil {
			return nil, err
		}
		return eq == (fn == "=="), nil
	case "<", "<=", ">", ">=":
		a, b, err := numbers(fn, v)
		if err != nil {
			return nil, err
		}
		switch fn {
		case "<":
			return a < b, nil
		case "<=":
			return a <= b, nil
		case ">":
			return a > b, nil
		}
		return a >= b, nil
	case "+":
		if a, ok := v[0].(string); ok {
			if b, ok := v[1].(string); ok {
				if len(a)+len(b) > maxText {
					return nil, fmt.Errorf("a text of more than %d bytes", maxText)
				}
				return a + b, nil
			}
		}
		return arith(fn, v)
	case "-", "*", "/", "%", "^":
		return arith(fn, v)
	case "neg":
		return arith("-", []any{int64(0), v[0]})
	case "min", "max":
		out := v[0]
		for _, x := range v[1:] {
			a, b, err := numbers(fn, []any{x, out})
			if err != nil {
				return nil, err
			}
			if (fn == "min" && a < b) || (fn == "max" && a > b) {
				out = x
			}
		}
		if _, _, err := numbers(fn, []any{out, out}); err != nil {
			return nil, err
		}
		return out, nil
	case "sum":
		var out any = int64(0)
		for _, x := range v {
			s, err := arith("+", []any{out, x})
			if err != nil {
				return nil, err
			}
			out = s
		}
		return out, nil
	case "ceil", "floor", "round", "abs", "sqrt", "log2":
		return unary(fn, v[0])
	case "round_to":
		return roundTo(v)
	}
	return nil, fmt.Errorf("unknown function `%s`", fn)
}

// roundTo rounds to the nearest multiple, never more than a tenth below the
// value: the rule by which MobileNets make channel counts divisible.
func roundTo(v []any) (any, error) {
	x, m, err := numbers("round_to", v)
	if err != nil {
		return nil, err
	}
	if m <= 0 || m != math.Trunc(m) {
		return nil, fmt.Errorf("`round_to` needs a positive whole multiple, not %v", v[1])
	}
	n := math.Max(m, math.Floor((x+m/2)/m)*m)
	if n < 0.9*x {
		n += m
	}
	return whole(n)
}

func unary(fn string, v any) (any, error) {
	if n, ok := v.(int64); ok && fn != "sqrt" && fn != "log2" {
		if fn == "abs" && n < 0 {
			return -n, nil
		}
		return n, nil
	}
	x, ok := float(v)
	if !ok {
		return nil, fmt.Errorf("`%s` takes a number, not %v", fn, v)
	}
	switch fn {
	case "ceil":
		return whole(math.Ceil(x))
	case "floor":
		return whole(math.Floor(x))
	case "round":
		return whole(math.Round(x))
	case "abs":
		return math.Abs(x), nil
	case "sqrt":
		if x < 0 {
			return nil, fmt.Errorf("the square root of %v is not a number", v)
		}
		return math.Sqrt(x), nil
	}
	if x <= 0 {
		return nil, fmt.Errorf("the logarithm of %v is not a number", v)
	}
	return math.Log2(x), nil
}

func whole(x float64) (any, error) {
	if math.Abs(x) >= 1<<62 {
		return nil, fmt.Errorf("%g is too large for a whole number", x)
	}
	return int64(x), nil
}

func arith(fn string, v []any) (any, error) {
	a, ok1 := v[0].(int64)
	b, ok2 := v[1].(int64)
	if ok1 && ok2 {
		return integers(fn, a, b)
	}
	x, y, err := numbers(fn, v)
	if err != nil {
		return nil, err
	}
	var r float64
	switch fn {
	case "+":
		r = x + y
	case "-":
		r = x - y
	case "*":
		r = x * y
	case "/":
		r = x / y
	case "%":
		r = math.Mod(x, y)
	case "^":
		r = math.Pow(x, y)
	}
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return nil, fmt.Errorf("%v %s %v is not a number", v[0], fn, v[1])
	}
	return r, nil
}

func integers(fn string, a, b int64) (any, error) {
	const half = 1 << 31
	if -half < a && a < half && -half < b && b < half { // no result is too large
		switch fn {
		case "+":
			return a + b, nil
		case "-":
			return a - b, nil
		case "*":
			return a * b, nil
		}
	}
	x, y, r := big.NewInt(a), big.NewInt(b), new(big.Int)
	switch fn {
	case "+":
		r.Add(x, y)
	case "-":
		r.Sub(x, y)
	case "*":
		r.Mul(x, y)
	case "/", "%":
		if b == 0 {
			return nil, fmt.Errorf("%d %s 0: division by zero", a, fn)
		}
		if fn == "%" {
			return a % b, nil
		}
		if a%b != 0 {
			return float64(a) / float64(b), nil
		}
		r.Quo(x, y)
	case "^":
		if b < 0 {
			return math.Pow(float64(a), float64(b)), nil
		}
		if b > 64 && a != 0 && a != 1 && a != -1 {
			return nil, fmt.Errorf("%d ^ %d is too large for a whole number", a, b)
		}
		r.Exp(x, y, nil)
	}
	if !r.IsInt64() {
		return nil, fmt.Errorf("%d %s %d is too large for a whole number", a, fn, b)
	}
	return r.Int64(), nil
}

func float(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func numbers(fn string, v []any) (a, b float64, err error) {
	a, ok1 := float(v[0])
	b, ok2 := float(v[1])
	if !ok1 || !ok2 {
		bad := v[0]
		if ok1 {
			bad = v[1]
		}
		return 0, 0, fmt.Errorf("`%s` takes numbers, not %#v", fn, bad)
	}
	return a, b, nil
}

func equal(a, b any) (bool, error) {
	x, ok1 := float(a)
	y, ok2 := float(b)
	if ok1 && ok2 {
		return x == y, nil
	}
	if ok1 != ok2 || fmt.Sprintf("%T", a) != fmt.Sprintf("%T", b) {
		return false, fmt.Errorf("%#v and %#v cannot be compared", a, b)
	}
	return a == b, nil
}
