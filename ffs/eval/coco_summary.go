package eval

import "ffslab/data"

// Stats holds COCO's twelve numbers as fractions; -1 if nothing was annotated.
type Stats struct {
	AP       float64 `json:"AP"`   // mean over IoU 0.50:0.95 and classes
	AP50     float64 `json:"AP50"` // IoU 0.50
	AP75     float64 `json:"AP75"` // IoU 0.75
	APSmall  float64 `json:"AP_small"`
	APMedium float64 `json:"AP_medium"`
	APLarge  float64 `json:"AP_large"`
	AR1      float64 `json:"AR1"` // at most 1 detection for each image and class
	AR10     float64 `json:"AR10"`
	AR100    float64 `json:"AR100"`
	ARSmall  float64 `json:"AR_small"`
	ARMedium float64 `json:"AR_medium"`
	ARLarge  float64 `json:"AR_large"`
}

// List returns the twelve numbers in pycocotools' order, which is that of the fields.
func (s Stats) List() []float64 {
	return []float64{s.AP, s.AP50, s.AP75, s.APSmall, s.APMedium, s.APLarge, s.AR1, s.AR10, s.AR100, s.ARSmall, s.ARMedium, s.ARLarge}
}

// ClassStats holds the numbers of one class as fractions; -1 if it has no ground truth.
type ClassStats struct {
	AP       float64 `json:"ap"`   // mean over IoU 0.50:0.95
	AP50     float64 `json:"ap50"` // IoU 0.50
	AP75     float64 `json:"ap75"` // IoU 0.75
	APSmall  float64 `json:"ap_small"`
	APMedium float64 `json:"ap_medium"`
	APLarge  float64 `json:"ap_large"`
	AR100    float64 `json:"ar100"`     // mean over IoU 0.50:0.95, at most 100 detections for each image
	Objects  int     `json:"n_objects"` // without crowd regions
}

// SizeStats holds the numbers of the objects of one size as fractions; -1 if there are none.
type SizeStats struct {
	Size    string  `json:"size"` // COCO's small (area up to 32*32 pixels), medium, large (from 96*96 on)
	AP      float64 `json:"ap"`
	AP50    float64 `json:"ap50"`
	AP75    float64 `json:"ap75"`
	AR100   float64 `json:"ar100"`
	Objects int     `json:"n_objects"` // an area on a border belongs to both sizes
}

// Ranges of IoU thresholds.
var (
	allIoUs = [2]int{0, numIoUs}
	only50  = [2]int{0, 1}
	only75  = [2]int{5, 6}
)

// Stats summarises the evaluation as pycocotools does.
func (c *COCO) Stats() Stats {
	classes := [2]int{0, len(c.Categories)}
	return Stats{
		AP:       c.meanPrecision(allIoUs, classes, areaAll),
		AP50:     c.meanPrecision(only50, classes, areaAll),
		AP75:     c.meanPrecision(only75, classes, areaAll),
		APSmall:  c.meanPrecision(allIoUs, classes, areaSmall),
		APMedium: c.meanPrecision(allIoUs, classes, areaMedium),
		APLarge:  c.meanPrecision(allIoUs, classes, areaLarge),
		AR1:      c.meanRecall(classes, areaAll, limit1),
		AR10:     c.meanRecall(classes, areaAll, limit10),
		AR100:    c.meanRecall(classes, areaAll, limit100),
		ARSmall:  c.meanRecall(classes, areaSmall, limit100),
		ARMedium: c.meanRecall(classes, areaMedium, limit100),
		ARLarge:  c.meanRecall(classes, areaLarge, limit100),
	}
}

// PerClass returns the numbers of every class, by category id.
func (c *COCO) PerClass() map[data.ID]ClassStats {
	stats := make(map[data.ID]ClassStats, len(c.Categories))
	for k, category := range c.Categories {
		class := [2]int{k, k + 1}
		stats[category.ID] = ClassStats{
			AP:       c.meanPrecision(allIoUs, class, areaAll),
			AP50:     c.meanPrecision(only50, class, areaAll),
			AP75:     c.meanPrecision(only75, class, areaAll),
			APSmall:  c.meanPrecision(allIoUs, class, areaSmall),
			APMedium: c.meanPrecision(allIoUs, class, areaMedium),
			APLarge:  c.meanPrecision(allIoUs, class, areaLarge),
			AR100:    c.meanRecall(class, areaAll, limit100),
			Objects:  c.objects(class, areaAll),
		}
	}
	return stats
}

// PerSize returns the numbers of small, medium and large objects.
func (c *COCO) PerSize() []SizeStats {
	classes := [2]int{0, len(c.Categories)}
	var stats []SizeStats
	for _, size := range []struct {
		name string
		area int
	}{{"small", areaSmall}, {"medium", areaMedium}, {"large", areaLarge}} {
		stats = append(stats, SizeStats{
			Size:    size.name,
			AP:      c.meanPrecision(allIoUs, classes, size.area),
			AP50:    c.meanPrecision(only50, classes, size.area),
			AP75:    c.meanPrecision(only75, classes, size.area),
			AR100:   c.meanRecall(classes, size.area, limit100),
			Objects: c.objects(classes, size.area),
		})
	}
	return stats
}

// objects counts the objects of a half-open range of classes.
func (c *COCO) objects(classes [2]int, area int) (n int) {
	for _, class := range c.classes[classes[0]:classes[1]] {
		if class != nil {
			n += class.objects[area]
		}
	}
	return n
}

// meanPrecision averages over the recall grid and half-open ranges of IoU thresholds and classes,
// without absent classes.
func (c *COCO) meanPrecision(ious, classes [2]int, area int) float64 {
	var present mean
	for iou := ious[0]; iou < ious[1]; iou++ {
		for _, class := range c.classes[classes[0]:classes[1]] {
			if class != nil && class.objects[area] > 0 {
				present.add(class.precision[iou][area], numRecalls)
			}
		}
	}
	return present.value()
}

func (c *COCO) meanRecall(classes [2]int, area, limit int) float64 {
	var present mean
	for iou := range numIoUs {
		for _, class := range c.classes[classes[0]:classes[1]] {
			if class != nil && class.objects[area] > 0 {
				present.add(class.recall[iou][area][limit], 1)
			}
		}
	}
	return present.value()
}

// mean is the mean of added values, -1 if there are none.
type mean struct {
	sum   float64
	count int
}

func (m *mean) add(sum float64, n int) {
	m.sum += sum
	m.count += n
}

func (m *mean) value() float64 {
	if m.count == 0 {
		return -1
	}
	return m.sum / float64(m.count)
}
