package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// weightKeys are the keys that training programs put a model's weights under, the likeliest first.
// Averaged weights come last: they are another model than the one that goes on training.
var weightKeys = []string{
	"model", "blobs", "state_dict", "model_state_dict", "model_state", "module", "network", "net", "weights", "params", "student",
	"ema_state_dict", "model_ema", "ema", "teacher",
}

// otherKeys are of what is no model's, though it holds tensors.
var otherKeys = []string{"optim", "sched", "scaler", "momentum", "buffer", "loss", "criterion", "random", "rng", "hyper"}

// place is where a file's tensors lie: the keys on the way there, none for the top.
type place struct {
	keys    []string
	weights *dict
}

func (p place) String() string { return printable(strings.Join(p.keys, ".")) }

// findWeights returns the dictionary of the model's tensors in the object of a pickle, and where
// others like it are. At the top tensors count if none of weightKeys leads to any.
func findWeights(top any) (found place, others []string, err error) {
	f := finder{seen: map[any]bool{}, budget: maxValues}
	f.find(top, nil)
	places := f.places
	if len(places) == 0 {
		return place{}, nil, fmt.Errorf("holds no named tensors: %s", describe(top))
	}
	const atTop, unknown = 1000, 1001 // behind all of weightKeys
	rank := func(p place) int {       // of ema.model that of ema
		if len(p.keys) == 0 {
			return atTop
		}
		if !slices.Contains(weightKeys, p.keys[len(p.keys)-1]) {
			return unknown
		}
		worst := 0
		for _, key := range p.keys {
			worst = max(worst, slices.Index(weightKeys, key))
		}
		return worst
	}
	slices.SortStableFunc(places, func(a, b place) int { return rank(a) - rank(b) })
	for _, p := range places[1:] {
		if len(p.keys) > 0 {
			others = append(others, p.String())
		}
	}
	if rank(places[0]) == unknown && len(others) > 0 {
		return place{}, nil, fmt.Errorf("holds tensors under %s and %s: save the ones that are meant alone", places[0], strings.Join(others, ", "))
	}
	return places[0], others, nil
}

// finder lists the dictionaries that hold tensors, from the top down.
type finder struct {
	places []place
	seen   map[any]bool // each is looked at once, however many lead to it
	budget int          // of modules' tensors
}

// maxKeys is how deep weights lie at most: pl["state"]["model"]["ema"].
const maxKeys = 3

func (f *finder) find(v any, keys []string) {
	d := f.dict(v)
	if d == nil {
		return
	}
	if slices.ContainsFunc(d.pairs, func(p pair) bool { return isTensor(p.value) }) {
		f.places = append(f.places, place{slices.Clone(keys), d})
	}
	if len(keys) == maxKeys {
		return
	}
	for _, p := range d.pairs {
		key, ok := p.key.(string)
		other := func(k string) bool { return strings.Contains(strings.ToLower(key), k) }
		if ok && !slices.ContainsFunc(otherKeys, other) {
			f.find(p.value, append(keys, key))
		}
	}
}

// dict is the dictionary that v is, has the entries of, or, as a pickled torch module, holds the
// tensors of; else, and the second time, nil.
func (f *finder) dict(v any) *dict {
	switch v := v.(type) {
	case *dict:
		if !f.seen[v] {
			f.seen[v] = true
			return v
		}
	case *object:
		if f.seen[v] {
			return nil
		}
		f.seen[v] = true
		if len(v.dict.pairs) > 0 {
			return &v.dict
		}
		var modules dict
		if v.attribute("_modules") != nil && v.stateDict(&modules, "", &f.budget, maxDepth) {
			return &modules
		}
	}
	return nil
}

func isTensor(v any) bool {
	_, ok := asTensor(v)
	_, broken := v.(*unreadable)
	return ok || broken
}

// describe says what is at the top of a file without tensors.
func describe(top any) string {
	const shown = 20
	switch v := top.(type) {
	case *dict:
		var keys []string
		for _, p := range v.pairs {
			if key, ok := p.key.(string); ok {
				keys = append(keys, fmt.Sprintf("%q", printable(key)))
			}
		}
		if len(keys) > shown {
			keys = append(keys[:shown], "...")
		}
		return fmt.Sprintf("its %d keys are %s", len(v.pairs), strings.Join(keys, ", "))
	case *object:
		return "it is an instance of " + printable(v.class)
	case *Tensor, *array:
		return "it is one tensor without a name"
	}
	return "it is no dictionary"
}

// assemble takes the model's tensors and the plain values out of the object of a pickle.
func assemble(top any, format Format) (*File, error) {
	found, others, err := findWeights(top)
	if err != nil {
		return nil, err
	}
	f := &File{Format: format, Values: map[string]any{}, Under: found.String(), Others: others}
	if slices.Equal(found.keys, []string{"blobs"}) {
		f.Format = Caffe2
	}
	if d, ok := top.(*dict); ok && len(found.keys) > 0 {
		f.addValues(d, found.keys[0])
		f.sgd = readSGD(d)
	}
	f.addValues(found.weights, "")
	return f, f.addTensors(found.weights)
}

func (f *File) addTensors(weights *dict) error {
	seen := make(map[string]bool, len(weights.pairs))
	for _, p := range weights.pairs {
		if !isTensor(p.value) {
			continue
		}
		name, ok := p.key.(string)
		if !ok {
			return errors.New("a tensor whose name is not a string")
		}
		if f.Format == Caffe2 && strings.HasSuffix(name, "_momentum") { // the optimizer's
			continue
		}
		if broken, ok := p.value.(*unreadable); ok {
			return fmt.Errorf("tensor %q is %s, which is not supported: save the weights as dense float32, float16 or bfloat16", printable(name), printable(broken.what))
		}
		if seen[name] {
			return fmt.Errorf("two tensors are named %q", printable(name))
		}
		seen[name] = true
		t, _ := asTensor(p.value)
		t.Name = name
		f.Tensors = append(f.Tensors, t)
	}
	return nil
}

func asTensor(v any) (Tensor, bool) {
	switch v := v.(type) {
	case *Tensor:
		return *v, v != nil
	case *array:
		if v.tensor != nil {
			return *v.tensor, true
		}
	}
	return Tensor{}, false
}
