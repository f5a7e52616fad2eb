package xlacpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/graphs"
)

// Winograd's convolution of 3x3 kernels computes a tile of 4x4 results from its window of 6x6
// inputs by 36 products where the definition takes 144 (Lavin and Gray, CVPR 2016):
//
//	result = A ((G kernel) * (B window))    * element by element, summed over the input's channels
//
// Kernel [9, n], window [36, n] and result [16, n] hold their rows one after the other; A is
// resultOfProducts [16, 36], G productsOfKernel [36, 9] and B productsOfWindow [36, 36]: the
// paper's A^T, G and B^T along both axes. Each of the 36 products is then a matrix product of all
// tiles' windows and the kernels. The matrices are those of the points 0, 1, -1, 1/2, -2 and
// infinity, which round least among simple ones: results and gradients to 2e-6 of their standard
// deviation, the definition to some 2e-7 (256 channels).
const (
	tileSide     = 4
	kernelSide   = 3
	windowSide   = tileSide + kernelSide - 1
	windowPixels = windowSide * windowSide
	// bandTiles is the largest number of tiles that are computed at once, but for a row of tiles of
	// the whole batch. More overflow the caches; fewer read the kernels too often.
	bandTiles = 768
	// minTiles and minChannels are where this becomes faster than XLA's convolution with gradients,
	// and at most a tenth slower without (BenchmarkWinograd).
	minTiles, minChannels = 64, 128
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

// overBothAxes returns the Kronecker product of m with itself, which applies m along both axes.
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

// tiling cuts results [batch, height, width, channels] into tiles. A band is some rows of tiles of
// all images, which are computed at once.
type tiling struct {
	batch, height, width int
	rows, columns, bands int // rows and columns of tiles in a band, number of bands
}

// newTiling cuts x [batch, height, width, channels] into bands of at most the given number of
// tiles, or of one row of tiles.
func newTiling(x *graph.Node, most int) tiling {
	d := x.Shape().Dimensions
	t := tiling{batch: d[0], height: d[1], width: d[2], columns: tilesAlong(d[2])}
	rows := tilesAlong(d[1])
	t.bands = ceilDiv(rows, max(1, most/(t.batch*t.columns)))
	t.rows = ceilDiv(rows, t.bands)
	return t
}

// winogradPays reports whether tiles are faster for x [batch, height, width, in] and out channels.
func winogradPays(x *graph.Node, out int) bool {
	d := x.Shape().Dimensions
	return d[0]*tilesAlong(d[1])*tilesAlong(d[2]) >= minTiles && min(d[3], out) >= minChannels
}

// tilesAlong is the number of tiles that cover a row of pixels.
func tilesAlong(pixels int) int { return ceilDiv(pixels, tileSide) }

// winograd convolves x [batch, height, width, in], padded by one, with weight [3, 3, in, out].
func (t tiling) winograd(x, weight *graph.Node) *graph.Node {
	y := t.convolve(x, weight)
	return graphs.WithGradient(y, func(v *graph.Node) []*graph.Node {
		turned := graph.TransposeAllAxes(graph.Reverse(weight, 0, 1), 0, 1, 3, 2)
		return []*graph.Node{t.convolve(v, turned), t.kernelGradient(x, v)}
	}, x, weight)
}

// convolve is winograd without its gradient.
func (t tiling) convolve(x, weight *graph.Node) *graph.Node {
	g, in, out := x.Graph(), weight.Shape().Dim(2), weight.Shape().Dim(3)
	kernels := graph.Dot(graph.ConstTensor(g, productsOfKernel), graph.Reshape(weight, kernelSide*kernelSide, in*out)).Product()
	fixed := []*graph.Node{t.padded(x, 1), graph.Reshape(kernels, windowPixels, in, out), graph.ConstTensor(g, productsOfWindow), graph.ConstTensor(g, resultOfProducts)}
	room := graph.Zeros(g, shapes.Make(x.DType(), t.batch, t.bands*t.rows*tileSide, t.columns*tileSide, out))
	y := t.eachBand(fixed, room, func(top, y *graph.Node, fixed []*graph.Node) *graph.Node {
		products := graph.DotGeneral(t.windows(fixed[0], top, fixed[2]), []int{2}, []int{0}, fixed[1], []int{1}, []int{0})
		tiles := graph.Dot(fixed[3], graph.Reshape(products, windowPixels, -1)).Product()
		tiles = graph.Reshape(tiles, tileSide, tileSide, t.batch, t.rows, t.columns, out)
		tiles = graph.TransposeAllAxes(tiles, 2, 3, 0, 4, 1, 5)
		tiles = graph.Reshape(tiles, t.batch, t.rows*tileSide, t.columns*tileSide, out)
		return graph.DynamicUpdateSlice(y, tiles, indexAlong(y, 1, top))
	})
	return graph.Slice(y, graph.AxisRange(), graph.AxisRange(0, t.height), graph.AxisRange(0, t.width), graph.AxisRange())
}

// kernelGradient is the gradient [3, 3, in, out] of the kernel for the input x [batch, height,
// width, in] and v [batch, height, width, out], that of the result.
func (t tiling) kernelGradient(x, v *graph.Node) *graph.Node {
	g, in, out := x.Graph(), x.Shape().Dim(3), v.Shape().Dim(3)
	fixed := []*graph.Node{t.padded(x, 1), t.padded(v, 0), graph.ConstTensor(g, productsOfWindow), graph.Transpose(graph.ConstTensor(g, resultOfProducts), 0, 1)}
	sum := t.eachBand(fixed, graph.Zeros(g, shapes.Make(x.DType(), windowPixels, in, out)), func(top, sum *graph.Node, fixed []*graph.Node) *graph.Node {
		tiles := graph.DynamicSlice(fixed[1], indexAlong(fixed[1], 1, top), []int{t.batch, t.rows * tileSide, t.columns * tileSide, out})
		tiles = graph.Reshape(tiles, t.batch, t.rows, tileSide, t.columns, tileSide, out)
		tiles = graph.Reshape(graph.TransposeAllAxes(tiles, 2, 4, 0, 1, 3, 5), tileSide*tileSide, -1)
		products := graph.Reshape(graph.Dot(fixed[3], tiles).Product(), windowPixels, -1, out)
		return graph.Add(sum, graph.DotGeneral(t.windows(fixed[0], top, fixed[2]), []int{1}, []int{0}, products, []int{1}, []int{0}))
	})
	kernel := graph.DotGeneral(graph.ConstTensor(g, productsOfKernel), []int{0}, nil, graph.Reshape(sum, windowPixels, in*out), []int{0}, nil)
	return graph.Reshape(kernel, kernelSide, kernelSide, in, out)
}

// windows returns B window [36, tiles, channels] for the band whose first row of pixels is top,
// from x padded by one. Tiles are in the order batch, row, column.
func (t tiling) windows(x, top, productsOfWindow *graph.Node) *graph.Node {
	channels := x.Shape().Dim(3)
	x = graph.DynamicSlice(x, indexAlong(x, 1, top), []int{t.batch, t.rows*tileSide + kernelSide - 1, t.columns*tileSide + kernelSide - 1, channels})
	var pixels []*graph.Node
	for i := range windowSide {
		for j := range windowSide {
			pixel := graph.Slice(x, graph.AxisRange(), every(i, t.rows, tileSide), every(j, t.columns, tileSide), graph.AxisRange())
			pixels = append(pixels, graph.Reshape(pixel, 1, -1))
		}
	}
	return graph.Reshape(graph.Dot(productsOfWindow, graph.Concatenate(pixels, 0)).Product(), windowPixels, -1, channels)
}

// eachBand lets body change start for one band after the other, given the band's first row of
// pixels, and returns the last value.
func (t tiling) eachBand(fixed []*graph.Node, start *graph.Node, body func(top, changing *graph.Node, fixed []*graph.Node) *graph.Node) *graph.Node {
	g := start.Graph()
	return graphs.ForEach(graph.Const(g, int32(0)), graph.Const(g, int32(t.bands)), []*graph.Node{start}, fixed, func(band *graph.Node, changing, fixed []*graph.Node) []*graph.Node {
		top := graph.Mul(band, graph.Const(band.Graph(), int32(t.rows*tileSide)))
		return []*graph.Node{body(top, changing[0], fixed)}
	})[0]
}

// padded adds a margin of zeros around x, and zeros behind it to the end of the last tiles.
func (t tiling) padded(x *graph.Node, margin int) *graph.Node {
	pad := func(size, whole int) compute.PadAxis {
		return compute.PadAxis{Start: margin, End: whole + margin - size}
	}
	return graph.Pad(x, graph.Const(x.Graph(), float32(0)),
		compute.PadAxis{}, pad(t.height, t.bands*t.rows*tileSide), pad(t.width, t.columns*tileSide), compute.PadAxis{})
}
