package data

import (
	"fmt"
	"maps"
	"slices"
)

// ShiftedCategories says in words that the category ids of records are counted from another number
// than those of the list of categories, so that records would get the wrong names; "" if they are
// not. used counts the records with each id. The ids are shifted if
//
//   - 0 is used and not listed, and all ids in use are indices into the list, counted from 0 (as
//     with COCO's 80 categories, whose ids run from 1 to 90), or
//   - exactly one id in use is not listed, and it is either the number before the first of the
//     list, whose last is not used, or the number after the last, whose first is not used.
func ShiftedCategories[T any](used map[ID]int, listed map[ID]T) string {
	if len(listed) < 2 {
		return ""
	}
	var unlisted []ID
	places := true
	for id := range used {
		if _, ok := listed[id]; !ok {
			unlisted = append(unlisted, id)
		}
		places = places && id >= 0 && id < ID(len(listed))
	}
	if len(unlisted) == 0 {
		return ""
	}
	ids := slices.SortedFunc(maps.Keys(listed), ID.Compare)
	first, last := ids[0], ids[len(ids)-1]
	other := slices.MinFunc(unlisted, ID.Compare)
	if first.IsText() || other.IsText() {
		return ""
	}
	zero := other == 0 && places && first > 0
	low, high := other == first-1 && used[last] == 0, other == last+1 && used[first] == 0
	if !zero && (len(unlisted) > 1 || !low && !high) {
		return ""
	}
	return fmt.Sprintf("their category_ids begin with another number than those of the categories (%v is not listed, and %v to %v are): number both alike", other, first, last)
}
