package eval

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
)

// ErrEmpty is returned if one side of a comparison has no scores.
var ErrEmpty = errors.New("no scores")

// targetTPR is the share of inliers that FPR95 and its threshold accept.
const targetTPR = 0.95

// Separation says how well a score tells inlier detections (the positives) from outlier detections.
// All fields but the thresholds are fractions.
type Separation struct {
	AUROC   float64 `json:"auroc"`    // higher is better, 0.5 is chance
	AUPR    float64 `json:"aupr"`     // average precision, inliers positive; higher is better
	AUPROut float64 `json:"aupr_out"` // average precision, outliers positive; higher is better

	// FPR95 is the share of outliers that pass the threshold at which the share of inliers that
	// pass is nearest to 95 %, above or below. Of equally near thresholds it takes that of the
	// higher recall, and of equal recalls below 1 the lowest. This is the original's convention,
	// used in the published tables. Lower is better.
	FPR95 float64 `json:"fpr95"`
	// FPR95Strict is the share at the highest threshold that at least 95 % of the inliers reach.
	FPR95Strict float64 `json:"fpr95_strict"`
	// ThresholdTPR95 is the threshold of FPR95Strict. A score below it is called unknown.
	ThresholdTPR95 float64 `json:"threshold_tpr95"`
	// ThresholdFPR95 is the threshold of FPR95.
	ThresholdFPR95 float64 `json:"-"`
	// DetectionError is the smallest 0.5 * (FNR + FPR) over all thresholds: the error of the best
	// threshold if inliers and outliers are equally frequent. FNR is the share of inliers that do
	// not pass. The thresholds at which all or nothing passes are included, so it is at most 0.5.
	// Lower is better. It is 1 - the "detection accuracy" of Lee et al. (NeurIPS 2018). Liang et
	// al. (ODIN, ICLR 2018) define the error; their code takes this minimum.
	DetectionError float64 `json:"detection_error"`

	// CI95 holds the bootstrap intervals; nil if none were asked for.
	CI95 *SeparationIntervals `json:"ci95,omitempty"`
}

// OperatingPoint counts the scores of at least Threshold.
type OperatingPoint struct {
	Threshold       float64
	Inlier, Outlier int
}

// OperatingPoints returns the counts at every distinct score, from the highest to the lowest. The
// ROC curve is (Outlier / len(outlier), Inlier / len(inlier)), preceded by (0, 0). Equal scores
// pass together, so the order of the arguments does not matter, and -0 equals 0. It is an error if
// a score is not finite, or if a side is empty ([ErrEmpty]).
func OperatingPoints(inlier, outlier []float64) ([]OperatingPoint, error) {
	if len(inlier) == 0 {
		return nil, fmt.Errorf("inlier: %w", ErrEmpty)
	}
	if len(outlier) == 0 {
		return nil, fmt.Errorf("outlier: %w", ErrEmpty)
	}
	return operatingPoints(inlier, outlier)
}

// operatingPoints allows one side to be empty.
func operatingPoints(inlier, outlier []float64) ([]OperatingPoint, error) {
	if len(inlier)+len(outlier) == 0 {
		return nil, ErrEmpty
	}
	type labelled struct {
		score   float64
		outlier bool
	}
	all := make([]labelled, 0, len(inlier)+len(outlier))
	for _, side := range []struct {
		name    string
		scores  []float64
		outlier bool
	}{{"inlier", inlier, false}, {"outlier", outlier, true}} {
		for i, s := range side.scores {
			if !isFinite(s) {
				return nil, fmt.Errorf("%s score %d is %g", side.name, i, s)
			}
			all = append(all, labelled{s, side.outlier})
		}
	}
	slices.SortFunc(all, func(a, b labelled) int { return cmp.Compare(b.score, a.score) })

	var points []OperatingPoint
	var at OperatingPoint
	for i, s := range all {
		at.Threshold = s.score
		if s.outlier {
			at.Outlier++
		} else {
			at.Inlier++
		}
		if i+1 == len(all) || all[i+1].score != s.score {
			points = append(points, at)
		}
	}
	return points, nil
}

