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

// readCells returns the cells of a notebook file, none for another file.
func readCells(notebook []byte) []cell {
	var file struct {
		Cells []cell `json:"cells"`
	}
	if json.NewDecoder(bytes.NewReader(notebook)).Decode(&file) != nil {
		return nil
	}
	return file.Cells
}

// text returns the cell's source. The format allows a string or a list of lines.
func (c cell) text() string {
	var lines []string
	if json.Unmarshal(c.Source, &lines) == nil {
		return strings.Join(lines, "")
	}
	var text string
	_ = json.Unmarshal(c.Source, &text) // neither counts as empty
	return text
}

// label names a code cell in progress and errors.
type label struct {
	title string // the heading or the first sentence of the text before the cell, or its source
	line  string // the most telling line of its source
}

// labels returns the labels of the code cells.
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

// tellingLine returns the first line of a cell's program, after "%%", or of its declarations, after
// the imports.
func tellingLine(source string) string {
	first, imports := "", false
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "import ("):
			imports = true
		case imports:
			imports = line != ")"
		case line == "%%" || line == "%main": // declarations may be the same in other cells
			first = ""
		case first == "" && line != "" && !strings.HasPrefix(line, "import "):
			first = line
		}
	}
	if first == "" { // only imports
		first, _, _ = strings.Cut(strings.TrimSpace(source), "\n")
	}
	return first
}

var (
	sentenceEnd = regexp.MustCompile(`[.?!](\s|$)`)
	link        = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
	markup      = strings.NewReplacer("*", "", "`", "", "$", "")
)

// firstSentence returns the heading at the beginning of a text in Markdown, or else its first
// sentence, without markup.
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

// plain returns Markdown in one line without markup.
func plain(markdown string) string {
	return strings.Join(strings.Fields(markup.Replace(link.ReplaceAllString(markdown, "$1"))), " ")
}
