package corrupt

import (
	"fmt"

	"ffslab/data"
)

// purpose keeps these random streams apart from those of package data (see data.RandomStream).
const purpose = 2

// Choice says how the pictures of a data set are damaged. The zero Choice leaves them as they are.
type Choice struct {
	// Name is the corruption of every picture; empty: picture i of the set gets corruption i mod 19 of [Names], as the sets that
	// the original prepares.
	Name string
	// Severity is 1 to 5; 0 leaves the pictures as they are.
	Severity int
	// Seed, with the picture's place in the set, decides on everything random.
	Seed uint64
}

// Check returns an error that lists the valid names or severities if the choice is not possible.
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

// String returns a name that can be part of a file's: "fog-3", "mixed-3", "fog-3-seed7"; "" if nothing is damaged.
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

// At returns the corruption that picture i of a set gets, in the form of [Choice.String].
func (c Choice) At(i int) string {
	if c.Name == "" {
		c.Name = corruptions[i%len(corruptions)].name
	}
	return c.String()
}

// Dataset returns the set with damaged pictures: its Name is followed by "+" and [Choice.String], its objects are the same. The pictures are
// damaged when they are decoded, before they are resized; which pixels come out is a function of the seed and
// of the picture's place in the set alone. Severities of one corruption share their random numbers, so that they differ in nothing else. The set itself
// comes back if nothing is to be damaged. The error is that of [Choice.Check].
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
