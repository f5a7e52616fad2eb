package roi

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

const (
	// chunkBytes bounds the pixels that are gathered at once, unless that takes more than maxChunks
	// chunks, each of which adds nodes to compile.
	chunkBytes = 512 << 20
	maxChunks  = 8
)

// alignWindows gathers the pixels of each box's window, row by row, and multiplies them with their
// weights in the bins.
func (p *pyramid) alignWindows(boxes, valid *graph.Node) *graph.Node {
	n := p.batch * boxes.Shape().Dim(1)
	chunk := max(chunkBytes/(4*p.windowCapacity()*p.channels), (n+maxChunks-1)/maxChunks, 1)
	return p.alignInChunks(boxes, valid, chunk)
}

func (p *pyramid) alignInChunks(boxes, valid *graph.Node, chunk int) *graph.Node {
	g, perImage := boxes.Graph(), boxes.Shape().Dim(1)
	n := p.batch * perImage
	boxes = flatBoxes(boxes, valid)
	image := graph.Iota(g, shapes.Make(dtypes.Int32, p.batch, perImage), 0)
	offset := graph.Reshape(graph.MulScalar(image, p.total), n)

	sizes := p.perBox(perImage)
	levels := make([]*graph.Node, len(p.features))
	for i, f := range p.features {
		levels[i] = graph.Reshape(f, p.batch, p.heights[i]*p.widths[i], p.channels)
	}
	pixels := graph.Reshape(graph.Concatenate(levels, 1), p.batch*p.total, p.channels)

	capacity := p.windowCapacity()
	var pooled []*graph.Node
	for start := 0; start < n; start += chunk {
		part := graph.AxisRange(start, min(start+chunk, n))
		var partSizes *graph.Node
		if sizes != nil {
			partSizes = graph.Slice(sizes, part)
		}
		pooled = append(pooled, p.poolWindows(pixels, graph.Slice(boxes, part), graph.Slice(offset, part), partSizes, capacity))
	}
	return graph.Concatenate(pooled, 0)
}

// poolWindows pools boxes [n, 4] from the pixels of all images [batch * total, channels]. offset
// [n] is the first pixel of each box's image; sizes are those of regions.
func (p *pyramid) poolWindows(pixels, boxes, offset, sizes *graph.Node, capacity int) *graph.Node {
	g, n := boxes.Graph(), boxes.Shape().Dim(0)
	level := p.levelOf(boxes)
	r := p.regions(boxes, level, sizes)
	top, bottom := r.y.extent()
	left, right := r.x.extent()
	width := graph.MaxScalar(graph.AddScalar(graph.Sub(right, left), 1), 1) // [n, 1]; at least 1, even for an inverted box

	// Position i is pixel (i / width, i mod width) of the window. Rows after its last have weight
	// 0.
	i := positions(g, capacity)
	row := graph.Floor(graph.Div(graph.AddScalar(i, 0.5), width)) // [n, capacity]
	x := graph.Add(left, graph.Sub(i, graph.Mul(row, width)))
	y := graph.Add(top, row)
	inside := graph.InsertAxes(graph.ConvertDType(graph.LessOrEqual(y, bottom), dtypes.Float32), 1)
	rows := graph.Reshape(graph.Mul(r.y.weights(y), inside), n, poolSize, 1, capacity)
	columns := graph.Reshape(r.x.weights(x), n, 1, poolSize, capacity)
	weights := graph.StopGradient(graph.Reshape(graph.Mul(rows, columns), n, poolSize*poolSize, capacity))

	starts, at := make([]int, len(p.features)), 0
	for l := range starts {
		starts[l] = at
		at += p.heights[l] * p.widths[l]
	}
	mapWidth := graph.InsertAxes(perLevel(level, p.widths), -1)
	index := graph.Add(graph.Mul(graph.Min(y, bottom), mapWidth), x)
	index = graph.Add(index, graph.InsertAxes(perLevel(level, starts), -1))
	index = graph.Add(graph.ConvertDType(index, dtypes.Int32), graph.InsertAxes(offset, -1))
	window := graph.Gather(pixels, graph.StopGradient(graph.InsertAxes(index, -1))) // [n, capacity, channels]
	pooled := graph.DotGeneral(weights, []int{2}, []int{0}, window, []int{1}, []int{0})
	return graph.Reshape(pooled, n, poolSize, poolSize, p.channels)
}

// extent returns the first and the last pixel that the samples of an axis touch, each [n, 1].
func (a axis) extent() (low, high *graph.Node) {
	n := a.origin.Shape().Dim(0)
	clamp := func(x *graph.Node) *graph.Node {
		x = graph.Floor(graph.Add(x, a.origin))
		return graph.Reshape(graph.Min(graph.MaxScalar(x, 0), graph.AddScalar(a.size, -1)), n, 1)
	}
	bin := func(i int) *graph.Node { return graph.Slice(a.first, graph.AxisRange(), graph.AxisRange(i, i+1)) }
	last := graph.Add(bin(poolSize-1), graph.Mul(a.step, graph.AddScalar(a.samples, -1)))
	return clamp(bin(0)), clamp(graph.AddScalar(last, 1))
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
	last := len(p.features) - 1
	capacity := p.heights[last] * p.widths[last]
	bounds := p.levelBounds()
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
