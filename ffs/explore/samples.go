package explore

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/infer"
	"ffslab/ffs/protocol/pictures"
	"ffslab/ffs/run"
	"ffslab/viz"
)

const (
	shownSamples = 2   // images
	samplesEvery = 200 // steps, at least, unless the training is short
	samplesScore = 0.5 // from which a detection is drawn
	samplesOfRun = 4   // times at least that a training shows them
)

// samples are detections on a few validation images, by the newest checkpoint of a run that is
// being trained.
type samples struct {
	run     *run.Run
	backend compute.Backend
	next    int // step from which they are due

	mu    sync.Mutex // of what follows, and held while detections are made
	set   *data.Dataset
	store *model.Store
	model *infer.Model // nil before the first figure
}

func newSamples(r *run.Run, backend compute.Backend) *samples {
	return &samples{run: r, backend: backend, store: model.NewStore()}
}

// due reports whether the step is the first after a checkpoint, and enough steps have passed since
// the last time.
func (s *samples) due(step int) bool {
	t := s.run.Config.Train
	if (step-1)%t.CheckpointEvery != 0 || step <= t.CheckpointEvery || step < s.next {
		return false
	}
	s.next = step + min(samplesEvery, t.MaxIter/samplesOfRun)
	return true
}

// figure makes the detections. A run without validation images has nothing to show
// ([viz.ErrNothing]).
func (s *samples) figure(ctx context.Context) (*viz.Figure, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		return nil, err
	}
	newest, err := s.run.Load(s.store)
	if err != nil {
		return nil, err
	}
	classes := s.run.Config.Model.Classes
	shots, drawn := make([]viz.Shot, len(s.set.Images)), 0
	err = s.model.Detect(ctx, s.set, nil, func(found infer.ImageDetections) error {
		view, err := s.set.Images[found.Index].View(pictures.ShownSide)
		if err != nil {
			return err
		}
		boxes := pictures.Truth(s.set, found.Index)
		for _, d := range found.Detections {
			if d.Score >= samplesScore {
				boxes = append(boxes, viz.Box{XYXY: d.Box.Corners(), Label: classes[int(d.CategoryID)-1], Score: d.Score})
				drawn++
			}
		}
		shots[found.Index] = viz.Shot{Image: view, Boxes: boxes}
		return nil
	})
	if err != nil {
		return nil, err
	}
	figure, err := viz.DetectionSheet(shots, shownSamples)
	if err != nil {
		return nil, err
	}
	found := fmt.Sprintf("detections with a score of at least %.1f", samplesScore)
	if drawn == 0 {
		found = fmt.Sprintf("no detection has a score of %.1f yet", samplesScore)
	}
	figure.Caption = fmt.Sprintf("Validation images after %d steps: %s.", newest.Step, found)
	return figure, nil
}

// close frees the model, unless the detections of an interrupted training are still being made.
func (s *samples) close() {
	if s.mu.TryLock() {
		defer s.mu.Unlock()
		if s.model != nil {
			s.model.Close()
			s.model = nil
		}
	}
}

// open opens the images, and compiles nothing yet.
func (s *samples) open() error {
	if s.model != nil {
		return nil
	}
	c := s.run.Config
	if c.Data.Val == "" {
		return nothing("the run's configuration names no inlier set (data.val)")
	}
	set, err := openClasses(c, c.Data.Val)
	if err != nil {
		return err
	}
	part := *set
	part.Images = nil
	for _, image := range set.Images {
		if len(image.Instances) > 0 && len(part.Images) < shownSamples {
			part.Images = append(part.Images, image)
		}
	}
	if len(part.Images) == 0 {
		return nothing("%s: no image has an object", set.Name)
	}
	s.set = &part
	s.model, err = infer.New(s.backend, s.store, c, 0)
	return err
}
