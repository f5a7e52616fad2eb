package eval

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"unicode/utf8"

	"ffslab/viz/escape"
)

// Table is a table of texts. The first column names the rows. Each row has as many cells as the
// head.
type Table struct {
	Head []string
	Rows [][]string
}

// NewTable returns a table without rows.
func NewTable(head ...string) *Table { return &Table{Head: head} }

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Markdown returns the table in Markdown, with columns lined up for a terminal: the first is flush
// left, the others flush right. Text that Markdown would take for markup is written as code.
func (t *Table) Markdown() string {
	rows := make([][]string, 0, len(t.Rows)+1)
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = strings.ReplaceAll(escape.Markdown(cell), "|", `\|`)
		}
		rows = append(rows, cells)
	}
	widths := make([]int, len(t.Head))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var b strings.Builder
	for n, row := range rows {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + space + " |")
			} else {
				b.WriteString(" " + space + cell + " |")
			}
		}
		b.WriteByte('\n')
		if n > 0 {
			continue
		}
		for i, width := range widths {
			if i == 0 {
				b.WriteString("|:" + strings.Repeat("-", width+1) + "|")
			} else {
				b.WriteString(strings.Repeat("-", width+1) + ":|")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// CSV returns the table as RFC 4180 defines. Texts are not escaped; those with line breaks are
// quoted.
func (t *Table) CSV() string {
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(append([][]string{t.Head}, t.Rows...)) // a buffer never fails
	return b.String()
}

// arrows replaces the arrows of heads in LaTeX.
var arrows = strings.NewReplacer("↑", `$\uparrow$`, "↓", `$\downarrow$`)

// LaTeX returns the table as a tabular environment with rules of the package
// booktabs.
func (t *Table) LaTeX() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\\begin{tabular}{l%s}\n\\toprule\n", strings.Repeat("r", len(t.Head)-1))
	line := func(row []string) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = arrows.Replace(escape.LaTeX(cell))
		}
		b.WriteString(strings.Join(cells, " & ") + " \\\\\n")
	}
	line(t.Head)
	b.WriteString("\\midrule\n")
	for _, row := range t.Rows {
		line(row)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	return b.String()
}
