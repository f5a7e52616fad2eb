package roi

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/bilinear"
)

const (
	// chunkBytes bounds the pixels that are gathered at once, unless that takes more than maxChunks
	// chunks, each of which adds nodes to compile.
	chunkBytes = 512 << 20
	maxChunks  = 8
)

// align pools the boxes of place: it gathers the pixels of each box's window, row by row, and
// multiplies them with their weights in the bins.
func (p *pyramid) align(level *graph.Node, y, x bilinear.Axis) *graph.Node {
	n := level.Shape().Dim(0)
	return p.alignInChunks(level, y, x, max(chunkBytes/(4*p.windowCapacity()*p.channels), (n+maxChunks-1)/maxChunks, 1))
}

func (p *pyramid) alignInChunks(level *graph.Node, y, x bilinear.Axis, chunk int) *graph.Node {
	n := level.Shape().Dim(0)
	var total int             // pixels of an image
	starts := p.heights[:0:0] // first pixel of each level
	levels := make([]*graph.Node, len(p.features))
	for i, f := range p.features {
		size := p.heights[i] * p.widths[i]
		levels[i] = graph.Reshape(f, p.batch, size, p.channels)
		starts, total = append(starts, total), total+size
	}
	pixels := graph.Reshape(graph.Concatenate(levels, 1), p.batch*total, p.channels)
	image := graph.Reshape(graph.Iota(level.Graph(), shapes.Make(dtypes.Int32, p.batch, n/p.batch), 0), n)
	offset := graph.MulScalar(image, total)

	var pooled []*graph.Node
	for start := 0; start < n; start += chunk {
		part := func(x *graph.Node) *graph.Node { return graph.Slice(x, graph.AxisRange(start, min(start+chunk, n))) }
		pooled = append(pooled, p.poolWindows(pixels, part(offset), starts, part(level), bilinear.FromRows(part(y.Rows())), bilinear.FromRows(part(x.Rows()))))
	}
	return graph.Concatenate(pooled, 0)
}

// poolWindows pools n boxes from the pixels of all images [batch * total, channels]. offset [n] is
// the first pixel of each box's image, starts the first of each level in an image.
func (p *pyramid) poolWindows(pixels, offset *graph.Node, starts []int, level *graph.Node, y, x bilinear.Axis) *graph.Node {
	g, n, capacity := pixels.Graph(), level.Shape().Dim(0), p.windowCapacity()
	top, bottom := y.Extent()
	left, right := x.Extent()
	width := graph.MaxScalar(graph.AddScalar(graph.Sub(right, left), 1), 1) // [n, 1]; at least 1, even for an inverted box

	// Position i is pixel (i / width, i mod width) of the window. Rows after its last have weight
	// 0.
	i := graph.Iota(g, shapes.Make(dtypes.Float32, 1, capacity), 1)
	rowInWindow := graph.Floor(graph.Div(graph.AddScalar(i, 0.5), width)) // [n, capacity]
	column := graph.Add(left, graph.Sub(i, graph.Mul(rowInWindow, width)))
	row := graph.Add(top, rowInWindow)
	inside := graph.InsertAxes(graph.ConvertDType(graph.LessOrEqual(row, bottom), dtypes.Float32), 1)
	rows := graph.Reshape(graph.Mul(y.Weights(row), inside), n, poolSize, 1, capacity)
	columns := graph.Reshape(x.Weights(column), n, 1, poolSize, capacity)
	weights := graph.StopGradient(graph.Reshape(graph.Mul(rows, columns), n, poolSize*poolSize, capacity))

	mapWidth := graph.InsertAxes(perLevel(level, p.widths), -1)
	index := graph.Add(graph.Mul(graph.Min(row, bottom), mapWidth), column)
	index = graph.Add(index, graph.InsertAxes(perLevel(level, starts), -1))
	index = graph.Add(graph.ConvertDType(index, dtypes.Int32), graph.InsertAxes(offset, -1))
	window := graph.Gather(pixels, graph.StopGradient(graph.InsertAxes(index, -1))) // [n, capacity, channels]
	pooled := graph.DotGeneral(weights, []int{2}, []int{0}, window, []int{1}, []int{0})
	return graph.Reshape(pooled, n, poolSize, poolSize, p.channels)
}

// windowCapacity returns the number of pixels of the largest window that a box can have, so that no
// window is cut.
//
// On the last level that is the whole map. On the others the area of a box is bounded, since a
// larger one belongs to the next level: its sides multiply to less than the square of canonicalSize
// * 2^(next level - canonicalLevel) / stride. The samples of a side of length a span less than a
// and touch fewer than a + 3 pixels, so a window of r rows belongs to a box higher than r - 3,
// which bounds its width.
func (p *pyramid) windowCapacity() int {
	last := len(p.heights) - 1
	capacity := p.heights[last] * p.widths[last]
	bounds := levelBounds(p.strides)
	for l := range last {
		side := canonicalSize * float64(bounds[l]) / float64(p.strides[l])
		for rows := 1; rows <= p.heights[l]; rows++ {
			columns := p.widths[l]
			if rows > 3 {
				longest := side * side / float64(rows-3)
				columns = min(columns, int(math.Ceil(longest))+2)
			}
			capacity = max(capacity, rows*columns)
		}
	}
	return capacity
}
