package eval

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/internal/testkit"

	"ffslab/data"
	"ffslab/data/lenient"
)

// resamples returns what a bootstrap draws, as lists of image ranks for each
// side.
func resamples(b Bootstrap, images ...int) [][][]int {
	all := make([][][]int, b.Resamples)
	for i := range all {
		drawn := make(draws, len(images))
		for side, n := range images {
			drawn[side] = make([]int32, n)
		}
		drawn.draw(b.Seed, i)
		for _, counts := range drawn {
			var list []int
			for image, n := range counts {
				list = append(list, slices.Repeat([]int{image}, int(n))...)
			}
			all[i] = append(all[i], list)
		}
	}
	return all
}

// percentiles is the definition of an Interval for 200 values: the 5th and the 195th smallest.
func percentiles(t *testing.T, values []float64) []float64 {
	t.Helper()
	if len(values) != 200 {
		t.Fatalf("%d values, want 200", len(values))
	}
	slices.Sort(values)
	return []float64{values[4], values[194]}
}

// Every resample is compared with Separate on the list of its scores.
func TestBootstrapSeparationByDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	draw := func(images int, shift float64) ImageScores {
		scores := ImageScores{}
		for i := range images {
			scores[data.ID(100-i)] = nil
			for range random.IntN(5) {
				scores[data.ID(100-i)] = append(scores[data.ID(100-i)], float64(random.IntN(9))+shift)
			}
		}
		return scores
	}
	sides := Sides{Inlier: draw(12, 3), Outlier: draw(9, 0)}
	b := Bootstrap{Resamples: 200, Seed: 7}
	got, err := BootstrapSeparation(sides, b)
	if err != nil {
		t.Fatal(err)
	}

	list := func(s ImageScores, drawn []int) (scores []float64) {
		ids := sortedImages(s)
		for _, image := range drawn {
			scores = append(scores, s[ids[image]]...)
		}
		return scores
	}
	var columns [6][]float64
	for _, drawn := range resamples(b, 12, 9) {
		s, err := Separate(list(sides.Inlier, drawn[0]), list(sides.Outlier, drawn[1]))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range []float64{s.AUROC, s.AUPR, s.AUPROut, s.FPR95, s.FPR95Strict, s.DetectionError} {
			columns[i] = append(columns[i], v)
		}
	}
	for i, interval := range []Interval{got.AUROC, got.AUPR, got.AUPROut, got.FPR95, got.FPR95Strict, got.DetectionError} {
		testkit.Close(t, "interval", interval[:], percentiles(t, columns[i]), 1e-12)
		if interval[0] >= interval[1] {
			t.Errorf("interval %d is %v: the resamples do not differ", i, interval)
		}
	}

	before := runtime.GOMAXPROCS(1)
	again, err := BootstrapSeparation(sides, b)
	runtime.GOMAXPROCS(before)
	if diff := cmp.Diff(got, again); diff != "" || err != nil {
		t.Errorf("on one core: error %v, intervals (-many +one):\n%s", err, diff)
	}
	b.Seed = 8
	if other, _ := BootstrapSeparation(sides, b); cmp.Equal(got, other) {
		t.Error("another seed draws the same images")
	}
}

