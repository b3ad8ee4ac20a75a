package diag

import (
	"encoding/json"
	"io"
)

// The JSON form of diagnostics. Field names are stable; fields may be added.

type jsonDiagnostic struct {
	Severity string     `json:"severity"` // "error" or "warning"
	Code     string     `json:"code"`
	Message  string     `json:"message"`
	Span     *jsonSpan  `json:"span,omitempty"`
	Label    string     `json:"label,omitempty"`
	Notes    []jsonNote `json:"notes,omitempty"`
	Help     string     `json:"help,omitempty"`
	Source   string     `json:"source,omitempty"` // the plugin that said it
}

type jsonNote struct {
	Span *jsonSpan `json:"span,omitempty"`
	Text string    `json:"text"`
}

type jsonSpan struct {
	File  string  `json:"file"`
	Start jsonPos `json:"start"`
	End   jsonPos `json:"end"` // just behind the last character
}

type jsonPos struct {
	Line   int `json:"line"`   // from 1
	Col    int `json:"col"`    // from 1, in Unicode code points
	Offset int `json:"offset"` // from 0, in bytes
}

// JSON writes one object per line and diagnostic:
//
//	{"severity":"error","code":"E0101","message":"…","span":{"file":"a.nas",
//	 "start":{"line":1,"col":5,"offset":4},"end":{…}},"label":"…",
//	 "notes":[{"span":{…},"text":"…"}],"help":"…","source":"nasc/evolution 0.1.0"}
//
// severity, code and message are always there; the others only when they hold
// something. Lines and columns count from 1, columns in code points, offsets
// from 0 in bytes; end is just behind the last character.
func JSON(w io.Writer, list List) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, d := range list {
		j := jsonDiagnostic{Severity: d.Severity.String(), Code: d.Code, Message: d.Message, Span: spanJSON(d.Span),
			Label: d.Label, Help: d.Help, Source: d.Source}
		for _, n := range d.Notes {
			j.Notes = append(j.Notes, jsonNote{spanJSON(n.Span), n.Text})
		}
		if err := enc.Encode(j); err != nil {
			return err
		}
	}
	return nil
}

func spanJSON(s Span) *jsonSpan {
	if !s.Start.Valid() {
		return nil
	}
	pos := func(p Pos) jsonPos { return jsonPos{p.Line, p.Col, p.Offset} }
	return &jsonSpan{s.Start.File, pos(s.Start), pos(s.End)}
}
