package data

import (
	"fmt"
	"slices"
)

// Unknown says how training treats annotated objects whose class the model does not know.
type Unknown string

// The ways to treat unknown objects in training images.
const (
	// IgnoreUnknown makes each an ignored region, which gives examples of neither objects nor
	// background.
	IgnoreUnknown Unknown = "ignore"
	// CrowdUnknown leaves them out of the examples like crowd regions; they are background.
	CrowdUnknown Unknown = "crowd"
	// DropUnknown removes them as if they were not annotated; they are background.
	DropUnknown Unknown = "drop"
	// RefuseUnknown makes each an error.
	RefuseUnknown Unknown = "refuse"
)

// Unknowns returns the ways to treat unknown objects.
func Unknowns() []Unknown { return []Unknown{IgnoreUnknown, CrowdUnknown, DropUnknown, RefuseUnknown} }

// ForTraining returns the data set for training a model of the named classes: with its categories
// in their order, as by [Dataset.WithClasses], and with the objects of other classes treated as how
// says and counted in Notes. Crowd regions of other classes are treated like objects. An empty how
// means IgnoreUnknown. It is an error if there is an unknown object and how is RefuseUnknown, or if
// how is none of [Unknowns].
func (d *Dataset) ForTraining(names []string, how Unknown) (*Dataset, error) {
	switch how {
	case "":
		how = IgnoreUnknown
	case RefuseUnknown:
		return d.WithClasses(names)
	}
	if !slices.Contains(Unknowns(), how) {
		return nil, fmt.Errorf("unknown objects cannot be treated by %q: give one of %q", how, Unknowns())
	}
	known := *d
	known.Images = make([]Image, len(d.Images))
	objects, images := 0, 0
	for i, im := range d.Images {
		var rest []Instance
		for _, o := range im.Instances {
			if slices.Contains(names, d.Categories[o.Category].Name) {
				rest = append(rest, o)
				continue
			}
			objects++
			if how == IgnoreUnknown {
				im.Ignored = append(slices.Clip(im.Ignored), o)
			}
		}
		if len(rest) < len(im.Instances) {
			images++
		}
		im.Instances = rest
		known.Images[i] = im
	}
	out, err := known.WithClasses(names)
	if err != nil || objects == 0 {
		return out, err
	}
	out.Notes = append(slices.Clone(out.Notes), fmt.Sprintf("%d objects in %d images are of none of the model's classes: %s (train.unknown)", objects, images, told[how]))
	return out, nil
}

var told = map[Unknown]string{
	IgnoreUnknown: "what lies on them is neither object nor background",
	CrowdUnknown:  "what lies on them is background, as on crowd regions",
	DropUnknown:   "they were taken out",
}
