package options_test

import (
	"fmt"

	"github.com/goccy/go-yaml"

	"ffslab/ffs/options"
)

// A part of your own reads its settings into a struct, with defaults, and refuses others.
func ExampleOptions_Decode() {
	settings := struct {
		Margin float64
		Ranks  []int
	}{Margin: 1}
	err := options.Options{"ranks": []int{1, 5}}.Decode(&settings)
	fmt.Println(settings.Margin, settings.Ranks, err)
	fmt.Println(options.Options{"margins": 2}.Decode(&settings))
	fmt.Println(options.Options{"margin": "wide"}.Decode(&settings))
	// Output:
	// 1 [1 5] <nil>
	// options.margins: unknown; there are margin, ranks
	// options.margin: cannot use wide as float64
}

// A file that extends another one adds keys, changes them, and removes them by null.
func ExampleOptions_UnmarshalYAML() {
	var method struct{ Options options.Options }
	for _, file := range []string{
		"options: {margin: 2, schedule: {from: 10, to: 90}}",
		"options: {margin: null, schedule: {to: 50}}",
	} {
		if err := yaml.Unmarshal([]byte(file), &method); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(method.Options)
	// Output: map[schedule:map[from:10 to:50]]
}
