package device

import (
	"errors"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// checks returns the checks of the operations that the detector and the flow need. Sums and
// products get small whole numbers, whose result is exact in every order of summation, and also in
// TF32.
func checks() []check {
	return []check{
		atan(),
		elementwise(),
		matrixProduct(),
		groupedConvolution(),
		orderOfTies(),
		whileLoop(),
		gatherRows(),
		scatterSum(),
		randomState(),
	}
}

// atan computes atan(x) as Atan2(x, 1) with a constant 1, alone and inside the flow's clamped
// scale. The plugin that failed is right if the 1 is a variable. 261 values need code for whole
// vectors and for the remainder.
func atan() check {
	const n = 261
	const clamp = 2.0 * 0.636
	x := make([]float32, n)
	angles, scales := make([]float64, n), make([]float64, n)
	for i := range n {
		x[i] = float32(i-n/2) / 9
		angles[i] = math.Atan(float64(x[i]))
		scales[i] = math.Exp(clamp * angles[i])
	}
	return check{
		operation: "Atan2 as atan",
		inputs:    []any{x},
		graph: func(in []*graph.Node) []*graph.Node {
			angle := graph.Atan2(in[0], graph.OnesLike(in[0]))
			return []*graph.Node{graph.Exp(graph.MulScalar(angle, clamp)), angle}
		},
		judge: near(2e-6, scales, angles),
	}
}

func elementwise() check {
	const n = 261
	y, x := make([]float32, n), make([]float32, n)
	angles, exps, logs := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		y[i] = float32(i-n/2) / 9
		x[i] = float32(1 - 2*(i%2)) // both signs: all four quadrants
		angles[i] = math.Atan2(float64(y[i]), float64(x[i]))
		exps[i] = math.Exp(float64(y[i] / 4))
		logs[i] = math.Log1p(float64(y[i] * y[i]))
	}
	return check{
		operation: "elementwise Atan2, Exp, Log1P",
		inputs:    []any{y, x},
		graph: func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{graph.Atan2(in[0], in[1]), graph.Exp(graph.MulScalar(in[0], 0.25)), graph.Log1P(graph.Mul(in[0], in[0]))}
		},
		judge: near(2e-6, angles, exps, logs),
	}
}

func matrixProduct() check {
	const rows, inner, columns = 5, 67, 70
	a, b, want := make([]float32, rows*inner), make([]float32, inner*columns), make([]float64, rows*columns)
	wholes(a, 3)
	wholes(b, 5)
	for r := range rows {
		for c := range columns {
			for k := range inner {
				want[r*columns+c] += float64(a[r*inner+k] * b[k*columns+c])
			}
		}
	}
	return check{
		operation: "matrix product",
		inputs:    []any{tensors.FromFlatDataAndDimensions(a, rows, inner), tensors.FromFlatDataAndDimensions(b, inner, columns)},
		graph: func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{graph.Dot(in[0], in[1]).Product()}
		},
		judge: near(0, want),
	}
}

func groupedConvolution() check {
	const height, width, groups, in, out = 7, 9, 3, 4, 5 // in, out: channels of one group
	image, kernel := make([]float32, height*width*groups*in), make([]float32, 3*3*in*groups*out)
	wholes(image, 7)
	wholes(kernel, 11)
	want := make([]float64, height*width*groups*out)
	for y := range height {
		for x := range width {
			for o := range groups * out {
				for ky := range 3 {
					for kx := range 3 {
						iy, ix := y+ky-1, x+kx-1
						if iy < 0 || iy >= height || ix < 0 || ix >= width {
							continue
						}
						for i := range in {
							pixel := image[(iy*width+ix)*groups*in+o/out*in+i]
							want[(y*width+x)*groups*out+o] += float64(pixel * kernel[((ky*3+kx)*in+i)*groups*out+o])
						}
					}
				}
			}
		}
	}
	return check{
		operation: "grouped convolution",
		inputs: []any{
			tensors.FromFlatDataAndDimensions(image, 1, height, width, groups*in),
			tensors.FromFlatDataAndDimensions(kernel, 3, 3, in, groups*out),
		},
		graph: func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{graph.Convolve(in[0], in[1]).ChannelGroupCount(groups).PadSame().Done()}
		},
		judge: near(0, want),
	}
}

// orderOfTies has few distinct values, so that position decides most of the order.
func orderOfTies() check {
	const n, k = 130, 40
	values := make([]float32, n)
	wholes(values, 13)
	var sorted, topValues, topIndices []float64
	for v := float32(-4); v <= 4; v++ {
		for _, x := range values {
			if x == v {
				sorted = append(sorted, float64(v))
			}
		}
	}
	for v := float32(4); v >= -4; v-- {
		for i, x := range values {
			if x == v && len(topValues) < k {
				topValues, topIndices = append(topValues, float64(v)), append(topIndices, float64(i))
			}
		}
	}
	return check{
		operation: "sort and top-k with ties",
		inputs:    []any{values},
		graph: func(in []*graph.Node) []*graph.Node {
			best, indices := graph.TopK(in[0], k, 0)
			return []*graph.Node{graph.Sort(in[0], 0, true), best, indices}
		},
		judge: near(0, sorted, topValues, topIndices),
	}
}

