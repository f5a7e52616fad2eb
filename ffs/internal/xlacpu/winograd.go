package nn

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Winograd's convolution of 3x3 kernels computes a tile of 4x4 results from its window of 6x6 inputs by 36 products where the definition takes 144 (Lavin and Gray, CVPR 2016):
//
//	result = A ((G kernel) * (B window))    * place by place, summed over the channels of the input
//
// Kernel [9, n], window [36, n] and result [16, n] are pictures row by row; A is resultOfProducts [16, 36], G productsOfKernel [36, 9] and B productsOfWindow [36, 36]: the
// paper's A^T, G and B^T along both axes. Each of the 36 places is then a matrix product of all tiles' windows and the kernels. The matrices are those of the points 0, 1, -1,
// 1/2, -2 and infinity, which round least among simple ones: results and gradients to 2e-6 of their standard deviation, the definition to some 2e-7 (256 channels).
const (
	tileSide   = 4
	kernelSide = 3
	windowSide = tileSide + kernelSide - 1
	places     = windowSide * windowSide
	// bandTiles is how many tiles go through at a time at most, unless a row of tiles of the whole batch is more. Many fill the caches, few repeat the reading of the kernels too often.
	bandTiles = 768
	// enoughTiles and enoughChannels are what it takes to be faster than XLA's convolution with gradients, and within a tenth of it or faster without (BenchmarkWinograd).
	enoughTiles, enoughChannels = 64, 128
)

var (
	resultOfProducts = overBothAxes([][]float64{{1, 1, 1, 1, 1, 0}, {0, 1, -1, 1. / 2, -2, 0}, {0, 1, 1, 1. / 4, 4, 0}, {0, 1, -1, 1. / 8, -8, 1}})
	productsOfKernel = overBothAxes([][]float64{
		{1, 0, 0}, {1. / 3, 1. / 3, 1. / 3}, {-1. / 3, 1. / 3, -1. / 3}, {-16. / 15, -8. / 15, -4. / 15}, {1. / 15, -2. / 15, 4. / 15}, {0, 0, 1},
	})
	productsOfWindow = overBothAxes([][]float64{
		{1, -3. / 2, -2, 3. / 2, 1, 0}, {0, -1, 1. / 2, 5. / 2, 1, 0}, {0, 1, -5. / 2, 1. / 2, 1, 0},
		{0, -2, -1, 2, 1, 0}, {0, 1. / 2, -1, -1. / 2, 1, 0}, {0, 1, -3. / 2, -2, 3. / 2, 1},
	})
)

