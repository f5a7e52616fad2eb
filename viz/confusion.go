package viz

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Confusion is a confusion table: what the objects of each row were taken for. With unknown classes
// as rows and a detector's classes as columns it shows which known class an unknown object passes
// for.
type Confusion struct {
	Title                 string
	RowLabel, ColumnLabel string // such as "unknown class", "taken for"
	Rows, Columns         []string
	Counts                [][]int // [rows][columns]
	Missed                []int   // [rows] objects that were taken for no column, shown apart; nil for none
}

// Most rows and columns that are drawn.
const (
	maxConfusionRows    = 60
	maxConfusionColumns = 24
)

// Figure draws the table with its counts, empty where they are 0; a cell is the darker the larger
// its share of its row. More than 10 columns take the width of a page. Of more than 24 columns or
// 60 rows the largest are drawn, in their order, and the others added up. The CSV holds the whole
// table, with the columns row, column, count, share; "missed" is the last column of a row. It fails
// for no row, nothing to take them for, sizes that do not agree, and negative counts.
func (t Confusion) Figure() (*Figure, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	data := table{header: []string{"row", "column", "count", "share"}}
	for i, row := range t.Rows {
		total := t.rowTotal(i)
		add := func(column string, n int) { data.add(row, column, n, share(n, total)) }
		for j, column := range t.Columns {
			add(column, t.Counts[i][j])
		}
		if t.Missed != nil {
			add(missedName, t.Missed[i])
		}
	}
	t = t.drawn()

	width := vg.Length(ColumnWidth)
	if len(t.Columns) > 10 {
		width = PageWidth
	}
	width *= vg.Centimeter
	head := &panel{title: t.Title}
	head.explain("share of the row, 0 to 100 %", scaleSample(palette[Blue]))
	if t.Missed != nil {
		head.explain("the same of what is missed", scaleSample(palette[Grey]))
	}
	l := t.layout(width)
	f := head.figure(0, data)
	f.width, f.height = width, l.height(width)
	f.paint = func(c draw.Canvas) { l.draw(head.drawHead(c)) }
	return f, nil
}

const missedName = "missed"

func (t Confusion) check() error {
	if len(t.Rows) == 0 || len(t.Columns) == 0 && t.Missed == nil {
		return errors.New("viz: confusion table: give at least one row and one column")
	}
	if len(t.Counts) != len(t.Rows) || t.Missed != nil && len(t.Missed) != len(t.Rows) {
		return fmt.Errorf("viz: confusion table: %d rows of counts and %d of what is missed for %d names", len(t.Counts), len(t.Missed), len(t.Rows))
	}
	for i, row := range t.Counts {
		if len(row) != len(t.Columns) {
			return fmt.Errorf("viz: confusion table: row %q has %d counts for %d columns", t.Rows[i], len(row), len(t.Columns))
		}
		if slices.ContainsFunc(row, func(n int) bool { return n < 0 }) || t.Missed != nil && t.Missed[i] < 0 {
			return fmt.Errorf("viz: confusion table: row %q has a negative count", t.Rows[i])
		}
	}
	return nil
}

func (t Confusion) rowTotal(i int) int {
	total := 0
	for _, n := range t.Counts[i] {
		total += n
	}
	if t.Missed != nil {
		total += t.Missed[i]
	}
	return total
}

// share is n of total, 0 for an empty row.
func share(n, total int) float64 {
	if total == 0 {
		return 0
	}
	return float64(n) / float64(total)
}

// drawn returns the table with what is too much for a page added up.
func (t Confusion) drawn() Confusion {
	columnTotals, rowTotals := make([]int, len(t.Columns)), make([]int, len(t.Rows))
	for i, row := range t.Counts {
		rowTotals[i] = t.rowTotal(i)
		for j, n := range row {
			columnTotals[j] += n
		}
	}
	rows, rowNames := largest(t.Rows, rowTotals, maxConfusionRows)
	columns, columnNames := largest(t.Columns, columnTotals, maxConfusionColumns)
	small := t
	small.Rows, small.Columns, small.Counts = rowNames, columnNames, make([][]int, len(rowNames))
	if t.Missed != nil {
		small.Missed = make([]int, len(rowNames))
	}
	for i := range small.Counts {
		small.Counts[i] = make([]int, len(columnNames))
	}
	for i, row := range t.Counts {
		for j, n := range row {
			small.Counts[rows[i]][columns[j]] += n
		}
		if t.Missed != nil {
			small.Missed[rows[i]] += t.Missed[i]
		}
	}
	return small
}

// largest says to which of at most limit entries each one belongs: the largest to themselves, in
// their order, the others to a last one.
func largest(names []string, sizes []int, limit int) (place []int, kept []string) {
	place = make([]int, len(names))
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	alone := len(names)
	if alone > limit {
		alone = limit - 1
	}
	isKept := make([]bool, len(names))
	for _, i := range order[:alone] {
		isKept[i] = true
	}
	for i, name := range names {
		if place[i] = alone; isKept[i] {
			place[i] = len(kept)
			kept = append(kept, name)
		}
	}
	if alone < len(names) {
		kept = append(kept, fmt.Sprintf("%d others", len(names)-alone))
	}
	return place, kept
}

// confusionLayout places the parts of a table. (gonum's axes leave too much room around names that
// are turned.)
type confusionLayout struct {
	Confusion
	rowNames, columnNames []string   // as written
	left, top, bottom     vg.Length  // of the names and labels
	cell                  vg.Length  // width
	heads                 text.Style // of the columns' names
}

