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

// Matching says what of a file goes where in a model. Names are in the order in which Match was
// given them.
type Matching struct {
	Loaded     []Pair
	WrongShape []Mismatch
	// Missing are parameters of the model that the file has no tensor for, LeftOut tensors of the
	// file that the model has no place for.
	Missing, LeftOut []string
	// Prefix is what stands before all of the file's names and was left away, "module." for
	// example.
	Prefix string
}

// Match finds for each parameter of the model the file's tensor of the same name or, failing that,
// the one whose name is the longest suffix of it after a dot: a backbone's own checkpoint has
// "s1.b1.bn.bias" for the detector's "backbone.bottom_up.s1.b1.bn.bias". It is detectron2's
// heuristic. As there, a tensor of another shape is not loaded, and a tensor that is the suffix for
// two parameters is an error. What stands before all of the file's names (there it is "module.") is
// left away as far as more tensors are loaded then.
func Match(model, file []Entry) (Matching, error) {
	best, err := match(model, file, "")
	for _, prefix := range prefixes(file)[1:] {
		m, fault := match(model, file, prefix)
		if fault == nil && (err != nil || len(m.Loaded) > len(best.Loaded)) {
			best, err = m, nil
		}
	}
	return best, err
}

// match is Match for file names that lose the prefix.
func match(model, file []Entry, prefix string) (Matching, error) {
	tensors := make(map[string]Entry, len(file)) // by name without the prefix
	for _, e := range file {
		tensors[strings.TrimPrefix(e.Name, prefix)] = e
	}
	parameters := make(map[string]bool, len(model))
	for _, e := range model {
		parameters[e.Name] = true
	}
	m := Matching{Prefix: prefix}
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

// prefixes are the beginnings of names, whole words with their dots, that all of the file's names
// have, the shortest first: none, "module.", "module.model.", ...
func prefixes(file []Entry) []string {
	all := []string{""}
	if len(file) == 0 {
		return all
	}
	for end, r := range file[0].Name {
		if r != '.' {
			continue
		}
		prefix := file[0].Name[:end+1]
		if slices.ContainsFunc(file, func(e Entry) bool { return !strings.HasPrefix(e.Name, prefix) }) {
			break
		}
		all = append(all, prefix)
	}
	return all
}
