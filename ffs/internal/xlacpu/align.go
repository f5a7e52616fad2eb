package roi

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/nn"
)

// alignByTurns pools one box in each iteration of a loop: it cuts the window of the box out of its
// map and multiplies its pixels with their weights in the bins. This suits CPUs, where a window
// stays in the cache; each iteration costs a GPU a round trip to the host.
//
// A loop has one shape of window. The boxes are sorted by the smallest of a few shapes that holds
// their window, and each shape has a loop over its boxes.
func (p *pyramid) alignByTurns(boxes, valid *graph.Node) *graph.Node {
	perImage := valid.Shape().Dim(1)
	n := p.batch * perImage
	sheet := p.newSheet()
	t := sheet.turns(p, flatBoxes(boxes, valid), p.perBox(perImage))
	pooled := nn.WithGradient(t.pool(sheet.pixels), func(v *graph.Node) []*graph.Node {
		return []*graph.Node{t.spread(v)}
	}, sheet.pixels)
	return graph.Reshape(pooled, n, poolSize, poolSize, p.channels)
}

// sheet holds all levels of all images below one another, so that one slice reaches any window.
type sheet struct {
	pixels        *graph.Node // [height, width, channels]; narrow levels are padded with zeros on the right
	height, width int
	tops          []int // first row of each level of the first image
	perImage      int   // rows of an image
}

func (p *pyramid) newSheet() *sheet {
	s := &sheet{width: p.widths[0]}
	var levels []*graph.Node
	for l, f := range p.features {
		s.tops = append(s.tops, s.perImage)
		s.perImage += p.heights[l]
		if margin := s.width - p.widths[l]; margin > 0 {
			zeros := graph.Zeros(f.Graph(), shapes.Make(f.DType(), p.batch, p.heights[l], margin, p.channels))
			f = graph.Concatenate([]*graph.Node{f, zeros}, 2)
		}
		levels = append(levels, f)
	}
	s.height = p.batch * s.perImage
	s.pixels = graph.Reshape(graph.Concatenate(levels, 1), s.height, s.width, p.channels)
	return s
}

// turns are boxes in the order in which the loops visit them.
type turns struct {
	*sheet
	rows   *graph.Node // [n, fields]: the windows, packed
	shapes [][2]int    // height and width of a window in each loop
	ends   []*graph.Node
	n      int
}

// turns sorts boxes [n, 4]; sizes are those of regions.
func (s *sheet) turns(p *pyramid, boxes, sizes *graph.Node) *turns {
	g, n := boxes.Graph(), boxes.Shape().Dim(0)
	level := p.levelOf(boxes)
	w := window{regions: p.regions(boxes, level, sizes)}
	var bottom, right *graph.Node
	w.top, bottom = w.y.extent()
	w.left, right = w.x.extent()
	image := graph.Iota(g, shapes.Make(dtypes.Float32, p.batch, n/p.batch), 0)
	w.start = graph.Add(graph.MulScalar(graph.Reshape(image, n, 1), s.perImage), graph.InsertAxes(perLevel(level, s.tops), -1))

	t := &turns{sheet: s, shapes: windowShapes(p.heights[0], p.widths[0]), n: n}
	height, width := graph.AddScalar(graph.Sub(bottom, w.top), 1), graph.AddScalar(graph.Sub(right, w.left), 1)
	// All boxes fit the last shape, which also takes NaN.
	loop := graph.BroadcastToDims(graph.Const(g, float32(len(t.shapes)-1)), n, 1)
	for i := len(t.shapes) - 2; i >= 0; i-- {
		fits := graph.LogicalAnd(graph.LessOrEqual(height, graph.Const(g, float32(t.shapes[i][0]))), graph.LessOrEqual(width, graph.Const(g, float32(t.shapes[i][1]))))
		loop = graph.Where(fits, graph.BroadcastToDims(graph.Const(g, float32(i)), n, 1), loop)
	}
	loop = graph.Reshape(loop, n)
	_, order := graph.TopK(graph.Neg(loop), n, 0)
	w.box = graph.Iota(g, shapes.Make(dtypes.Float32, n, 1), 0)
	t.rows = graph.StopGradient(graph.Gather(w.pack(), graph.InsertAxes(order, -1)))
	for i := range t.shapes {
		until := graph.LessOrEqual(loop, graph.Const(g, float32(i)))
		t.ends = append(t.ends, graph.ReduceAllSum(graph.ConvertDType(until, dtypes.Int32)))
	}
	return t
}

// windowShapes returns the shapes of windows, cheapest first: squares, then bands for boxes longer
// than the largest square, which are at most as thick as the bands on any level but the last. The
// height and width of the finest level are the last resort.
func windowShapes(height, width int) [][2]int {
	var all [][2]int
	for _, shape := range [][2]int{{12, 12}, {16, 16}, {24, 24}, {32, 32}, {48, 48}, {24, width}, {height, 24}, {height, width}} {
		shape = [2]int{min(shape[0], height), min(shape[1], width)}
		if len(all) == 0 || all[len(all)-1] != shape {
			all = append(all, shape)
		}
		if shape == [2]int{height, width} {
			break
		}
	}
	return all
}

// each runs body once for each window, with the shape of the window's loop.
func (t *turns) each(changing, fixed *graph.Node, body func(w window, shape [2]int, changing, fixed *graph.Node) *graph.Node) *graph.Node {
	begin := graph.Const(changing.Graph(), int32(0))
	for loop, end := range t.ends {
		changing = nn.ForEach(begin, end, []*graph.Node{changing}, []*graph.Node{t.rows, fixed}, func(i *graph.Node, changing, fixed []*graph.Node) []*graph.Node {
			row := graph.DynamicSlice(fixed[0], []*graph.Node{i, graph.Const(i.Graph(), int32(0))}, []int{1, t.rows.Shape().Dim(1)})
			return []*graph.Node{body(unpackWindow(row), t.shapes[loop], changing[0], fixed[1])}
		})[0]
		begin = end
	}
	return changing
}

