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

// Indices of areas and limits.
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

// linspace rounds as NumPy's does, so that comparisons at the border agree with pycocotools to the
// last bit.
func linspace(from, to float64, n int) []float64 {
	step := (to - from) / float64(n-1)
	values := make([]float64, n)
	for i := range values {
		offset := float64(i) * step // the assignment rounds, which prevents a fused multiply-add
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

// EvaluateCOCO returns the numbers of pycocotools for boxes: equal scores keep their order, a crowd
// region takes any number of detections, and objects and detections outside an area range are
// ignored there. There is one difference: an annotation with id 0 can be matched here.
//
// A detection of an image or category that the annotations lack, or with a value that is not
// finite, is an error that names its index.
//
// Of the curves of a class it keeps what the numbers need, 3 KB instead of pycocotools' 200 KB, so
// that the objects, not the classes, determine its memory.
func EvaluateCOCO(annotations *Annotations, detections []Detection) (*COCO, error) {
	ix, classes, err := groupByClass(annotations, detections)
	if err != nil {
		return nil, err
	}
	result := &COCO{Categories: ix.categories, classes: make([]*cocoSummary, len(classes))}
	var workers sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(classes)) {
		workers.Go(func() {
			curves := new(cocoCurves) // of one class after the other
			for class := int(next.Add(1)) - 1; class < len(classes); class = int(next.Add(1)) - 1 {
				if len(classes[class].objects) == 0 {
					continue
				}
				curves.draw(classes[class].match())
				result.classes[class] = curves.summarise()
				classes[class] = cocoClass{} // free its memory for the next class
			}
		})
	}
	workers.Wait()
	return result, nil
}

// groupByClass indexes the set and sorts objects and detections into the listed classes, in the
// order of the file.
func groupByClass(annotations *Annotations, detections []Detection) (*index, []cocoClass, error) {
	ix, err := newIndex(annotations.listed())
	if err != nil {
		return nil, nil, err
	}
	classes := make([]cocoClass, len(ix.categories))
	for i := range annotations.Objects {
		o := &annotations.Objects[i]
		image, class, _ := ix.find(o.ImageID, o.CategoryID) // newIndex has found them
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
