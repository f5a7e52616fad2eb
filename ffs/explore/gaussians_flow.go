package explore

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"ffslab/ffs/outlier"
	"ffslab/viz"
)

// kindOfFeatures are features with their distance to the nearest held-out inlier, and their NLL under the flow in nats.
type kindOfFeatures struct {
	name          string
	distance, nll []float64
	color         viz.Color
	strong        bool
}

// GaussiansAgainstFlow draws the outliers that Gaussians make and those that the flow makes, of both the share that training keeps, of each
// class's draws or of all, in a plane in which "just outside the inliers" can be seen: the distance to the nearest held-out inlier against
// the density under the run's flow, as the NLL beyond that of the most likely inlier. Inliers are measured to their nearest other inlier.
func (v *Synthesis) GaussiansAgainstFlow() (*viz.Figure, error) {
	if !v.model.HasFlow() {
		return nil, nothing("the run's method %s has no flow", v.method)
	}
	finder := newNearestFinder(v.inliers.Rows)
	place := func(name string, rows [][]float32, distance []float64) (kindOfFeatures, error) {
		_, nll, err := v.model.Encode(rows)
		return kindOfFeatures{name: name, distance: distance, nll: nll}, err
	}
	inliers, err := place("held-out inliers", v.inliers.Rows, finder.toOthers())
	if err != nil {
		return nil, err
	}
	inliers.color = viz.InlierColor
	reach := quantile(inliers.distance, 0.95)
	least := slices.Min(inliers.nll)
	beyond := func(nll []float64) []float64 { // at least 1, so that the most likely inlier has a place on the logarithmic axis
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
		draws, err := place("draws", shown, finder.distances(shown))
		if err != nil {
			return nil, err
		}
		kept := marked(made.Features, marks)
		outliers, err := place("synthetic outliers", kept, finder.distances(kept))
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
	figure, err := viz.Grid(2, figures...)
	if err != nil {
		return nil, err
	}
	from, err := origin(v.run)
	figure.Caption = fmt.Sprintf("Synthetic outliers of the class-conditional Gaussians and of the flow (orange), of the share that training keeps, among some of the draws that they were chosen from (grey) and %d held-out inliers (blue). "+
		"Distances are Euclidean in the %d features; inliers are measured to the nearest other inlier, and 95 %% of them lie to the left of the dashed line. Upwards: how much less likely than the most likely inlier, under the run's flow, which judges both methods, its own included (differences under 1 nat are drawn as 1). %s",
		len(v.inliers.Rows), len(v.inliers.Rows[0]), from)
	return figure, err
}

func quantile(values []float64, p float64) float64 {
	return stat.Quantile(p, stat.Empirical, slices.Sorted(slices.Values(values)), nil)
}
