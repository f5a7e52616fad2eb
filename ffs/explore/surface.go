package explore

import (
	"fmt"

	"ffslab/viz"
)

// surfaceLines is the number of grid lines of the energy surface in each direction.
const surfaceLines = 61

// SurfaceFigure draws the energy over the plane of [Synthesis.ClassFigure], with the inliers and
// the means of their classes.
func (v *Synthesis) SurfaceFigure() (*viz.Figure, error) {
	inliers, err := v.plane.Points("held-out inliers", widen(v.inliers.Rows))
	if err != nil {
		return nil, err
	}
	var means [][]float64
	var names []string
	for class, rows := range byClass(v.inliers) {
		if len(rows) > 0 {
			means, names = append(means, mean(rows)), append(names, v.inliers.Classes[class])
		}
	}
	centres, err := v.plane.Points("means of the classes", means)
	if err != nil {
		return nil, err
	}
	inliers.Color, centres.Color, centres.Strong, centres.Labels = viz.InlierColor, viz.Orange, true, names
	surface, err := viz.NewSurface(around(inliers.X), around(inliers.Y), surfaceLines, func(points [][]float64) ([]float64, error) {
		rows := make([][]float64, len(points))
		for i, p := range points {
			rows[i] = append([]float64{}, v.plane.Mean...)
			for c := range 2 {
				for j, direction := range v.plane.Components[c] {
					rows[i][j] += p[c] * direction
				}
			}
		}
		scores, err := v.model.Score(narrow(rows))
		if err != nil {
			return nil, err
		}
		return energies(scores), nil
	})
	if err != nil {
		return nil, err
	}
	surface.XLabel, surface.YLabel, surface.ZLabel = v.plane.Label(0), v.plane.Label(1), "energy (nats)"
	surface.Groups = []viz.Points{inliers, centres}
	caption := viz.Caption(fmt.Sprintf("Energy of features in the plane of the first two principal components through the inliers' mean (grey; lines with values in nats; higher means more inlier). The plane holds %.0f %% of the inliers' variance. "+
		"Held-out inliers (blue) and the means of their classes (orange) are projected onto it; their own energies differ from those of the plane.", 100*(v.plane.Explained[0]+v.plane.Explained[1])))
	return caption.Under(surface.Figure())
}

// mean returns the mean of rows [n][dim], n at least 1.
func mean(rows [][]float64) []float64 {
	out := make([]float64, len(rows[0]))
	for _, row := range rows {
		for j, v := range row {
			out[j] += v / float64(len(rows))
		}
	}
	return out
}

// around returns the range of the values, extended by a tenth of its length at both ends.
func around(values []float64) [2]float64 {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	air := (high-low)/10 + 1e-6
	return [2]float64{low - air, high + air}
}
