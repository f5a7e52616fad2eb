package eval

// Stats are COCO's twelve numbers, as fractions; -1 where nothing was annotated.
type Stats struct {
	AP       float64 `json:"AP"`   // mean over IoU 0.50:0.95 and classes
	AP50     float64 `json:"AP50"` // IoU 0.50
	AP75     float64 `json:"AP75"` // IoU 0.75
	APSmall  float64 `json:"AP_small"`
	APMedium float64 `json:"AP_medium"`
	APLarge  float64 `json:"AP_large"`
	AR1      float64 `json:"AR1"` // with at most 1 detection an image and class
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

// ClassStats are the numbers of one class, as fractions; -1 where it has no
// ground truth.
type ClassStats struct {
	AP   float64 `json:"ap"`   // mean over IoU 0.50:0.95
	AP50 float64 `json:"ap50"` // IoU 0.50
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
		AR1:      c.meanRecall(areaAll, limit1),
		AR10:     c.meanRecall(areaAll, limit10),
		AR100:    c.meanRecall(areaAll, limit100),
		ARSmall:  c.meanRecall(areaSmall, limit100),
		ARMedium: c.meanRecall(areaMedium, limit100),
		ARLarge:  c.meanRecall(areaLarge, limit100),
	}
}

// PerClass returns the numbers of every class, by category id.
func (c *COCO) PerClass() map[int64]ClassStats {
	stats := make(map[int64]ClassStats, len(c.Categories))
	for k, category := range c.Categories {
		class := [2]int{k, k + 1}
		stats[category.ID] = ClassStats{
			AP:   c.meanPrecision(allIoUs, class, areaAll),
			AP50: c.meanPrecision(only50, class, areaAll),
		}
	}
	return stats
}

// meanPrecision averages over the recall grid and the half-open ranges of IoU
// thresholds and classes, leaving absent classes out.
func (c *COCO) meanPrecision(ious, classes [2]int, area int) float64 {
	var present mean
	for iou := ious[0]; iou < ious[1]; iou++ {
		for recall := range numRecalls {
			for class := classes[0]; class < classes[1]; class++ {
				present.add(c.Precision[c.precisionAt(iou, recall, class, area, limit100)])
			}
		}
	}
	return present.value()
}

func (c *COCO) meanRecall(area, limit int) float64 {
	var present mean
	for iou := range numIoUs {
		for class := range c.Categories {
			present.add(c.Recall[c.recallAt(iou, class, area, limit)])
		}
	}
	return present.value()
}

// mean averages what is present, which is any value above -1.
type mean struct {
	sum   float64
	count int
}

func (m *mean) add(v float64) {
	if v > -1 {
		m.sum += v
		m.count++
	}
}

func (m *mean) value() float64 {
	if m.count == 0 {
		return -1
	}
	return m.sum / float64(m.count)
}
