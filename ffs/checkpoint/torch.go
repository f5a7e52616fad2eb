package checkpoint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
)

// storageTypes are the names of PyTorch's storages, which say the type of the elements.
var storageTypes = map[string]dtypes.DType{
	"torch.FloatStorage":    dtypes.Float32,
	"torch.DoubleStorage":   dtypes.Float64,
	"torch.HalfStorage":     dtypes.Float16,
	"torch.BFloat16Storage": dtypes.BFloat16,
	"torch.LongStorage":     dtypes.Int64,
	"torch.IntStorage":      dtypes.Int32,
	"torch.ShortStorage":    dtypes.Int16,
	"torch.CharStorage":     dtypes.Int8,
	"torch.ByteStorage":     dtypes.Uint8,
	"torch.BoolStorage":     dtypes.Bool,

	"torch.ComplexFloatStorage":  dtypes.Complex64,
	"torch.ComplexDoubleStorage": dtypes.Complex128,
	untypedStorage:               dtypes.Uint8,

	// Of quantized tensors, which are not read; their storages have a size all the same.
	"torch.QInt8Storage": dtypes.Int8, "torch.QInt32Storage": dtypes.Int32,
	"torch.QUInt8Storage": dtypes.Uint8, "torch.QUInt4x2Storage": dtypes.Uint8, "torch.QUInt2x4Storage": dtypes.Uint8,
}

// untypedStorage is one of bytes, whose meaning the tensor says.
const untypedStorage = "torch.storage.UntypedStorage"

// torchTypes are PyTorch's names of the types of elements that are read. It has more: those of 8
// bits of floating point, and quantized ones.
var torchTypes = map[string]dtypes.DType{
	"torch.float32": dtypes.Float32, "torch.float64": dtypes.Float64, "torch.float16": dtypes.Float16, "torch.bfloat16": dtypes.BFloat16,
	"torch.int64": dtypes.Int64, "torch.int32": dtypes.Int32, "torch.int16": dtypes.Int16, "torch.int8": dtypes.Int8,
	"torch.uint64": dtypes.Uint64, "torch.uint32": dtypes.Uint32, "torch.uint16": dtypes.Uint16, "torch.uint8": dtypes.Uint8,
	"torch.bool": dtypes.Bool, "torch.complex64": dtypes.Complex64, "torch.complex128": dtypes.Complex128,
}

// unreadable stands for a tensor that is there and cannot be used: what it is.
type unreadable struct{ what string }

// rebuildTensor is _rebuild_tensor_v2(storage, offset, size, stride, requires_grad,
// backward_hooks[, metadata]).
func rebuildTensor(_ *machine, args tuple) (any, error) {
	if len(args) < 6 || len(args) > 7 {
		return nil, fmt.Errorf("%d arguments, want 6 or 7", len(args))
	}
	s, ok1 := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := dimensions(args[2])
	strides, ok4 := dimensions(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, fmt.Errorf("arguments are not a storage, an offset, a size and a stride")
	}
	t, err := view(s, int(offset), shape, strides)
	return &t, err
}

// rebuildOld is _rebuild_tensor(storage, offset, size, stride), of torch before 0.4.
func rebuildOld(m *machine, args tuple) (any, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("%d arguments, want 4", len(args))
	}
	return rebuildTensor(m, append(slices.Clip(args), false, nil))
}

// rebuildTyped is _rebuild_tensor_v3(storage of bytes, offset, size, stride, requires_grad,
// backward_hooks, dtype[, metadata]).
func rebuildTyped(m *machine, args tuple) (any, error) {
	if len(args) < 7 || len(args) > 8 {
		return nil, fmt.Errorf("%d arguments, want 7 or 8", len(args))
	}
	s, ok1 := args[0].(*storage)
	name, ok2 := args[6].(global)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("arguments are not a storage and a dtype")
	}
	dtype, ok := torchTypes[string(name)]
	if !ok {
		return &unreadable{strings.TrimPrefix(string(name), "torch.")}, nil
	}
	typed := &storage{dtype: dtype, count: s.count * s.dtype.Size() / dtype.Size(), base: s}
	return rebuildTensor(m, append(tuple{typed}, args[1:6]...))
}

