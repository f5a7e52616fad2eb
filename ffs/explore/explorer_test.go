package explore

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/outlier"
)

// checkExplorer looks into the explorer of TestStory's run: every method, temperature and seed is there, a way begins and ends at its objects, and
// each real object is its own nearest.
func checkExplorer(t *testing.T, s *Session, synthesis *Synthesis) {
	t.Helper()
	e, err := s.Explorer()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, d := range e.Draws {
		count[d.Method]++
	}
	each := len(explorerTemperatures) * explorerSeeds
	if diff := cmp.Diff(map[string]int{outlier.MethodFlow: each, outlier.MethodLangevin: each, outlier.MethodGaussian: explorerSeeds}, count); diff != "" {
		t.Errorf("draws (-want +got):\n%s", diff)
	}
	if len(e.Real) != 2 || len(e.Crops) != len(e.Real[0].Points)+len(e.Real[1].Points) {
		t.Fatalf("%d groups, %d thumbnails", len(e.Real), len(e.Crops))
	}
	all := append(append([][]float32{}, synthesis.inliers.Rows...), synthesis.unknown[0].Rows...)
	for i, row := range all {
		if got := nearestRows(all, row, 1)[0]; got != i && cmp.Diff(all[got], row) != "" {
			t.Errorf("the nearest to object %d is %d", i, got)
		}
	}
	flow, seed1 := e.Draws[0], synthesis
	made, err := seed1.model.Synthesize(explorerDraws, 1, flow.Temperature, 1)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "NLL of the first draw", flow.NLL, made.NLL, 0)
	if len(e.Paths) == 0 {
		t.Fatal("no way through the latents")
	}
	for _, p := range e.Paths {
		n, inliers := len(p.Points), e.Real[0]
		if p.From < len(inliers.Points) {
			testkit.Close(t, p.Name+" begins", p.Points[0], inliers.Points[p.From], 1e-3*(1+math.Abs(inliers.Points[p.From][0])))
			testkit.Close(t, p.Name+" energy", p.Energy[0], inliers.Energy[p.From], 1e-3*(1+math.Abs(inliers.Energy[p.From])))
		}
		if n != pathSteps+1 {
			t.Errorf("%s has %d points", p.Name, n)
		}
	}
	s.ShowExplorer("explorer", e)
	if page, err := os.Stat(filepath.Join(s.Out, "figures", "explorer.html")); err != nil || page.Size() < 1000 {
		t.Errorf("explorer.html: %v", err)
	}
}

func TestNearestRows(t *testing.T) {
	rows := [][]float32{{3, 0}, {0, 0}, {1, 1}, {0, 0}}
	if diff := cmp.Diff([]int{1, 3, 2}, nearestRows(rows, []float32{0.1, 0}, 3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := nearestRows(rows, []float32{9, 9}, 10); len(got) != 4 || got[0] != 0 {
		t.Errorf("of four rows %v", got)
	}
}

func TestGaussiansOfFeatures(t *testing.T) {
	classes := [][][]float64{{{0, 0, 1}, {2, 0, 1}}, {}, {{10, 5, 1}, {10, 7, 1}}} // the third coordinate never varies
	fitted := fitGaussians(classes)
	if _, _, err := fitted.draw(1, rand.New(rand.NewPCG(1, 0))); err == nil {
		t.Error("a flat covariance gives draws")
	}
	wide := fitted.widened(1e-4)
	testkit.Close(t, "means", wide.means[1], []float64{10, 6, 1}, 1e-12)
	testkit.Close(t, "variance that is none", wide.covariance.At(2, 2), 1e-4, 1e-15)
	if fitted.covariance.At(2, 2) != 0 {
		t.Error("widened changed what it widens")
	}
	points, nll, err := wide.draw(5, rand.New(rand.NewPCG(1, 0)))
	if err != nil || len(points) != 10 || len(nll) != 10 {
		t.Fatalf("%d points, %d NLL, %v; want 10 of each", len(points), len(nll), err)
	}
	own, err := wide.nll(classes)
	if err != nil || len(own) != 4 {
		t.Fatalf("%d NLL, %v; want 4", len(own), err)
	}
	// Both points of a class lie equally far from their mean, and so do those of both classes by symmetry.
	testkit.Close(t, "NLL", own, []float64{own[0], own[0], own[0], own[0]}, 1e-9)
}

func TestSquareKeepsTheProportions(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 10))
	for i := range img.Pix {
		img.Pix[i] = 0xFF
	}
	out := square(img, 20)
	at := func(x, y int) color.RGBA { return out.At(x, y).(color.RGBA) }
	if out.Bounds() != image.Rect(0, 0, 20, 20) || at(10, 2).R != 0xE6 || at(10, 10).R != 0xFF || at(10, 17).R != 0xE6 {
		t.Errorf("bounds %v, colours %v, %v, %v", out.Bounds(), at(10, 2), at(10, 10), at(10, 17))
	}
}
