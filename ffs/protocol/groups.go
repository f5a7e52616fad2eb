package protocol

import (
	"fmt"

	"ffslab/data"
)

// groups divides the images of an outlier set into near and far outliers, as data.MakeSplit does with its word list, if the set holds both
// kinds; other groups are made as sets of their own ("ffs data split"). It notes objects that may be of an inlier class.
func (o Options) groups(set *data.Dataset) map[string][]data.ID {
	inliers := make([]string, len(o.Inlier.Categories))
	for i, c := range o.Inlier.Categories {
		inliers[i] = c.Name
	}
	split, err := data.MakeSplit(set, data.SplitOptions{Inliers: inliers})
	if err != nil {
		o.Note(fmt.Sprintf("%s is not divided into near and far outliers: %v", set.Name, err))
		return nil
	}
	for _, overlap := range split.Report.Overlaps {
		if overlap.Objects > 0 {
			o.Note(fmt.Sprintf("%s: %d objects of the class %q may be of the inlier class %q (%s) and count as unknown here: \"ffs data split\" makes a set without them",
				set.Name, overlap.Objects, overlap.Class, overlap.Inlier, overlap.Why))
		}
	}
	if len(split.Near.Images) == 0 || len(split.Far.Images) == 0 {
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
