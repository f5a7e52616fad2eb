// Package hostile has a name that means something in every target that names are written to, and
// for each target a check that it stayed a name. Tests of everything that writes documents use it.
package hostile

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"

	"ffslab/viz/escape"
)

// Name is HTML, Markdown, LaTeX and a table row, and contains a line break and characters that a
// terminal obeys.
const Name = "[x](javascript:1) <img src=x onerror=alert(1)>&lt;|`*_$\\input{x} %#~^\"',=1+1\n\n# \x1b[31m\u202eend"

// Terminal fails the test unless the text shows the name and contains no control characters except
// line feeds, tabs and returns.
func Terminal(t testing.TB, text string) {
	t.Helper()
	if !strings.Contains(strings.ReplaceAll(text, `\|`, "|"), escape.Line(Name)) { // in a table of Markdown
		t.Errorf("the name is not shown in %.600q", text)
	}
	if strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "\n\n# ") {
		t.Errorf("control characters are in %.600q", text)
	}
}

var tag = regexp.MustCompile(`<[^>]*>`)

// Markdown fails the test unless the text shows the name after conversion to a page by a converter
// that passes HTML.
func Markdown(t testing.TB, text string) {
	t.Helper()
	converter := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
	var page bytes.Buffer
	if err := converter.Convert([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	HTML(t, page.String())
}

// HTML fails the test unless the page shows the name as plain text.
func HTML(t testing.TB, page string) {
	t.Helper()
	for _, live := range []string{"<img src=x", "<a href=\"javascript", "\x1b"} {
		if strings.Contains(page, live) {
			t.Errorf("%q is live in the page\n%.600s", live, page)
		}
	}
	shown := html.UnescapeString(tag.ReplaceAllString(page, ""))
	if !strings.Contains(shown, escape.Line(Name)) {
		t.Errorf("the name is not shown by the page\n%.600s", page)
	}
}

// SVG fails the test unless the document is XML without an element from the name. Figures may
// shorten a name.
func SVG(t testing.TB, document []byte) {
	t.Helper()
	for decoder := xml.NewDecoder(bytes.NewReader(document)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%.600s", err, document)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "img" {
			t.Errorf("the name is an element of\n%.600s", document)
		}
	}
}

// CSV fails the test unless a reader gets the name back.
func CSV(t testing.TB, document string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(document)).ReadAll()
	if err != nil {
		t.Fatalf("%v in\n%.600s", err, document)
	}
	if !slices.ContainsFunc(rows, func(row []string) bool {
		return slices.ContainsFunc(row, func(cell string) bool { return strings.Contains(cell, Name) })
	}) {
		t.Errorf("the name is not in %.600q", rows)
	}
}

// command matches what LaTeX acts on, without escaped characters.
var command = regexp.MustCompile(`\\(input|end\{x)|[^\\][#%$_^~]`)

// LaTeX fails the test unless every row of the document's tables has as many cells as the head and
// nothing in the name is a command. Lines that begin with "%" are comments.
func LaTeX(t testing.TB, document string) {
	t.Helper()
	if !strings.Contains(document, escape.LaTeX(Name)) {
		t.Errorf("the name is not in\n%.600s", document)
	}
	cells := 0
	for line := range strings.Lines(document) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, `\begin{tabular}`):
			cells = 0
		case line == "" || strings.HasPrefix(line, "%") || strings.HasPrefix(line, `\`) && !strings.HasSuffix(line, ` \\`):
		default:
			n := strings.Count(line, " & ") + 1
			if cells == 0 {
				cells = n
			}
			if n != cells || !strings.HasSuffix(line, ` \\`) {
				t.Errorf("a row of %d cells, not %d: %s", n, cells, line)
			}
			plain := strings.NewReplacer(`$\uparrow$`, "", `$\downarrow$`, "", `$\pm$`, "").Replace(line)
			if found := command.FindString(plain); found != "" {
				t.Errorf("%q is LaTeX's in %s", found, line)
			}
		}
	}
}
