package data

import (
	"math"

	"ffslab/data/box"
	"ffslab/data/lenient"
)

// readShape reads a segmentation and returns its bounding box x, y, width, height. ok is false if
// it is empty.
func readShape(j *lenient.JSON) (b box.COCO, ok bool) {
	switch j.Kind() {
	case '[':
		return readPolygons(j)
	case '{':
		return readRuns(j)
	}
	j.Skip()
	return b, false
}

// readPolygons reads a list of polygons [x, y, x, y, ...], or a single polygon.
func readPolygons(j *lenient.JSON) (box.COCO, bool) {
	bounds := box.Corners{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	add := func(i int) {
		if v, ok := j.Number(); ok {
			bounds[i%2], bounds[2+i%2] = min(bounds[i%2], v), max(bounds[2+i%2], v)
		}
	}
	j.List(func(i int) {
		if j.Kind() == '[' {
			j.List(add)
		} else {
			add(i)
		}
	})
	return bounds.COCO(), bounds[0] <= bounds[2] && bounds[1] <= bounds[3]
}

// readRuns reads the run lengths of a mask, {"size": [height, width], "counts": ...}: pixels run
// down the columns, and runs of 0 and 1 alternate, 0 first.
func readRuns(j *lenient.JSON) (b box.COCO, ok bool) {
	var runs []int
	height := 0
	j.Object(func(key []byte) {
		switch string(key) {
		case "size":
			j.List(func(i int) {
				if v, _ := j.Int(); i == 0 {
					height = v
				}
			})
		case "counts":
			if j.Kind() == '"' {
				runs = unpackRuns(j.Text())
				return
			}
			j.List(func(int) {
				v, _ := j.Int()
				runs = append(runs, v)
			})
		default:
			j.Skip()
		}
	})
	if height <= 0 {
		return b, false
	}
	left, top, right, bottom := math.MaxInt, math.MaxInt, -1, -1 // of the pixels, inclusive
	at := 0
	for i, n := range runs {
		if n < 0 || at > maxPicturePixels {
			return b, false
		}
		if i%2 == 1 && n > 0 {
			last := at + n - 1
			left, right = min(left, at/height), max(right, last/height)
			if at/height == last/height {
				top, bottom = min(top, at%height), max(bottom, last%height)
			} else { // it goes on in the next column
				top, bottom = 0, height-1
			}
		}
		at += n
	}
	if right < 0 {
		return b, false
	}
	return box.COCO{float64(left), float64(top), float64(right - left + 1), float64(bottom - top + 1)}, true
}

// unpackRuns decodes pycocotools' compressed run lengths: five bits a character, least significant
// first, a sixth bit for more; from the fourth run on, the difference from the run two before.
func unpackRuns(text string) (runs []int) {
	for i := 0; i < len(text); {
		value, shift := 0, 0
		for more := true; more && i < len(text) && shift < 60; i++ {
			c := int(text[i]) - 48
			value |= (c & 0x1f) << shift
			more = c&0x20 != 0
			shift += 5
			if !more && c&0x10 != 0 {
				value |= -1 << shift
			}
		}
		if len(runs) > 2 {
			value += runs[len(runs)-2]
		}
		runs = append(runs, value)
	}
	return runs
}