// whileLoop counts the steps of Collatz's sequence from 27, which needs a condition, a branch and
// state.
func whileLoop() check {
	return check{
		operation: "while loop",
		inputs:    []any{int32(27)},
		graph: func(in []*graph.Node) []*graph.Node {
			g := in[0].Graph()
			scalar := shapes.Make(dtypes.Int32)
			condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
				value, _ := graph.Parameter(g, "value", scalar), graph.Parameter(g, "steps", scalar)
				return []*graph.Node{graph.NotEqual(value, graph.Const(g, int32(1)))}
			})
			body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
				value, steps := graph.Parameter(g, "value", scalar), graph.Parameter(g, "steps", scalar)
				one, two, three := graph.Const(g, int32(1)), graph.Const(g, int32(2)), graph.Const(g, int32(3))
				odd := graph.Equal(graph.Mod(value, two), one)
				next := graph.Where(odd, graph.Add(graph.Mul(value, three), one), graph.Div(value, two))
				return []*graph.Node{next, graph.Add(steps, one)}
			})
			return graph.While(condition, body, in[0], graph.Const(g, int32(0)))
		},
		judge: near(0, []float64{1}, []float64{111}),
	}
}

// someRows are rows of a table, with repetitions, for gather and scatter.
var someRows = []int32{6, 0, 3, 3, 7, 1, 6, 6, 2}

func gatherRows() check {
	const rows, columns = 8, 17
	table := make([]float32, rows*columns)
	wholes(table, 17)
	var want []float64
	for _, r := range someRows {
		for c := range columns {
			want = append(want, float64(table[int(r)*columns+c]))
		}
	}
	return check{
		operation: "gather",
		inputs:    []any{tensors.FromFlatDataAndDimensions(table, rows, columns), tensors.FromFlatDataAndDimensions(someRows, len(someRows), 1)},
		graph:     func(in []*graph.Node) []*graph.Node { return []*graph.Node{graph.Gather(in[0], in[1])} },
		judge:     near(0, want),
	}
}

func scatterSum() check {
	const rows, columns = 8, 17
	updates, want := make([]float32, len(someRows)*columns), make([]float64, rows*columns)
	wholes(updates, 19)
	for i, r := range someRows {
		for c := range columns {
			want[int(r)*columns+c] += float64(updates[i*columns+c])
		}
	}
	return check{
		operation: "scatter with repeated rows",
		inputs:    []any{tensors.FromFlatDataAndDimensions(someRows, len(someRows), 1), tensors.FromFlatDataAndDimensions(updates, len(someRows), columns)},
		graph: func(in []*graph.Node) []*graph.Node {
			return []*graph.Node{graph.Scatter(in[0], in[1], shapes.Make(dtypes.Float32, rows, columns), false, false)}
		},
		judge: near(0, want),
	}
}

// randomState draws twice from one state and once from its successor. Plugins may have different
// generators, but equal states must give equal numbers, and numbers must be uniform and
// uncorrelated.
func randomState() check {
	const n = 4096
	return check{
		operation: "random numbers",
		inputs:    []any{tensors.FromFlatDataAndDimensions([]uint64{1, 2, 3}, 3)},
		graph: func(in []*graph.Node) []*graph.Node {
			shape := shapes.Make(dtypes.Float32, n)
			next, first := graph.RandomUniform(in[0], shape)
			_, again := graph.RandomUniform(in[0], shape)
			_, second := graph.RandomUniform(next, shape)
			return []*graph.Node{first, again, second}
		},
		judge: func(outputs [][]float64) error {
			first, again, second := outputs[0], outputs[1], outputs[2]
			var sum, squares, products float64
			for i, u := range first {
				switch {
				case !(u >= 0 && u < 1):
					return errors.New("a uniform number lies outside [0, 1)")
				case u != again[i]:
					return errors.New("the same state gives other numbers")
				}
				sum += u - 0.5
				squares += (u - 0.5) * (u - 0.5)
				products += (u - 0.5) * (second[i] - 0.5)
			}
			// Mean 0, variance 1/12 and no correlation, each within six standard errors.
			if math.Abs(sum/n) > 6*math.Sqrt(1.0/12/n) || math.Abs(squares/n-1.0/12) > 6*math.Sqrt(1.0/180/n) || math.Abs(products/n) > 6.0/12/math.Sqrt(n) {
				return errors.New("the numbers are not uniform or follow their predecessors")
			}
			return nil
		},
	}
}

// wholes fills values with pseudo-random whole numbers from -4 to 4.
func wholes(values []float32, seed uint32) {
	for i := range values {
		seed = seed*1664525 + 1013904223
		values[i] = float32(seed>>16%9) - 4
	}
}
