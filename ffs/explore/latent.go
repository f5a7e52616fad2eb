package explore

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"ffslab/ffs/infer"
	"ffslab/viz"
)

// Latents are the latents of real objects under a flow, and as many samples of N(0, I).
type Latents struct {
	// Inliers are the latents [n][dim] of held-out inliers, Drawn the samples, and Unknown the
	// latents of each outlier set, whose name is in Names.
	Inliers, Drawn [][]float64
	Unknown        [][][]float64
	Names          []string
	// Negative log-likelihoods in nats, in the order of the rows; DrawnNLL are those of the
	// features that the flow makes of the samples.
	InlierNLL, DrawnNLL []float64
	UnknownNLL          [][]float64
}

// Latents encodes the features of the held-out objects by the first run's flow, and decodes as many
// samples. For a run without a flow the error wraps [viz.ErrNothing].
func (s *Session) Latents() (*Latents, error) {
	model, err := s.flowModel()
	if err != nil {
		return nil, err
	}
	inliers, unknown, err := s.HeldOut()
	if err != nil {
		return nil, err
	}
	l := &Latents{}
	if l.Inliers, l.InlierNLL, err = encode(model, inliers); err != nil {
		return nil, err
	}
	for _, f := range unknown {
		z, nll, err := encode(model, f)
		if err != nil {
			return nil, err
		}
		l.Unknown, l.UnknownNLL, l.Names = append(l.Unknown, z), append(l.UnknownNLL, nll), append(l.Names, f.Set)
	}
	drawn := model.Latents(len(l.Inliers), 1, sampleSeed)
	_, l.DrawnNLL, err = model.Decode(drawn)
	l.Drawn = widen(drawn)
	return l, err
}

// sampleSeed is the seed of all draws in the notebooks: the same run gives the same figures.
const sampleSeed = 1

func encode(m *infer.Model, f *Features) ([][]float64, []float64, error) {
	z, nll, err := m.Encode(f.Rows)
	return widen(z), nll, err
}

// Figure draws QQ plots: the coordinates of the latents against N(0, 1), and their squared norms
// against the chi-square distribution.
func (l *Latents) Figure() (*viz.Figure, error) {
	figure, err := viz.Latents{Groups: []viz.Latent{
		{Name: "held-out inliers", Z: l.Inliers, Color: viz.InlierColor},
		{Name: "draws from N(0, I)", Z: l.Drawn, Color: viz.SyntheticColor},
	}}.Figure()
	if err != nil {
		return nil, err
	}
	figure.Caption = fmt.Sprintf("Quantiles of the latents z of %d held-out inliers (blue) and of as many samples of N(0, I) (orange) against the distribution that the flow assumes: "+
		"N(0, 1) for each coordinate, chi-square with %d degrees of freedom for the squared norm. A sample of that distribution lies on the grey line, with probability 0.95 within the band. "+
		"Values beyond the axis are counted in the legend.", len(l.Inliers), len(l.Inliers[0]))
	return figure, nil
}

// Table measures how normal the latents are: mean, standard deviation and excess kurtosis of all
// coordinates, and the mean squared norm divided by the dimension. For N(0, I) these are 0, 1, 0
// and 1.
func (l *Latents) Table() *Table {
	t := newTable("latents of", "n", "mean", "standard deviation", "excess kurtosis", "mean ‖z‖² / D", "mean NLL (nats)")
	add := func(name string, z [][]float64, nll []float64) {
		var all []float64
		norms := 0.0
		for _, row := range z {
			all = append(all, row...)
			for _, v := range row {
				norms += v * v
			}
		}
		mean, std := stat.MeanStdDev(all, nil)
		t.Add(name, fmt.Sprint(len(z)), fmt.Sprintf("%.3f", mean), fmt.Sprintf("%.3f", std), fmt.Sprintf("%.2f", stat.ExKurtosis(all, nil)),
			fmt.Sprintf("%.3f", norms/float64(len(all))), fmt.Sprintf("%.1f", stat.Mean(nll, nil)))
	}
	add("held-out inliers", l.Inliers, l.InlierNLL)
	for i, name := range l.Names {
		add(name, l.Unknown[i], l.UnknownNLL[i])
	}
	add("draws from N(0, I)", l.Drawn, l.DrawnNLL)
	return t
}

// LikelihoodFigure draws histograms of the NLL of held-out inliers, of the flow's own samples and
// of unknown objects.
func (l *Latents) LikelihoodFigure() (*viz.Figure, error) {
	groups := []viz.Group{
		{Name: "held-out inliers", Values: l.InlierNLL, Color: viz.InlierColor},
		{Name: "samples of the flow", Values: l.DrawnNLL, Color: viz.Sky},
	}
	for i, name := range l.Names {
		groups = append(groups, viz.Group{Name: name, Values: l.UnknownNLL[i], Color: unknownColor(i)})
	}
	caption := viz.Caption("Negative log-likelihood under the flow of the box features of held-out inliers (blue) and of unknown objects, and of the flow's own samples (light blue). Features to the right are less likely. " +
		"If the flow were exact, its samples would have the distribution of the inliers.")
	return caption.Under(viz.Histogram{XLabel: "NLL of the box feature (nats)", Groups: groups, Range: bulk(groups)}.Figure())
}

// bulk returns an interval for an axis that a few extreme values do not stretch: the middle 96 % of
// each group, widened by half of its length at both ends, and no longer than the range of all
// values.
func bulk(groups []viz.Group) [2]float64 {
	low, high := math.Inf(1), math.Inf(-1)
	least, most := low, high
	for _, g := range groups {
		sorted := slices.DeleteFunc(slices.Clone(g.Values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
		if len(sorted) == 0 {
			continue
		}
		slices.Sort(sorted)
		least, most = min(least, sorted[0]), max(most, sorted[len(sorted)-1])
		low = min(low, stat.Quantile(0.02, stat.Empirical, sorted, nil))
		high = max(high, stat.Quantile(0.98, stat.Empirical, sorted, nil))
	}
	if air := (high - low) / 2; air > 0 {
		return [2]float64{max(least, low-air), min(most, high+air)}
	}
	return [2]float64{} // the range of all values
}
