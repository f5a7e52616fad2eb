package eval

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"ffslab/data"
)

// ImageScores holds the scores of the detections of a set by image id. An image without a detection
// that counts has an empty entry.
type ImageScores map[data.ID][]float64

// CollectScores returns an outlier score of all detections of a set, for example those that
// [Filter.Keep] returned. It returns false if a detection lacks the score, or if the set has no
// annotations, which name its images.
func CollectScores(r Results, name string) (ImageScores, bool) {
	if r.Annotations == nil {
		return nil, false
	}
	scores := make(ImageScores, len(r.Annotations.ImageIDs))
	for _, id := range r.Annotations.ImageIDs {
		scores[id] = nil
	}
	for i := range r.Detections {
		d := &r.Detections[i]
		score, ok := d.OutlierScore(name)
		if !ok {
			return nil, false
		}
		scores[d.ImageID] = append(scores[d.ImageID], score)
	}
	return scores, true
}

// Sides holds the scores that one run gives to the detections on the inlier set and on an outlier
// set; higher means more inlier.
type Sides struct {
	Inlier, Outlier ImageScores
	// Joint says that both sides are detections on the same images, so that a resample draws an
	// image for both.
	Joint bool
}

// PerNumber holds a value for each number of a [Separation].
type PerNumber[T any] struct {
	AUROC          T `json:"auroc"`
	AUPR           T `json:"aupr"`
	AUPROut        T `json:"aupr_out"`
	FPR95          T `json:"fpr95"`
	FPR95Strict    T `json:"fpr95_strict"`
	DetectionError T `json:"detection_error"`
}

// SeparationIntervals are the intervals of the numbers of a [Separation].
type SeparationIntervals = PerNumber[Interval]

// SeparationDifference holds the difference of every number of a [Separation].
type SeparationDifference = PerNumber[Difference]

// eachNumber computes the value of each number, which of gets by its place in a row of separations.
func eachNumber[T any](of func(place int) T) *PerNumber[T] {
	return &PerNumber[T]{of(0), of(1), of(2), of(3), of(4), of(5)}
}

// BootstrapSeparation returns the intervals of [Separate]. It resamples the images of both sets,
// independently unless they are the same. It returns nil if the bootstrap is off, or if one side is
// empty in half of the resamples or more. The errors are those of [OperatingPoints].
func BootstrapSeparation(s Sides, b Bootstrap) (*SeparationIntervals, error) {
	sample, err := newSample(s)
	if err != nil {
		return nil, err
	}
	values := b.collect(sample.sizes, numSeparations, func() func(draws, []float64) bool {
		var points []OperatingPoint
		return func(d draws, row []float64) bool {
			points = sample.points(points[:0], d)
			return separations(points, row)
		}
	})
	if values == nil {
		return nil, nil
	}
	return eachNumber(func(i int) Interval { return newInterval(values[i]) }), nil
}

// Difference compares a measure of two runs on the same images. All fields but P are fractions.
type Difference struct {
	First      float64  `json:"first"`
	Second     float64  `json:"second"`
	Difference float64  `json:"difference"` // First - Second
	CI95       Interval `json:"ci95"`       // of the difference; if it holds 0, the difference may be chance
	// P is twice the share of resamples whose difference is 0 or has the other sign, at most 1,
	// with the whole set counted as one of the resamples. It is the level at which the percentile
	// interval just reaches 0. It says nothing about the spread between trainings.
	P float64 `json:"p"`
}

// newDifference returns the difference of two runs. It sorts the differences of the resamples, of
// which there must be at least one.
func newDifference(first, second float64, values []float64) Difference {
	below, above := 1, 1
	for _, v := range values {
		if v <= 0 {
			below++
		}
		if v >= 0 {
			above++
		}
	}
	return Difference{
		First: first, Second: second, Difference: first - second, CI95: newInterval(values),
		P: min(1, 2*float64(min(below, above))/float64(len(values)+1)),
	}
}

