package viz

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
)

// table is the plotted data of a figure: what its CSV file holds.
type table struct {
	header []string
	rows   [][]string
}

// add appends a row; numbers keep every digit that is needed to read them back.
func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case string:
			row[i] = v
		case int:
			row[i] = strconv.Itoa(v)
		case float64:
			row[i] = strconv.FormatFloat(v, 'g', -1, 64)
		default:
			panic("viz: a table cell must be string, int or float64")
		}
	}
	t.rows = append(t.rows, row)
}

// csv returns the table in the form of RFC 4180, with a header line.
func (t *table) csv() []byte {
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(append([][]string{t.header}, t.rows...)) // a buffer never fails
	return b.Bytes()
}

// joinTables puts the tables of several panels under one another. The columns are the union of
// theirs, after a first column with the panel's name; cells that a panel lacks are empty.
func joinTables(names []string, tables []table) table {
	joined := table{header: []string{"panel"}}
	for _, t := range tables {
		for _, column := range t.header {
			if !slices.Contains(joined.header, column) {
				joined.header = append(joined.header, column)
			}
		}
	}
	for i, t := range tables {
		for _, row := range t.rows {
			wide := make([]string, len(joined.header))
			wide[0] = names[i]
			for j, cell := range row {
				wide[slices.Index(joined.header, t.header[j])] = cell
			}
			joined.rows = append(joined.rows, wide)
		}
	}
	return joined
}
