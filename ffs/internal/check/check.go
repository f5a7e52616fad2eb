// Package check validates the settings of a part and names the one at fault.
package check

import (
	"fmt"
	"slices"
)

// Rule is one condition on a setting.
type Rule struct {
	// OK says whether the condition holds.
	OK bool
	// Key is the name of the setting in its section of the configuration, Value its value.
	Key   string
	Value any
	// Meaning says what the value may be.
	Meaning string
}

// First returns an error for the first rule that does not hold: "KEY: VALUE MEANING".
func First(rules ...Rule) error {
	for _, r := range rules {
		if !r.OK {
			return fmt.Errorf("%s: %v %s", r.Key, r.Value, r.Meaning)
		}
	}
	return nil
}

// AtLeastOne is the rule for a positive number.
func AtLeastOne(key string, n int) Rule {
	return Rule{n > 0, key, n, "must be positive"}
}

// NotNegative is the rule for a weight or a count that may be 0.
func NotNegative[T int | float64](key string, x T) Rule {
	return Rule{x >= 0, key, x, "must not be negative"}
}

// Fraction is the rule for a fraction that is not 0.
func Fraction(key string, x float64) Rule {
	return Rule{x > 0 && x <= 1, key, x, "must be above 0 and at most 1"}
}

// Positive reports whether all numbers are above 0.
func Positive(xs []float64) bool {
	return !slices.ContainsFunc(xs, func(x float64) bool { return !(x > 0) })
}
