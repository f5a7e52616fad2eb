package checkpoint

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
)

// Tensor is one named array of a checkpoint, on the host. Its elements stay where the file was read
// to; they are converted when they are asked for. Slices of Shape and Bytes may be shared between
// tensors: do not change them.
type Tensor struct {
	// Name as the file has it, for example "backbone.bottom_up.stem.conv.weight".
	Name string
	// DType is the type of the elements in the file.
	DType dtypes.DType
	// Shape holds the dimensions, none for a scalar. In which order they stand is the file's
	// business: see ToStore.
	Shape []int

	// The element at index i lies at offset + sum(i*strides) in storage, counted in elements, as in
	// PyTorch.
	storage *storage
	offset  int
	strides []int
}

// storage is a run of little-endian elements that tensors view; several tensors may share one.
type storage struct {
	dtype dtypes.DType
	count int
	data  []byte // count elements; nil until the container has been searched for them

	// A storage may be a part of another's bytes, from that one on; it has no data of its own then.
	base *storage
	from int
}

// bytes are the storage's elements.
func (s *storage) bytes() []byte {
	if s.base != nil {
		return s.base.bytes()[s.from : s.from+s.count*s.dtype.Size()]
	}
	return s.data
}

// repeatLimit is how many elements a view may have beyond those of its storage. A stride of 0 makes
// a few bytes look like any number of elements; genuine checkpoints hold hardly any such tensor,
// and only small ones.
const repeatLimit = 1 << 20

// NewTensor makes a tensor of little-endian elements in row-major order. It returns an error if
// data does not have exactly as many bytes as dtype and shape call for.
func NewTensor(name string, dtype dtypes.DType, shape []int, data []byte) (Tensor, error) {
	t, err := contiguous(dtype, shape, data)
	if err != nil {
		return Tensor{}, fmt.Errorf("tensor %q: %w", name, err)
	}
	t.Name = name
	return t, nil
}

// contiguous is NewTensor without a name.
func contiguous(dtype dtypes.DType, shape []int, data []byte) (Tensor, error) {
	size := dtype.Size()
	if size == 0 || len(data)%size != 0 {
		return Tensor{}, fmt.Errorf("%d bytes are not a whole number of %s", len(data), dtype)
	}
	s := &storage{dtype: dtype, count: len(data) / size, data: data}
	t, err := view(s, 0, shape, rowMajor(shape))
	if err != nil || t.Size() != s.count {
		return Tensor{}, fmt.Errorf("shape %v does not hold the %d elements stored for it", shape, s.count)
	}
	return t, nil
}

// view makes an unnamed tensor over s, or an error if any index would fall outside it.
func view(s *storage, offset int, shape, strides []int) (Tensor, error) {
	if len(shape) != len(strides) {
		return Tensor{}, fmt.Errorf("%d dimensions but %d strides", len(shape), len(strides))
	}
	limit := max(repeatLimit, s.count)
	count, last := 1, offset
	for i, d := range shape {
		if d < 0 || strides[i] < 0 {
			return Tensor{}, fmt.Errorf("negative dimension or stride: shape %v, strides %v", shape, strides)
		}
		if d > 0 && count > limit/d {
			return Tensor{}, fmt.Errorf("shape %v is far larger than the %d elements stored for it", shape, s.count)
		}
		count *= d
		if d > 1 && strides[i] > s.count/(d-1) {
			last = s.count // beyond the end; the product might overflow
		} else if d > 1 {
			last += strides[i] * (d - 1)
		}
	}
	if count > 0 && (offset < 0 || offset >= s.count || last < 0 || last >= s.count) {
		return Tensor{}, fmt.Errorf("shape %v, strides %v, offset %d reach beyond the %d elements stored", shape, strides, offset, s.count)
	}
	return Tensor{DType: s.dtype, Shape: slices.Clone(shape), storage: s, offset: offset, strides: slices.Clone(strides)}, nil
}

func rowMajor(shape []int) []int {
	strides, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= max(shape[i], 1)
	}
	return strides
}

// Size is the number of elements.
func (t Tensor) Size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// permute reorders the axes without touching the elements: axis i of the result is axis axes[i] of
// t.
func (t Tensor) permute(axes ...int) Tensor {
	p := t
	p.Shape, p.strides = make([]int, len(axes)), make([]int, len(axes))
	for i, a := range axes {
		p.Shape[i], p.strides[i] = t.Shape[a], t.strides[a]
	}
	return p
}

