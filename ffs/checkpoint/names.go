package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// maker stands in for a Python callable, done here in Go.
type maker = func(m *machine, args tuple) (any, error)

// rebuilders make tensors. They, containers and storageTypes are the names that files of tensors
// need. What is to be called and is not among them is refused.
var rebuilders = map[string]maker{
	"torch._utils._rebuild_tensor":                        rebuildOld,
	"torch._utils._rebuild_tensor_v2":                     rebuildTensor,
	"torch._utils._rebuild_tensor_v3":                     rebuildTyped,
	"torch._utils._rebuild_parameter":                     firstTensor,
	"torch._utils._rebuild_parameter_with_state":          firstTensor,
	"torch._utils._rebuild_device_tensor_from_numpy":      firstTensor,
	"torch._utils._rebuild_device_tensor_from_cpu_tensor": firstTensor,
	"torch._utils._rebuild_qtensor":                       cannot("quantized"),
	"torch._utils._rebuild_sparse_tensor":                 cannot("sparse"),
	"torch._utils._rebuild_meta_tensor_no_storage":        cannot("on the device meta, without elements"),
	"torch._utils._rebuild_wrapper_subclass":              cannot("of a class that holds no elements itself"),
	"torch.nn.parameter.Parameter":                        firstTensor,
	"numpy.core.multiarray._reconstruct":                  newArray,
	"numpy.core.numeric._frombuffer":                      arrayOfBuffer,
}

// containers make what is no tensor.
var containers = map[string]maker{
	"collections.OrderedDict":         newDict,
	"collections.Counter":             newDict,
	"collections.defaultdict":         newDefaultDict,
	"collections.deque":               newList,
	"builtins.set":                    newList,
	"builtins.frozenset":              newList,
	"builtins.list":                   newList,
	"builtins.dict":                   newDict,
	"builtins.bytearray":              newBytes,
	"builtins.complex":                inert("complex"),
	"builtins.slice":                  inert("slice"),
	"builtins.range":                  inert("range"),
	"torch.Size":                      newTuple,
	"torch.device":                    newDevice,
	"torch.serialization._get_layout": inert("layout"),
	"numpy.dtype":                     newArrayType,
	"numpy.core.multiarray.scalar":    newScalar,
	"_codecs.encode":                  encodeBytes,
	"pathlib.PosixPath":               inert("path"),
	"pathlib.WindowsPath":             inert("path"),
	"pathlib.PurePosixPath":           inert("path"),
	"pathlib.PureWindowsPath":         inert("path"),
	"datetime.datetime":               inert("datetime"),
	"datetime.timedelta":              inert("timedelta"),
	"copyreg._reconstructor":          reconstructed,
}

// types are names that a file may mention as values.
var types = []string{
	"builtins.int", "builtins.float", "builtins.bool", "builtins.str", "builtins.bytes", "builtins.tuple", "builtins.object", "builtins.type",
	arrayClass,
}

const fromTypeName = "torch._tensor._rebuild_from_type_v2"

// constructor returns what stands in for a Python callable, nil for those that nothing does.
func constructor(name string) maker {
	name = currentName(name)
	if name == fromTypeName {
		return rebuildFromType
	}
	if construct := rebuilders[name]; construct != nil {
		return construct
	}
	return containers[name]
}

func known(name string) bool {
	storage := strings.Replace(name, "torch.cuda.", "torch.", 1)
	return constructor(name) != nil || storageTypes[storage] != 0 || slices.Contains(types, currentName(name)) || isTorchType(name)
}

// currentName is the name in the maps of what files of Python 2 and of numpy 2 call otherwise.
func currentName(name string) string {
	for old, current := range map[string]string{"__builtin__.": "builtins.", "copy_reg.": "copyreg.", "numpy._core.": "numpy.core."} {
		if rest, ok := strings.CutPrefix(name, old); ok {
			return current + rest
		}
	}
	return name
}

