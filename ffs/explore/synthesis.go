package explore

import (
	"fmt"

	"ffslab/data"
	"ffslab/ffs/infer"
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
