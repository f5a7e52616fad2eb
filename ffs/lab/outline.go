package lab

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// cell is a cell of a notebook file.
type cell struct {
	Type   string          `json:"cell_type"`
	Source json.RawMessage `json:"source"`
}

// readCells returns the cells of a notebook file, none if it is not one.
func readCells(notebook []byte) []cell {
	var file struct {
		Cells []cell `json:"cells"`
	}
	if json.NewDecoder(bytes.NewReader(notebook)).Decode(&file) != nil {
		return nil
	}
	return file.Cells
}

// text is the cell's source, which the format allows to be one string or a list of lines.
func (c cell) text() string {
	var lines []string
	if json.Unmarshal(c.Source, &lines) == nil {
		return strings.Join(lines, "")
	}
	var text string
	_ = json.Unmarshal(c.Source, &text) // neither: a cell without text
	return text
}

// label is how progress and errors call a code cell.
type label struct {
	title string // the heading or the first sentence of the text before the cell, or its source
	line  string // the line of its source that says most
}

// labels returns those of the code cells, in order.
func labels(cells []cell) []label {
	var all []label
	for i, c := range cells {
		if c.Type != "code" {
			continue
		}
		l := label{line: tellingLine(c.text())}
		if i > 0 && cells[i-1].Type == "markdown" {
			l.title = firstSentence(cells[i-1].text())
		}
		if l.title == "" {
			l.title = l.line
		}
		all = append(all, l)
	}
	return all
}

// tellingLine is the first line of a cell that tells cells apart: of its program, after "%%", or of
// what it declares; no import.
func tellingLine(source string) string {
	first, imports := "", false
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "import ("):
			imports = true
		case imports:
			imports = line != ")"
		case line == "%%" || line == "%main": // what comes before is said again in other cells
			first = ""
		case first == "" && line != "" && !strings.HasPrefix(line, "import "):
			first = line
		}
	}
	if first == "" { // imports alone
		first, _, _ = strings.Cut(strings.TrimSpace(source), "\n")
	}
	return first
}

var (
	sentenceEnd = regexp.MustCompile(`[.?!](\s|$)`)
	link        = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
	markup      = strings.NewReplacer("*", "", "`", "", "$", "")
)

// firstSentence is the first heading of a text in Markdown, or else its first sentence, without
// markup.
func firstSentence(markdown string) string {
	markdown = strings.TrimSpace(markdown)
	if strings.HasPrefix(markdown, "#") {
		heading, _, _ := strings.Cut(markdown, "\n")
		return plain(strings.TrimLeft(heading, "# "))
	}
	paragraph, _, _ := strings.Cut(markdown, "\n\n")
	text := plain(paragraph)
	if end := sentenceEnd.FindStringIndex(text); end != nil {
		text = text[:end[0]+1]
	}
	return text
}

// plain is a piece of Markdown in one line without markup.
func plain(markdown string) string {
	return strings.Join(strings.Fields(markup.Replace(link.ReplaceAllString(markdown, "$1"))), " ")
}