// pool returns the bins of all boxes, [n, 49, channels], from the pixels of the sheet.
func (t *turns) pool(pixels *graph.Node) *graph.Node {
	g, channels := pixels.Graph(), pixels.Shape().Dim(2)
	bins := graph.Zeros(g, shapes.Make(dtypes.Float32, t.n, poolSize*poolSize, channels))
	return t.each(bins, pixels, func(w window, shape [2]int, bins, pixels *graph.Node) *graph.Node {
		at, rows, columns := t.cut(w, shape)
		window := graph.DynamicSlice(pixels, at, []int{shape[0], shape[1], channels})
		window = graph.Reshape(window, shape[0], shape[1]*channels)
		strips := graph.Reshape(graph.Dot(rows, window).Product(), poolSize, shape[1], channels)
		pooled := graph.DotGeneral(columns, []int{2}, []int{0}, strips, []int{1}, []int{0})
		pooled = graph.Reshape(pooled, 1, poolSize*poolSize, channels)
		return graph.DynamicUpdateSlice(bins, pooled, []*graph.Node{index(w.box), at[2], at[2]})
	})
}

// spread is the transpose of pool: it returns the gradient of the sheet's pixels for the gradient v
// [n, 49, channels] of the bins.
func (t *turns) spread(v *graph.Node) *graph.Node {
	channels := v.Shape().Dim(2)
	zeros := graph.Zeros(v.Graph(), t.pixels.Shape())
	return t.each(zeros, v, func(w window, shape [2]int, gradient, v *graph.Node) *graph.Node {
		at, rows, columns := t.cut(w, shape)
		v = graph.DynamicSlice(v, []*graph.Node{index(w.box), at[2], at[2]}, []int{1, poolSize * poolSize, channels})
		v = graph.Reshape(v, poolSize, poolSize, channels)
		strips := graph.DotGeneral(columns, []int{1}, []int{0}, v, []int{1}, []int{0})
		window := graph.DotGeneral(rows, []int{0}, nil, graph.Reshape(strips, poolSize, shape[1]*channels), []int{0}, nil)
		sizes := []int{shape[0], shape[1], channels}
		window = graph.Add(graph.DynamicSlice(gradient, at, sizes), graph.Reshape(window, sizes...))
		return graph.DynamicUpdateSlice(gradient, window, at)
	})
}

// cut returns the position (row, column, 0) at which to slice the window in the given shape out of
// the sheet, and the weights of its rows [7, height] and of its columns, the same for each row of
// bins, [7, 7, width]. A pixel's weight in a bin is the product of both. A window at the end of the
// sheet is sliced before its position.
func (t *turns) cut(w window, shape [2]int) (at []*graph.Node, rows, columns *graph.Node) {
	g := w.box.Graph()
	row := graph.Min(graph.Add(w.start, w.top), number(g, float64(t.height-shape[0])))
	column := graph.Min(w.left, number(g, float64(t.width-shape[1])))
	along := func(a axis, first *graph.Node, n int) *graph.Node {
		position := graph.Add(first, positions(g, n))
		onMap := graph.ConvertDType(graph.GreaterOrEqual(position, number(g, 0)), dtypes.Float32) // otherwise on the level before
		return graph.Mul(a.weights(position), graph.InsertAxes(onMap, 1))
	}
	rows = graph.Reshape(along(w.y, graph.Sub(row, w.start), shape[0]), poolSize, shape[0])
	columns = graph.BroadcastToDims(along(w.x, column, shape[1]), poolSize, poolSize, shape[1])
	return []*graph.Node{index(row), index(column), graph.Const(g, int32(0))}, rows, columns
}

// index converts a number [1, 1] to an index.
func index(x *graph.Node) *graph.Node { return graph.ConvertDType(graph.Reshape(x), dtypes.Int32) }

// window is the pixels that a box is pooled from, for n boxes, or for one in a loop.
type window struct {
	regions
	top, left *graph.Node // [n, 1], on the map of the box's level
	start     *graph.Node // [n, 1]: first row of that map on the sheet
	box       *graph.Node // [n, 1]: index of the box
}

// pack returns the windows as rows [n, fields].
func (w window) pack() *graph.Node {
	var fields []*graph.Node
	for _, field := range w.fields() {
		fields = append(fields, graph.Reshape(*field, w.box.Shape().Dim(0), -1))
	}
	return graph.Concatenate(fields, 1)
}

// unpackWindow reads a row [1, fields] of pack.
func unpackWindow(row *graph.Node) (w window) {
	at := 0
	for i, field := range w.fields() {
		wide, shape := 1, []int{1, 1}
		switch {
		case i < 2:
			wide, shape = poolSize, []int{1, poolSize, 1}
		case i < 10:
			shape = []int{1, 1, 1}
		}
		*field = graph.Reshape(graph.Slice(row, graph.AxisRange(), graph.AxisRange(at, at+wide)), shape...)
		at += wide
	}
	return w
}

// fields returns the addresses of all values: two [n, 7, 1], eight [n, 1, 1], the others [n, 1].
func (w *window) fields() []**graph.Node {
	y, x := &w.y, &w.x
	return []**graph.Node{
		&y.first, &x.first, &y.origin, &y.step, &y.samples, &y.size, &x.origin, &x.step, &x.samples, &x.size,
		&w.top, &w.left, &w.start, &w.box,
	}
}