// One inlier image has four detections over the outliers, the other has one
// under them. A resample holds the first twice (AUROC 1), both (4/5) or the second
// twice (0), in 1/4, 1/2 and 1/4 of the cases; were detections resampled, an
// AUROC of 0 would happen once in 3125.
func TestBootstrapKeepsImagesTogether(t *testing.T) {
	sides := Sides{Inlier: ImageScores{1: {3, 3, 3, 3}, 2: {1}}, Outlier: ImageScores{5: {2}, 6: {2}}}
	got, err := BootstrapSeparation(sides, Bootstrap{Resamples: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got.AUROC != (Interval{0, 1}) {
		t.Errorf("AUROC %v, want 0 to 1", got.AUROC)
	}
	counts := map[float64]int{}
	for _, drawn := range resamples(Bootstrap{Resamples: 1000}, 2, 2) {
		counts[float64(drawn[0][0]+drawn[0][1])]++
	}
	for sum, want := range map[float64]float64{0: 250, 1: 500, 2: 250} {
		if d := math.Abs(float64(counts[sum]) - want); d > 80 { // 5 standard deviations
			t.Errorf("%d resamples of sum %g, want about %g", counts[sum], sum, want)
		}
	}
}

func TestBootstrapLeavesOut(t *testing.T) {
	sides := Sides{Inlier: ImageScores{1: {3}}, Outlier: ImageScores{5: {2}, 6: nil, 7: nil, 8: nil, 9: nil}}
	if got, err := BootstrapSeparation(sides, Bootstrap{}); got != nil || err != nil {
		t.Errorf("switched off: %+v, error %v", got, err)
	}
	// The one image with a detection is missing in (4/5)^5 = 0.33 of the resamples: the others
	// suffice.
	if got, err := BootstrapSeparation(sides, Bootstrap{Resamples: 500}); err != nil || got == nil || got.AUROC != (Interval{1, 1}) {
		t.Errorf("one image of five: %+v, error %v", got, err)
	}
	// Two such sides make 0.55 of them useless.
	sides.Inlier = ImageScores{1: {3}, 2: nil, 3: nil, 4: nil, 5: nil}
	if got, err := BootstrapSeparation(sides, Bootstrap{Resamples: 500}); got != nil || err != nil {
		t.Errorf("too few resamples: %+v, error %v", got, err)
	}
	if _, err := PairedBootstrap(sides, sides, Bootstrap{Resamples: 500}); !errors.Is(err, ErrTooFew) {
		t.Errorf("too few resamples: error %v, want ErrTooFew", err)
	}
	if _, err := BootstrapSeparation(Sides{Inlier: sides.Inlier, Outlier: ImageScores{1: nil}}, Bootstrap{Resamples: 1}); !errors.Is(err, ErrEmpty) {
		t.Errorf("no outlier detection: error %v, want ErrEmpty", err)
	}
}

func TestPairedBootstrap(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	scores := func(n int, shift float64) ImageScores {
		s := ImageScores{}
		for i := range n {
			s[data.ID(i)] = []float64{random.NormFloat64() + shift, random.NormFloat64() + shift}
		}
		return s
	}
	transform := func(s ImageScores, f func(float64) float64) ImageScores {
		out := ImageScores{}
		for id, values := range s {
			for _, v := range values {
				out[id] = append(out[id], f(v))
			}
		}
		return out
	}
	first := Sides{Inlier: scores(30, 1), Outlier: scores(20, 0)}
	b := Bootstrap{Resamples: 200, Seed: 1}

	// A monotone transformation changes no measure on any images: only where
	// both runs get the same ones is the difference always 0.
	rescaled := Sides{Inlier: transform(first.Inlier, math.Exp), Outlier: transform(first.Outlier, math.Exp)}
	got, err := PairedBootstrap(first, rescaled, b)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Difference{got.AUROC, got.AUPR, got.AUPROut, got.FPR95, got.FPR95Strict, got.DetectionError} {
		if d.Difference != 0 || d.CI95 != (Interval{}) || d.P != 1 || d.First != d.Second {
			t.Errorf("difference to a rescaled score: %+v, want 0 everywhere", d)
		}
	}

	// Turned round, AUROC a becomes 1 - a: the difference is 2a - 1 on every resample.
	negative := func(v float64) float64 { return -v }
	turned := Sides{Inlier: transform(first.Inlier, negative), Outlier: transform(first.Outlier, negative)}
	if got, err = PairedBootstrap(first, turned, b); err != nil {
		t.Fatal(err)
	}
	alone, err := BootstrapSeparation(first, b)
	if err != nil {
		t.Fatal(err)
	}
	d := got.AUROC
	testkit.Close(t, "difference", []float64{d.Second, d.Difference, d.CI95[0], d.CI95[1]},
		[]float64{1 - d.First, 2*d.First - 1, 2*alone.AUROC[0] - 1, 2*alone.AUROC[1] - 1}, 1e-12)
	if want := 2. / 201; d.P != want { // no resample has the other sign
		t.Errorf("P %g, want %g", d.P, want)
	}

	// The mean over two pairs, the second of which does not differ, is half of that on every
	// resample.
	mean, err := PairedBootstrapMean([]Sides{first, turned}, []Sides{turned, turned}, b)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "mean", []float64{mean.AUROC.Difference, mean.AUROC.CI95[0], mean.AUROC.CI95[1], mean.FPR95.CI95[0]},
		[]float64{d.Difference / 2, d.CI95[0] / 2, d.CI95[1] / 2, got.FPR95.CI95[0] / 2}, 1e-12)
	if _, err := PairedBootstrapMean([]Sides{first}, nil, b); err == nil {
		t.Error("one run against none: no error")
	}

	delete(turned.Outlier, 3)
	if _, err := PairedBootstrap(first, turned, b); err == nil || err.Error() !=
		"outlier side: the two runs were not measured on the same images (20 and 19): evaluate both on the same sets" {
		t.Errorf("error %v, want one on the images", err)
	}
}

// 3 of 4 resamples above 0: with the whole set, 2 of 5 are not.
func TestDifferenceByHand(t *testing.T) {
	d := newDifference(0.75, 0.5, []float64{0.25, -0.125, 0.5, 0.375})
	want := Difference{First: 0.75, Second: 0.5, Difference: 0.25, CI95: Interval{-0.125, 0.5}, P: 2 * 2. / 5}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("difference (-want +got):\n%s", diff)
	}
}

