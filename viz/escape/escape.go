// Package escape escapes names from files and users (of classes, data sets, runs, keys) so that
// they stay names where they are written: a terminal obeys control characters, Markdown contains
// HTML, and a line break ends a table row. SVG, CSV and the JSON of pages are escaped by their
// encoders.
package escape

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one line of text. Control characters, line breaks, marks that change the
// direction of text, and invalid UTF-8 are written as in a Go string ("\n", "\x1b", "\u202e").
func Line(s string) string { return quote(s, "") }

// Lines is Line for text of several lines, such as errors: it keeps line feeds and tabs.
func Lines(s string) string { return quote(s, "\n\t") }

// quote quotes unprintable characters except those in kept.
func quote(s, kept string) string {
	var b strings.Builder
	for i, r := range s {
		switch size := utf8.RuneLen(r); {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case size > 0 && obeyed(r) && !strings.ContainsRune(kept, r):
			quoted := fmt.Sprintf("%q", r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// obeyed reports whether a terminal or a page acts on the character instead of showing it.
func obeyed(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// markup matches what Markdown may treat as other than text within a line: HTML, entities,
// emphasis, code, formulas, links.
var markup = regexp.MustCompile("[<`*\\\\$]|~~|@@|&#?\\w+;|\\]\\s*[(:\\[]|://|www\\.|(^|[^\\pL\\pN])_|_($|[^\\pL\\pN])")

// Markdown returns s as part of a line of Markdown. Text without markup is unchanged; other text
// becomes a code span, where nothing has a meaning. In a table cell, the caller must also escape
// bars.
func Markdown(s string) string {
	if s = Line(s); !markup.MatchString(s) {
		return s
	}
	return Code(s)
}

var backticks = regexp.MustCompile("`+")

// Code returns s as a code span of Markdown.
func Code(s string) string {
	s = Line(s)
	fence := "`"
	for _, run := range backticks.FindAllString(s, -1) {
		if len(run) >= len(fence) {
			fence = run + "`"
		}
	}
	if strings.Trim(s, "` ") != s || s == "" {
		s = " " + s + " " // Markdown removes one space at each end
	}
	return fence + s + fence
}

var latex = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`)

// LaTeX returns s as LaTeX text. It also protects "[" and "*" at the start, which "\\" would take
// as its argument in the first cell of a row.
func LaTeX(s string) string {
	s = latex.Replace(Line(s))
	if strings.HasPrefix(s, "[") || strings.HasPrefix(s, "*") {
		return "{}" + s
	}
	return s
}
