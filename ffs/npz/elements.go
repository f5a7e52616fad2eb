package npz

import (
	"encoding/binary"
	"io"

	"github.com/gomlx/compute/dtypes/float16"
)

// reader reads the elements of one type and byte order.
type reader struct {
	size     uint64 // bytes per element in the file
	elements func(r io.Reader, count int, shape []int, fortran bool) (any, error)
}

// readers are keyed by NumPy's names of element types: < is little-endian, > is big-endian, | is a
// type of one byte.
var readers = map[string]reader{
	"<f2": {2, readHalf(binary.LittleEndian)}, ">f2": {2, readHalf(binary.BigEndian)},
	"<f4": {4, readAs[float32](binary.LittleEndian)}, ">f4": {4, readAs[float32](binary.BigEndian)},
	"<f8": {8, readAs[float64](binary.LittleEndian)}, ">f8": {8, readAs[float64](binary.BigEndian)},
	"<i4": {4, readAs[int32](binary.LittleEndian)}, ">i4": {4, readAs[int32](binary.BigEndian)},
	"<i8": {8, readAs[int64](binary.LittleEndian)}, ">i8": {8, readAs[int64](binary.BigEndian)},
	"|u1": {1, readAs[uint8](binary.LittleEndian)}, "|b1": {1, readAs[bool](binary.LittleEndian)},
}

func readAs[T any](order binary.ByteOrder) func(io.Reader, int, []int, bool) (any, error) {
	return func(r io.Reader, count int, shape []int, fortran bool) (any, error) {
		data, err := readChunks[T](r, order, count)
		if err == nil && fortran {
			data = rowMajor(data, shape)
		}
		return data, err
	}
}

// readHalf widens float16 to float32, which is exact.
func readHalf(order binary.ByteOrder) func(io.Reader, int, []int, bool) (any, error) {
	return func(r io.Reader, count int, shape []int, fortran bool) (any, error) {
		halves, err := readChunks[uint16](r, order, count)
		if err != nil {
			return nil, err
		}
		if fortran {
			halves = rowMajor(halves, shape)
		}
		data := make([]float32, len(halves))
		for i, h := range halves {
			data[i] = float16.FromBits(h).Float32()
		}
		return data, nil
	}
}

// rowMajor converts elements from Fortran order, in which the first index changes fastest, to C
// order, in which the last one does.
func rowMajor[T any](data []T, shape []int) []T {
	var dims, strides []int // without dimensions of 1, of which a header may list any number
	stride := 1
	for _, d := range shape {
		if d != 1 {
			dims, strides = append(dims, d), append(strides, stride)
			stride *= d
		}
	}
	if len(data) == 0 || len(dims) < 2 {
		return data
	}
	out, at, from := make([]T, len(data)), make([]int, len(dims)), 0
	for i := range out {
		out[i] = data[from]
		for k := len(dims) - 1; k >= 0; k-- { // to the next index
			at[k]++
			from += strides[k]
			if at[k] < dims[k] {
				break
			}
			from -= dims[k] * strides[k]
			at[k] = 0
		}
	}
	return out
}
