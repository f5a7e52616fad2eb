package study_test

import (
	"fmt"

	"ffslab/ffs/config"
	"ffslab/ffs/study"
)

// A variant is a row of its own: flow with other settings.
func ExampleParseVariant() {
	v, err := study.ParseVariant("select20 model.outlier.select=20")
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := config.Preset("digits")
	if err == nil {
		c, err = v.Apply(c)
	}
	fmt.Println(v.Name, c.Model.Outlier.Method, c.Model.Outlier.Select, err)
	fmt.Println(v)
	// Output:
	// select20 flow 20 <nil>
	// flow with model.outlier.select=20
}

// Settings says what a study compares, and what is wrong with it, before anything is computed.
func ExampleOptions_Settings() {
	c, err := config.Preset("digits")
	if err != nil {
		fmt.Println(err)
		return
	}
	o := study.Options{
		Config: c, Methods: []string{"flow", "none"}, Baseline: "none", Seeds: []int64{0, 1},
		Variants: []study.Variant{{Name: "strong", Settings: []string{"model.loss.energy=0.3"}}},
	}
	rows, err := o.Settings()
	for _, row := range rows {
		fmt.Println(row.Name, row.Config.Model.Outlier.Method, row.Config.Model.Loss.Energy)
	}
	fmt.Println(o.Cells(), err)
	o.Seeds = []int64{0, 0}
	_, err = o.Settings()
	fmt.Println(err)
	// Output:
	// none none 0.1
	// flow flow 0.1
	// strong flow 0.3
	// [none-seed0 flow-seed0 strong-seed0 none-seed1 flow-seed1 strong-seed1] <nil>
	// seeds [0 0]: one is given twice: leave it out
}

// A result on disk, with every difference from the baseline and whether it is beyond noise.
func ExampleRead() {
	r, err := study.Read("results/earlier/weight")
	if err != nil {
		fmt.Println(err)
		return
	}
	differences, beyond := 0, 0
	for _, row := range r.Rows {
		if d := row.Difference; d != nil && d.BeyondNoise != nil {
			differences++
			if *d.BeyondNoise {
				beyond++
			}
		}
	}
	fmt.Printf("baseline %s, seeds %v: %d of %d differences are beyond noise\n", r.Baseline, r.Seeds, beyond, differences)
	// Output: baseline none, seeds [0 1 2]: 0 of 10 differences are beyond noise
}