// split views axis as several axes of the given dimensions, whose product must be the axis's
// dimension.
func (t Tensor) split(axis int, dims ...int) Tensor {
	strides := rowMajor(dims)
	for i := range strides {
		strides[i] *= t.strides[axis]
	}
	s := t
	s.Shape = slices.Concat(t.Shape[:axis], dims, t.Shape[axis+1:])
	s.strides = slices.Concat(t.strides[:axis], strides, t.strides[axis+1:])
	return s
}

// reshaped is the tensor's elements in row-major order under another shape of the same size.
func (t Tensor) reshaped(shape ...int) Tensor {
	return Tensor{Name: t.Name, DType: t.DType, Shape: shape, strides: rowMajor(shape),
		storage: &storage{dtype: t.DType, count: t.Size(), data: t.Bytes()}}
}

// Bytes returns the elements as little-endian bytes in row-major order.
func (t Tensor) Bytes() []byte {
	n, size := t.Size(), t.DType.Size()
	if n == 0 {
		return nil
	}
	if slices.Equal(t.strides, rowMajor(t.Shape)) {
		return t.storage.bytes()[t.offset*size : (t.offset+n)*size]
	}
	out := make([]byte, 0, n*size)
	var gather func(axis, at int)
	gather = func(axis, at int) {
		switch {
		case axis == len(t.Shape):
			out = append(out, t.storage.bytes()[at*size:(at+1)*size]...)
		case axis == len(t.Shape)-1 && t.strides[axis] == 1:
			out = append(out, t.storage.bytes()[at*size:(at+t.Shape[axis])*size]...)
		default:
			for i := range t.Shape[axis] {
				gather(axis+1, at+i*t.strides[axis])
			}
		}
	}
	gather(0, t.offset)
	return out
}

// Float32 returns the elements in row-major order as float32: exact for float32, float16 and
// bfloat16, rounded for float64. Any other type is an error.
func (t Tensor) Float32() ([]float32, error) {
	switch t.DType {
	case dtypes.Float32:
		return elements[float32](t), nil
	case dtypes.Float64:
		return convert(elements[float64](t), func(v float64) float32 { return float32(v) }), nil
	case dtypes.Float16:
		return convert(elements[uint16](t), func(v uint16) float32 { return float16.FromBits(v).Float32() }), nil
	case dtypes.BFloat16:
		return convert(elements[uint16](t), func(v uint16) float32 { return bfloat16.FromBits(v).Float32() }), nil
	}
	return nil, fmt.Errorf("tensor %q holds %s, not floating-point numbers", t.Name, t.DType)
}

// Int64 returns the elements in row-major order as int64; true is 1. Floating-point numbers and
// uint64 are an error.
func (t Tensor) Int64() ([]int64, error) {
	switch t.DType {
	case dtypes.Int64:
		return elements[int64](t), nil
	case dtypes.Int32:
		return convert(elements[int32](t), func(v int32) int64 { return int64(v) }), nil
	case dtypes.Uint32:
		return convert(elements[uint32](t), func(v uint32) int64 { return int64(v) }), nil
	case dtypes.Int16:
		return convert(elements[int16](t), func(v int16) int64 { return int64(v) }), nil
	case dtypes.Uint16:
		return convert(elements[uint16](t), func(v uint16) int64 { return int64(v) }), nil
	case dtypes.Int8:
		return convert(elements[int8](t), func(v int8) int64 { return int64(v) }), nil
	case dtypes.Uint8, dtypes.Bool:
		return convert(elements[uint8](t), func(v uint8) int64 { return int64(v) }), nil
	}
	return nil, fmt.Errorf("tensor %q holds %s, not integers that fit into int64", t.Name, t.DType)
}

// elements returns the elements, which are of type T, in row-major order.
func elements[T any](t Tensor) []T {
	values := make([]T, t.Size())
	if _, err := binary.Decode(t.Bytes(), binary.LittleEndian, values); err != nil {
		panic(err) // NewTensor and view have compared the sizes
	}
	return values
}

func convert[From, To any](from []From, convert func(From) To) []To {
	to := make([]To, len(from))
	for i, v := range from {
		to[i] = convert(v)
	}
	return to
}
