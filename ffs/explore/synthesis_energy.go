package explore

import (
	"fmt"

	"gonum.org/v1/gonum/stat"

	"ffslab/viz"
)

// energyGroups returns the energies of inliers, unknown objects, draws and synthetic outliers.
func (v *Synthesis) energyGroups() ([]viz.Group, error) {
	made, outliers, err := v.draw(v.method, figureDraws, 1)
	if err != nil {
		return nil, err
	}
	samples := energies(made.Scores)
	groups := []viz.Group{{Name: "inliers", Values: v.inliers.Energy, Color: viz.InlierColor}}
	for i, f := range v.unknown {
		groups = append(groups, viz.Group{Name: f.Set, Values: f.Energy, Color: unknownColor(i)})
	}
	return append(groups,
		viz.Group{Name: "samples of " + v.method, Values: samples, Color: viz.Sky},
		viz.Group{Name: "synthetic outliers", Values: marked(samples, outliers), Color: viz.SyntheticColor}), nil
}

// EnergyFigure draws box plots of the energies of inliers, of unknown objects, of draws of the
// run's method and of the outliers among them.
func (v *Synthesis) EnergyFigure() (*viz.Figure, error) {
	groups, err := v.energyGroups()
	if err != nil {
		return nil, err
	}
	caption := viz.Caption("Energies, by which known and unknown objects are separated at test time; higher means more inlier. Boxes: the middle half with the median; whiskers: the 5th to the 95th percentile; of groups of up to 30 every value. " +
		"Synthetic outliers are " + v.training + ".")
	return caption.Under(viz.BoxPlot{YLabel: "energy (nats)", Groups: groups}.Figure())
}

// EnergyTable lists the means of [Synthesis.EnergyFigure].
func (v *Synthesis) EnergyTable() (*Table, error) {
	groups, err := v.energyGroups()
	if err != nil {
		return nil, err
	}
	t := newTable("features of", "n", "mean energy", "standard deviation")
	for _, g := range groups {
		mean, std := stat.MeanStdDev(g.Values, nil)
		t.Add(g.Name, fmt.Sprint(len(g.Values)), fmt.Sprintf("%.2f", mean), fmt.Sprintf("%.2f", std))
	}
	return t, nil
}