// isTorchType reports whether the name is of the form of one of PyTorch's dtypes or layouts, which
// are values: those of torchTypes, and those that tensors here cannot have (float8_e4m3fn, qint8,
// bits8, ...).
func isTorchType(name string) bool {
	name, ok := strings.CutPrefix(name, "torch.")
	for _, prefix := range []string{"float", "bfloat", "int", "uint", "bool", "complex", "qint", "quint", "bits", "per_tensor_", "per_channel_", "strided", "sparse_"} {
		if ok && strings.HasPrefix(name, prefix) && !strings.Contains(name, ".") {
			return true
		}
	}
	return false
}

// newDict is OrderedDict(), OrderedDict([(key, value), ...]), and the like of Counter and dict.
func newDict(m *machine, args tuple) (any, error) {
	if len(args) == 0 {
		return &dict{}, nil
	}
	if len(args) > 1 {
		return nil, fmt.Errorf("%d arguments, want none or one", len(args))
	}
	switch from := args[0].(type) {
	case *dict:
		return &dict{slices.Clone(from.pairs)}, m.charge(len(from.pairs))
	case *list:
		d := &dict{make([]pair, 0, min(len(from.items), len(m.data)))}
		for _, item := range from.items {
			key, value, ok := two(item)
			if !ok {
				return nil, fmt.Errorf("an item that is not a key and a value")
			}
			d.pairs = append(d.pairs, pair{key, value})
		}
		return d, m.charge(len(from.items))
	}
	return nil, fmt.Errorf("made from something that is not items")
}

// two takes a tuple or a list of two apart.
func two(v any) (first, second any, ok bool) {
	items, ok := v.(tuple)
	if l, isList := v.(*list); isList {
		items, ok = l.items, true
	}
	if !ok || len(items) != 2 {
		return nil, nil, false
	}
	return items[0], items[1], true
}

// newDefaultDict is defaultdict(factory[, items]). The factory is a name, which nothing calls.
func newDefaultDict(m *machine, args tuple) (any, error) {
	return newDict(m, args[min(len(args), 1):])
}

// newList is set([...]) and the like.
func newList(m *machine, args tuple) (any, error) {
	if len(args) == 0 {
		return &list{}, nil
	}
	switch from := args[0].(type) {
	case *list:
		return &list{items: slices.Clone(from.items)}, m.charge(len(from.items))
	case tuple:
		return &list{items: slices.Clone(from)}, m.charge(len(from))
	}
	return nil, fmt.Errorf("made from something that is not items")
}

// newTuple is Size((1, 2)).
func newTuple(_ *machine, args tuple) (any, error) {
	if len(args) == 1 {
		switch from := args[0].(type) {
		case tuple:
			return from, nil
		case *list:
			return tuple(from.items), nil
		}
	}
	return nil, fmt.Errorf("made from something that is not a tuple")
}

// newDevice is device("cpu") or device("cuda", 0), as text.
func newDevice(_ *machine, args tuple) (any, error) {
	if len(args) > 0 {
		if name, ok := args[0].(string); ok {
			return name, nil
		}
	}
	return nil, fmt.Errorf("a device without a name")
}

// newBytes is bytearray(), bytearray(b"...") or, from protocol 2, bytearray("...", "latin-1").
func newBytes(m *machine, args tuple) (any, error) {
	if len(args) == 0 {
		return []byte{}, nil
	}
	if data, ok := args[0].([]byte); ok && len(args) == 1 {
		return data, nil
	}
	return encodeBytes(m, args)
}

// inert returns the constructor of placeholders of a class, whose instances are called into being
// with plain arguments.
func inert(class string) maker {
	return func(_ *machine, args tuple) (any, error) { return &object{class: class, args: args}, nil }
}

// reconstructed is _reconstructor(class, base, state), which is how protocols 0 and 1 make an
// instance.
func reconstructed(_ *machine, args tuple) (any, error) {
	if len(args) == 3 {
		if class, ok := args[0].(global); ok {
			return &object{class: string(class), args: args}, nil
		}
	}
	return nil, fmt.Errorf("makes something that is not an instance of a class")
}
