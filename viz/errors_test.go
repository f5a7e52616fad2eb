package viz

import (
	"image"
	"math"
	"strings"
	"testing"
)

// Bad input gives an error of one line that says what is wrong, and no figure.
func TestBadInput(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	img := image.NewGray(image.Rect(0, 0, 9, 9))
	for name, c := range map[string]struct {
		make func() (*Figure, error)
		want string
	}{
		"no curves":       {Curves{}.Figure, "no series"},
		"unequal":         {Curves{Series: []Series{{Name: "loss", X: []float64{1}}}}.Figure, `curve "loss": 1 values of x but 0 of y`},
		"descending":      {Curves{Series: []Series{{Name: "loss", X: []float64{2, 1}, Y: []float64{0, 0}}}}.Figure, "sort"},
		"log of negative": {Curves{LogY: true, Series: []Series{{Name: "nll", X: []float64{1}, Y: []float64{-1}}}}.Figure, `"nll": none of its 1 values`},
		"smoothing":       {Curves{Smooth: 1, Series: []Series{{}}}.Figure, "[0, 1)"},
		"mark":            {Curves{Series: []Series{{X: []float64{1}, Y: []float64{1}}}, Marks: []Mark{{At: nan, Label: "m"}}}.Figure, `mark "m"`},
		"no groups":       {Histogram{}.Figure, "no groups"},
		"nothing finite":  {Histogram{Groups: []Group{{Name: "g", Values: []float64{nan, inf}}}}.Figure, `"g": none of its 2 values`},
		"range":           {Histogram{Range: [2]float64{2, 1}, Groups: []Group{{Values: []float64{1}}}}.Figure, "range [2, 1]"},
		"out of range":    {Histogram{Range: [2]float64{2, 3}, Groups: []Group{{Values: []float64{1}}}}.Figure, "widen"},
		"log of zero":     {Histogram{LogX: true, Groups: []Group{{Values: []float64{0, 1}}}}.Figure, "logarithmic axis"},
		"labels":          {Scatter{Groups: []Points{{Name: "p", X: []float64{1}, Y: []float64{1}, Labels: []string{"a", "b"}}}}.Figure, "2 labels for 1 points"},
		"log of a point":  {Scatter{LogY: true, Groups: []Points{{Name: "p", X: []float64{1}, Y: []float64{-1}}}}.Figure, "logarithmic axis"},
		"no ROC":          {ROC{}.Figure, "no curves"},
		"rates":           {ROC{Curves: []ROCCurve{{Name: "e", FPR: []float64{0}, TPR: []float64{95}}}}.Figure, `"e": point 0 is (0, 95)`},
		"no PR":           {PrecisionRecall{}.Figure, "no curves"},
		"empty QQ":        {QQ{Groups: []Group{{Name: "z"}}}.Figure, `"z": none of its 0 values`},
		"latents":         {Latents{Groups: []Latent{{Name: "z", Z: [][]float64{{1, 2}, {1}}}}}.Figure, "vector 1 has 1 coordinates"},
		"no points":       {Scatter{}.Figure, "nothing to draw"},
		"point":           {Scatter{Groups: []Points{{Name: "p", X: []float64{nan}, Y: []float64{0}}}}.Figure, `"p": point 0`},
		"scatter range":   {Scatter{XRange: [2]float64{1, 1}, Groups: []Points{{}}}.Figure, "range [1 1]"},
		"Gaussian":        {Scatter{Gaussians: []Gaussian{{Name: "g", Cov: [2][2]float64{{1, 2}, {2, 1}}}}}.Figure, "positive definite"},
		"density":         {Scatter{Densities: []Density{{Name: "d", X: []float64{1}}}}.Figure, "3 lines"},
		"zero density":    {Scatter{Densities: []Density{{Name: "d", X: []float64{1, 2, 3}, Y: []float64{1, 2, 3}, LogP: [][]float64{{-inf, -inf, -inf}, {-inf, -inf, -inf}, {-inf, -inf, -inf}}}}}.Figure, "zero everywhere"},
		"bars":            {Bars{Categories: []string{"a", "b"}, Groups: []BarGroup{{Name: "g", Values: []float64{1}}}}.Figure, "1 values and 0 errors for 2 categories"},
		"negative error":  {Bars{Categories: []string{"a"}, Groups: []BarGroup{{Values: []float64{1}, Errors: []float64{-1}}}}.Figure, "cannot be drawn"},
		"no boxes":        {BoxPlot{}.Figure, "no groups"},
		"no rows":         {Intervals{}.Figure, "one row"},
		"a row too few":   {Intervals{Rows: []string{"a", "b"}, Series: []IntervalSeries{{Name: "s", Values: []float64{1}}}}.Figure, `"s": 1 values`},
		"endless":         {Intervals{Rows: []string{"a"}, Series: []IntervalSeries{{Name: "s", Values: []float64{1}, Low: []float64{math.Inf(-1)}, High: []float64{2}}}}.Figure, `"a"`},
		"inverted box": {func() (*Figure, error) {
			return Detections(img, []Box{{}, {Label: "cat", XYXY: [4]float64{5, 0, 1, 2}}})
		}, "box 1 (cat)"},
		"NaN box":           {func() (*Figure, error) { return Detections(img, []Box{{XYXY: [4]float64{0, 0, nan, 2}}}) }, "box 0"},
		"captions":          {func() (*Figure, error) { return ContactSheet([]image.Image{img}, []string{"a", "b"}, 2) }, "2 captions for 1 images"},
		"nil image":         {func() (*Figure, error) { return ContactSheet([]image.Image{img, nil}, nil, 2) }, "image 1"},
		"no columns":        {func() (*Figure, error) { return Grid(0) }, "column"},
		"nil panel":         {func() (*Figure, error) { return Grid(1, nil) }, "figure 0"},
		"no bins":           {Reliability{}.Figure, "no bins"},
		"empty bin":         {Reliability{Bins: []ReliabilityBin{{High: 1}}}.Figure, "bin 0 has 0 detections"},
		"overlapping bins":  {Reliability{Bins: []ReliabilityBin{{0, 0.5, 1, 0.2, 0}, {0.4, 1, 1, 0.2, 0}}}.Figure, "bin 1 is [0.4, 1]"},
		"precision":         {Reliability{Bins: []ReliabilityBin{{0, 0.5, 1, 0.2, nan}}}.Figure, "precision NaN"},
		"no confusion":      {Confusion{}.Figure, "one row and one column"},
		"confusion rows":    {Confusion{Rows: []string{"a"}, Columns: []string{"b"}}.Figure, "0 rows of counts and 0 of what is missed for 1 names"},
		"confusion columns": {Confusion{Rows: []string{"a"}, Columns: []string{"b"}, Counts: [][]int{{1, 2}}}.Figure, `row "a" has 2 counts for 1 columns`},
		"confusion counts":  {Confusion{Rows: []string{"a"}, Columns: []string{"b"}, Counts: [][]int{{1}}, Missed: []int{-1}}.Figure, `row "a" has a negative`},
		"no surface":        {Surface{}.Figure, "3 lines"},
		"uneven surface":    {Surface{X: []float64{0, 1, 3}, Y: []float64{0, 1, 2}, Z: make([][]float64, 3)}.Figure, "line 1 is at 1"},
		"surface row":       {Surface{X: []float64{0, 1, 2}, Y: []float64{0, 1, 2}, Z: make([][]float64, 3)}.Figure, "row 0 has 0 values"},
		"surface value":     {Surface{X: []float64{0, 1, 2}, Y: []float64{0, 1, 2}, Z: [][]float64{{0, inf, 0}, {0, 0, 0}, {0, 0, 0}}}.Figure, "value at (1, 0) is +Inf"},
		"surface of few": {func() (*Figure, error) {
			_, err := NewSurface([2]float64{0, 1}, [2]float64{0, 1}, 3, func([][]float64) ([]float64, error) { return nil, nil })
			return nil, err
		}, "0 values for 9 points"},
		"t-SNE of few":        {func() (*Figure, error) { _, err := TSNE([][]float64{{1}, {2}, {3}}, TSNEOptions{}); return nil, err }, "3 rows"},
		"t-SNE of ragged":     {func() (*Figure, error) { _, err := TSNE([][]float64{{1}, {2, 1}}, TSNEOptions{}); return nil, err }, "row 1 has 2"},
		"t-SNE of equal rows": {func() (*Figure, error) { _, err := TSNE(make4(1), TSNEOptions{}); return nil, err }, "equal"},
		"perplexity":          {func() (*Figure, error) { _, err := TSNE(make4(2), TSNEOptions{Perplexity: 2}); return nil, err }, "choose 1 to 1"},
		"iterations":          {func() (*Figure, error) { _, err := TSNE(make4(2), TSNEOptions{Iterations: -1}); return nil, err }, "-1 iterations"},
		"embedded rows": {func() (*Figure, error) {
			_, err := (&Embedding{XY: make([][2]float64, 3)}).Points("g", 2, 4)
			return nil, err
		}, `"g": rows 2 to 4 of 3`},
		"PCA of few":        {func() (*Figure, error) { _, err := PCA([][]float64{{1, 2}}, 1); return nil, err }, "two rows"},
		"PCA of a point":    {func() (*Figure, error) { _, err := PCA([][]float64{{1, 2}, {1, 2}}, 1); return nil, err }, "equal"},
		"PCA of ragged":     {func() (*Figure, error) { _, err := PCA([][]float64{{1, 2}, {1}}, 1); return nil, err }, "row 1 has 1"},
		"PCA of non-finite": {func() (*Figure, error) { _, err := PCA([][]float64{{1, 2}, {1, inf}}, 1); return nil, err }, "row 1, column 1"},
	} {
		f, err := c.make()
		switch {
		case err == nil:
			t.Errorf("%s: no error", name)
		case f != nil:
			t.Errorf("%s: a figure beside an error", name)
		case !strings.HasPrefix(err.Error(), "viz: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: the error %q should contain %q", name, err, c.want)
		}
	}
}

