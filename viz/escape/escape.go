// Package escape writes names that come from files and users (of classes, data sets, runs, keys) so that they stay names where they
// are written to: a terminal obeys control characters, Markdown holds HTML, and a line break ends a row of a table. SVG, CSV and the
// pages' JSON are escaped by their encoders.
package escape

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one line of text: control characters, line breaks, marks that turn the direction of what follows, and bytes that
// are not UTF-8 are written as in a Go string ("\n", "\x1b", "\u202e"). All else stays.
func Line(s string) string { return quote(s, "") }

// Lines is Line for text of several lines, such as errors: line feeds and tabs stay.
func Lines(s string) string { return quote(s, "\n\t") }

// quote quotes all that is not to be printed, but for the characters in kept.
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

// markup finds what Markdown could take for anything but text in the middle of a line: HTML, entities, emphasis, code, formulas, links.
var markup = regexp.MustCompile("[<`*\\\\$]|~~|@@|&#?\\w+;|\\]\\s*[(:\\[]|://|www\\.|(^|[^\\pL\\pN])_|_($|[^\\pL\\pN])")

// Markdown returns s as a part of a line of Markdown. Text without markup stays as it is; all else becomes a code span, in which
// nothing has a meaning. A cell of a table must, besides, escape its bars.
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
		s = " " + s + " " // Markdown takes one blank off each end
	}
	return fence + s + fence
}

var latex = strings.NewReplacer(`\`, `\textbackslash{}`, "&", `\&`, "%", `\%`, "$", `\$`, "#", `\#`, "_", `\_`, "{", `\{`, "}", `\}`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`)

// LaTeX returns s as text of LaTeX, also as the first cell of a table's row: "\\" takes what follows, if that is "[" or "*", for its own.
func LaTeX(s string) string {
	s = latex.Replace(Line(s))
	if strings.HasPrefix(s, "[") || strings.HasPrefix(s, "*") {
		return "{}" + s
	}
	return s
}