// ErrTooFew is returned if half of the resamples or more have no detection on one of the sides, or
// if the bootstrap is off.
var ErrTooFew = errors.New("too few resamples that can be measured")

// PairedBootstrap compares two runs, or two scores of one run, on the same images. Each resample
// draws the same images for both, so that what makes an image hard for both adds no noise to the
// difference. Each run keeps the detections that pass its own threshold. It is an error if the runs
// do not have the same images on each side. Other errors are [ErrTooFew] and those of
// [OperatingPoints].
func PairedBootstrap(first, second Sides, b Bootstrap) (*SeparationDifference, error) {
	return PairedBootstrapMean([]Sides{first}, []Sides{second}, b)
}

// PairedBootstrapMean compares the means over several runs, such as those of several seeds, and
// over as many others, as [PairedBootstrap] does: each resample draws the same images for all.
func PairedBootstrapMean(first, second []Sides, b Bootstrap) (*SeparationDifference, error) {
	n := len(first)
	if n == 0 || len(second) != n {
		return nil, fmt.Errorf("%d runs against %d: give as many of both, and at least one", n, len(second))
	}
	all := slices.Concat(first, second)
	samples := make([]*sample, len(all))
	whole := make([]float64, 2*numSeparations) // of the first, then of the second
	row := make([]float64, numSeparations)
	for i, s := range all {
		if err := sameImages(first[0], s); err != nil {
			return nil, err
		}
		var err error
		if samples[i], err = newSample(s); err != nil {
			return nil, fmt.Errorf("run %d: %w", i+1, err)
		}
		separations(samples[i].points(nil, samples[i].once()), row)
		for m, v := range row {
			whole[i/n*numSeparations+m] += v / float64(n)
		}
	}
	values := b.collect(samples[0].sizes, numSeparations, func() func(draws, []float64) bool {
		var points []OperatingPoint
		one := make([]float64, numSeparations)
		return func(d draws, row []float64) bool {
			clear(row)
			for i, s := range samples {
				points = s.points(points[:0], d)
				if !separations(points, one) {
					return false
				}
				for m, v := range one {
					if i < n {
						row[m] += v / float64(n)
					} else {
						row[m] -= v / float64(n)
					}
				}
			}
			return true
		}
	})
	if values == nil {
		return nil, ErrTooFew
	}
	return eachNumber(func(i int) Difference { return newDifference(whole[i], whole[numSeparations+i], values[i]) }), nil
}

// sameImages returns an error if two runs were not measured on the same images.
func sameImages(first, second Sides) error {
	for _, side := range []struct {
		name   string
		scores [2]ImageScores
	}{{"inlier", [2]ImageScores{first.Inlier, second.Inlier}}, {"outlier", [2]ImageScores{first.Outlier, second.Outlier}}} {
		if !slices.Equal(sortedImages(side.scores[0]), sortedImages(side.scores[1])) {
			return fmt.Errorf("%s side: the two runs were not measured on the same images (%d and %d): evaluate both on the same sets",
				side.name, len(side.scores[0]), len(side.scores[1]))
		}
	}
	if first.Joint != second.Joint {
		return errors.New("one run was measured object by object, the other was not")
	}
	return nil
}

// pairedAUROC compares the AUROC of other scores of the same detections with that of base, as
// [PairedBootstrap] does, on the same resamples. It returns nil where that returns [ErrTooFew].
func pairedAUROC(base Sides, others []Sides, b Bootstrap) ([]Difference, error) {
	samples := make([]*sample, 1+len(others))
	for i, s := range append([]Sides{base}, others...) {
		var err error
		if samples[i], err = newSample(s); err != nil {
			return nil, err
		}
	}
	values := b.collect(samples[0].sizes, len(others), func() func(draws, []float64) bool {
		var points []OperatingPoint
		return func(d draws, row []float64) bool {
			reference := 0.0
			for i, s := range samples {
				points = s.points(points[:0], d)
				if !twoSided(points) {
					return false
				}
				if i == 0 {
					reference = auroc(points)
				} else {
					row[i-1] = auroc(points) - reference
				}
			}
			return true
		}
	})
	if values == nil {
		return nil, nil
	}
	whole := func(s *sample) float64 { return auroc(s.points(nil, s.once())) }
	first := whole(samples[0])
	differences := make([]Difference, len(others))
	for i, v := range values {
		differences[i] = newDifference(whole(samples[1+i]), first, v)
	}
	return differences, nil
}

