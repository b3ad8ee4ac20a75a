package host

import (
	"strings"
	"testing"

	"github.com/nasc-project/nasc/plugins/wire"
)

func TestSettings(t *testing.T) {
	h := newTestHost(t, Options{})
	p := start(t, h, "test/evaluator")
	c, err := p.Component(wire.EvaluatorKind, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		value any
		code  string
		want  string
	}{
		{"limti", int64(1), UnknownParameter, "did you mean `limit`?"},
		{"limit", int64(0), BadParameter, "limit must be at least 1, not 0"},
		{"limit", int64(11), BadParameter, "limit must be at most 10, not 11"},
		{"limit", "many", WrongType, "limit must be of type int, not \"many\""},
		{"limit", "", WrongType, `limit must be of type int, not ""`},
		{"limit", strings.Repeat("9", 1000), WrongType, "999…\""},
		{"limit", 2.5, WrongType, "limit must be of type int, not 2.5"},
		{"mode", "c", BadParameter, `mode must be one of "a", "b", not "c"`},
		{"mode", "B", BadParameter, "did you mean `b`?"},
		{"slow", int64(1), WrongType, "slow must be of type bool"},
		{"rate", 1.5, BadParameter, "rate must be at most 1"},
	} {
		_, err := p.Settings(c, wire.Settings{test.name: test.value})
		d := fails(t, err, test.code, test.want, "source: test/evaluator 1.2.3")
		if d.Path != "parameters."+test.name {
			t.Errorf("%s: path %q", test.name, d.Path)
		}
	}
	got, err := p.Settings(c, wire.Settings{"limit": 3.0, "rate": int64(1)})
	if err != nil || got["limit"] != int64(3) || got["rate"] != 1.0 || got["mode"] != "a" || len(got) != len(c.Parameters) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err = p.Evaluator(t.Context(), EvaluatorConfig{Settings: wire.Settings{"limit": int64(7)}})
	if d := fails(t, err, BadParameter, "limit must not be seven"); d.Path != "parameters.limit" {
		t.Errorf("path %q", d.Path)
	}
}

func TestUnknownPlugin(t *testing.T) {
	h := newTestHost(t, Options{})
	_, err := h.Start(t.Context(), "evoltion")
	fails(t, err, UnknownPlugin, "no plugin called evoltion", "did you mean `evolution`?")
	_, err = h.Start(t.Context(), "other/evolution")
	fails(t, err, UnknownPlugin, "no plugin called other/evolution")
}
