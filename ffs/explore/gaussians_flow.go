package explore

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"ffslab/ffs/outlier"
	"ffslab/viz"
)

// kindOfFeatures are features of one kind: for each, the distance to the nearest held-out inlier,
// and the NLL under the flow in nats.
type kindOfFeatures struct {
	name          string
	distance, nll []float64
	color         viz.Color
	strong        bool
}

// GaussiansAgainstFlow compares the outliers of class-conditional Gaussians with those of the run's
// flow, each the share of the draws that training keeps. One axis is the distance to the nearest
// held-out inlier (for an inlier, to the nearest other one), the other the NLL under the run's flow
// less that of the most likely inlier: "just outside the inliers" can be seen in this plane.
func (v *Synthesis) GaussiansAgainstFlow() (*viz.Figure, error) {
	if !v.model.HasFlow() {
		return nil, nothing("the run has no flow (model.outlier.method=%s)", v.method)
	}
	finder := newNearestFinder(v.inliers.Rows)
	place := func(name string, rows [][]float32, distance []float64) (kindOfFeatures, error) {
		_, nll, err := v.model.Encode(rows)
		return kindOfFeatures{name: name, distance: distance, nll: nll}, err
	}
	inliers, err := place("held-out inliers", v.inliers.Rows, finder.distances(v.inliers.Rows, evenly(len(v.inliers.Rows), len(v.inliers.Rows))))
	if err != nil {
		return nil, err
	}
	inliers.color = viz.InlierColor
	reach := quantile(inliers.distance, 0.95)
	least := slices.Min(inliers.nll)
	beyond := func(nll []float64) []float64 { // at least 1, for the logarithmic axis
		excess := make([]float64, len(nll))
		for i, n := range nll {
			excess[i] = max(n-least, 1)
		}
		return excess
	}
	inliers.nll = beyond(inliers.nll)

	panels := map[string][]kindOfFeatures{}
	methods := []string{outlier.MethodGaussian, outlier.MethodFlow}
	var x []viz.Group
	most := 10.0
	for _, method := range methods {
		made, marks, err := v.draw(method, figureDraws, 1)
		if err != nil {
			return nil, err
		}
		shown := some(made.Features, maxSamples)
		draws, err := place("draws", shown, finder.distances(shown, nil))
		if err != nil {
			return nil, err
		}
		kept := marked(made.Features, marks)
		outliers, err := place("synthetic outliers", kept, finder.distances(kept, nil))
		if err != nil {
			return nil, err
		}
		draws.color, outliers.color, outliers.strong = viz.Grey, viz.SyntheticColor, true
		draws.nll, outliers.nll = beyond(draws.nll), beyond(outliers.nll)
		panels[method] = []kindOfFeatures{inliers, draws, outliers}
		for _, k := range panels[method] {
			x, most = append(x, viz.Group{Values: k.distance}), max(most, slices.Max(k.nll))
		}
	}
	var figures []*viz.Figure
	for _, method := range methods {
		scatter := viz.Scatter{
			XLabel: "distance to the nearest inlier", YLabel: "NLL beyond the most likely inlier's (nats)", LogY: true,
			XRange: bulk(x), YRange: [2]float64{1, 4 * most},
			Marks: []viz.Mark{{At: reach, Label: "95 % of inliers"}},
		}
		for _, k := range panels[method] {
			scatter.Groups = append(scatter.Groups, viz.Points{Name: k.name, X: k.distance, Y: k.nll, Color: k.color, Strong: k.strong})
			if k.strong {
				among := 0
				for _, d := range k.distance {
					if d <= reach {
						among++
					}
				}
				scatter.Title = fmt.Sprintf("%s: %d of %d outliers among the inliers", method, among, len(k.distance))
			}
		}
		figure, err := scatter.Figure()
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure)
	}
	from, err := origin(v.run)
	if err != nil {
		return nil, err
	}
	caption := viz.Caption(fmt.Sprintf("Synthetic outliers of the class-conditional Gaussians and of the flow (orange), among some of the draws from which they were selected (grey) and %d held-out inliers (blue). "+
		"Horizontal: Euclidean distance in the %d features to the nearest inlier (of an inlier, to the nearest other one); 95 %% of the inliers lie to the left of the dashed line. Vertical: the NLL under the run's flow less that of the most likely inlier, at least 1 nat. The flow judges both methods, its own included. %s",
		len(v.inliers.Rows), len(v.inliers.Rows[0]), from))
	return caption.Under(viz.Grid(2, figures...))
}

func quantile(values []float64, p float64) float64 {
	return stat.Quantile(p, stat.Empirical, slices.Sorted(slices.Values(values)), nil)
}
