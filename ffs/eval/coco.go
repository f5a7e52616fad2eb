package eval

import (
	"fmt"
	"runtime"
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

// COCO is the outcome of COCO's box evaluation.
type COCO struct {
	Categories []Category // by ascending id

	classes []*cocoSummary // of each category; nil where there is nothing to find
}

// EvaluateCOCO does what pycocotools does for boxes, with the same numbers:
// equal scores keep their order, a crowd region takes any number of
// detections, objects and detections outside an area range are ignored there.
// One difference: an annotation whose id is 0 can be matched here.
//
// It is an error, naming the record, when a detection refers to an image or
// category that annotations does not have, or holds a value that is not
// finite.
//
// Of the curves of a class it keeps what the numbers need, 3 KB, where
// pycocotools holds 200: the memory of many classes is that of their objects.
func EvaluateCOCO(annotations *Annotations, detections []Detection) (*COCO, error) {
	ix, classes, err := groupByClass(annotations, detections)
	if err != nil {
		return nil, err
	}
	result := &COCO{Categories: ix.categories, classes: make([]*cocoSummary, len(classes))}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(classes)) {
		workers.Go(func() {
			curves := new(cocoCurves)
			for class := int(next.Add(1)) - 1; class < len(classes); class = int(next.Add(1)) - 1 {
				if len(classes[class].objects) == 0 {
					continue
				}
				curves.draw(classes[class].match())
				result.classes[class] = curves.summarise()
				classes[class] = cocoClass{} // its memory is free for the next
			}
		})
	}
	workers.Wait()
	return result, nil
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
