package corrupt

import (
	"fmt"

	"ffslab/data"
)

// purpose separates these random streams from those of package data (see data.RandomStream).
const purpose = 2

// Choice says how the pictures of a data set are corrupted. The zero Choice leaves them unchanged.
type Choice struct {
	// Name is the corruption of every picture. If it is empty, picture i of the set gets corruption
	// i mod 19 of [Names], as in the sets of the original.
	Name string
	// Severity is 1 to 5; 0 leaves the pictures unchanged.
	Severity int
	// Seed and the index of a picture in the set determine everything random.
	Seed uint64
}

// Check returns an error that lists the valid names or severities if the choice is not valid.
func (c Choice) Check() error {
	if c.Name != "" {
		if _, err := find(c.Name); err != nil {
			return err
		}
	}
	if c.Severity == 0 {
		return nil
	}
	return checkSeverity(c.Severity)
}

// String returns a name that can be part of a file name: "fog-3", "mixed-3", "fog-3-seed7"; "" for
// no corruption.
func (c Choice) String() string {
	if c.Severity == 0 {
		return ""
	}
	name := c.Name
	if name == "" {
		name = "mixed"
	}
	text := fmt.Sprintf("%s-%d", name, c.Severity)
	if c.Seed != 0 {
		text += fmt.Sprintf("-seed%d", c.Seed)
	}
	return text
}

// At returns the corruption of picture i of a set, in the form of [Choice.String].
func (c Choice) At(i int) string {
	if c.Name == "" {
		c.Name = corruptions[i%len(corruptions)].name
	}
	return c.String()
}

// Dataset returns the set with corrupted pictures. Its Name is followed by "+" and [Choice.String];
// its objects are the same. The pictures are corrupted when they are decoded, before they are
// resized, and depend only on the seed and the index of the picture in the set. Severities of one
// corruption share random numbers, so that they differ in nothing else. If nothing is to be
// corrupted, Dataset returns the set itself. The error is that of [Choice.Check].
func (c Choice) Dataset(set *data.Dataset) (*data.Dataset, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Severity == 0 {
		return set, nil
	}
	out := *set
	out.Name = set.Name + "+" + c.String()
	out.Images = make([]data.Image, len(set.Images))
	for i := range set.Images {
		clean := set.Images[i]
		number := i % len(corruptions)
		if c.Name != "" {
			number, _ = find(c.Name) // Check has found it
		}
		out.Images[i] = clean
		out.Images[i].Render = func() (*data.Pixels, error) {
			p, err := clean.Decode()
			if err != nil {
				return nil, err
			}
			return apply(p, number, c.Severity, data.RandomStream(c.Seed, purpose, uint64(number), uint64(i))), nil
		}
	}
	return &out, nil
}
