package explore

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/outlier"
	"ffslab/viz/explorer"
)

// checkExplorer looks into the explorer of TestStory's run: every method, temperature and seed is
// there, ways begin and end at their objects, the mean features' energies stand in their surfaces,
// and the nearest to a draw are.
func checkExplorer(t *testing.T, s *Session, synthesis *Synthesis) {
	t.Helper()
	page, err := s.Explorer()
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	var objects []explorer.Object
	for _, g := range page.Groups {
		groups, objects = append(groups, g.Name), append(objects, g.Objects...)
	}
	if diff := cmp.Diff([]string{"red", "blue", "squares:ood"}, groups); diff != "" || len(objects) != 8+6 {
		t.Fatalf("%d objects; groups (-want +got):\n%s", len(objects), diff)
	}
	var methods []string
	for _, m := range page.Draws.Methods {
		methods = append(methods, m.Name)
	}
	if diff := cmp.Diff([]string{outlier.MethodFlow, outlier.MethodLangevin, outlier.MethodGaussian}, methods); diff != "" {
		t.Fatalf("methods (-want +got):\n%s", diff)
	}
	const temperature, seed = 2, 1
	made, err := synthesis.model.Draw(t.Context(), outlier.MethodFlow, explorerDraws, explorerTemperatures[temperature], page.Draws.Seeds[seed])
	if err != nil {
		t.Fatal(err)
	}
	draws := page.Draws.Methods[0].Samples[temperature][seed]
	fresh, err := page.Source.Draw(t.Context(), outlier.MethodFlow, 50, explorerTemperatures[temperature], page.Draws.Seeds[seed])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(draws[:50], fresh, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("50 fresh draws are not the first of the stored ones (-stored +fresh):\n%s", diff)
	}
	rows := objectRows(synthesis)
	checkColumns(t, page, synthesis, rows)
	for i, sample := range draws {
		if sample.NLL != made.NLL[i] || sample.Energy != made.Scores[i].Energy {
			t.Fatalf("draw %d has NLL %v and energy %v, want %v and %v", i, sample.NLL, sample.Energy, made.NLL[i], made.Scores[i].Energy)
		}
		last := 0.0
		for k, object := range sample.Nearest {
			distance := squaredDistance(rows[object], made.Features[i])
			if distance < last-1e-4*(1+last) {
				t.Errorf("draw %d: object %d, the %d-th nearest, lies nearer than the one before", i, object, k+1)
			}
			last = distance
		}
		for object, row := range rows {
			if k := len(sample.Nearest); k != explorerNear {
				t.Fatalf("draw %d has %d nearest objects", i, k)
			} else if d := squaredDistance(row, made.Features[i]); d < last-1e-4*(1+last) && !slices.Contains(sample.Nearest, object) {
				t.Errorf("draw %d: object %d lies nearer than the nearest", i, object)
			}
		}
	}
	if len(page.Paths) != 3 {
		t.Fatalf("%d ways, want one between each pair of two classes and a set", len(page.Paths))
	}
	for i, p := range page.Paths {
		for end, object := range map[int]int{0: p.From, pathSteps: p.To} {
			want, got := objects[object], p.Steps[end]
			testkit.Close(t, "way's end", append(got.Position, got.Energy, p.Straight[end]), append(want.Position, want.Energy, want.Energy), 1e-3)
			testkit.Close(t, "NLL at a way's end", got.NLL, want.NLL, 1e-3)
			if rows[got.Nearest[0]] == nil || squaredDistance(rows[got.Nearest[0]], rows[object]) > 1e-6 {
				t.Errorf("way %d, step %d: the nearest object is %d, want its end %d", i, end, got.Nearest[0], object)
			}
		}
	}
	if len(page.Surfaces) != 1 {
		t.Fatalf("%d surfaces, want the one through three means", len(page.Surfaces))
	}
	s.ShowExplorer("explorer", page)
	if file, err := os.Stat(filepath.Join(s.Out, "figures", "explorer.html")); err != nil || file.Size() > 6_000_000 {
		t.Errorf("explorer.html, of at most 6 MB: %v", err)
	}
}

// objectRows are the features of the objects in the page's order.
func objectRows(synthesis *Synthesis) [][]float32 {
	var rows [][]float32
	for class := range synthesis.inliers.Classes {
		for i, row := range synthesis.inliers.Rows {
			if synthesis.inliers.Class[i] == class {
				rows = append(rows, row)
			}
		}
	}
	return append(rows, synthesis.unknown[0].Rows...)
}