// Separate measures how well a score separates inliers from outliers; higher scores mean more
// inlier. The errors are those of [OperatingPoints].
func Separate(inlier, outlier []float64) (Separation, error) {
	points, err := OperatingPoints(inlier, outlier)
	if err != nil {
		return Separation{}, err
	}
	var s Separation
	s.AUROC = auroc(points)
	s.AUPR = averagePrecision(points)
	s.AUPROut = averagePrecisionOut(points)
	s.FPR95, s.ThresholdFPR95 = fprNearest(points)
	s.FPR95Strict, s.ThresholdTPR95 = fprStrict(points)
	s.DetectionError = detectionError(points)
	return s, nil
}

// auroc returns the share of (inlier, outlier) pairs in which the inlier scores higher; a tie
// counts half. The count is exact.
func auroc(points []OperatingPoint) float64 {
	last := points[len(points)-1]
	var previous OperatingPoint
	twice := 0 // twice the area, in pairs
	for _, p := range points {
		twice += (p.Outlier - previous.Outlier) * (p.Inlier + previous.Inlier)
		previous = p
	}
	return float64(twice) / 2 / float64(last.Inlier) / float64(last.Outlier)
}

// averagePrecision returns the sum over thresholds of precision times the step in recall, without
// interpolation (scikit-learn's definition).
func averagePrecision(points []OperatingPoint) float64 {
	total := float64(points[len(points)-1].Inlier)
	previous, sum := 0, 0.0
	for _, p := range points {
		if p.Inlier == previous { // no step in recall
			continue
		}
		precision := float64(p.Inlier) / float64(p.Inlier+p.Outlier)
		sum += precision * float64(p.Inlier-previous) / total
		previous = p.Inlier
	}
	return sum
}

// averagePrecisionOut returns the average precision of the negated scores with the outliers
// positive: thresholds rise, and scores up to the threshold pass.
func averagePrecisionOut(points []OperatingPoint) float64 {
	last := points[len(points)-1]
	total := float64(last.Outlier)
	previous, sum := 0, 0.0
	for i := len(points) - 1; i >= 0; i-- {
		var above OperatingPoint // counts of the scores above the threshold
		if i > 0 {
			above = points[i-1]
		}
		outlier, inlier := last.Outlier-above.Outlier, last.Inlier-above.Inlier
		if outlier == previous {
			continue
		}
		precision := float64(outlier) / float64(outlier+inlier)
		sum += precision * float64(outlier-previous) / total
		previous = outlier
	}
	return sum
}

// detectionError returns the smallest mean of both error rates. It compares exact counts.
func detectionError(points []OperatingPoint) float64 {
	last := points[len(points)-1]
	least := last.Inlier * last.Outlier // nothing passes
	for _, p := range points {
		least = min(least, (last.Inlier-p.Inlier)*last.Outlier+p.Outlier*last.Inlier)
	}
	return 0.5 * float64(least) / float64(last.Inlier) / float64(last.Outlier)
}

func fprNearest(points []OperatingPoint) (fpr, threshold float64) {
	last := points[len(points)-1]
	// Once every inlier passes, lower thresholds only add outliers.
	full := slices.IndexFunc(points, func(p OperatingPoint) bool { return p.Inlier == last.Inlier })
	nearest := math.Inf(1)
	seen := -1
	for _, p := range slices.Backward(points[:full+1]) {
		if p.Inlier == seen { // the same recall at a higher threshold
			continue
		}
		seen = p.Inlier
		distance := math.Abs(float64(p.Inlier)/float64(last.Inlier) - targetTPR)
		if distance < nearest {
			nearest = distance
			fpr, threshold = float64(p.Outlier)/float64(last.Outlier), p.Threshold
		}
	}
	return fpr, threshold
}

func fprStrict(points []OperatingPoint) (fpr, threshold float64) {
	last := points[len(points)-1]
	at := sort.Search(len(points), func(i int) bool { // recall never falls from point to point
		return float64(points[i].Inlier)/float64(last.Inlier) >= targetTPR
	})
	return float64(points[at].Outlier) / float64(last.Outlier), points[at].Threshold
}

// ThresholdTPR95 returns the highest threshold that at least 95 % of the inlier scores reach, which
// is [Separation.ThresholdTPR95]; it needs no outliers. The scores must be finite. Without any it
// returns [ErrEmpty].
func ThresholdTPR95(inlier []float64) (float64, error) {
	points, err := operatingPoints(inlier, nil)
	if err != nil {
		return 0, err
	}
	_, threshold := fprStrict(points)
	return threshold, nil
}
