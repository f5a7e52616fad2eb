package explore

import (
	"errors"
	"fmt"

	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run/curves"
	"ffslab/viz"
)

// ROC draws receiver operating characteristics for each outlier set: how well the energies of all
// runs, and the other scores of the first run, separate detections there from those on the inlier
// set.
func ROC(evaluations []*protocol.Evaluation) (*viz.Figure, error) {
	return eachOutlierSet(evaluations, "Receiver operating characteristics: detections on the inlier set (positives) against those on an outlier set. One panel for each outlier set, one colour for each run and score. The dots mark 95 % true positives, where FPR95 is read; the diagonal is chance.",
		func(title string, comparisons []comparison) (*viz.Figure, error) {
			figure := viz.ROC{Title: title}
			for _, c := range comparisons {
				curve := viz.ROCCurve{Name: c.name, FPR: []float64{0}, TPR: []float64{0}, AUROC: c.separation.AUROC, FPR95: c.separation.FPR95, Color: c.color}
				for _, p := range c.points {
					curve.FPR = append(curve.FPR, float64(p.Outlier)/float64(c.outliers))
					curve.TPR = append(curve.TPR, float64(p.Inlier)/float64(c.inliers))
				}
				figure.Curves = append(figure.Curves, curve)
			}
			return figure.Figure()
		})
}

// PrecisionRecall draws the comparisons of [ROC] as precision against recall of the inliers.
func PrecisionRecall(evaluations []*protocol.Evaluation) (*viz.Figure, error) {
	return eachOutlierSet(evaluations, "Precision against recall; detections on the inlier set are the positives. One panel for each outlier set, one colour for each run and score. The dots mark 95 % recall.",
		func(title string, comparisons []comparison) (*viz.Figure, error) {
			figure := viz.PrecisionRecall{Title: title}
			for _, c := range comparisons {
				curve := viz.PRCurve{Name: c.name, AUPR: c.separation.AUPR, Color: c.color}
				for _, p := range c.points {
					curve.Recall = append(curve.Recall, float64(p.Inlier)/float64(c.inliers))
					curve.Precision = append(curve.Precision, float64(p.Inlier)/float64(p.Inlier+p.Outlier))
				}
				figure.Curves = append(figure.Curves, curve)
			}
			return figure.Figure()
		})
}

// comparison compares one score on the inlier set and on an outlier set.
type comparison struct {
	name              string
	color             viz.Color
	inliers, outliers int
	points            []eval.OperatingPoint
	separation        eval.Separation
}

// eachOutlierSet draws one panel for each outlier set with detections to compare.
func eachOutlierSet(evaluations []*protocol.Evaluation, caption string, draw func(title string, c []comparison) (*viz.Figure, error)) (*viz.Figure, error) {
	sets := evaluations[0].Sets
	if len(sets) == 1 {
		return nil, nothing("no outlier set was named (data.ood)")
	}
	var panels []*viz.Figure
	for i := 1; i < len(sets); i++ {
		comparisons, err := compareOn(evaluations, i)
		if err != nil {
			return nil, err
		}
		if len(comparisons) == 0 {
			continue
		}
		panel, err := draw(sets[i].Label(), comparisons)
		if err != nil {
			return nil, err
		}
		panels = append(panels, panel)
	}
	return viz.Caption(caption).Under(viz.Panels("no detection on the inlier set, or none on the outlier sets, reaches the score threshold: train longer", panels...))
}

func compareOn(evaluations []*protocol.Evaluation, set int) ([]comparison, error) {
	var comparisons []comparison
	add := func(e *protocol.Evaluation, score string, color viz.Color) error {
		sides, _, err := e.Compared(set, score)
		if err != nil {
			return err
		}
		inlier, outlier := sides.Lists()
		points, err := eval.OperatingPoints(inlier, outlier)
		if errors.Is(err, eval.ErrEmpty) {
			return nil
		}
		if err != nil {
			return err
		}
		separation, err := eval.Separate(inlier, outlier)
		comparisons = append(comparisons, comparison{fmt.Sprintf("%s: %s", e.Run.Name, scoreLabel(score)), color, len(inlier), len(outlier), points, separation})
		return err
	}
	for i, e := range evaluations {
		if err := add(e, "energy", curves.Color(i)); err != nil {
			return nil, err
		}
	}
	for i, score := range []string{"msp", "weighted_energy", "nll"} {
		if err := add(evaluations[0], score, []viz.Color{viz.Orange, viz.Purple, viz.Sky}[i]); err != nil {
			return nil, err
		}
	}
	return comparisons, nil
}

func scoreLabel(score string) string {
	switch score {
	case "msp":
		return "softmax"
	case "weighted_energy":
		return "weighted energy"
	case "nll":
		return "likelihood"
	}
	return score
}

// outlierEnergies returns the energies of detections on an outlier set, given by its index in Sets.
// If the set was measured object by object, known and unknown objects have groups of their own.
func outlierEnergies(e *protocol.Evaluation, set int) ([]viz.Group, error) {
	sides, _, err := e.Compared(set, "energy")
	if err != nil {
		return nil, err
	}
	inliers, outliers := sides.Lists()
	label, color := e.Sets[set].Label(), unknownColor(set-1)
	if !sides.Joint {
		return []viz.Group{{Name: label, Values: outliers, Color: color}}, nil
	}
	return []viz.Group{{Name: label + ", known", Values: inliers, Color: viz.Sky}, {Name: label + ", unknown", Values: outliers, Color: color}}, nil
}

// EnergyHistogram draws the energies of the detections that count on the inlier set and on every
// outlier set, one panel for each run. A line marks the energy that 95 % of the detections on the
// inlier set reach.
func EnergyHistogram(evaluations []*protocol.Evaluation) (*viz.Figure, error) {
	var panels []*viz.Figure
	for _, e := range evaluations {
		histogram := viz.Histogram{Title: "run " + e.Run.Name, XLabel: "energy of the detection (nats)"}
		for i, set := range e.Sets {
			groups := []viz.Group{{Name: set.Label(), Color: viz.InlierColor}}
			var err error
			if i == 0 {
				groups[0].Values, err = e.Scores(i, "energy")
			} else {
				groups, err = outlierEnergies(e, i)
			}
			if err != nil {
				return nil, err
			}
			for _, g := range groups {
				if len(g.Values) > 0 {
					histogram.Groups = append(histogram.Groups, g)
				}
			}
		}
		if len(histogram.Groups) == 0 {
			continue
		}
		thresholds, err := e.Thresholds()
		if err != nil {
			return nil, err
		}
		if thresholds.Energy != nil {
			histogram.Marks = []viz.Mark{{At: *thresholds.Energy, Label: "unknown below"}}
		}
		panel, err := histogram.Figure()
		if err != nil {
			return nil, err
		}
		panels = append(panels, panel)
	}
	caption := viz.Caption("Energies of the detections that reach the score threshold, on the inlier set (blue) and on outlier sets. Higher means more inlier. 95 % of the detections on the inlier set lie to the right of the dashed line; those to the left are called unknown.")
	return caption.Under(viz.Panels("no detection reaches the score threshold: train longer", panels...))
}
