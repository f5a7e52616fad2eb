package zoo

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/float16"

	"ffslab/ffs/checkpoint"
)

// halve rounds float32 tensors to float16 and keeps the others. A number beyond float16's range is
// an error.
func halve(tensors []checkpoint.Tensor) ([]checkpoint.Tensor, error) {
	return convert(tensors, dtypes.Float32, dtypes.Float16, func(to []byte, v float32) error {
		h := float16.FromFloat32(v)
		if math.IsInf(float64(h.Float32()), 0) {
			return fmt.Errorf("%g is too large for float16", v)
		}
		binary.LittleEndian.PutUint16(to, h.Bits())
		return nil
	})
}

// widen turns float16 tensors into float32, exactly, and keeps the others.
func widen(tensors []checkpoint.Tensor) ([]checkpoint.Tensor, error) {
	return convert(tensors, dtypes.Float16, dtypes.Float32, func(to []byte, v float32) error {
		binary.LittleEndian.PutUint32(to, math.Float32bits(v))
		return nil
	})
}

// convert returns the tensors with those of one type in another one, whose elements put writes.
func convert(tensors []checkpoint.Tensor, from, into dtypes.DType, put func(to []byte, v float32) error) ([]checkpoint.Tensor, error) {
	out := make([]checkpoint.Tensor, len(tensors))
	for i, t := range tensors {
		out[i] = t
		if t.DType != from {
			continue
		}
		values, err := t.Float32()
		if err != nil {
			return nil, err
		}
		size := into.Size()
		content := make([]byte, size*len(values))
		for j, v := range values {
			if err := put(content[size*j:], v); err != nil {
				return nil, fmt.Errorf("%s: %w", t.Name, err)
			}
		}
		if out[i], err = checkpoint.NewTensor(t.Name, into, t.Shape, content); err != nil {
			return nil, err
		}
	}
	return out, nil
}