// Every resample is compared with EvaluateCOCO on copies of its images.
func TestBootstrapCOCOByDefinition(t *testing.T) {
	annotations, err := ReadAnnotations("testdata/gt.json", lenient.New(false))
	if err != nil {
		t.Fatal(err)
	}
	detections, err := ReadDetections("testdata/detections.json", lenient.New(false))
	if err != nil {
		t.Fatal(err)
	}
	for i := range detections { // equal scores would be ranked by the numbers of the copies
		detections[i].Score += 1e-6 * float64(i)
	}
	sample, err := newCOCOSample(annotations, detections)
	if err != nil {
		t.Fatal(err)
	}
	ids := slices.Sorted(slices.Values(annotations.ImageIDs))
	counts := make([]int32, len(ids))
	for _, drawn := range append(resamples(Bootstrap{Resamples: 12, Seed: 2}, len(ids)), [][]int{indices(len(ids))}) {
		clear(counts)
		copied := &Annotations{Categories: annotations.Categories}
		var found []Detection
		for n, image := range drawn[0] {
			counts[image]++
			id := data.ID(n)
			copied.ImageIDs = append(copied.ImageIDs, id)
			for _, o := range annotations.Objects {
				if o.ImageID == ids[image] {
					o.ImageID = id
					copied.Objects = append(copied.Objects, o)
				}
			}
			for _, d := range detections {
				if d.ImageID == ids[image] {
					d.ImageID = id
					found = append(found, d)
				}
			}
		}
		coco, err := EvaluateCOCO(copied, found)
		if err != nil {
			t.Fatal(err)
		}
		row := make([]float64, 2)
		if !sample.measure(new(cocoWork), counts, row) {
			t.Fatal("nothing is annotated")
		}
		s := coco.Stats()
		testkit.Close(t, "AP, AP50", row, []float64{s.AP, s.AP50}, 1e-12)
	}
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// Of two images with one object each the first is found: AP is 1, 51/101 or 0.
func TestBootstrapCOCOByHand(t *testing.T) {
	annotations := &Annotations{ImageIDs: []data.ID{1, 2}, Categories: []Category{{1, "thing"}}, Objects: []GroundTruth{object(1, 1, 0), object(2, 1, 0)}}
	found := Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{0, 0, 10, 10}, Score: .9}
	b := Bootstrap{Resamples: 400}
	got, err := BootstrapCOCO(annotations, []Detection{found}, b)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "intervals", append(got.AP[:], got.AP50[:]...), []float64{0, 1, 0, 1}, 1e-12)

	other := found
	other.ImageID = 2
	difference, err := PairedBootstrapCOCO(annotations, []Detection{found}, []Detection{other}, b)
	if err != nil {
		t.Fatal(err)
	}
	d := difference.AP50
	testkit.Close(t, "difference", []float64{d.First, d.Second, d.Difference, d.CI95[0], d.CI95[1]}, []float64{51. / 101, 51. / 101, 0, -1, 1}, 1e-12)
	if d.P != 1 {
		t.Errorf("P %g, want 1", d.P)
	}
	if same, err := PairedBootstrapCOCO(annotations, []Detection{found}, []Detection{found}, b); err != nil || same.AP.CI95 != (Interval{}) {
		t.Errorf("a run against itself: %+v, error %v", same, err)
	}
	other.CategoryID = 7
	if _, err := PairedBootstrapCOCO(annotations, []Detection{found}, []Detection{other}, b); err == nil || err.Error() != "run 2: detection 0: unknown category id 7" {
		t.Errorf("error %v, want the second run's", err)
	}
}