const (
	rowHeight   vg.Length = 11
	labelHeight vg.Length = 13 // of the axes' labels
)

func (t Confusion) layout(width vg.Length) confusionLayout {
	l := confusionLayout{Confusion: t, heads: sans(smallSize)}
	style := sans(smallSize)
	for i, name := range t.Rows {
		l.rowNames = append(l.rowNames, fmt.Sprintf("%s (%s)", shorten(style, name, 70), count(t.rowTotal(i))))
		l.left = max(l.left, style.Width(l.rowNames[i])+3)
	}
	names := t.Columns
	if t.Missed != nil {
		names = append(slices.Clone(names), missedName)
	}
	l.cell = (width - 2*margin - l.left) / vg.Length(len(names))
	longest := vg.Length(0)
	l.heads.XAlign, l.heads.YAlign = text.XCenter, text.YTop
	l.bottom = style.Font.Size
	for _, name := range names {
		l.columnNames = append(l.columnNames, shorten(style, name, 80))
		longest = max(longest, style.Width(shorten(style, name, 80)))
	}
	if longest > l.cell-2 {
		l.heads.Rotation = math.Pi / 4
		l.heads.XAlign, l.heads.YAlign = text.XRight, text.YCenter
		l.bottom = (longest + style.Font.Size) * math.Sqrt2 / 2
		// Turned names of the first columns begin to the left of their cells, and must not leave
		// the picture.
		for j, name := range l.columnNames {
			l.left = max(l.left, style.Width(name)*math.Sqrt2/2-l.cell*(vg.Length(j)+0.3))
		}
		l.cell = (width - 2*margin - l.left) / vg.Length(len(names))
	}
	if t.RowLabel != "" {
		l.top = labelHeight
	}
	l.bottom += 4
	if t.ColumnLabel != "" {
		l.bottom += labelHeight
	}
	return l
}

// height returns the height of the figure for a width, with its title and one row of legend.
func (l confusionLayout) height(width vg.Length) vg.Length {
	height := 2*margin + smallSize*1.4 + 3 + l.top + rowHeight*vg.Length(len(l.Rows)) + l.bottom
	if title := wrapText(bold(sans(titleSize)), l.Title, width-2*margin); len(title) > 0 {
		height += titleSize*1.25*vg.Length(len(title)) + 2
	}
	return height
}

// draw draws the table at the top of c.
func (l confusionLayout) draw(c draw.Canvas) {
	small, label := sans(smallSize), sans(labelSize)
	c.FillText(label, vg.Point{X: c.Min.X, Y: c.Max.Y - l.top + 3}, l.RowLabel)
	c.Max.Y -= l.top
	left, rows := c.Min.X+l.left, rowHeight*vg.Length(len(l.Rows))
	for i, name := range l.rowNames {
		top := c.Max.Y - rowHeight*vg.Length(i)
		c.FillText(small, vg.Point{X: left - 3 - small.Width(name), Y: top - rowHeight/2 - small.Font.Size*0.35}, name)
		l.drawRow(c, i, left, top)
	}
	bottom := c.Max.Y - rows
	for j, name := range l.columnNames {
		c.FillText(l.heads, vg.Point{X: left + l.cell*(vg.Length(j)+0.5), Y: bottom - 3}, name)
	}
	middle := left + l.cell*vg.Length(len(l.columnNames))/2
	c.FillText(label, vg.Point{X: middle - label.Width(l.ColumnLabel)/2, Y: bottom - l.bottom + 3}, l.ColumnLabel)
}

// drawRow draws the cells of row i from their upper left corner.
func (l confusionLayout) drawRow(c draw.Canvas, i int, left, top vg.Length) {
	total := l.rowTotal(i)
	paint := func(j, n int, shade color.NRGBA, gap vg.Length) {
		cell := vg.Rectangle{
			Min: vg.Point{X: left + l.cell*vg.Length(j) + 0.5 + gap, Y: top - rowHeight + 0.5},
			Max: vg.Point{X: left + l.cell*vg.Length(j+1) - 0.5, Y: top - 0.5},
		}
		c.SetColor(scaled(shade, share(n, total)))
		c.Fill(cell.Path())
		if n == 0 {
			return
		}
		style, number := cellText(n, cell.Size().X)
		c.FillText(style, vg.Point{
			X: (cell.Min.X+cell.Max.X)/2 - style.Width(number)/2,
			Y: (cell.Min.Y+cell.Max.Y)/2 - style.Font.Size*0.35, // half the height of digits
		}, number)
	}
	for j, n := range l.Counts[i] {
		paint(j, n, palette[Blue], 0)
	}
	if l.Missed != nil {
		paint(len(l.Columns), l.Missed[i], palette[Grey], 2)
	}
}

// cellText is a count in the largest type that fits, first with all its digits and then, down to 5
// points, in thousands.
func cellText(n int, width vg.Length) (text.Style, string) {
	number := strconv.Itoa(n)
	for {
		for size := smallSize; size >= 5; size -= 0.5 {
			if style := sans(size); style.Width(number) <= width-1 {
				return style, number
			}
		}
		if n < 1000 {
			return sans(5), number
		}
		n /= 1000
		number = strconv.Itoa(n) + "k"
	}
}
