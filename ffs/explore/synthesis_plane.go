package explore

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"ffslab/viz"
)

// maxPanelClasses is the number of classes with a colour of their own.
const maxPanelClasses = 7

// ClassFigure draws the features of held-out inliers in their first two principal components, one
// colour for each class. If there are more than 7 classes, the rarest share one colour.
func (v *Synthesis) ClassFigure() (*viz.Figure, error) {
	members := byClass(v.inliers)
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(members[b]), len(members[a])) })
	named := order[:min(maxPanelClasses, len(order))]
	slices.Sort(named)
	var groups []viz.Points
	var others [][]float64
	for _, class := range order[len(named):] {
		others = append(others, members[class]...)
	}
	add := func(name string, rows [][]float64, color viz.Color) error {
		if len(rows) == 0 {
			return nil
		}
		points, err := v.plane.Points(name, rows)
		points.Color = color
		groups = append(groups, points)
		return err
	}
	if err := add("other classes", others, viz.Grey); err != nil {
		return nil, err
	}
	for i, class := range named {
		if err := add(v.inliers.Classes[class], members[class], viz.Color(i+1)); err != nil {
			return nil, err
		}
	}
	caption := viz.Caption("Box features of held-out inliers in their first two principal components, one colour for each class.")
	return caption.Under(v.scatter("held-out inliers by class", groups))
}

// Figure draws inliers, unknown objects, draws of the run's method at a temperature, and the
// outliers among these, in the plane of [Synthesis.ClassFigure].
func (v *Synthesis) Figure(temperature float64) (*viz.Figure, error) {
	n := figureDraws
	made, marks, err := v.draw(v.method, n, temperature)
	if err != nil {
		return nil, err
	}
	outliers, outlierEnergies := marked(made.Features, marks), marked(energies(made.Scores), marks)
	among := "the outliers among them (orange, ringed): " + v.training
	if made.All {
		among = "some of the outliers (orange, ringed): the method keeps all its draws"
	}
	type set struct {
		name  string
		rows  [][]float32
		color viz.Color
	}
	sets := []set{{"samples of " + v.method, made.Features, viz.Grey}, {"held-out inliers", v.inliers.Rows, viz.InlierColor}}
	most := len(v.inliers.Rows) // of each set, so that none hides the others
	for i, f := range v.unknown {
		sets = append(sets, set{f.Set, f.Rows, unknownColor(i)})
		most = max(most, len(f.Rows))
	}
	most = min(most, maxSamples)
	var groups []viz.Points
	var x, y []viz.Group
	for _, g := range sets {
		points, err := v.plane.Points(g.name, widen(some(g.rows, most)))
		if err != nil {
			return nil, err
		}
		points.Color = g.color
		groups = append(groups, points)
		x, y = append(x, viz.Group{Values: points.X}), append(y, viz.Group{Values: points.Y})
	}
	kept, err := v.plane.Points("synthetic outliers", widen(some(outliers, maxOutliers)))
	if err != nil {
		return nil, err
	}
	kept.Color, kept.Strong = viz.SyntheticColor, true
	caption := viz.Caption(fmt.Sprintf("Box features in the first two principal components of the inliers: up to %d of the held-out inliers (blue), of each set of unknown objects, and of %d samples of the method %s at temperature %.2f (grey); and %s. "+
		"Points are drawn in random order. The plane shows two of many dimensions: what is mixed here may be separate in others.", most, n, v.method, temperature, among))
	return caption.Under(viz.Scatter{
		Title:  fmt.Sprintf("temperature %.2f: mean energy of outliers %.2f, of inliers %.2f", temperature, stat.Mean(outlierEnergies, nil), stat.Mean(v.inliers.Energy, nil)),
		XLabel: v.plane.Label(0), YLabel: v.plane.Label(1), Groups: append(groups, kept), XRange: bulk(x), YRange: bulk(y),
	}.Figure())
}

// some returns at most n of the rows, evenly spaced.
func some(rows [][]float32, n int) [][]float32 {
	var shown [][]float32
	for _, i := range evenly(len(rows), n) {
		shown = append(shown, rows[i])
	}
	return shown
}

func (v *Synthesis) scatter(title string, groups []viz.Points) (*viz.Figure, error) {
	return viz.Scatter{Title: title, XLabel: v.plane.Label(0), YLabel: v.plane.Label(1), Groups: groups}.Figure()
}
