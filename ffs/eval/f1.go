package eval

import "math"

// Convention selects one of the ways to compute a number that the original code defines loosely.
type Convention int

// The conventions.
const (
	Original  Convention = iota // as in the original code, for comparison with published tables
	Sound                       // as the number is meant
	Annotated                   // as in the original code, of the classes with objects
)

// ScoreThreshold returns the detection score that maximises F1, and false if no class has one, for
// example because nothing was detected.
//
// For each class, precision and score are averaged over the IoU thresholds (all areas, 100
// detections). F1 = 2PR/(P+R) is largest at some recall of the grid; the score there is that of the
// class. The result is the mean over classes.
//
// [Original] (the authors' inference code): NaN counts as the largest F1, so that a class without a
// correct detection contributes its best score; a class without ground truth contributes -1;
// classes with score 0 are left out. [Annotated]: the same without the classes that have no ground
// truth ([COCO.WithoutObjects]), so that listing a class does not move the threshold of the others;
// it equals [Original] if there are none. [Sound]: classes without ground truth or without a
// correct detection are left out.
func (c *COCO) ScoreThreshold(convention Convention) (threshold float64, ok bool) {
	sum, count := 0.0, 0
	for class := range c.Categories {
		score, ok := c.classThreshold(class, convention)
		if ok {
			sum += score
			count++
		}
	}
	if count == 0 {
		return 0, false
	}
	return sum / float64(count), true
}

func (c *COCO) classThreshold(class int, convention Convention) (score float64, ok bool) {
	curves := c.classes[class]
	if curves == nil {
		return -1, convention == Original
	}
	best, bestRecall := math.Inf(-1), -1
	for r, recall := range recallGrid {
		precision := curves.meanPrecision[r]
		if convention == Sound && precision <= 0 {
			continue
		}
		f1 := 2 * (precision * recall) / (precision + recall)
		if math.IsNaN(f1) {
			bestRecall = r
			break
		}
		if f1 > best {
			best, bestRecall = f1, r
		}
	}
	if bestRecall < 0 {
		return 0, false
	}
	score = curves.meanScore[bestRecall]
	return score, convention == Sound || score != 0
}

// WithoutObjects returns the names of the classes that have no object, crowd regions aside, by
// ascending id.
func (c *COCO) WithoutObjects() []string {
	var names []string
	for class, category := range c.Categories {
		if c.classes[class] == nil {
			names = append(names, category.Name)
		}
	}
	return names
}
