package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"ffslab/data"
)

// training returns the configuration without what a training does not depend on: where the run
// comes from, and what it will be measured on.
func (c Config) training() Config {
	c.Origin, c.Data.Val, c.Data.OOD = Origin{}, "", nil
	c.Train.FlowLRFactor = cmp.Or(c.Train.FlowLRFactor, 1) // runs from before there was the key do not have it
	if c.Train.BackboneLRFactor == 1 {
		c.Train.BackboneLRFactor = 0
	}
	if c.Train.Unknown == data.IgnoreUnknown { // which runs from before there was the key did not need
		c.Train.Unknown = ""
	}
	return c
}

// Difference returns the first key in which two configurations ask for different trainings, and its
// values in c and in the other one; the key is empty if there is none. The keys origin, data.val
// and data.ood do not count.
func (c Config) Difference(other Config) (key, here, there string) {
	return difference("", reflect.ValueOf(c.training()), reflect.ValueOf(other.training()))
}

func difference(key string, a, b reflect.Value) (differing, here, there string) {
	if a.Kind() == reflect.Struct {
		for i := range a.NumField() {
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("yaml"), ",")
			if name == "-" && a.Field(i).Kind() == reflect.Map { // extra loss terms stand beside the other keys
				if differing, here, there = mapDifference(key, a.Field(i), b.Field(i)); differing != "" {
					break
				}
				continue
			}
			if differing, here, there = difference(strings.TrimPrefix(key+"."+name, "."), a.Field(i), b.Field(i)); differing != "" {
				break
			}
		}
		return differing, here, there
	}
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 || reflect.DeepEqual(a.Interface(), b.Interface()) {
		return "", "", ""
	}
	return key, fmt.Sprint(a), fmt.Sprint(b)
}

// mapDifference is difference for maps from names to structs, under the key of the struct that
// holds them.
func mapDifference(key string, a, b reflect.Value) (differing, here, there string) {
	names := map[string]bool{}
	for _, m := range []reflect.Value{a, b} {
		for _, k := range m.MapKeys() {
			names[k.String()] = true
		}
	}
	value := func(m reflect.Value, name string) string {
		v := m.MapIndex(reflect.ValueOf(name))
		if !v.IsValid() {
			return "absent"
		}
		text, err := yaml.MarshalWithOptions(v.Interface(), yaml.Flow(true))
		if err != nil {
			return fmt.Sprint(v)
		}
		return strings.TrimSpace(string(text))
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if here, there := value(a, name), value(b, name); here != there {
			return key + "." + name, here, there
		}
	}
	return "", "", ""
}

// Digest is the SHA-256, in hexadecimal digits, of the configuration's YAML without the keys that
// [Config.Difference] leaves out: configurations of equal digests ask for the same training.
func (c Config) Digest() (string, error) {
	text, err := yaml.Marshal(c.training())
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