// overBothAxes makes of a map of columns the map of pictures that are mapped along both axes: the Kronecker product with itself.
func overBothAxes(m [][]float64) *tensors.Tensor {
	var values []float32
	for _, down := range m {
		for _, across := range m {
			for _, d := range down {
				for _, a := range across {
					values = append(values, float32(d*a))
				}
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(values, len(m)*len(m), len(m[0])*len(m[0]))
}

// tiling cuts results [batch, height, width, channels] into tiles, which go through in bands of whole rows of tiles.
type tiling struct {
	batch, height, width int
	rows, columns, bands int // rows and columns of tiles in a band, and bands
}

// newTiling cuts x [batch, height, width, channels] into bands of at most the given number of tiles.
func newTiling(x *Node, most int) tiling {
	d := x.Shape().Dimensions
	t := tiling{batch: d[0], height: d[1], width: d[2], columns: tilesAlong(d[2])}
	rows := tilesAlong(d[1])
	t.bands = ceilDiv(rows, max(1, most/(t.batch*t.columns)))
	t.rows = ceilDiv(rows, t.bands)
	return t
}

// winogradPays reports whether tiles are faster on XLA's CPU backend, from x [batch, height, width, in] to so many channels.
func winogradPays(x *Node, out int) bool {
	d := x.Shape().Dimensions
	return d[0]*tilesAlong(d[1])*tilesAlong(d[2]) >= enoughTiles && min(d[3], out) >= enoughChannels
}

// tilesAlong is how many tiles cover pixels in a row.
func tilesAlong(pixels int) int { return ceilDiv(pixels, tileSide) }

// winograd is the convolution of x [batch, height, width, in] with a kernel [3, 3, in, out], padded by one.
func (t tiling) winograd(x, weight *Node) *Node {
	y := t.convolve(x, weight)
	return WithGradient(y, func(v *Node) []*Node {
		turned := graph.TransposeAllAxes(graph.Reverse(weight, 0, 1), 0, 1, 3, 2)
		return []*Node{t.convolve(v, turned), t.kernelGradient(x, v)}
	}, x, weight)
}

// convolve is winograd without its gradient: x [batch, height, width, in] and weight [3, 3, in, out] make [batch, height, width, out].
func (t tiling) convolve(x, weight *Node) *Node {
	g, in, out := x.Graph(), weight.Shape().Dim(2), weight.Shape().Dim(3)
	kernels := graph.Dot(graph.ConstTensor(g, productsOfKernel), graph.Reshape(weight, kernelSide*kernelSide, in*out)).Product()
	fixed := []*Node{t.padded(x, 1), graph.Reshape(kernels, places, in, out), graph.ConstTensor(g, productsOfWindow), graph.ConstTensor(g, resultOfProducts)}
	room := graph.Zeros(g, shapes.Make(x.DType(), t.batch, t.bands*t.rows*tileSide, t.columns*tileSide, out))
	y := t.eachBand(fixed, room, func(top, y *Node, fixed []*Node) *Node {
		products := graph.DotGeneral(t.windows(fixed[0], top, fixed[2]), []int{2}, []int{0}, fixed[1], []int{1}, []int{0})
		tiles := graph.Dot(fixed[3], graph.Reshape(products, places, -1)).Product()
		tiles = graph.Reshape(tiles, tileSide, tileSide, t.batch, t.rows, t.columns, out)
		tiles = graph.TransposeAllAxes(tiles, 2, 3, 0, 4, 1, 5)
		tiles = graph.Reshape(tiles, t.batch, t.rows*tileSide, t.columns*tileSide, out)
		return graph.DynamicUpdateSlice(y, tiles, at(y, 1, top))
	})
	return graph.Slice(y, graph.AxisRange(), graph.AxisRange(0, t.height), graph.AxisRange(0, t.width), graph.AxisRange())
}

// kernelGradient is the gradient [3, 3, in, out] of the kernel for the input x [batch, height, width, in] and v [batch, height, width, out], the gradient of the result.
func (t tiling) kernelGradient(x, v *Node) *Node {
	g, in, out := x.Graph(), x.Shape().Dim(3), v.Shape().Dim(3)
	fixed := []*Node{t.padded(x, 1), t.padded(v, 0), graph.ConstTensor(g, productsOfWindow), graph.Transpose(graph.ConstTensor(g, resultOfProducts), 0, 1)}
	sum := t.eachBand(fixed, graph.Zeros(g, shapes.Make(x.DType(), places, in, out)), func(top, sum *Node, fixed []*Node) *Node {
		tiles := graph.DynamicSlice(fixed[1], at(fixed[1], 1, top), []int{t.batch, t.rows * tileSide, t.columns * tileSide, out})
		tiles = graph.Reshape(tiles, t.batch, t.rows, tileSide, t.columns, tileSide, out)
		tiles = graph.Reshape(graph.TransposeAllAxes(tiles, 2, 4, 0, 1, 3, 5), tileSide*tileSide, -1)
		products := graph.Reshape(graph.Dot(fixed[3], tiles).Product(), places, -1, out)
		return graph.Add(sum, graph.DotGeneral(t.windows(fixed[0], top, fixed[2]), []int{1}, []int{0}, products, []int{1}, []int{0}))
	})
	kernel := graph.DotGeneral(graph.ConstTensor(g, productsOfKernel), []int{0}, nil, graph.Reshape(sum, places, in*out), []int{0}, nil)
	return graph.Reshape(kernel, kernelSide, kernelSide, in, out)
}

// windows are the mapped windows [36, tiles, channels] of the band whose first row of pixels is top, for x padded by one; its tiles lie in the order batch, row, column.
func (t tiling) windows(x, top, productsOfWindow *Node) *Node {
	channels := x.Shape().Dim(3)
	x = graph.DynamicSlice(x, at(x, 1, top), []int{t.batch, t.rows*tileSide + kernelSide - 1, t.columns*tileSide + kernelSide - 1, channels})
	var pixels []*Node
	for i := range windowSide {
		for j := range windowSide {
			every := func(from, n int) graph.SliceAxisSpec {
				return graph.AxisRange(from, from+tileSide*(n-1)+1).Stride(tileSide)
			}
			pixel := graph.Slice(x, graph.AxisRange(), every(i, t.rows), every(j, t.columns), graph.AxisRange())
			pixels = append(pixels, graph.Reshape(pixel, 1, -1))
		}
	}
	return graph.Reshape(graph.Dot(productsOfWindow, graph.Concatenate(pixels, 0)).Product(), places, -1, channels)
}

// eachBand returns what becomes of start when body changes it for band after band, whose first row of pixels is top.
func (t tiling) eachBand(fixed []*Node, start *Node, body func(top, changing *Node, fixed []*Node) *Node) *Node {
	g := start.Graph()
	return ForEach(graph.Const(g, int32(0)), graph.Const(g, int32(t.bands)), []*Node{start}, fixed, func(band *Node, changing, fixed []*Node) []*Node {
		top := graph.Mul(band, graph.Const(band.Graph(), int32(t.rows*tileSide)))
		return []*Node{body(top, changing[0], fixed)}
	})[0]
}

// padded puts a margin of zeros around x, and more zeros behind it to the end of the last tiles.
func (t tiling) padded(x *Node, margin int) *Node {
	pad := func(size, whole int) compute.PadAxis {
		return compute.PadAxis{Start: margin, End: whole + margin - size}
	}
	return graph.Pad(x, graph.Const(x.Graph(), float32(0)),
		compute.PadAxis{}, pad(t.height, t.bands*t.rows*tileSide), pad(t.width, t.columns*tileSide), compute.PadAxis{})
}
