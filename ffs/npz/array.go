package npz

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// New returns an array of flat row-major elements with the given dimensions, none for a scalar.
func New[T float32 | float64 | int32 | int64 | uint8 | bool](data []T, dims ...int) *Array {
	return &Array{Shape: append([]int{}, dims...), Data: data}
}

// Size returns the number of elements.
func (a *Array) Size() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Float64s returns the elements as float64, whatever their type; true is 1.
func (a *Array) Float64s() []float64 {
	switch data := a.Data.(type) {
	case []float32:
		return convert[float32, float64](data)
	case []float64:
		return convert[float64, float64](data)
	case []int32:
		return convert[int32, float64](data)
	case []int64:
		return convert[int64, float64](data)
	case []uint8:
		return convert[uint8, float64](data)
	case []bool:
		values := make([]float64, len(data))
		for i, b := range data {
			if b {
				values[i] = 1
			}
		}
		return values
	default:
		panic(fmt.Sprintf("npz: Array.Data is %T, not a slice that the package knows", a.Data))
	}
}

// Float32s returns the elements as float32, whatever their type.
func (a *Array) Float32s() []float32 { return convert[float64, float32](a.Float64s()) }

// Ints returns the elements as int; fractions are truncated.
func (a *Array) Ints() []int { return convert[float64, int](a.Float64s()) }

// Tensor returns the array in the types of the project's graphs: floats as float32, signed integers
// as int32, others unchanged.
func (a *Array) Tensor() *tensors.Tensor {
	switch data := a.Data.(type) {
	case []uint8:
		return tensors.FromFlatDataAndDimensions(data, a.Shape...)
	case []bool:
		return tensors.FromFlatDataAndDimensions(data, a.Shape...)
	case []int32, []int64:
		return tensors.FromFlatDataAndDimensions(convert[float64, int32](a.Float64s()), a.Shape...)
	default:
		return tensors.FromFlatDataAndDimensions(a.Float32s(), a.Shape...)
	}
}

func convert[From, To float32 | float64 | int32 | int64 | int | uint8](from []From) []To {
	to := make([]To, len(from))
	for i, v := range from {
		to[i] = To(v)
	}
	return to
}
