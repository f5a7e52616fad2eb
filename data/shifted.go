package data

import (
	"fmt"
	"maps"
	"slices"
)

// ShiftedCategories says in words that the category ids of records, with how many use each, begin with another number than those of the list of categories (from 0 instead
// of from 1, or the other way round), which pairs all records with the wrong names. It is empty if they do not: exactly one id that is used is not listed, and it
// is the number before the first of the list, whose last is not used, or the number after the last, whose first is not used.
func ShiftedCategories[T any](used map[ID]int, listed map[ID]T) string {
	var unlisted []ID
	for id := range used {
		if _, ok := listed[id]; !ok {
			unlisted = append(unlisted, id)
		}
	}
	if len(unlisted) != 1 || len(listed) < 2 || unlisted[0].IsText() {
		return ""
	}
	ids := slices.SortedFunc(maps.Keys(listed), ID.Compare)
	first, last := ids[0], ids[len(ids)-1]
	low, high := unlisted[0] == first-1 && used[last] == 0, unlisted[0] == last+1 && used[first] == 0
	if !low && !high {
		return ""
	}
	return fmt.Sprintf("their category_ids begin with another number than those of the categories (%v is not listed, and %v to %v are): number both alike", unlisted[0], first, last)
}
