package xlacpu

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/bilinear"
	"ffslab/ffs/internal/graphs"
)

// Align pools boxes from maps, the levels of a pyramid from fine to coarse, each [batch, height,
// width, channels]. Boxes are ordered by image, the same number for each. Box i is pooled from
// level [boxes] int32, where y and x hold its weights. Align returns [boxes, bins, bins, channels];
// its gradient flows to the maps.
//
// It pools one box in each iteration of a loop: it cuts the box's window out of the map and
// multiplies it with the weights of its rows and of its columns. A window stays in the cache, and a
// window is all the memory that it takes.
func Align(maps []*graph.Node, level *graph.Node, y, x bilinear.Axis) *graph.Node {
	a := newAlignment(maps, level, y, x)
	return graphs.WithGradient(a.pool(), func(v *graph.Node) []*graph.Node {
		return []*graph.Node{a.gradient(v)}
	}, a.pixels)
}

// alignment is the boxes in the order in which loops visit them. A loop has one shape of window, so
// boxes are sorted by the first of a few shapes that holds theirs, and each shape has its loop.
type alignment struct {
	// pixels [height, width * channels] are all levels of all images below one another, so that one
	// slice reaches any window. XLA copies a window of two dimensions with vector instructions, one
	// of [height, width, channels] number by number.
	pixels *graph.Node
	boxes  *graph.Node // [n, fields]: windows, see window.row
	shapes [][2]int    // height and width of a window in each loop
	ends   []*graph.Node
	n      int
	bins   int

	channels int
}

func newAlignment(maps []*graph.Node, level *graph.Node, y, x bilinear.Axis) *alignment {
	d, g, n := maps[0].Shape().Dimensions, level.Graph(), level.Shape().Dim(0)
	batch, height, width, channels := d[0], d[1], d[2], d[3]
	a := &alignment{shapes: windowShapes(height, width), n: n, bins: y.Bins(), channels: channels}

	var padded []*graph.Node
	var tops []float32 // first row of each level of the first image
	rows := 0          // of an image
	for _, m := range maps {
		tops = append(tops, float32(rows))
		rows += m.Shape().Dim(1)
		if margin := width - m.Shape().Dim(2); margin > 0 {
			zeros := graph.Zeros(g, shapes.Make(m.DType(), batch, m.Shape().Dim(1), margin, channels))
			m = graph.Concatenate([]*graph.Node{m, zeros}, 2)
		}
		padded = append(padded, m)
	}
	a.pixels = graph.Reshape(graph.Concatenate(padded, 1), batch*rows, width*channels)

	w := window{y: y, x: x}
	var bottom, right *graph.Node
	w.top, bottom = y.Extent()
	w.left, right = x.Extent()
	image := graph.Reshape(graph.Iota(g, shapes.Make(dtypes.Float32, batch, n/batch), 0), n, 1)
	top := graph.InsertAxes(graph.Gather(graph.Const(g, tops), graph.InsertAxes(level, -1)), -1)
	w.start = graph.Add(graph.MulScalar(image, rows), top)
	w.box = graph.Iota(g, shapes.Make(dtypes.Float32, n, 1), 0)

	windowHeight, windowWidth := graph.AddScalar(graph.Sub(bottom, w.top), 1), graph.AddScalar(graph.Sub(right, w.left), 1)
	// All boxes fit the last shape, which also takes NaN.
	loop := graph.BroadcastToDims(graph.Const(g, float32(len(a.shapes)-1)), n, 1)
	for i := len(a.shapes) - 2; i >= 0; i-- {
		fits := graph.LogicalAnd(graph.LessOrEqual(windowHeight, graph.Const(g, float32(a.shapes[i][0]))), graph.LessOrEqual(windowWidth, graph.Const(g, float32(a.shapes[i][1]))))
		loop = graph.Where(fits, graph.BroadcastToDims(graph.Const(g, float32(i)), n, 1), loop)
	}
	loop = graph.Reshape(loop, n)
	_, order := graph.TopK(graph.Neg(loop), n, 0)
	a.boxes = graph.StopGradient(graph.Gather(w.rows(), graph.InsertAxes(order, -1)))
	for i := range a.shapes {
		until := graph.LessOrEqual(loop, graph.Const(g, float32(i)))
		a.ends = append(a.ends, graph.ReduceAllSum(graph.ConvertDType(until, dtypes.Int32)))
	}
	return a
}

// windowShapes returns the shapes of windows, cheapest first: squares, then bands for boxes longer
// than the largest square, which are at most as thick as the bands on any level but the last. The
// whole of the finest level comes last.
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

// eachBox runs body once for each box, with the shape of the loop's windows.
func (a *alignment) eachBox(changing, fixed *graph.Node, body func(w window, shape [2]int, changing, fixed *graph.Node) *graph.Node) *graph.Node {
	begin := graph.Const(changing.Graph(), int32(0))
	for loop, end := range a.ends {
		changing = graphs.ForEach(begin, end, []*graph.Node{changing}, []*graph.Node{a.boxes, fixed}, func(i *graph.Node, changing, fixed []*graph.Node) []*graph.Node {
			row := graph.DynamicSlice(fixed[0], []*graph.Node{i, graph.Const(i.Graph(), int32(0))}, []int{1, a.boxes.Shape().Dim(1)})
			return []*graph.Node{body(windowOf(row, a.bins), a.shapes[loop], changing[0], fixed[1])}
		})[0]
		begin = end
	}
	return changing
}