// cannot returns the constructor of tensors of a kind that is not read.
func cannot(what string) func(*machine, tuple) (any, error) {
	return func(*machine, tuple) (any, error) { return &unreadable{what}, nil }
}

// rebuildFromType is _rebuild_from_type_v2(function, class, arguments, state): how a subclass of
// Tensor, or a tensor with attributes, is saved.
func rebuildFromType(m *machine, args tuple) (any, error) {
	if len(args) == 4 {
		name, _ := args[0].(global)
		values, ok := args[2].(tuple)
		if construct := rebuilders[currentName(string(name))]; ok && construct != nil {
			return construct(m, values)
		}
	}
	return nil, fmt.Errorf("arguments are not a constructor of tensors and its arguments")
}

// firstTensor is the constructor of tensors that are made from another one, on another device or as
// a parameter: that one.
func firstTensor(_ *machine, args tuple) (any, error) {
	if len(args) > 0 {
		switch t := args[0].(type) {
		case *Tensor, *unreadable, *array:
			return t, nil
		}
	}
	return nil, fmt.Errorf("arguments are not a tensor and what it becomes")
}

// maxRank bounds the dimensions of a tensor; PyTorch's own limit is 64.
const maxRank = 64

func dimensions(v any) ([]int, bool) {
	t, ok := v.(tuple)
	if !ok || len(t) > maxRank {
		return nil, false
	}
	dims := make([]int, len(t))
	for i, d := range t {
		n, ok := d.(int64)
		if !ok {
			return nil, false
		}
		dims[i] = int(n)
	}
	return dims, true
}

// storages collects the storages that a torch pickle refers to by key; the container fills them
// afterwards.
type storages map[string]*storage

// persistent resolves ("storage", type, key, device, number of elements[, view]), and ("module",
// class, file, source) to the class.
func (s storages) persistent(id tuple) (any, error) {
	if len(id) == 4 && id[0] == any("module") {
		return id[1], nil
	}
	if len(id) < 5 || len(id) > 6 || id[0] != any("storage") {
		return nil, fmt.Errorf("a persistent reference that is not to a storage")
	}
	kind, ok1 := id[1].(global)
	key, ok2 := id[2].(string)
	count, ok3 := id[4].(int64)
	dtype := storageTypes[strings.Replace(string(kind), "torch.cuda.", "torch.", 1)]
	if !ok1 || !ok2 || !ok3 || dtype == 0 || count < 0 || count > 1<<56 {
		return nil, fmt.Errorf("a reference to a storage without type, key or size")
	}
	known, ok := s[key]
	if !ok {
		known = &storage{dtype: dtype, count: int(count)}
		s[key] = known
	}
	if known.dtype != dtype || known.count != int(count) {
		return nil, fmt.Errorf("storage %q is referred to as %d %s and as %d %s", printable(key), known.count, known.dtype, count, dtype)
	}
	if len(id) == 6 && id[5] != nil {
		return known.part(id[5])
	}
	return known, nil
}

// part is the storage's elements that a view (its key, offset, number of elements), of torch before
// 0.4, names.
func (s *storage) part(view any) (*storage, error) {
	v, _ := view.(tuple)
	if len(v) == 3 {
		from, ok1 := v[1].(int64)
		count, ok2 := v[2].(int64)
		if ok1 && ok2 && from >= 0 && count >= 0 && from <= int64(s.count) && count <= int64(s.count)-from {
			return &storage{dtype: s.dtype, count: int(count), base: s, from: int(from) * s.dtype.Size()}, nil
		}
	}
	return nil, fmt.Errorf("a reference to a part of a storage that is not there")
}

// fill gives the storage its elements, whose number must be exactly what the pickle said.
func (s *storage) fill(data []byte) error {
	if size := s.dtype.Size(); len(data)/size != s.count || len(data)%size != 0 {
		return fmt.Errorf("has %d bytes, want %d elements of %s", len(data), s.count, s.dtype)
	}
	s.data = data
	return nil
}
