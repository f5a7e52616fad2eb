// Package checkpoint reads and writes the weights of detectors in other programs' forms: torch's
// .pth (zip and legacy), detectron2's .pkl, Caffe2's blobs, and safetensors. It also holds the
// border between detectron2's names and layouts and ours.
//
// The first three are Python pickles: programs that may call anything when Python loads them. Here
// a small interpreter knows what torch.load(weights_only=True) knows, the few names that build
// tensors and containers; it refuses by name what else is to be called, keeps instances of other
// classes as placeholders, and runs nothing. It is our own because the one Go library
// (nlpodyssey/gopickle, last released in January 2023) turns unknown names into objects instead of
// refusing them, allocates whatever length a file claims, and does not know numpy's arrays, which
// detectron2's files consist of.
//
// Nothing that a file claims is believed: sizes are checked against the bytes that are there, so
// memory stays within a small multiple of the file's size plus a constant, and a damaged or hostile
// file gives an error.
package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// Format says which program's file it is.
type Format string

// The formats that Open tells apart by content, whatever the file's name.
const (
	TorchZip    Format = "torch"
	TorchLegacy Format = "torch (before 1.6)"
	Pickle      Format = "detectron2 pickle"
	Caffe2      Format = "Caffe2 blobs"
	SafeTensors Format = "safetensors"
)

// File is the contents of a checkpoint.
type File struct {
	// Path is where it was read, empty after Decode.
	Path   string
	Format Format
	// Tensors are the model's, in the file's order. Those of an optimizer are not among them.
	Tensors []Tensor
	// Under are the keys that lead to them in the file, "state_dict" for example, empty at its top;
	// Others lead to further tensors, which were not taken.
	Under  string
	Others []string
	// Checksum is that of a safetensors file that carries one, which its content has been found to
	// agree with; empty for other files.
	Checksum string
	// Values are the other entries as far as they are plain: nil, bool, int64, *big.Int, float64,
	// string, and []any and map[string]any of them. "iteration" of a detectron2 checkpoint is one.
	Values map[string]any

	sgd sgdState
}

// Open reads the whole checkpoint at path. The error names the file and what is wrong with it, for
// instance the Python name that it refers to and that a checkpoint does not need.
func Open(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Path = path
	return f, nil
}

// Decode is Open for bytes in memory, which the tensors refer to from then on.
func Decode(data []byte) (*File, error) {
	switch {
	case looksLikeSafeTensors(data):
		return decodeSafeTensors(data)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		object, err := decodeZip(data)
		if err != nil {
			return nil, err
		}
		return assemble(object, TorchZip)
	case len(data) > 0 && data[0] == 0x80:
		object, rest, err := unpickle(data, nil)
		if err != nil {
			return nil, err
		}
		if !isLegacyMagic(object) {
			return assemble(object, Pickle)
		}
		if object, err = decodeLegacy(rest); err != nil {
			return nil, err
		}
		return assemble(object, TorchLegacy)
	case len(data) == 0:
		return nil, errors.New("the file is empty")
	}
	return nil, notACheckpoint(data)
}

// maxValues and maxDepth bound what addValues copies: lists that share or contain themselves unfold
// without end.
const maxValues, maxDepth = 1 << 14, 16

// addValues copies the dictionary's plain entries but the one named except. An entry that is not
// plain throughout is left out.
func (f *File) addValues(d *dict, except string) {
	budget := maxValues
	for _, p := range d.pairs {
		name, ok := p.key.(string)
		if !ok || except != "" && name == except {
			continue
		}
		if value, ok := plain(p.value, &budget, maxDepth); ok {
			f.Values[name] = value
		}
	}
}

func plain(v any, budget *int, depth int) (any, bool) {
	if *budget--; *budget < 0 || depth == 0 {
		return nil, false
	}
	switch v := v.(type) {
	case tuple:
		return plainList(v, budget, depth)
	case *list:
		return plainList(v.items, budget, depth)
	case *object:
		switch {
		case len(v.dict.pairs) > 0:
			return plain(&v.dict, budget, depth)
		case len(v.list.items) > 0:
			return plainList(v.items, budget, depth)
		}
		return plain(v.state, budget, depth) // what its attributes are
	case global:
		return string(v), true
	case *dict:
		m := map[string]any{}
		for _, p := range v.pairs {
			key, ok := p.key.(string)
			if ok {
				m[key], ok = plain(p.value, budget, depth-1)
			}
			if !ok {
				return nil, false
			}
		}
		return m, true
	case *Tensor, *unreadable, *array, *arrayType, *storage, []byte:
		return nil, false
	}
	return v, true
}

func plainList(items []any, budget *int, depth int) (any, bool) {
	values := make([]any, 0, min(len(items), max(*budget, 0)))
	for _, item := range items {
		value, ok := plain(item, budget, depth-1)
		if !ok {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (Tensor, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}