// pool returns the bins of all boxes, [n, bins, bins, channels].
func (a *alignment) pool() *graph.Node {
	pooled := graph.Zeros(a.pixels.Graph(), shapes.Make(dtypes.Float32, a.n, a.bins, a.bins, a.channels))
	return a.eachBox(pooled, a.pixels, func(w window, shape [2]int, pooled, pixels *graph.Node) *graph.Node {
		corner, rows, columns := a.weights(w, shape)
		window := graph.DynamicSlice(pixels, corner, []int{shape[0], shape[1] * a.channels})
		strips := graph.Reshape(graph.Dot(rows, window).Product(), a.bins, shape[1], a.channels)
		bins := graph.DotGeneral(columns, []int{2}, []int{0}, strips, []int{1}, []int{0})
		return graph.DynamicUpdateSlice(pooled, graph.InsertAxes(bins, 0), indexAlong(pooled, 0, index(w.box)))
	})
}

// gradient returns the gradient of the pixels for v [n, bins, bins, channels], that of pool's
// result. It is the transpose of pool.
func (a *alignment) gradient(v *graph.Node) *graph.Node {
	zeros := graph.Zeros(v.Graph(), a.pixels.Shape())
	return a.eachBox(zeros, v, func(w window, shape [2]int, gradient, v *graph.Node) *graph.Node {
		corner, rows, columns := a.weights(w, shape)
		v = elementAt(v, index(w.box))
		strips := graph.DotGeneral(columns, []int{1}, []int{0}, v, []int{1}, []int{0})
		window := graph.DotGeneral(rows, []int{0}, nil, graph.Reshape(strips, a.bins, shape[1]*a.channels), []int{0}, nil)
		window = graph.Add(graph.DynamicSlice(gradient, corner, []int{shape[0], shape[1] * a.channels}), window)
		return graph.DynamicUpdateSlice(gradient, window, corner)
	})
}

// weights returns the index (row, column * channels) of the window in the pixels, the weights of
// its rows [bins, height], and those of its columns, repeated for each row of bins, [bins, bins,
// width]. A window at the end of the pixels begins before its box, so that it ends with them.
func (a *alignment) weights(w window, shape [2]int) (corner []*graph.Node, rows, columns *graph.Node) {
	g := w.box.Graph()
	number := func(x int) *graph.Node { return graph.Const(g, float32(x)) }
	row := graph.Min(graph.Add(w.start, w.top), number(a.pixels.Shape().Dim(0)-shape[0]))
	column := graph.Min(w.left, number(a.pixels.Shape().Dim(1)/a.channels-shape[1]))
	along := func(axis bilinear.Axis, first *graph.Node, n int) *graph.Node {
		position := graph.Add(first, graph.Iota(g, shapes.Make(dtypes.Float32, 1, n), 1))
		onMap := graph.ConvertDType(graph.GreaterOrEqual(position, number(0)), dtypes.Float32) // otherwise on the level before
		return graph.Mul(axis.Weights(position), graph.InsertAxes(onMap, 1))
	}
	rows = graph.Reshape(along(w.y, graph.Sub(row, w.start), shape[0]), a.bins, shape[0])
	columns = graph.BroadcastToDims(along(w.x, column, shape[1]), a.bins, a.bins, shape[1])
	return []*graph.Node{index(row), index(graph.Mul(column, number(a.channels)))}, rows, columns
}

// index converts a number [1, 1] to an index.
func index(x *graph.Node) *graph.Node { return graph.ConvertDType(graph.Reshape(x), dtypes.Int32) }

// window is what a box is pooled from, for n boxes, or for one in a loop.
type window struct {
	y, x      bilinear.Axis
	top, left *graph.Node // [n, 1]: first pixel, on the map of the box's level
	start     *graph.Node // [n, 1]: first row of that map in the pixels
	box       *graph.Node // [n, 1]: index of the box
}

// rows returns the windows as the rows of a matrix [n, fields].
func (w window) rows() *graph.Node {
	return graph.Concatenate([]*graph.Node{w.y.Rows(), w.x.Rows(), w.top, w.left, w.start, w.box}, 1)
}

// windowOf reads a row [1, fields] of rows.
func windowOf(row *graph.Node, bins int) window {
	axis := bins + 4
	columns := func(from, n int) *graph.Node {
		return graph.Slice(row, graph.AxisRange(), graph.AxisRange(from, from+n))
	}
	return window{
		y: bilinear.FromRows(columns(0, axis)), x: bilinear.FromRows(columns(axis, axis)),
		top: columns(2*axis, 1), left: columns(2*axis+1, 1), start: columns(2*axis+2, 1), box: columns(2*axis+3, 1),
	}
}
