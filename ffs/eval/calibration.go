package eval

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"ffslab/data"
)

// Bins of equal width, a dimension.
const (
	confidenceBins = 20 // for the confidence alone
	twoBoxBins     = 8  // for the confidence and two numbers of the box
	fourBoxBins    = 5  // for the confidence and four numbers of the box
)

// Calibration says whether detections are right as often as their scores claim. A detection is
// right if COCO's matching at IoU 0.5 gives it an object of its class. Detections in crowd regions
// are left out; all others count, whatever their score. (A detector leaves out those under its own
// limit.)
//
// An expected calibration error is the mean over bins of |precision - mean score|, weighted by the
// number of detections in the bin. Bins divide the score alone (Naeini et al., AAAI 2015, with
// precision instead of accuracy), or the score together with numbers of the box, so that errors of
// large and of small boxes, say, do not cancel: the detection ECE of Kueppers et al., "Multivariate
// Confidence Calibration for Object Detection", CVPR Workshops 2020. All bins have equal width: 20
// for the score alone, 8 for each dimension with two numbers of the box, 5 with four. More
// dimensions mean fewer detections in a bin, whose chance deviations add up, so compare only values
// of one kind on one set. Lower is better.
type Calibration struct {
	Detections int     `json:"n"`
	ECE        float64 `json:"ece"` // by score
	// The detection ECE by score and centre of the box, by score and its width and height, and by
	// all five, in fractions of the image; nil if the sizes of the images are unknown.
	DECEPosition *float64 `json:"d_ece_position,omitempty"`
	DECESize     *float64 `json:"d_ece_size,omitempty"`
	DECEBox      *float64 `json:"d_ece_box,omitempty"`
	// Bins are the points of a reliability diagram by ascending score, without empty ones.
	Bins []CalibrationBin `json:"bins"`
}

// CalibrationBin holds the detections with scores from Low to below High; the last bin includes
// High.
type CalibrationBin struct {
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Detections int     `json:"n"`
	Score      float64 `json:"score"`     // mean
	Precision  float64 `json:"precision"` // the share that is right
}

// ErrNotProbabilities is the error of [MeasureCalibration] for scores outside 0 to 1.
var ErrNotProbabilities = errors.New("not a probability")

// scoreRounding is how far a probability in float32 may lie outside 0 to 1.
const scoreRounding = 1e-5

// MeasureCalibration compares the scores of the detections on an inlier set, which are
// probabilities, with how many are right. It returns nil if nothing was detected. A score outside 0
// to 1 by more than a rounding error is an error that wraps [ErrNotProbabilities]; the others are
// those of [EvaluateCOCO].
func MeasureCalibration(annotations *Annotations, detections []Detection) (*Calibration, error) {
	if err := checkProbabilities(detections); err != nil {
		return nil, err
	}
	_, classes, err := groupByClass(annotations, detections)
	if err != nil {
		return nil, err
	}
	sizes := make(map[data.ID][2]float64, len(annotations.Sizes))
	for i, size := range annotations.Sizes {
		sizes[annotations.ImageIDs[i]] = size
	}
	score, position, extent, box := newBins(confidenceBins), newBins(twoBoxBins), newBins(twoBoxBins), newBins(fourBoxBins)
	for i := range classes {
		class := &classes[i]
		matched, _ := class.match()
		for _, d := range class.detections { // sorted as matched, which holds only the 100 best of an image
			if len(matched) == 0 || d.image != matched[0].image {
				continue
			}
			m := matched[0]
			matched = matched[1:]
			if m.ignored[areaAll]&1 != 0 {
				continue
			}
			right := m.matched[areaAll]&1 != 0
			score.add(m.score, right)
			if size, ok := sizes[d.detection.ImageID]; ok {
				b := d.detection.Box
				x, y, w, h := (b[0]+b[2]/2)/size[0], (b[1]+b[3]/2)/size[1], b[2]/size[0], b[3]/size[1]
				position.add(m.score, right, x, y)
				extent.add(m.score, right, w, h)
				box.add(m.score, right, x, y, w, h)
			}
		}
	}
	if score.count == 0 {
		return nil, nil
	}
	c := &Calibration{Detections: score.count, ECE: score.error(), Bins: score.list()}
	if annotations.Sizes != nil {
		c.DECEPosition, c.DECESize, c.DECEBox = new(position.error()), new(extent.error()), new(box.error())
	}
	return c, nil
}

// checkProbabilities returns an error that says how scores outside 0 to 1 can be mended.
func checkProbabilities(detections []Detection) error {
	outside, first, low, high := 0, 0, 0.0, 0.0
	for i := range detections {
		score := detections[i].Score
		if score >= -scoreRounding && score <= 1+scoreRounding {
			continue
		}
		if outside == 0 {
			first = i
		}
		outside++
		low, high = min(low, score), max(high, score)
	}
	if outside == 0 {
		return nil
	}
	remedy := "give probabilities (logits through sigmoid or softmax)"
	if low >= 0 && high <= 100 {
		remedy = "divide scores in percent by 100"
	}
	return fmt.Errorf("detection %d: score %.6g is %w: %d of %d scores are outside 0 to 1; %s",
		first, detections[first].Score, ErrNotProbabilities, outside, len(detections), remedy)
}

// bins divide the unit cube. The key of a bin combines its indices in every dimension, the score
// first.
type bins struct {
	perDimension int
	count        int
	bins         map[int]*bin
}

type bin struct {
	count, right int
	score        float64 // sum
}

func newBins(perDimension int) *bins {
	return &bins{perDimension: perDimension, bins: map[int]*bin{}}
}

// add counts a detection; numbers outside 0..1 go into the outermost bin.
func (b *bins) add(score float64, right bool, box ...float64) {
	key := b.index(score)
	for _, v := range box {
		key = key*b.perDimension + b.index(v)
	}
	at := b.bins[key]
	if at == nil {
		at = new(bin)
		b.bins[key] = at
	}
	b.count++
	at.count++
	at.score += score
	if right {
		at.right++
	}
}

func (b *bins) index(v float64) int {
	return min(max(int(v*float64(b.perDimension)), 0), b.perDimension-1)
}

func (b *bins) error() float64 {
	sum := 0.0
	for _, key := range slices.Sorted(maps.Keys(b.bins)) { // in order, so that rounding is always the same
		at := b.bins[key]
		sum += max(float64(at.right)-at.score, at.score-float64(at.right))
	}
	return sum / float64(b.count)
}

func (b *bins) list() []CalibrationBin {
	var list []CalibrationBin
	for _, key := range slices.Sorted(maps.Keys(b.bins)) {
		at := b.bins[key]
		n := float64(at.count)
		list = append(list, CalibrationBin{
			Low: float64(key) / float64(b.perDimension), High: float64(key+1) / float64(b.perDimension),
			Detections: at.count, Score: at.score / n, Precision: float64(at.right) / n,
		})
	}
	return list
}
