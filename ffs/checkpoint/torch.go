package checkpoint

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
)

// constructor returns what stands in for a Python callable that files of tensors need, done here in Go; nil for all others. What is
// not listed here, not a storage type and not numpy.ndarray, is refused.
func constructor(name string) func(m *machine, args tuple) (any, error) {
	switch name {
	case "collections.OrderedDict":
		return newDict
	case "torch._utils._rebuild_tensor_v2":
		return rebuildTensor
	case "torch._utils._rebuild_parameter":
		return rebuildParameter
	case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct": // numpy 1, numpy 2
		return newArray
	case "numpy.dtype":
		return newArrayType
	case "_codecs.encode":
		return encodeLatin1
	}
	return nil
}

// storageTypes are the names of PyTorch's storages, which say the type of the elements.
var storageTypes = map[string]dtypes.DType{
	"torch.FloatStorage":    dtypes.Float32,
	"torch.DoubleStorage":   dtypes.Float64,
	"torch.HalfStorage":     dtypes.Float16,
	"torch.BFloat16Storage": dtypes.BFloat16,
	"torch.LongStorage":     dtypes.Int64,
	"torch.IntStorage":      dtypes.Int32,
	"torch.ByteStorage":     dtypes.Uint8,
	"torch.BoolStorage":     dtypes.Bool,
}

func known(name string) bool {
	return constructor(name) != nil || storageTypes[name] != 0 || name == arrayClass
}

func newDict(_ *machine, args tuple) (any, error) {
	if len(args) != 0 {
		return nil, fmt.Errorf("%d arguments, want none", len(args))
	}
	return &dict{}, nil
}

// rebuildTensor is _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks[, metadata]).
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

// rebuildParameter is _rebuild_parameter(data, requires_grad, backward_hooks): the tensor itself.
func rebuildParameter(_ *machine, args tuple) (any, error) {
	if len(args) == 3 {
		if t, ok := args[0].(*Tensor); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("arguments are not a tensor and two flags")
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

// storages collects the storages that a torch pickle refers to by key; the container fills them afterwards.
type storages map[string]*storage

// persistent resolves ("storage", type, key, device, number of elements[, view]).
func (s storages) persistent(id tuple) (any, error) {
	if len(id) < 5 || len(id) > 6 || id[0] != any("storage") || len(id) == 6 && id[5] != nil {
		return nil, fmt.Errorf("a persistent reference that is not to a storage, or to a part of one")
	}
	kind, ok1 := id[1].(global)
	key, ok2 := id[2].(string)
	count, ok3 := id[4].(int64)
	dtype := storageTypes[string(kind)]
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
	return known, nil
}

// fill gives the storage its elements, whose number must be exactly what the pickle said.
func (s *storage) fill(data []byte) error {
	if size := s.dtype.Size(); len(data)/size != s.count || len(data)%size != 0 {
		return fmt.Errorf("has %d bytes, want %d elements of %s", len(data), s.count, s.dtype)
	}
	s.data = data
	return nil
}
