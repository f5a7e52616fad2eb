package cli

import (
	"slices"
	"testing"

	"ffslab/data"
	"ffslab/ffs/config"
)

// The preset photos takes the classes of the training set that have objects, and what a flag or a
// setting says stays.
func TestPhotosAreFitted(t *testing.T) {
	c, set, err := trainingConfig("photos", []string{"train.max_iter=50"}, data.Options{}, func(c *config.Config) {
		c.Data.Train, c.Train.Seed = "digits2:train?n=40&objects=2", 7
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Model.Classes) < 2 || slices.Contains(c.Model.Classes, "object") || len(set.Categories) != len(c.Model.Classes) {
		t.Errorf("classes %q of a set with %d", c.Model.Classes, len(set.Categories))
	}
	if c.Train.MaxIter != 50 || c.Train.Seed != 7 || c.Data.Fit || c.Data.Train == "" {
		t.Errorf("steps %d, seed %d, fit %v, set %q", c.Train.MaxIter, c.Train.Seed, c.Data.Fit, c.Data.Train)
	}
	if got, want := c.Input.Canvases, [][2]int{{352, 352}}; !slices.Equal(got, want) {
		t.Errorf("canvases %v for square images, want %v", got, want)
	}
}
