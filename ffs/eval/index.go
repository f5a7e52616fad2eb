package eval

import (
	"errors"
	"fmt"
	"slices"

	"ffslab/data"
)

// index numbers the images and categories of an annotated set by the rank of their ids, the order
// in which pycocotools visits them.
type index struct {
	images     []data.ID
	image      map[data.ID]int32
	categories []Category
	category   map[data.ID]int
}

// newIndex checks the annotations too; its errors name the record.
func newIndex(a *Annotations) (*index, error) {
	if len(a.ImageIDs) == 0 {
		return nil, errors.New("no images")
	}
	if len(a.Categories) == 0 {
		return nil, errors.New("no categories")
	}
	ix := &index{
		images:     slices.SortedFunc(slices.Values(a.ImageIDs), data.ID.Compare),
		image:      make(map[data.ID]int32, len(a.ImageIDs)),
		categories: slices.Clone(a.Categories),
		category:   make(map[data.ID]int, len(a.Categories)),
	}
	for rank, id := range ix.images {
		if _, twice := ix.image[id]; twice {
			return nil, fmt.Errorf("image id %v occurs twice", id)
		}
		ix.image[id] = int32(rank)
	}
	slices.SortFunc(ix.categories, func(a, b Category) int { return a.ID.Compare(b.ID) })
	for rank, c := range ix.categories {
		if _, twice := ix.category[c.ID]; twice {
			return nil, fmt.Errorf("category id %v occurs twice", c.ID)
		}
		ix.category[c.ID] = rank
	}
	for i := range a.Objects {
		o := &a.Objects[i]
		if _, _, err := ix.find(o.ImageID, o.CategoryID); err != nil {
			return nil, fmt.Errorf("annotations[%d]: %w", i, err)
		}
		if err := checkBox(o.Box); err != nil {
			return nil, fmt.Errorf("annotations[%d]: %w", i, err)
		}
		if !isFinite(o.Area) {
			return nil, fmt.Errorf("annotations[%d]: area is %g", i, o.Area)
		}
	}
	return ix, nil
}

func (ix *index) find(imageID, categoryID data.ID) (image int32, category int, err error) {
	image, known := ix.image[imageID]
	if !known {
		return 0, 0, fmt.Errorf("unknown image id %v", imageID)
	}
	category, known = ix.category[categoryID]
	if !known {
		return 0, 0, fmt.Errorf("unknown category id %v", categoryID)
	}
	return image, category, nil
}
