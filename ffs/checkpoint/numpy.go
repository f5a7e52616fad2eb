package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
)

// arrayClass is the one class that numpy's _reconstruct may make an instance of.
const arrayClass = "numpy.ndarray"

// array is a numpy array under construction: made empty, then given its state.
type array struct {
	tensor *Tensor
}

// arrayType is a numpy dtype, "f4" and the like; of texts and times, whose arrays are no tensors,
// it has no type.
type arrayType struct {
	dtype dtypes.DType
}

var arrayTypes = map[string]dtypes.DType{
	"f2": dtypes.Float16, "f4": dtypes.Float32, "f8": dtypes.Float64, "b1": dtypes.Bool,
	"u1": dtypes.Uint8, "i1": dtypes.Int8, "i2": dtypes.Int16, "i4": dtypes.Int32, "i8": dtypes.Int64,
	"u2": dtypes.Uint16, "u4": dtypes.Uint32, "u8": dtypes.Uint64, "c8": dtypes.Complex64, "c16": dtypes.Complex128,
}

// newArray is _reconstruct(ndarray, (0,), b'b').
func newArray(_ *machine, args tuple) (any, error) {
	if len(args) != 3 || args[0] != any(global(arrayClass)) {
		return nil, fmt.Errorf("makes something that is not a %s", arrayClass)
	}
	return &array{}, nil
}

// newArrayType is dtype("f4", align, copy).
func newArrayType(_ *machine, args tuple) (any, error) {
	if len(args) == 0 || len(args) > 3 {
		return nil, fmt.Errorf("%d arguments, want 1 to 3", len(args))
	}
	name, _ := args[0].(string)
	dtype, ok := arrayTypes[name]
	if !ok && (name == "" || !strings.Contains("USMm", name[:1])) {
		return nil, fmt.Errorf("element type %q is not a plain number", printable(name))
	}
	return &arrayType{dtype}, nil
}

// setState takes (version, byte order, subtype, names, fields, item size, alignment, flags), which
// for plain numbers says no more than the byte order.
func (a *arrayType) setState(state any) error {
	s, ok := state.(tuple)
	if !ok || len(s) < 5 {
		return fmt.Errorf("numpy.dtype: state is not a tuple of 8")
	}
	if a.dtype == 0 {
		return nil
	}
	if s[2] != nil || s[3] != nil || s[4] != nil {
		return fmt.Errorf("numpy.dtype: structured element types are not supported")
	}
	if order, _ := s[1].(string); order != "<" && order != "|" {
		return fmt.Errorf("numpy.dtype: byte order %q is not supported: save little-endian arrays", printable(order))
	}
	return nil
}

// setState takes (version, shape, dtype, is Fortran order, bytes).
func (a *array) setState(m *machine, state any) error {
	s, ok := state.(tuple)
	if !ok || len(s) != 5 {
		return fmt.Errorf("%s: state is not a tuple of 5", arrayClass)
	}
	shape, ok1 := dimensions(s[1])
	kind, ok2 := s[2].(*arrayType)
	fortran, ok3 := s[3].(bool)
	data, ok4 := s[4].([]byte)
	if text, isString := s[4].(string); isString { // Python 2 knows no other bytes
		if err := m.charge(len(text)); err != nil {
			return err
		}
		data, ok4 = []byte(text), true
	}
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return fmt.Errorf("%s: state is not a shape, a dtype, a flag and bytes", arrayClass)
	}
	return a.fill(kind.dtype, shape, fortran, data)
}

// fill gives the array its elements, in the order of Fortran if that is so. Of texts and times it
// stays empty.
func (a *array) fill(dtype dtypes.DType, shape []int, fortran bool, data []byte) error {
	if dtype == 0 {
		return nil
	}
	stored := slices.Clone(shape)
	if fortran {
		slices.Reverse(stored)
	}
	t, err := contiguous(dtype, stored, data)
	if err != nil {
		return fmt.Errorf("%s: %w", arrayClass, err)
	}
	if fortran {
		axes := make([]int, len(shape))
		for i := range axes {
			axes[i] = len(shape) - 1 - i
		}
		t = t.permute(axes...)
	}
	a.tensor = &t
	return nil
}

// arrayOfBuffer is _frombuffer(bytes, dtype, shape, "C" or "F"), which is how protocol 5 writes
// arrays.
func arrayOfBuffer(_ *machine, args tuple) (any, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("%d arguments, want 4", len(args))
	}
	data, ok1 := args[0].([]byte)
	kind, ok2 := args[1].(*arrayType)
	shape, ok3 := dimensions(args[2])
	if !ok1 || !ok2 || !ok3 {
		return nil, fmt.Errorf("arguments are not bytes, a dtype and a shape")
	}
	a := &array{}
	return a, a.fill(kind.dtype, shape, args[3] == any("F"), data)
}

// newScalar is scalar(dtype, bytes), as a plain value; nil if it is no number.
func newScalar(_ *machine, args tuple) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("%d arguments, want 2", len(args))
	}
	kind, ok1 := args[0].(*arrayType)
	data, ok2 := args[1].([]byte)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("arguments are not a dtype and bytes")
	}
	if kind.dtype == 0 {
		return nil, nil
	}
	t, err := contiguous(kind.dtype, nil, data)
	if err != nil {
		return nil, err
	}
	switch {
	case kind.dtype == dtypes.Bool:
		return data[0] != 0, nil
	case kind.dtype == dtypes.Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(data)), nil
	case kind.dtype.IsFloat():
		v, err := t.Float32()
		if err != nil {
			return nil, err
		}
		return float64(v[0]), nil
	case kind.dtype.IsInt() && kind.dtype != dtypes.Uint64:
		v, err := t.Int64()
		if err != nil {
			return nil, err
		}
		return v[0], nil
	}
	return nil, nil
}

// encodeBytes is encode(text, "latin1"), which is how protocol 2 of Python 3 writes bytes.
func encodeBytes(m *machine, args tuple) (any, error) {
	if len(args) != 2 || args[1] != any("latin1") && args[1] != any("latin-1") {
		return nil, fmt.Errorf("a codec other than latin1")
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("encodes something that is not a string")
	}
	if err := m.charge(len(text)); err != nil {
		return nil, err
	}
	data := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, fmt.Errorf("a character beyond latin1")
		}
		data = append(data, byte(r))
	}
	return data, nil
}
