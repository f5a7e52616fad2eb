// Package options holds the settings of a part that the configuration knows only by name: free-form
// YAML, which the part decodes into its own struct.
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

// Decode sets the fields of the struct that into points to. Fields without a key keep their values,
// so a part sets its defaults first. A key that the struct lacks, at any depth, a value of the
// wrong type and a fraction for an integer are errors that name the key.
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

// unknownField matches the YAML library's error for a key that a struct lacks.
var unknownField = regexp.MustCompile(`unknown field "([^"]*)"`)

func isInteger(t reflect.Type) bool {
	return t != nil && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
}

// UnmarshalYAML merges the keys of the text into o, so that a file extends its base and a
// command-line setting extends both. null removes a key. Maps that other copies of the
// configuration share do not change.
func (o *Options) UnmarshalYAML(text []byte) error {
	var added map[string]any
	if err := yaml.Unmarshal(text, &added); err != nil {
		return err
	}
	*o = merge(*o, added)
	return nil
}

// merge returns the union of both maps, recursively; added wins.
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

// keys returns the YAML names of the exported fields of a struct.
func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := keyOf(t.Field(i)); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// keyOf returns the YAML name of a field, from its tag or else in lower case; "" if it has none or
// is embedded.
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

// kindOf returns the type of the field with the given key.
func kindOf(into any, key string) reflect.Type {
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		if keyOf(t.Field(i)) == key {
			return t.Field(i).Type
		}
	}
	return nil
}
