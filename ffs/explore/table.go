package explore

import (
	"strings"

	"ffslab/viz/escape"
)

// Table is a table that a notebook shows as Markdown.
type Table struct {
	Head []string
	Rows [][]string
	// Note, if not empty, is a paragraph under the table.
	Note string
}

func (t *Table) add(cells ...string) { t.Rows = append(t.Rows, cells) }

// String returns the table in Markdown; the first column is flush left, the others are flush right.
func (t *Table) String() string {
	var b strings.Builder
	write := func(cells []string) {
		for _, cell := range cells {
			b.WriteString("| " + strings.ReplaceAll(escape.Markdown(cell), "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	write(t.Head)
	b.WriteString("|:---|" + strings.Repeat("---:|", len(t.Head)-1) + "\n")
	for _, row := range t.Rows {
		write(row)
	}
	if t.Note != "" {
		b.WriteString("\n" + escape.Markdown(t.Note) + "\n")
	}
	return b.String()
}
