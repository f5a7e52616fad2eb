package nn

import (
	"math"
	"math/rand/v2"
)

// Init fills the values of a new parameter of the given dimensions.
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

// HeNormal draws from N(0, 2 / fan-out), detectron2's start of a RegNet's convolutions.
func HeNormal(rng *rand.Rand, values []float32, dims []int) {
	_, fanOut := fans(dims)
	Normal(math.Sqrt(2/fanOut))(rng, values, dims)
}

// CaffeXavier draws from U(-sqrt(3 / fan-in), sqrt(3 / fan-in)), the start of the pyramid's and the box head's layers (fvcore's
// c2_xavier_fill).
func CaffeXavier(rng *rand.Rand, values []float32, dims []int) {
	fanIn, _ := fans(dims)
	bound := math.Sqrt(3 / fanIn)
	Uniform(-bound, bound)(rng, values, dims)
}

// TorchLinear draws from U(-1/sqrt(in), 1/sqrt(in)), where PyTorch's Linear(in, out) starts both its weight and its bias.
func TorchLinear(in int) Init {
	bound := 1 / math.Sqrt(float64(in))
	return Uniform(-bound, bound)
}

// fans counts a kernel's inputs per output and outputs per input: [kh, kw, in, out] of a convolution, [out, in] of a linear layer.
func fans(dims []int) (in, out float64) {
	if len(dims) == 2 {
		return float64(dims[1]), float64(dims[0])
	}
	area := float64(dims[0] * dims[1])
	return area * float64(dims[2]), area * float64(dims[3])
}