// checkColumns computes the distance to the nearest inlier anew, and looks for the other numbers of
// objects.
func checkColumns(t *testing.T, page *explorer.Page, synthesis *Synthesis, rows [][]float32) {
	t.Helper()
	at := 0
	for _, g := range page.Groups {
		for _, o := range g.Objects {
			least := math.Inf(1)
			for _, inlier := range synthesis.inliers.Rows {
				if &inlier[0] != &rows[at][0] {
					least = min(least, math.Sqrt(squaredDistance(inlier, rows[at])))
				}
			}
			testkit.Close(t, "distance to the nearest inlier", o.Values[inlierDistance], least, 1e-3*(1+least))
			for i, v := range o.Values {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("object %d: %s is %v", at, page.Columns[i].Name, v)
				}
			}
			if len(o.Nearest) != explorerNear || slices.Contains(o.Nearest, at) {
				t.Errorf("object %d: nearest %v", at, o.Nearest)
			}
			if picture := page.Pictures[o.Picture]; picture.Width != 64 || picture.Height != 64 || o.Box[2] > 64 || o.Source == "" {
				t.Errorf("object %d: box %v in %q of %dx%d", at, o.Box, o.Source, picture.Width, picture.Height)
			}
			at++
		}
	}
	for _, name := range []string{"t-SNE 1", distanceName, "weighted_energy", "msp", "knn"} {
		if !slices.ContainsFunc(page.Columns, func(c explorer.Column) bool { return c.Name == name }) {
			t.Errorf("there is no column %q among %v", name, page.Columns)
		}
	}
	if first := page.Draws.Methods[1].Samples[startTemperature()][0][0]; math.IsNaN(first.Values[mapX]) {
		t.Error("a draw that the page starts with has no place by t-SNE")
	}
}

func squaredDistance(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum
}

func TestNearestFinder(t *testing.T) {
	rows := [][]float32{{3, 0}, {0, 0}, {1, 1}, {0, 0}}
	finder := newNearestFinder(rows)
	if diff := cmp.Diff([][]int{{1, 3, 2}, {0, 2, 1}}, finder.find([][]float32{{0.1, 0}, {9, 4}}, 3)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := finder.find([][]float32{{9, 9}}, 10)[0]; len(got) != 4 {
		t.Errorf("of four rows %v", got)
	}
}

// On the great circle the length goes evenly from one to the other, and so does the angle.
func TestBetween(t *testing.T) {
	a, b := []float32{2, 0, 0}, []float32{0, 4, 0}
	for _, test := range []struct {
		a, b []float32
		t    float64
		want []float64
	}{
		{a, b, 0, []float64{2, 0, 0}},
		{a, b, 1, []float64{0, 4, 0}},
		{a, b, 0.5, []float64{3 / math.Sqrt2, 3 / math.Sqrt2, 0}},
		{a, b, 1. / 3, []float64{8. / 3 * math.Cos(math.Pi/6), 8. / 3 * math.Sin(math.Pi/6), 0}},
		{a, []float32{6, 0, 0}, 0.25, []float64{3, 0, 0}},
		{a, []float32{-2, 0, 0}, 0.25, []float64{1, 0, 0}},
		{a, []float32{0, 0, 0}, 0.25, []float64{1.5, 0, 0}},
	} {
		testkit.Close(t, "latent", between(test.a, test.b, test.t), test.want, 1e-6)
	}
}

func TestMeansPlane(t *testing.T) {
	corners := [][]float64{{1, 2, 3, 4}, {4, 2, 3, 0}, {1, 7, 3, 4}}
	p, ok := newMeansPlane(corners[0], corners[1], corners[2])
	if !ok {
		t.Fatal("no plane through three points")
	}
	for i, c := range p.corners {
		testkit.Close(t, "corner", p.at(c[0], c[1]), corners[i], 1e-9)
	}
	if x, y := p.window(); x != [2]float64{-2.5, 7.5} || y != [2]float64{-2.5, 7.5} {
		t.Errorf("window %v by %v, want -2.5 to 7.5 twice", x, y)
	}
	if _, ok := newMeansPlane(corners[0], corners[1], []float64{2.5, 2, 3, 2}); ok {
		t.Error("a plane through points on a line")
	}
	if _, ok := newMeansPlane(corners[0], corners[0], corners[1]); ok {
		t.Error("a plane through two points")
	}
}

func TestEvenly(t *testing.T) {
	if diff := cmp.Diff([][]int{{0, 2, 5, 7}, {0, 1, 2}, {}}, [][]int{evenly(10, 4), evenly(3, 9), evenly(0, 3)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
