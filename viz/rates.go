package viz

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// ROCCurve is how well one score tells inliers from unknown objects, threshold by threshold. The positive
// class is the inliers.
type ROCCurve struct {
	Name     string
	FPR, TPR []float64 // false and true positive rate in [0, 1], both ascending, from (0, 0) to (1, 1)
	AUROC    float64   // area under the curve, shown in the legend
	FPR95    float64   // false positive rate of the operating point, marked at TPR 0.95
	Color    Color
}

// NewROCCurve computes the curve of a score from its values on inliers and on unknown objects; higher means
// more inlier. A threshold accepts values that are equal to it; equal values enter together, as one slanted
// step, so that AUROC counts a tie as half. FPR95 is the rate at the first, that is the highest, threshold
// whose TPR reaches 0.95. Protocols that take another convention set the fields themselves. It fails for an
// empty side or a NaN.
func NewROCCurve(name string, inlier, unknown []float64) (ROCCurve, error) {
	tp, fp, err := sweep("ROC", name, inlier, unknown)
	if err != nil {
		return ROCCurve{}, err
	}
	c := ROCCurve{Name: name, FPR: make([]float64, len(tp)), TPR: make([]float64, len(tp)), FPR95: -1}
	for i := range tp {
		c.TPR[i] = float64(tp[i]) / float64(len(inlier))
		c.FPR[i] = float64(fp[i]) / float64(len(unknown))
		if i > 0 {
			c.AUROC += (c.FPR[i] - c.FPR[i-1]) * (c.TPR[i] + c.TPR[i-1]) / 2
		}
		if c.FPR95 < 0 && 100*tp[i] >= 95*len(inlier) {
			c.FPR95 = c.FPR[i]
		}
	}
	return c, nil
}

// PRCurve is precision against recall of one score, the positive class being the inliers.
type PRCurve struct {
	Name              string
	Recall, Precision []float64 // in [0, 1], recall ascending
	AUPR              float64   // average precision, shown in the legend
	Color             Color
}

// NewPRCurve computes the curve of a score; higher means more positive. Equal values enter together. AUPR is
// average precision: the sum over thresholds of precision times the step in recall. To call the unknown the
// positive class, swap the sides and negate the score. It fails for an empty side or a NaN.
func NewPRCurve(name string, positive, negative []float64) (PRCurve, error) {
	tp, fp, err := sweep("precision-recall", name, positive, negative)
	if err != nil {
		return PRCurve{}, err
	}
	c := PRCurve{Name: name}
	for i := 1; i < len(tp); i++ {
		c.Recall = append(c.Recall, float64(tp[i])/float64(len(positive)))
		c.Precision = append(c.Precision, float64(tp[i])/float64(tp[i]+fp[i]))
		c.AUPR += float64(tp[i]-tp[i-1]) / float64(len(positive)) * c.Precision[i-1]
	}
	return c, nil
}

// operating returns the point of the curve that belongs to the highest threshold whose recall reaches 0.95, false
// for a curve that ends before.
func (c PRCurve) operating() (recall, precision float64, ok bool) {
	i := slices.IndexFunc(c.Recall, func(r float64) bool { return r >= 0.95 })
	if i < 0 {
		return 0, 0, false
	}
	return c.Recall[i], c.Precision[i], true
}

// sweep lowers a threshold over all distinct values and counts the positives and negatives at or above it.
// The first entry is 0, 0.
func sweep(kind, name string, positive, negative []float64) (tp, fp []int, err error) {
	type scored struct {
		value    float64
		positive bool
	}
	if len(positive) == 0 || len(negative) == 0 {
		return nil, nil, fmt.Errorf("viz: %s of %q: %d positive and %d negative values: both sides need some",
			kind, name, len(positive), len(negative))
	}
	all := make([]scored, 0, len(positive)+len(negative))
	for side, values := range [][]float64{positive, negative} {
		for i, v := range values {
			if math.IsNaN(v) {
				return nil, nil, fmt.Errorf("viz: %s of %q: value %d of side %d is NaN: leave it out", kind, name, i, side)
			}
			all = append(all, scored{v, side == 0})
		}
	}
	slices.SortFunc(all, func(a, b scored) int {
		switch {
		case a.value > b.value:
			return -1
		case a.value < b.value:
			return 1
		}
		return 0
	})
	tp, fp = []int{0}, []int{0}
	t, f := 0, 0
	for i, s := range all {
		if s.positive {
			t++
		} else {
			f++
		}
		if i+1 == len(all) || all[i+1].value != s.value {
			tp, fp = append(tp, t), append(fp, f)
		}
	}
	return tp, fp, nil
}

// ROC is a figure of receiver operating characteristics. The diagonal is chance; each curve's point at 95 %
// true positives is marked.
type ROC struct {
	Title  string
	Curves []ROCCurve
}

// Figure draws the curves in a square. The CSV has the columns score, fpr, tpr. It fails for no curve,
// unequal coordinates, and rates outside [0, 1].
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

// PrecisionRecall is a figure of precision-recall curves. Of each curve the operating point is marked: that of the
// highest threshold whose recall reaches 95 %, as in [ROC] if the positive class is the inliers.
type PrecisionRecall struct {
	Title  string
	Curves []PRCurve
}

// Figure draws the curves in a square. The CSV has the columns score, recall, precision. It fails for no
// curve, unequal coordinates, and values outside [0, 1].
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

// rateHeight is the height in centimetres that leaves about a square under a legend of n rows; a figure grows by itself from the third one on.
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