const numSeparations = 6

// separations fills row with the numbers of a [Separation], in the order of [PerNumber].
// It returns false if a side is empty.
func separations(points []OperatingPoint, row []float64) bool {
	if !twoSided(points) {
		return false
	}
	row[0], row[1], row[2] = auroc(points), averagePrecision(points), averagePrecisionOut(points)
	row[3], _ = fprNearest(points)
	row[4], _ = fprStrict(points)
	row[5] = detectionError(points)
	return true
}

// twoSided reports whether the points count scores of both sides.
func twoSided(points []OperatingPoint) bool {
	return len(points) > 0 && points[len(points)-1].Inlier > 0 && points[len(points)-1].Outlier > 0
}

// sample holds the scores of both sides, sorted once for all resamples.
type sample struct {
	sizes  []int // numbers of images of the inlier and the outlier side; one number if they are the same
	scores []sampleScore
}

type sampleScore struct {
	score float64
	image int32 // by rank of its id
	drawn int8  // the side whose draws count
	side  int8  // 0: inlier, 1: outlier
	last  bool  // of several equal scores
}

func newSample(s Sides) (*sample, error) {
	if s.Joint && !slices.Equal(sortedImages(s.Inlier), sortedImages(s.Outlier)) {
		return nil, fmt.Errorf("the sides have %d and %d images, which must be the same", len(s.Inlier), len(s.Outlier))
	}
	out := &sample{}
	for side, scores := range []ImageScores{s.Inlier, s.Outlier} {
		name := [2]string{"inlier", "outlier"}[side]
		drawn := side
		if s.Joint {
			drawn = 0
		}
		if drawn == len(out.sizes) {
			out.sizes = append(out.sizes, len(scores))
		}
		before := len(out.scores)
		for rank, id := range sortedImages(scores) {
			for i, v := range scores[id] {
				if !isFinite(v) {
					return nil, fmt.Errorf("%s score %d of image %v is %g", name, i, id, v)
				}
				out.scores = append(out.scores, sampleScore{score: v, image: int32(rank), drawn: int8(drawn), side: int8(side)})
			}
		}
		if len(out.scores) == before {
			return nil, fmt.Errorf("%s: %w", name, ErrEmpty)
		}
	}
	slices.SortFunc(out.scores, func(a, b sampleScore) int { return cmp.Compare(b.score, a.score) })
	for i := range out.scores {
		out.scores[i].last = i+1 == len(out.scores) || out.scores[i+1].score != out.scores[i].score
	}
	return out, nil
}

func sortedImages(s ImageScores) []data.ID {
	return slices.SortedFunc(maps.Keys(s), data.ID.Compare)
}

// once draws every image once: the whole set.
func (s *sample) once() draws {
	all := make(draws, len(s.sizes))
	for side, n := range s.sizes {
		all[side] = slices.Repeat([]int32{1}, n)
	}
	return all
}

// points appends the operating points of a resample, as [OperatingPoints] would return them.
func (s *sample) points(points []OperatingPoint, d draws) []OperatingPoint {
	var counts [2]int
	seen := 0 // scores that belong to a point
	for i := range s.scores {
		at := &s.scores[i]
		counts[at.side] += int(d[at.drawn][at.image])
		if at.last && counts[0]+counts[1] > seen {
			seen = counts[0] + counts[1]
			points = append(points, OperatingPoint{Threshold: at.score, Inlier: counts[0], Outlier: counts[1]})
		}
	}
	return points
}
