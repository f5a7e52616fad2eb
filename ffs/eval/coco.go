package eval

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// The settings of COCO's box evaluation.
const (
	numIoUs    = 10  // thresholds 0.50, 0.55, ..., 0.95
	numRecalls = 101 // recall grid 0.00, 0.01, ..., 1.00
	numAreas   = 4   // all, small, medium, large
	numLimits  = 3   // detections an image and class: 1, 10, 100
)

// Areas and limits that the summary refers to.
const (
	areaAll = iota
	areaSmall
	areaMedium
	areaLarge
)

const (
	limit1 = iota
	limit10
	limit100
)

var (
	areaRanges      = [numAreas][2]float64{{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}} // both ends belong to a range
	detectionLimits = [numLimits]int{1, 10, 100}
	iouThresholds   = linspace(0.5, 0.95, numIoUs)
	recallGrid      = linspace(0, 1, numRecalls)
)

// linspace rounds as numpy's, so that comparisons at the border agree with
// pycocotools to the last bit.
func linspace(from, to float64, n int) []float64 {
	step := (to - from) / float64(n-1)
	values := make([]float64, n)
	for i := range values {
		offset := float64(i) * step // an assignment rounds: no fused multiply-add
		values[i] = offset + from
	}
	values[n-1] = to
	return values
}

// COCO is the outcome of COCO's box evaluation. The arrays are those of
// pycocotools, flattened in C order, -1 where a class has no ground truth:
// T = 10 IoU thresholds 0.50..0.95, R = 101 recalls 0..1, K classes by
// ascending id, A = 4 areas (all, small, medium, large), M = 3 limits on the
// detections of an image and class (1, 10, 100).
type COCO struct {
	Categories []Category // by ascending id
	Precision  []float64  // [T, R, K, A, M]
	Scores     []float64  // [T, R, K, A, M], score at which the recall is reached
	Recall     []float64  // [T, K, A, M]
	Objects    []int      // [K, A], how many there are to find
}

// EvaluateCOCO does what pycocotools does for boxes, with the same numbers:
// equal scores keep their order, a crowd region takes any number of
// detections, objects and detections outside an area range are ignored there.
// One difference: an annotation whose id is 0 can be matched here.
//
// It is an error, naming the record, when a detection refers to an image or
// category that annotations does not have, or holds a value that is not
// finite.
func EvaluateCOCO(annotations *Annotations, detections []Detection) (*COCO, error) {
	ix, classes, err := groupByClass(annotations, detections)
	if err != nil {
		return nil, err
	}

	k := len(ix.categories)
	result := &COCO{
		Categories: ix.categories,
		Precision:  slices.Repeat([]float64{-1}, numIoUs*numRecalls*k*numAreas*numLimits),
		Scores:     slices.Repeat([]float64{-1}, numIoUs*numRecalls*k*numAreas*numLimits),
		Recall:     slices.Repeat([]float64{-1}, numIoUs*k*numAreas*numLimits),
		Objects:    make([]int, k*numAreas),
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), k) {
		workers.Go(func() {
			for class := int(next.Add(1)) - 1; class < k; class = int(next.Add(1)) - 1 {
				matched, objects := classes[class].match()
				result.accumulate(class, matched, objects)
			}
		})
	}
	workers.Wait()
	return result, nil
}

func (c *COCO) precisionAt(iou, recall, class, area, limit int) int {
	return (((iou*numRecalls+recall)*len(c.Categories)+class)*numAreas+area)*numLimits + limit
}

func (c *COCO) recallAt(iou, class, area, limit int) int {
	return ((iou*len(c.Categories)+class)*numAreas+area)*numLimits + limit
}

// accumulate fills the curves of one class. objects counts, for each area, the
// ground truths that are not ignored.
func (c *COCO) accumulate(class int, detections []matchedDetection, objects [numAreas]int) {
	slices.SortStableFunc(detections, func(a, b matchedDetection) int { return cmp.Compare(b.score, a.score) })
	precision := make([]float64, 0, len(detections))
	recall := make([]float64, 0, len(detections))
	scores := make([]float64, 0, len(detections))
	for area, total := range objects {
		c.Objects[class*numAreas+area] = total
		if total == 0 {
			continue
		}
		for limit, most := range detectionLimits {
			for iou := range numIoUs {
				precision, recall, scores = precision[:0], recall[:0], scores[:0]
				var tp, fp float64
				for i := range detections {
					d := &detections[i]
					if int(d.rank) >= most {
						continue
					}
					if d.ignored[area]>>iou&1 == 0 {
						if d.matched[area]>>iou&1 != 0 {
							tp++
						} else {
							fp++
						}
					}
					precision = append(precision, tp/(fp+tp+0x1p-52))
					recall = append(recall, tp/float64(total))
					scores = append(scores, d.score)
				}
				c.store(iou, class, area, limit, precision, recall, scores)
			}
		}
	}
}

// store samples one precision-recall curve on the recall grid. The precision
// at a recall is the largest one at this or any higher recall, and 0 beyond
// the last recall that is reached.
func (c *COCO) store(iou, class, area, limit int, precision, recall, scores []float64) {
	for i := len(precision) - 2; i >= 0; i-- {
		precision[i] = max(precision[i], precision[i+1])
	}
	last := 0.0
	if len(recall) > 0 {
		last = recall[len(recall)-1]
	}
	c.Recall[c.recallAt(iou, class, area, limit)] = last
	i := 0
	for r, want := range recallGrid {
		for i < len(recall) && recall[i] < want {
			i++
		}
		p, s := 0.0, 0.0
		if i < len(recall) {
			p, s = precision[i], scores[i]
		}
		at := c.precisionAt(iou, r, class, area, limit)
		c.Precision[at], c.Scores[at] = p, s
	}
}

// groupByClass indexes the set and sorts objects and detections into the listed classes, each by
// image, with their order in the file kept inside an image.
func groupByClass(annotations *Annotations, detections []Detection) (*index, []cocoClass, error) {
	ix, err := newIndex(annotations.listed())
	if err != nil {
		return nil, nil, err
	}
	classes := make([]cocoClass, len(ix.categories))
	for i := range annotations.Objects {
		o := &annotations.Objects[i]
		image, class, err := ix.find(o.ImageID, o.CategoryID)
		if err != nil {
			return nil, nil, fmt.Errorf("annotations[%d]: %w", i, err)
		}
		classes[class].objects = append(classes[class].objects, cocoObject{image: image, truth: o})
	}
	for i := range detections {
		d := &detections[i]
		if annotations.Absent[d.CategoryID] {
			continue
		}
		image, class, err := ix.find(d.ImageID, d.CategoryID)
		if err == nil {
			err = d.check()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("detection %d: %w", i, err)
		}
		classes[class].detections = append(classes[class].detections, cocoDetection{image: image, detection: d})
	}
	return ix, classes, nil
}
