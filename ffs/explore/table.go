package explore

import (
	"ffslab/ffs/eval"
	"ffslab/viz/escape"
)

// Table is a table with a note, which a notebook shows as Markdown (see [Session.Print]).
type Table struct {
	*eval.Table
	// Note, if not empty, is a paragraph under the table.
	Note string
}

func newTable(head ...string) *Table { return &Table{Table: eval.NewTable(head...)} }

// String returns the table and its note in Markdown.
func (t *Table) String() string {
	text := t.Markdown()
	if t.Note != "" {
		text += "\n" + escape.Markdown(t.Note) + "\n"
	}
	return text
}
