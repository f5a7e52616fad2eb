package eval

import (
	"cmp"
	"fmt"
	"slices"
)

// StatsIntervals are the intervals of two of COCO's numbers.
type StatsIntervals struct {
	AP   Interval `json:"AP"`
	AP50 Interval `json:"AP50"`
}

// BootstrapCOCO returns the intervals of AP and AP50. Detections are matched once, since matching
// stays within an image. A class without objects in a resample is left out of its mean, as in COCO.
// BootstrapCOCO returns nil if the bootstrap is off, or if half of the resamples or more hold no
// object. The errors are those of [EvaluateCOCO].
func BootstrapCOCO(annotations *Annotations, detections []Detection, b Bootstrap) (*StatsIntervals, error) {
	sample, err := newCOCOSample(annotations, detections)
	if err != nil {
		return nil, err
	}
	values := b.collect([]int{sample.images}, 2, func() func(draws, []float64) bool {
		var work cocoWork
		return func(d draws, row []float64) bool { return sample.measure(&work, d[0], row) }
	})
	if values == nil {
		return nil, nil
	}
	return &StatsIntervals{AP: newInterval(values[0]), AP50: newInterval(values[1])}, nil
}

// StatsDifference holds the differences of two of COCO's numbers.
type StatsDifference struct {
	AP   Difference `json:"AP"`
	AP50 Difference `json:"AP50"`
}

// PairedBootstrapCOCO compares the AP and AP50 of two runs on the same
// annotated images; see [PairedBootstrap]. The errors are those of
// [EvaluateCOCO], with the number of the run, and [ErrTooFew].
func PairedBootstrapCOCO(annotations *Annotations, first, second []Detection, b Bootstrap) (*StatsDifference, error) {
	samples := make([]*cocoSample, 2)
	whole := make([][]float64, 2)
	for i, detections := range [][]Detection{first, second} {
		var err error
		if samples[i], err = newCOCOSample(annotations, detections); err != nil {
			return nil, fmt.Errorf("run %d: %w", i+1, err)
		}
		whole[i] = make([]float64, 2)
		samples[i].measure(new(cocoWork), slices.Repeat([]int32{1}, samples[i].images), whole[i])
	}
	values := b.collect([]int{samples[0].images}, 2, func() func(draws, []float64) bool {
		var work cocoWork
		other := make([]float64, 2)
		return func(d draws, row []float64) bool {
			if !samples[0].measure(&work, d[0], row) || !samples[1].measure(&work, d[0], other) {
				return false
			}
			row[0] -= other[0]
			row[1] -= other[1]
			return true
		}
	})
	if values == nil {
		return nil, ErrTooFew
	}
	return &StatsDifference{
		AP:   newDifference(whole[0][0], whole[1][0], values[0]),
		AP50: newDifference(whole[0][1], whole[1][1], values[1]),
	}, nil
}

// cocoSample holds what COCO's curves of all areas and 100 detections need,
// matched and sorted once for all resamples.
type cocoSample struct {
	images  int
	classes []cocoSampleClass
}

type cocoSampleClass struct {
	objects    []int32 // the image of every object that counts
	detections []matchedDetection
}

func newCOCOSample(annotations *Annotations, detections []Detection) (*cocoSample, error) {
	ix, classes, err := groupByClass(annotations, detections)
	if err != nil {
		return nil, err
	}
	s := &cocoSample{images: len(ix.images), classes: make([]cocoSampleClass, len(classes))}
	for i := range classes {
		s.classes[i].detections, _ = classes[i].match()
		slices.SortStableFunc(s.classes[i].detections, func(a, b matchedDetection) int { return cmp.Compare(b.score, a.score) })
		for _, o := range classes[i].objects {
			if !o.truth.Crowd {
				s.classes[i].objects = append(s.classes[i].objects, o.image)
			}
		}
	}
	return s, nil
}

// cocoWork holds what one core reuses from resample to resample: a curve for each IoU threshold.
type cocoWork [numIoUs]curve

// curve holds the points of a precision-recall curve at which recall rises, the only ones that
// COCO's sampling can see.
type curve struct {
	tp, fp            int
	precision, recall []float64
}

// measure fills row with AP and AP50. It returns false if the resample holds no object.
func (s *cocoSample) measure(work *cocoWork, drawn []int32, row []float64) bool {
	row[0], row[1] = 0, 0
	present := 0
	for i := range s.classes {
		class := &s.classes[i]
		total := 0
		for _, image := range class.objects {
			total += int(drawn[image])
		}
		if total == 0 {
			continue
		}
		present++
		work.fill(class.detections, drawn, total)
		for iou := range work {
			ap := work[iou].averagePrecision()
			row[0] += ap / numIoUs
			if iou == 0 {
				row[1] += ap
			}
		}
	}
	if present == 0 {
		return false
	}
	row[0] /= float64(present)
	row[1] /= float64(present)
	return true
}

func (w *cocoWork) fill(detections []matchedDetection, drawn []int32, objects int) {
	for iou := range w {
		w[iou] = curve{precision: w[iou].precision[:0], recall: w[iou].recall[:0]}
	}
	for i := range detections {
		d := &detections[i]
		times := int(drawn[d.image])
		if times == 0 {
			continue
		}
		matched, ignored := d.matched[areaAll], d.ignored[areaAll]
		for iou := range w {
			c := &w[iou]
			switch {
			case ignored>>iou&1 != 0:
			case matched>>iou&1 == 0:
				c.fp += times
			default: // copies of an image follow each other, and precision only rises among them
				c.tp += times
				tp := float64(c.tp)
				c.precision = append(c.precision, tp/(float64(c.fp)+tp+0x1p-52))
				c.recall = append(c.recall, tp/float64(objects))
			}
		}
	}
}

// averagePrecision is the mean over COCO's recall grid, as [COCO] samples it.
func (c *curve) averagePrecision() float64 {
	for i := len(c.precision) - 2; i >= 0; i-- {
		c.precision[i] = max(c.precision[i], c.precision[i+1])
	}
	sum, i := 0.0, 0
	for _, want := range recallGrid {
		for i < len(c.recall) && c.recall[i] < want {
			i++
		}
		if i == len(c.recall) {
			break
		}
		sum += c.precision[i]
	}
	return sum / numRecalls
}
