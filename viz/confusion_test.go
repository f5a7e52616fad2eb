package viz

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"
)

// What is too much for a page is added up into a last row and column, and nothing is lost; the CSV
// holds all.
func TestConfusionAddsUp(t *testing.T) {
	table := Confusion{}
	for j := range 26 {
		table.Columns = append(table.Columns, fmt.Sprint("c", j))
	}
	for i := range 62 {
		row := make([]int, 26)
		for j := range row {
			row[j] = 1 + j
		}
		row[0] = 1000 * i // column 0 is large; the rows ascend
		table.Rows, table.Counts, table.Missed = append(table.Rows, fmt.Sprint("r", i)), append(table.Counts, row), append(table.Missed, i)
	}
	small := table.drawn()
	if len(small.Rows) != 60 || small.Rows[0] != "r3" || small.Rows[59] != "3 others" || len(small.Columns) != 24 {
		t.Fatalf("%d rows %v, %d columns", len(small.Rows), small.Rows, len(small.Columns))
	}
	// Columns 1, 2 and 3, of 2, 3 and 4 in each row, are the smallest.
	if diff := cmp.Diff([]string{"c0", "c4", "c5"}, small.Columns[:3]); diff != "" || small.Columns[23] != "3 others" {
		t.Errorf("columns %v", small.Columns)
	}
	if diff := cmp.Diff([]int{3000, 5, 6}, small.Counts[0][:3]); diff != "" || small.Counts[0][23] != 9 || small.Counts[59][0] != 3000 || small.Missed[59] != 3 {
		t.Errorf("row r3 %v, others %v, missed %v", small.Counts[0], small.Counts[59], small.Missed)
	}
	f, err := table.Figure()
	if err != nil {
		t.Fatal(err)
	}
	if len(f.data.rows) != 62*27 {
		t.Errorf("%d rows of CSV, want %d", len(f.data.rows), 62*27)
	}
}

// Counts that do not fit into a cell are written in thousands.
func TestCellText(t *testing.T) {
	for _, c := range []struct {
		n     int
		width float64
		want  string
	}{{7, 10, "7"}, {123456, 60, "123456"}, {123456, 12, "123k"}, {999, 1, "999"}} {
		if _, got := cellText(c.n, vg.Length(c.width)); got != c.want {
			t.Errorf("%d in %v points: %s, want %s", c.n, c.width, got, c.want)
		}
	}
}

// The ECE is the weighted mean gap: (30 0.1 + 10 0.3) / 40.
func TestECE(t *testing.T) {
	r := Reliability{Bins: []ReliabilityBin{{0, 0.5, 30, 0.2, 0.1}, {0.5, 1, 10, 0.6, 0.9}}}
	if got := r.ECE(); math.Abs(got-0.15) > 1e-15 {
		t.Errorf("ECE %v, want 0.15", got)
	}
}

// The operating point is the first at which recall reaches 0.95: of 20 positives, the 19th.
func TestPROperatingPoint(t *testing.T) {
	var positive []float64
	for i := range 20 {
		positive = append(positive, float64(100-i))
	}
	_, c := rates("e", positive, []float64{99.5, 82.5, 50}) // above the 2nd, above the 19th, under all
	if recall, precision, ok := c.operating(); recall != 0.95 || precision != 19./21 || !ok {
		t.Errorf("recall %v, precision %v, %v; want 0.95, 19/21", recall, precision, ok)
	}
	c.Recall, c.Precision = c.Recall[:5], c.Precision[:5]
	if _, _, ok := c.operating(); ok {
		t.Error("a curve that ends early has an operating point")
	}
}
