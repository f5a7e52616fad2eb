package nn

import (
	"math"
	"math/rand/v2"
)

// Init fills the values of a new parameter of dimensions dims.
type Init func(rng *rand.Rand, values []float32, dims []int)

// Constant starts every value at v.
func Constant(v float32) Init {
	return func(_ *rand.Rand, values []float32, _ []int) {
		for i := range values {
			values[i] = v
		}
	}
}

// Normal draws from N(0, std^2).
func Normal(std float64) Init {
	return func(rng *rand.Rand, values []float32, _ []int) {
		for i := range values {
			values[i] = float32(rng.NormFloat64() * std)
		}
	}
}

// Uniform draws from U(low, high).
func Uniform(low, high float64) Init {
	return func(rng *rand.Rand, values []float32, _ []int) {
		for i := range values {
			values[i] = float32(low + (high-low)*rng.Float64())
		}
	}
}

// HeNormal draws from N(0, 2 / fan-out), as detectron2 does for convolutions.
func HeNormal(rng *rand.Rand, values []float32, dims []int) {
	_, fanOut := fans(dims)
	Normal(math.Sqrt(2/fanOut))(rng, values, dims)
}

// CaffeXavier draws from U(-sqrt(3 / fan-in), sqrt(3 / fan-in)), as fvcore's c2_xavier_fill does
// for the layers of the pyramid and of the box head.
func CaffeXavier(rng *rand.Rand, values []float32, dims []int) {
	fanIn, _ := fans(dims)
	bound := math.Sqrt(3 / fanIn)
	Uniform(-bound, bound)(rng, values, dims)
}

// TorchLinear draws from U(-1/sqrt(in), 1/sqrt(in)), as PyTorch's Linear(in, out) does for its
// weight and its bias.
func TorchLinear(in int) Init {
	bound := 1 / math.Sqrt(float64(in))
	return Uniform(-bound, bound)
}

// fans returns the inputs per output and the outputs per input of the weight [kernel, kernel, in,
// out] of a convolution or [out, in] of a linear layer.
func fans(dims []int) (in, out float64) {
	if len(dims) == 2 {
		return float64(dims[1]), float64(dims[0])
	}
	area := float64(dims[0] * dims[1])
	return area * float64(dims[2]), area * float64(dims[3])
}
