package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is a tensor's name and shape, as detectron2 and PyTorch have them.
type Entry struct {
	Name  string
	Shape []int
}

// Pair says that the model's parameter Model takes the file's tensor File.
type Pair struct{ Model, File string }

// Mismatch is a pair that fits by name and not by shape.
type Mismatch struct {
	Pair
	ModelShape, FileShape []int
}

// Matching says what of a file goes where in a model. Names are in the order in which Match was given them.
type Matching struct {
	Loaded     []Pair
	WrongShape []Mismatch
	// Missing are parameters of the model that the file has no tensor for, LeftOut tensors of the file that the model has no place for.
	Missing, LeftOut []string
}

// Match finds for each parameter of the model the file's tensor of the same name or, failing that, the one whose name is the longest
// suffix of it after a dot: a backbone's own checkpoint has "s1.b1.bn.bias" for the detector's "backbone.bottom_up.s1.b1.bn.bias".
// It is detectron2's heuristic. As there, a "module." before all of the file's names is ignored, a tensor of another shape is
// not loaded, and a tensor that is the suffix for two parameters is an error.
func Match(model, file []Entry) (Matching, error) {
	prefix := commonPrefix(file)
	tensors := make(map[string]Entry, len(file)) // by name without the prefix
	for _, e := range file {
		tensors[strings.TrimPrefix(e.Name, prefix)] = e
	}
	parameters := make(map[string]bool, len(model))
	for _, e := range model {
		parameters[e.Name] = true
	}
	var m Matching
	taken := map[string]string{} // the file's name -> the model's
	for _, e := range model {
		tensor, ok := tensors[e.Name]
		for suffix, more := e.Name, true; !ok && more; {
			_, suffix, more = strings.Cut(suffix, ".")
			// A tensor that bears another parameter's full name is that parameter's.
			if tensor, ok = tensors[suffix]; ok && parameters[suffix] {
				ok = false
			}
		}
		if !ok {
			m.Missing = append(m.Missing, e.Name)
			continue
		}
		if other := taken[tensor.Name]; other != "" {
			return Matching{}, fmt.Errorf("tensor %q fits both %q and %q: rename it to the one it is meant for", tensor.Name, other, e.Name)
		}
		taken[tensor.Name] = e.Name
		pair := Pair{Model: e.Name, File: tensor.Name}
		if !slices.Equal(e.Shape, tensor.Shape) {
			m.WrongShape = append(m.WrongShape, Mismatch{Pair: pair, ModelShape: e.Shape, FileShape: tensor.Shape})
			continue
		}
		m.Loaded = append(m.Loaded, pair)
	}
	for _, e := range file {
		if taken[e.Name] == "" {
			m.LeftOut = append(m.LeftOut, e.Name)
		}
	}
	return m, nil
}

// commonPrefix is what torch's DataParallel puts before every name, if it is there.
func commonPrefix(file []Entry) string {
	const prefix = "module."
	for _, e := range file {
		if !strings.HasPrefix(e.Name, prefix) {
			return ""
		}
	}
	return prefix
}
