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

// Synthesis holds what figures of synthetic outliers among real box features need.
type Synthesis struct {
	run      run.Named
	model    *infer.Model
	sets     []*data.Dataset // the inlier set and the outlier sets
	inliers  *Features
	unknown  []*Features
	plane    *viz.Projection
	method   string  // the run's own, or gaussian for a run without outliers
	share    float64 // of the draws, which training keeps
	training string  // how training draws, for captions
}

// Numbers of draws for tables and figures, and of draws and outliers that a scatter shows.
const (
	figureDraws = 4000
	maxSamples  = 700
	maxOutliers = 150
)

// Synthesis computes the features of the held-out objects and the plane of the inliers' first two
// principal components. Methods that need inliers get the held-out ones.
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

// draw draws n features by a method at a temperature and marks the share that training keeps.
func (v *Synthesis) draw(method string, n int, temperature float64) (made *infer.Synthesis, outliers []bool, err error) {
	made, err = v.model.Draw(context.Background(), method, n, temperature, sampleSeed)
	if err != nil {
		return nil, nil, err
	}
	classes := 1 + slices.Max(made.Class)
	return made, made.Outliers(max(1, int(v.share*float64(n)/float64(classes)+0.5))), nil
}

// marked returns the marked rows.
func marked[T any](rows []T, marks []bool) []T {
	var kept []T
	for i, row := range rows {
		if marks[i] {
			kept = append(kept, row)
		}
	}
	return kept
}

// byClass returns the features [n][dim] of each class.
func byClass(f *Features) [][][]float64 {
	members := make([][][]float64, len(f.Classes))
	for i, row := range widen(f.Rows) {
		members[f.Class[i]] = append(members[f.Class[i]], row)
	}
	return members
}
