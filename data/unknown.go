package data

import (
	"fmt"
	"slices"
)

// Unknown is what a training makes of annotated objects whose class the model does not know.
type Unknown string

// The ways to treat unknown objects in training images.
const (
	// IgnoreUnknown makes each an ignored region: what lies on it is neither an example of an object nor of background.
	IgnoreUnknown Unknown = "ignore"
	// CrowdUnknown leaves them out of the examples as crowd regions are: what lies on them is background.
	CrowdUnknown Unknown = "crowd"
	// DropUnknown takes them out, as if nobody had annotated them: what lies on them is background.
	DropUnknown Unknown = "drop"
	// RefuseUnknown makes each an error.
	RefuseUnknown Unknown = "refuse"
)

// Unknowns lists the ways to treat unknown objects.
func Unknowns() []Unknown { return []Unknown{IgnoreUnknown, CrowdUnknown, DropUnknown, RefuseUnknown} }

// ForTraining returns the data set as a model of the named classes trains on it: with its categories in their order, as [Dataset.WithClasses] makes it, and
// the objects of other classes treated as how says; they are counted in Notes. Crowd regions of other classes are treated as their objects are. Empty
// stands for IgnoreUnknown. It fails for an unknown object where RefuseUnknown is asked for, and for a treatment that there is not.
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
