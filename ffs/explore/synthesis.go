package explore

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"ffslab/ffs/infer"
	"ffslab/viz"
)

// Synthesis shows synthetic outliers among the box features of real objects.
type Synthesis struct {
	model    *infer.Model
	inliers  *Features
	unknown  []*Features
	plane    *viz.Projection
	share    float64 // of the draws that training keeps
	training string  // how training draws, for captions
}

// Numbers of latents that are drawn for tables and figures, and of those that a figure shows.
const (
	figureDraws = 4000
	maxSamples  = 700
)

// Synthesis prepares the features of the held-out objects and their plane: the first two principal components of the inliers. A run without a
// flow has nothing to show.
func (s *Session) Synthesis() (*Synthesis, error) {
	model, err := s.flowModel()
	if err != nil {
		return nil, err
	}
	v := &Synthesis{model: model}
	if v.inliers, v.unknown, err = s.HeldOut(); err != nil {
		return nil, err
	}
	if v.plane, err = viz.PCA(widen(v.inliers.Rows), 2); err != nil {
		return nil, err
	}
	o := model.Config.Model.Outlier
	v.share = float64(o.Select) / float64(o.SampleFrom)
	v.training = fmt.Sprintf("as in training, the least likely %d of %d draws are kept", o.Select, o.SampleFrom)
	return v, nil
}

// draw synthesises n features at a temperature and keeps as large a share of them as training does.
func (v *Synthesis) draw(n int, temperature float64) (*infer.Synthesis, error) {
	return v.model.Synthesize(n, max(1, int(v.share*float64(n)+0.5)), temperature, sampleSeed)
}

// maxPanelClasses is how many classes the palette tells apart.
const maxPanelClasses = 7

// ClassFigure draws the features of held-out inliers by class, in their first two principal components. Of more than 7 classes the
// most frequent have their own colour.
func (v *Synthesis) ClassFigure() (*viz.Figure, error) {
	members := make([][][]float64, len(v.inliers.Classes))
	for i, row := range widen(v.inliers.Rows) {
		members[v.inliers.Class[i]] = append(members[v.inliers.Class[i]], row)
	}
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
	figure, err := v.scatter("held-out inliers by class", groups)
	if err != nil {
		return nil, err
	}
	figure.Caption = "Box features of held-out objects in the first two principal components of the inliers."
	return figure, nil
}

// Figure draws inliers, unknown objects, the flow's samples at a temperature and the outliers among them, in the plane of [Synthesis.ClassFigure].
func (v *Synthesis) Figure(temperature float64) (*viz.Figure, error) {
	n := figureDraws
	made, err := v.draw(n, temperature)
	if err != nil {
		return nil, err
	}
	var outliers [][]float32
	var energies []float64
	for i, row := range made.Features {
		if made.Outlier[i] {
			outliers, energies = append(outliers, row), append(energies, made.Scores[i].Energy)
		}
	}
	type set struct {
		name  string
		rows  [][]float32
		color viz.Color
	}
	var shown [][]float32 // all of them would hide what is among them
	for i := 0; i < n; i += 1 + n/maxSamples {
		shown = append(shown, made.Features[i])
	}
	sets := []set{{"samples of the flow", shown, viz.Grey}, {"held-out inliers", v.inliers.Rows, viz.InlierColor}}
	for i, f := range v.unknown {
		sets = append(sets, set{f.Set, f.Rows, unknownColor(i)})
	}
	sets = append(sets, set{"synthetic outliers", outliers, viz.SyntheticColor})
	groups := make([]viz.Points, len(sets))
	for i, g := range sets {
		if groups[i], err = v.plane.Points(g.name, widen(g.rows)); err != nil {
			return nil, err
		}
		groups[i].Color, groups[i].Strong = g.color, g.color == viz.SyntheticColor
	}
	figure, err := v.scatter(fmt.Sprintf("temperature %.2f: mean energy of outliers %.2f, of inliers %.2f",
		temperature, stat.Mean(energies, nil), stat.Mean(v.inliers.Energy, nil)), groups)
	if err != nil {
		return nil, err
	}
	figure.Caption = fmt.Sprintf("Samples of the flow at temperature %.2f, some of %d, and all outliers among these: %s.", temperature, n, v.training)
	return figure, nil
}

func (v *Synthesis) scatter(title string, groups []viz.Points) (*viz.Figure, error) {
	return viz.Scatter{Title: title, XLabel: v.plane.Label(0), YLabel: v.plane.Label(1), Groups: groups}.Figure()
}

// energyGroups are the energies of everything that an outlier score has to tell apart.
func (v *Synthesis) energyGroups() ([]viz.Group, error) {
	made, err := v.draw(figureDraws, 1)
	if err != nil {
		return nil, err
	}
	var samples, outliers []float64
	for i, score := range made.Scores {
		samples = append(samples, score.Energy)
		if made.Outlier[i] {
			outliers = append(outliers, score.Energy)
		}
	}
	groups := []viz.Group{{Name: "inliers", Values: v.inliers.Energy, Color: viz.InlierColor}}
	for i, f := range v.unknown {
		groups = append(groups, viz.Group{Name: f.Set, Values: f.Energy, Color: unknownColor(i)})
	}
	return append(groups,
		viz.Group{Name: "flow samples", Values: samples, Color: viz.Sky},
		viz.Group{Name: "outliers made", Values: outliers, Color: viz.SyntheticColor}), nil
}

// EnergyFigure draws the test energies of inliers, unknown objects, the flow's samples and the outliers among them.
func (v *Synthesis) EnergyFigure() (*viz.Figure, error) {
	groups, err := v.energyGroups()
	if err != nil {
		return nil, err
	}
	figure, err := viz.BoxPlot{YLabel: "energy (nats)", Groups: groups}.Figure()
	if err != nil {
		return nil, err
	}
	figure.Caption = "Energies by which objects are told apart at test time; higher means more inlier."
	return figure, nil
}

// EnergyTable holds the means of [Synthesis.EnergyFigure].
func (v *Synthesis) EnergyTable() (*Table, error) {
	groups, err := v.energyGroups()
	if err != nil {
		return nil, err
	}
	t := &Table{Head: []string{"features of", "n", "mean energy", "standard deviation"}}
	for _, g := range groups {
		mean, std := stat.MeanStdDev(g.Values, nil)
		t.add(g.Name, fmt.Sprint(len(g.Values)), fmt.Sprintf("%.2f", mean), fmt.Sprintf("%.2f", std))
	}
	return t, nil
}
