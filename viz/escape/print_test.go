package escape_test

import (
	"errors"
	"strings"
	"testing"

	"ffslab/viz/escape"
	"ffslab/viz/escape/hostile"
)

func TestFprintfEscapesNamesAndErrors(t *testing.T) {
	for _, arg := range []any{hostile.Name, errors.New(escape.Line(hostile.Name) + "\x1b")} {
		var b strings.Builder
		if _, err := escape.Fprintf(&b, "%d %s\n", 7, arg); err != nil {
			t.Fatal(err)
		}
		hostile.Terminal(t, b.String())
		if text := b.String(); !strings.HasPrefix(text, "7 ") || !strings.HasSuffix(text, "\n") {
			t.Errorf("printed %q", text)
		}
	}
	args := []any{"a\tb"}
	var b strings.Builder
	if _, err := escape.Fprintf(&b, "%s", args...); err != nil || args[0] != "a\tb" {
		t.Errorf("the caller's arguments became %q, %v", args, err)
	}
}

// The checks see what they are for: a name that is written as it is fails each of them.
func TestRawNameIsFound(t *testing.T) {
	for name, check := range map[string]func(testing.TB, string){
		"Terminal": hostile.Terminal, "Markdown": hostile.Markdown, "HTML": hostile.HTML, "LaTeX": hostile.LaTeX,
		"SVG": func(t testing.TB, s string) { hostile.SVG(t, []byte("<svg>"+s+"</svg>")) }, "CSV": hostile.CSV,
	} {
		seen := &recorder{TB: t}
		func() {
			defer func() { _ = recover() }()
			check(seen, "cell,"+hostile.Name)
		}()
		if !seen.failed {
			t.Errorf("%s lets the raw name pass", name)
		}
	}
}

// recorder notes that a test would have failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic("stop") }
func (r *recorder) Fatal(...any)          { r.failed = true; panic("stop") }
func (r *recorder) Helper()               {}