// make4 is a matrix of four rows, the last of which has a last entry that may differ from the
// others'.
func make4(last float64) [][]float64 { return [][]float64{{1, 1}, {1, 1}, {1, 1}, {1, last}} }

// What looks degenerate but is legal gets drawn: one value, equal values, marks outside the data.
func TestDegenerate(t *testing.T) {
	for name, make := range map[string]func() (*Figure, error){
		"one point":    Curves{Series: []Series{{Name: "a", X: []float64{5}, Y: []float64{0}}}}.Figure,
		"constant log": Curves{LogY: true, Smooth: 0.5, Series: []Series{{Name: "a", X: []float64{1, 2}, Y: []float64{3, 3}}}}.Figure,
		"far mark":     Curves{Series: []Series{{Name: "a", X: []float64{1, 2}, Y: []float64{3, 3}}}, Marks: []Mark{{At: 1e6}}}.Figure,
		"one value":    Histogram{Groups: []Group{{Name: "a", Values: []float64{7}}}}.Figure,
		"one quantile": QQ{Groups: []Group{{Name: "a", Values: []float64{7}}}}.Figure,
		"one scatter":  Scatter{Equal: true, Groups: []Points{{Name: "a", X: []float64{7}, Y: []float64{7}}}}.Figure,
		"zero bars":    Bars{Categories: []string{"a"}, Groups: []BarGroup{{Values: []float64{0}}}}.Figure,
		"no bars":      Bars{Categories: []string{"a"}, Groups: []BarGroup{{Values: []float64{math.NaN()}}}}.Figure,
		"one row":      Intervals{Rows: []string{"a"}, Series: []IntervalSeries{{Name: "s", Values: []float64{7}}}}.Figure,
		"a gap":        Intervals{Rows: []string{"a", "b"}, Series: []IntervalSeries{{Name: "s", Values: []float64{math.NaN(), 1}, Low: []float64{0, 0}, High: []float64{2, 2}}}}.Figure,
		"one box":      BoxPlot{Groups: []Group{{Name: "a", Values: []float64{7}}}}.Figure,
		"empty group":  Scatter{Groups: []Points{{Name: "a"}, {Name: "b", X: []float64{7}, Y: []float64{7}}}}.Figure,
		"one bin":      Reliability{Bins: []ReliabilityBin{{0, 1, 1, 0, 1}}}.Figure,
		"empty row":    Confusion{Rows: []string{"a"}, Columns: []string{"b"}, Counts: [][]int{{0}}}.Figure,
		"only missed":  Confusion{Rows: []string{"a"}, Counts: [][]int{{}}, Missed: []int{3}}.Figure,
		"flat surface": Surface{X: []float64{0, 1, 2}, Y: []float64{0, 1, 2}, Z: [][]float64{{7, 7, 7}, {7, 7, 7}, {7, 7, 7}}}.Figure,
		"only empty":   Scatter{Groups: []Points{{Name: "a"}}}.Figure,
	} {
		f, err := make()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		svg, err := f.SVG()
		if err != nil || strings.Contains(string(svg), "NaN") || strings.Contains(string(svg), "Inf") {
			t.Errorf("%s: error %v, or coordinates that are not numbers", name, err)
		}
	}
}
