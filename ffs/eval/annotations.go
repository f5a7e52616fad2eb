// Package eval measures detectors, on the host and on plain values: COCO box
// AP, the F1 score threshold of the original FFS, how well a score separates
// inlier from outlier detections, and how a detector treats unknown objects.
// [Evaluate] runs the three steps of the evaluation protocol and returns a
// [Report].
package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"os"

	"ffslab/data"
	"ffslab/data/box"
)

// Category is one class of an annotation file.
type Category struct {
	ID   data.ID `json:"id"`
	Name string  `json:"name"`
}

// GroundTruth is one annotated object.
type GroundTruth struct {
	ImageID    data.ID
	CategoryID data.ID
	Box        box.COCO // in pixels of the original image
	Area       float64  // in square pixels; it decides between small, medium and large
	Crowd      bool     // a region of many objects: matches any number of detections, counts for none
}

// Annotations is what the measures need to know of an annotated set.
type Annotations struct {
	ImageIDs   []data.ID
	Sizes      [][2]float64 // width and height in pixels of each of ImageIDs; nil if they are not known
	Categories []Category
	Objects    []GroundTruth
}

// ReadAnnotations reads a COCO annotation file. "area" defaults to the area of
// the box and "iscrowd" to 0; Sizes is nil unless every image tells its width
// and height. The error names the file and the first faulty
// record.
func ReadAnnotations(path string) (*Annotations, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct {
		Images []struct {
			ID     *data.ID `json:"id"`
			Width  float64  `json:"width"`
			Height float64  `json:"height"`
		} `json:"images"`
		Categories  []Category `json:"categories"`
		Annotations []struct {
			ImageID    *data.ID  `json:"image_id"`
			CategoryID *data.ID  `json:"category_id"`
			Box        []float64 `json:"bbox"`
			Area       *float64  `json:"area"`
			Crowd      int       `json:"iscrowd"`
		} `json:"annotations"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, explainJSON(err))
	}

	a := &Annotations{Categories: file.Categories}
	sized := true
	for i, image := range file.Images {
		if image.ID == nil {
			return nil, fmt.Errorf("%s: images[%d]: no id", path, i)
		}
		a.ImageIDs = append(a.ImageIDs, *image.ID)
		a.Sizes = append(a.Sizes, [2]float64{image.Width, image.Height})
		sized = sized && image.Width > 0 && image.Height > 0
	}
	if !sized {
		a.Sizes = nil
	}
	for i, o := range file.Annotations {
		if o.ImageID == nil || o.CategoryID == nil {
			return nil, fmt.Errorf("%s: annotations[%d]: image_id and category_id are needed", path, i)
		}
		b, err := parseBox(o.Box)
		if err != nil {
			return nil, fmt.Errorf("%s: annotations[%d]: %w", path, i, err)
		}
		object := GroundTruth{ImageID: *o.ImageID, CategoryID: *o.CategoryID, Box: b, Area: b.Area(), Crowd: o.Crowd != 0}
		if o.Area != nil {
			object.Area = *o.Area
		}
		a.Objects = append(a.Objects, object)
	}
	if _, err := newIndex(a); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// parseBox checks a COCO box: x, y, width, height.
func parseBox(values []float64) (b box.COCO, err error) {
	if len(values) != 4 {
		return b, fmt.Errorf("bbox has %d numbers, want [x, y, width, height]", len(values))
	}
	copy(b[:], values)
	return b, checkBox(b)
}

func checkBox(b box.COCO) error {
	for _, v := range b {
		if !isFinite(v) {
			return fmt.Errorf("bbox %v is not finite", b)
		}
	}
	if b[2] < 0 || b[3] < 0 {
		return fmt.Errorf("bbox %v has a negative size, want [x, y, width, height]", b)
	}
	if !isFinite(b[0]+b[2]) || !isFinite(b[1]+b[3]) || !isFinite(2*b[2]*b[3]) { // twice: for the union of two
		return fmt.Errorf("bbox %v is larger than any picture", b)
	}
	return nil
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
