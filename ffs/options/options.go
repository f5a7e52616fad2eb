// Package options holds the settings of a part that the configuration knows only by name: free-form YAML in the file, decoded by the part
// into a struct of its own.
package options

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Options are the keys under "options:", nil if there are none.
type Options map[string]any

// Decode fills the struct that into points to. Keys that the options lack keep their values, so that a part sets its defaults first. A
// key that the struct lacks, or a value of another type, also deeper inside, is an error that names the key; so is a fraction for an integer.
func (o Options) Decode(into any) error {
	if len(o) == 0 {
		return nil
	}
	known := keys(reflect.TypeOf(into).Elem())
	for _, key := range slices.Sorted(maps.Keys(o)) {
		switch {
		case slices.Contains(known, key):
		case len(known) == 0:
			return fmt.Errorf("options.%s: there are no options", key)
		default:
			return fmt.Errorf("options.%s: unknown; there are %s", key, strings.Join(known, ", "))
		}
		text, err := yaml.Marshal(map[string]any{key: o[key]})
		if err != nil {
			return fmt.Errorf("options.%s: %w", key, err)
		}
		kind := kindOf(into, key)
		fraction, isFloat := o[key].(float64)
		if isFloat && fraction != math.Trunc(fraction) && isInteger(kind) {
			return fmt.Errorf("options.%s: cannot use %v as %s", key, o[key], kind)
		}
		if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(into); err != nil {
			if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
				return fmt.Errorf("options.%s: it has no key %s", key, m[1])
			}
			return fmt.Errorf("options.%s: cannot use %v as %s", key, o[key], kind)
		}
	}
	return nil
}

// unknownField is how the YAML library names a key that a struct lacks.
var unknownField = regexp.MustCompile(`unknown field "([^"]*)"`)

// isInteger reports whether values of the type are integers.
func isInteger(t reflect.Type) bool {
	return t != nil && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
}

// UnmarshalYAML adds the keys of the text to those that are there, so that a file adds to its base and a setting to both. A null removes its key. The maps that other copies of the configuration share stay as they are.
func (o *Options) UnmarshalYAML(text []byte) error {
	var added map[string]any
	if err := yaml.Unmarshal(text, &added); err != nil {
		return err
	}
	*o = merge(*o, added)
	return nil
}

// merge returns the union of both, maps in maps merged alike; added wins.
func merge(old, added map[string]any) map[string]any {
	if len(old)+len(added) == 0 {
		return nil
	}
	union := maps.Clone(old)
	if union == nil {
		union = map[string]any{}
	}
	for key, value := range added {
		if value == nil {
			delete(union, key)
			continue
		}
		inner, isMap := value.(map[string]any)
		if before, wasMap := union[key].(map[string]any); isMap && wasMap {
			value = merge(before, inner)
		}
		union[key] = value
	}
	if len(union) == 0 {
		return nil
	}
	return union
}

// keys are the YAML names of the exported fields of a struct.
func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := keyOf(t.Field(i)); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// keyOf is the YAML name of a field, empty if it has none or is embedded: the tag's, else the field's in lower case.
func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	switch {
	case !f.IsExported() || f.Anonymous || name == "-":
		return ""
	case name == "":
		return strings.ToLower(f.Name)
	}
	return name
}

// kindOf is the Go type of the field of that key.
func kindOf(into any, key string) reflect.Type {
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		if keyOf(t.Field(i)) == key {
			return t.Field(i).Type
		}
	}
	return nil
}
