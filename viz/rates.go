package viz

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// ROCCurve is how well one score tells inliers from unknown objects, threshold by threshold. The
// positive class is the inliers.
type ROCCurve struct {
	Name     string
	FPR, TPR []float64 // false and true positive rate in [0, 1], both ascending, from (0, 0) to (1, 1)
	AUROC    float64   // area under the curve, shown in the legend
	FPR95    float64   // false positive rate of the operating point, marked at TPR 0.95
	Color    Color
}

// PRCurve is precision against recall of one score, the positive class being the inliers.
type PRCurve struct {
	Name              string
	Recall, Precision []float64 // in [0, 1], recall ascending
	AUPR              float64   // average precision, shown in the legend
	Color             Color
}

// operating returns the point of the curve that belongs to the highest threshold whose recall
// reaches 0.95, false for a curve that ends before.
func (c PRCurve) operating() (recall, precision float64, ok bool) {
	i := slices.IndexFunc(c.Recall, func(r float64) bool { return r >= 0.95 })
	if i < 0 {
		return 0, 0, false
	}
	return c.Recall[i], c.Precision[i], true
}

// ROC is a figure of receiver operating characteristics. The diagonal is chance; each curve's point
// at 95 % true positives is marked.
type ROC struct {
	Title  string
	Curves []ROCCurve
}

// Figure draws the curves in a square. The CSV has the columns score, fpr, tpr. It fails for no
// curve, unequal coordinates, and rates outside [0, 1].
func (r ROC) Figure() (*Figure, error) {
	if len(r.Curves) == 0 {
		return nil, errors.New("viz: ROC: no curves: give at least one")
	}
	p := unitSquare(r.Title, "false positive rate (unknown taken for inlier)", "true positive rate (inlier kept)")
	chance := dashed(draw.LineStyle{Color: palette[Grey], Width: 0.6})
	p.axes.Add(&plotter.Line{XYs: points([]float64{0, 1}, []float64{0, 1}), LineStyle: chance})
	p.axes.Add(&plotter.Line{XYs: points([]float64{0, 1}, []float64{0.95, 0.95}), LineStyle: chance})
	data := table{header: []string{"score", "fpr", "tpr"}}
	for i, c := range r.Curves {
		if err := checkRates("ROC curve", c.Name, "FPR", "TPR", c.FPR, c.TPR); err != nil {
			return nil, err
		}
		for j := range c.FPR {
			data.add(c.Name, c.FPR[j], c.TPR[j])
		}
		style := line(c.Color.resolve(i))
		p.axes.Add(&plotter.Line{XYs: thin(points(c.FPR, c.TPR)), LineStyle: style})
		dot := draw.GlyphStyle{Color: style.Color, Radius: 2.2, Shape: draw.CircleGlyph{}}
		p.axes.Add(&plotter.Scatter{XYs: plotter.XYs{{X: c.FPR95, Y: 0.95}}, GlyphStyle: dot})
		p.explain(fmt.Sprintf("%s: AUROC %.1f %%, FPR95 %.1f %%", c.Name, 100*c.AUROC, 100*c.FPR95), lineSample(style))
	}
	return p.figure(rateHeight(len(r.Curves)), data), nil
}

// PrecisionRecall is a figure of precision-recall curves. Of each curve the operating point is
// marked: that of the highest threshold whose recall reaches 95 %, as in [ROC] if the positive
// class is the inliers.
type PrecisionRecall struct {
	Title  string
	Curves []PRCurve
}

// Figure draws the curves in a square. The CSV has the columns score, recall, precision. It fails
// for no curve, unequal coordinates, and values outside [0, 1].
func (r PrecisionRecall) Figure() (*Figure, error) {
	if len(r.Curves) == 0 {
		return nil, errors.New("viz: precision-recall: no curves: give at least one")
	}
	p := unitSquare(r.Title, "recall", "precision")
	data := table{header: []string{"score", "recall", "precision"}}
	for i, c := range r.Curves {
		if err := checkRates("precision-recall curve", c.Name, "recall", "precision", c.Recall, c.Precision); err != nil {
			return nil, err
		}
		for j := range c.Recall {
			data.add(c.Name, c.Recall[j], c.Precision[j])
		}
		style := line(c.Color.resolve(i))
		p.axes.Add(&plotter.Line{XYs: thin(points(c.Recall, c.Precision)), LineStyle: style})
		label := fmt.Sprintf("%s: AUPR %.1f %%", c.Name, 100*c.AUPR)
		if recall, precision, ok := c.operating(); ok {
			dot := draw.GlyphStyle{Color: style.Color, Radius: 2.2, Shape: draw.CircleGlyph{}}
			p.axes.Add(&plotter.Scatter{XYs: plotter.XYs{{X: recall, Y: precision}}, GlyphStyle: dot})
			label += fmt.Sprintf(", precision %.1f %% at recall 95 %%", 100*precision)
		}
		p.explain(label, lineSample(style))
	}
	return p.figure(rateHeight(len(r.Curves)), data), nil
}

// unitSquare is a panel whose axes both run from 0 to 1.
func unitSquare(title, xLabel, yLabel string) *panel {
	p := &panel{title: title, axes: newPlot(xLabel, yLabel)}
	p.axes.X.Min, p.axes.X.Max, p.axes.Y.Min, p.axes.Y.Max = 0, 1, 0, 1
	return p
}

// rateHeight is the height in centimetres that leaves about a square under a legend of n rows; a
// figure becomes higher from the third one on.
func rateHeight(n int) float64 { return 8 + 0.35*float64(min(n, legendRows)) }

func checkRates(kind, name, xName, yName string, x, y []float64) error {
	if err := sameLength(kind, name, xName, yName, x, y); err != nil {
		return err
	}
	if len(x) == 0 {
		return fmt.Errorf("viz: %s %q is empty: leave it out", kind, name)
	}
	for i := range x {
		if !(x[i] >= 0 && x[i] <= 1 && y[i] >= 0 && y[i] <= 1) {
			return fmt.Errorf("viz: %s %q: point %d is (%v, %v): rates lie in [0, 1]", kind, name, i, x[i], y[i])
		}
	}
	return nil
}
