package config

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"ffslab/ffs/options"
)

// Loss weighs the two terms that FFS adds to the detector's, and the extra terms.
type Loss struct {
	Energy float64 `yaml:"energy"`
	NLL    float64 `yaml:"nll"`
	// NLLConstant adds the original's constant log(256) * dimensions to every NLL: reported numbers
	// change, nothing else.
	NLLConstant bool `yaml:"nll_constant"`
	// EnergyOrdered starts the logistic layer behind the energy with inliers on the side of high
	// energy; in the paper chance decides.
	EnergyOrdered bool `yaml:"energy_ordered,omitempty"`
	// Terms are the extra terms (see loss.Register) by their names. In YAML a term's name stands
	// beside the keys above, either with its weight, "least_singular_value: 0.01", or with weight
	// and options, "mine: {weight: 0.1, options: {margin: 2}}".
	Terms map[string]Term `yaml:"-"`
}

// Term is the weight of an extra loss term, and its settings. A weight of 0 leaves the term out.
type Term struct {
	Weight  float64         `yaml:"weight"`
	Options options.Options `yaml:"options,omitempty"`
}

// fixed is Loss without the extra terms.
type fixed Loss

// UnmarshalYAML changes what the node names and keeps the rest. Every key that is not Loss's own
// names an extra term.
func (l *Loss) UnmarshalYAML(node ast.Node) error {
	var keys yaml.MapSlice
	if err := yaml.NodeToValue(node, &keys); err != nil {
		return err
	}
	if err := yaml.NodeToValue(node, (*fixed)(l)); err != nil {
		return err
	}
	own := map[string]bool{"energy": true, "nll": true, "nll_constant": true, "energy_ordered": true}
	l.Terms = maps.Clone(l.Terms) // which other copies of the configuration share
	for _, item := range keys {
		name := fmt.Sprint(item.Key)
		if own[name] {
			continue
		}
		term := l.Terms[name]
		if err := term.read(item.Value); err != nil {
			return fmt.Errorf("model.loss.%s: %w", name, err)
		}
		if l.Terms == nil {
			l.Terms = map[string]Term{}
		}
		l.Terms[name] = term
	}
	return nil
}

// read takes a weight, or a mapping of weight and options.
func (t *Term) read(value any) error {
	const want = "write a number, or {weight: NUMBER, options: {...}}"
	text, err := yaml.Marshal(value)
	if err != nil {
		return err
	}
	if value == nil {
		return fmt.Errorf("a weight is missing: %s", want)
	}
	if _, isMap := value.(map[string]any); !isMap {
		if err := yaml.Unmarshal(text, &t.Weight); err != nil {
			return fmt.Errorf("cannot use %v as a weight: %s", value, want)
		}
		return nil
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(t); err != nil {
		return fmt.Errorf("cannot use %v: %s", value, want)
	}
	return nil
}

// MarshalYAML writes the terms beside the other keys, in alphabetical order.
func (l Loss) MarshalYAML() (any, error) {
	out := yaml.MapSlice{{Key: "energy", Value: l.Energy}, {Key: "nll", Value: l.NLL}, {Key: "nll_constant", Value: l.NLLConstant}}
	if l.EnergyOrdered {
		out = append(out, yaml.MapItem{Key: "energy_ordered", Value: true})
	}
	for _, name := range slices.Sorted(maps.Keys(l.Terms)) {
		var value any = l.Terms[name]
		if term := l.Terms[name]; len(term.Options) == 0 {
			value = term.Weight
		}
		out = append(out, yaml.MapItem{Key: name, Value: value})
	}
	return out, nil
}
