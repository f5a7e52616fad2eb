package viz

import (
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Panels is a [Grid] of two columns. Without a figure the error wraps [ErrNothing] and says why
// there is none.
func Panels(why string, figures ...*Figure) (*Figure, error) {
	if len(figures) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNothing, why)
	}
	return Grid(2, figures...)
}

// Grid puts figures side by side, row by row, as the panels of one figure. A column is as wide as
// its widest panel and a row as high as its highest. The CSV holds all panels, named in its first
// column by their titles or else numbers. The captions are joined. It fails for no figure or no
// column.
func Grid(columns int, figures ...*Figure) (*Figure, error) {
	if columns < 1 || len(figures) == 0 {
		return nil, errors.New("viz: grid: give at least one column and one figure")
	}
	columns = min(columns, len(figures))
	widths := make([]vg.Length, columns)
	heights := make([]vg.Length, (len(figures)+columns-1)/columns)
	names := make([]string, len(figures))
	tables := make([]table, len(figures))
	var captions []string
	for i, f := range figures {
		if f == nil {
			return nil, fmt.Errorf("viz: grid: figure %d is nil", i)
		}
		widths[i%columns] = max(widths[i%columns], f.width)
		heights[i/columns] = max(heights[i/columns], f.height)
		if names[i] = f.name; names[i] == "" {
			names[i] = fmt.Sprint(i + 1)
		}
		tables[i] = f.data
		if f.Caption != "" {
			captions = append(captions, f.Caption)
		}
	}
	g := &Figure{Caption: strings.Join(captions, " "), data: joinTables(names, tables)}
	for _, w := range widths {
		g.width += w
	}
	for _, h := range heights {
		g.height += h
	}
	g.paint = func(c draw.Canvas) {
		top := c.Max.Y
		for row, height := range heights {
			left := c.Min.X
			for column, width := range widths {
				i := row*columns + column
				if i >= len(figures) {
					break
				}
				f := figures[i]
				f.paint(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
					Min: vg.Point{X: left, Y: top - f.height},
					Max: vg.Point{X: left + f.width, Y: top},
				}})
				left += width
			}
			top -= height
		}
	}
	return g, nil
}
