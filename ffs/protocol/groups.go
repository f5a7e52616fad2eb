package protocol

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ffslab/data"
	"ffslab/ffs/eval"
)

// unknownIn returns the annotations of an outlier set, with the categories that have the name of an
// inlier class marked as known.
func unknownIn(set, inlier *data.Dataset) *eval.Annotations {
	a := Annotations(set)
	a.MarkKnown(inlier.ClassNames())
	return a
}

// groups divides the images of an outlier set into near and far outliers by the word list of
// data.MakeSplit, if the set holds both kinds and no object of an inlier class. ("ffs data split"
// makes other groups as sets of their own.) It notes objects that are, or may be, of an inlier
// class.
func (o Options) groups(set *data.Dataset, known map[data.ID]bool) map[string][]data.ID {
	objects := map[string]int{} // of inlier classes
	for _, image := range set.Images {
		for _, object := range image.Instances {
			if c := set.Categories[object.Category]; known[c.ID] && !object.Crowd {
				objects[c.Name]++
			}
		}
	}
	if len(objects) > 0 {
		var counts []string
		for _, name := range slices.Sorted(maps.Keys(objects)) {
			counts = append(counts, fmt.Sprintf("%s: %d", name, objects[name]))
		}
		o.Note(fmt.Sprintf("%s holds objects of inlier classes too (%s): it is measured object by object", set.Name, strings.Join(counts, ", ")))
	}
	split, err := data.MakeSplit(set, data.SplitOptions{Inliers: o.Inlier.ClassNames()})
	if err != nil {
		o.Note(fmt.Sprintf("%s is not divided into near and far outliers: %v", set.Name, err))
		return nil
	}
	for _, overlap := range split.Report.Overlaps {
		if overlap.Objects > 0 && objects[overlap.Class] == 0 {
			o.Note(fmt.Sprintf("%s: %d objects of the class %q may be of the inlier class %q (%s) and count as unknown here: \"ffs data split\" makes a set without them",
				set.Name, overlap.Objects, overlap.Class, overlap.Inlier, overlap.Why))
		}
	}
	if len(objects) > 0 || len(split.Near.Images) == 0 || len(split.Far.Images) == 0 {
		return nil
	}
	return map[string][]data.ID{"near": imageIDs(split.Near), "far": imageIDs(split.Far)}
}

func imageIDs(set *data.Dataset) []data.ID {
	ids := make([]data.ID, len(set.Images))
	for i := range ids {
		ids[i] = set.Images[i].ID
	}
	return ids
}
