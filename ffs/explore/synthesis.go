package explore

import (
	"context"
	"fmt"
	"slices"

	"ffslab/data"
	"ffslab/ffs/infer"
	"ffslab/ffs/outlier"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// Synthesis shows synthetic outliers among the box features of real objects.
type Synthesis struct {
	run      run.Named
	model    *infer.Model
	sets     []*data.Dataset // of the inliers, then of the unknown objects
	inliers  *Features
	unknown  []*Features
	plane    *viz.Projection
	method   string  // that draws: the run's own, or the Gaussians for a run that makes no outliers
	share    float64 // of the draws that training keeps
	training string  // how training draws, for captions
}

// Numbers of latents that are drawn for tables and figures, and of those that a figure shows.
const (
	figureDraws = 4000
	maxSamples  = 700
	maxOutliers = 150
)

// Synthesis prepares the features of the held-out objects, which the methods see as their inliers, and their plane: the first two principal
// components of the inliers.
func (s *Session) Synthesis() (*Synthesis, error) {
	model, err := s.Model()
	if err != nil {
		return nil, err
	}
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	v := &Synthesis{run: runs[0], model: model}
	if v.sets, err = s.measuredSets(); err != nil {
		return nil, err
	}
	if v.inliers, v.unknown, err = s.HeldOut(); err != nil {
		return nil, err
	}
	if err := model.SetInliers(v.inliers.Rows, v.inliers.Class); err != nil {
		return nil, err
	}
	if v.plane, err = viz.PCA(widen(v.inliers.Rows), 2); err != nil {
		return nil, err
	}
	o := model.Config.Model.Outlier
	v.method = o.Method
	if !model.HasEnergy() {
		v.method = outlier.MethodGaussian
	}
	v.share = float64(o.Select) / float64(o.SampleFrom)
	v.training = fmt.Sprintf("the least likely %d of %d draws, as model.outlier says", o.Select, o.SampleFrom)
	return v, nil
}

// draw draws n features by a method at a temperature, and marks as large a share of them as training keeps.
func (v *Synthesis) draw(method string, n int, temperature float64) (made *infer.Synthesis, outliers []bool, err error) {
	made, err = v.model.Draw(context.Background(), method, n, temperature, sampleSeed)
	if err != nil {
		return nil, nil, err
	}
	classes := 1 + slices.Max(made.Class)
	return made, made.Outliers(max(1, int(v.share*float64(n)/float64(classes)+0.5))), nil
}

// marked are the rows that are marked.
func marked[T any](rows []T, marks []bool) []T {
	var kept []T
	for i, row := range rows {
		if marks[i] {
			kept = append(kept, row)
		}
	}
	return kept
}

// byClass sorts the features [n][dim] by their class.
func byClass(f *Features) [][][]float64 {
	members := make([][][]float64, len(f.Classes))
	for i, row := range widen(f.Rows) {
		members[f.Class[i]] = append(members[f.Class[i]], row)
	}
	return members
}
