// Package preview looks at a training that is still running, by the newest checkpoint of its run:
// detections on two validation images, and the energies of known and unknown objects.
package preview

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/infer"
	"ffslab/ffs/protocol/pictures"
	"ffslab/ffs/run"
	"ffslab/viz"
)

const (
	shownImages = 2
	shownScore  = 0.5 // from which a detection is drawn
	every       = 200 // steps, at least, unless the training is short
	times       = 4   // at least that a training is looked at
	objects     = 200 // of a set, at most, whose energies are taken
)

// Preview computes what is shown of a run. Its methods may be called while the training runs; only
// one computes at a time.
type Preview struct {
	run     *run.Run
	backend compute.Backend
	next    int // step from which one is due

	mu    sync.Mutex // of what follows, and held while the model runs
	store *model.Store
	model *infer.Model // nil before the first figure
	shown *data.Dataset
	sets  []*data.Dataset // the inlier set and the outlier sets
}

// New returns a preview of a run that is trained on the backend. It opens and compiles nothing yet.
func New(r *run.Run, backend compute.Backend) *Preview {
	return &Preview{run: r, backend: backend, store: model.NewStore()}
}

// Due reports whether the step is the first after a checkpoint, and at least 200 steps, or a
// quarter of the training, have passed since the last time.
func (p *Preview) Due(step int) bool {
	t := p.run.Config.Train
	if (step-1)%t.CheckpointEvery != 0 || step <= t.CheckpointEvery || step < p.next {
		return false
	}
	p.next = step + min(every, t.MaxIter/times)
	return true
}

// Detections draws the detections on two validation images and returns the step of the checkpoint.
// The error of a run without validation images wraps [viz.ErrNothing].
func (p *Preview) Detections(ctx context.Context) (*viz.Figure, int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	newest, err := p.load()
	if err != nil {
		return nil, 0, err
	}
	classes := p.run.Config.Model.Classes
	shots, drawn := make([]viz.Shot, len(p.shown.Images)), 0
	err = p.model.Detect(ctx, p.shown, nil, func(found infer.ImageDetections) error {
		view, err := p.shown.Images[found.Index].View(pictures.ShownSide)
		if err != nil {
			return err
		}
		boxes := pictures.Truth(p.shown, found.Index)
		for _, d := range found.Detections {
			if d.Score >= shownScore {
				boxes = append(boxes, viz.Box{XYXY: d.Box.Corners(), Label: classes[int(d.CategoryID)-1], Score: d.Score})
				drawn++
			}
		}
		shots[found.Index] = viz.Shot{Image: view, Boxes: boxes}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	figure, err := viz.DetectionSheet(shots, shownImages)
	if err != nil {
		return nil, 0, err
	}
	found := fmt.Sprintf("detections with a score of at least %.1f", shownScore)
	if drawn == 0 {
		found = fmt.Sprintf("no detection has a score of %.1f yet", shownScore)
	}
	figure.Caption = fmt.Sprintf("Validation images after %d steps: %s.", newest.Step, found)
	return figure, newest.Step, nil
}

// Energies are those of the annotated objects of a set.
type Energies struct {
	Set    *data.Dataset
	Values []float64
}

// Energies returns the energies of up to 200 objects of the inlier set and of each outlier set, and
// the step of the checkpoint. A set without annotated objects is left out. The error of a run
// without validation images wraps [viz.ErrNothing].
func (p *Preview) Energies(ctx context.Context) ([]Energies, int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	newest, err := p.load()
	if err != nil {
		return nil, 0, err
	}
	if p.sets == nil {
		if err := p.openSets(); err != nil {
			return nil, 0, err
		}
	}
	var all []Energies
	for _, set := range p.sets {
		found, err := p.model.ObjectFeatures(ctx, set, objects)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", set.Name, err)
		}
		if len(found) == 0 {
			continue
		}
		e := Energies{Set: set}
		for _, o := range found {
			e.Values = append(e.Values, o.Energy)
		}
		all = append(all, e)
	}
	return all, newest.Step, nil
}

// Close frees the model, unless it still runs.
func (p *Preview) Close() {
	if p.mu.TryLock() {
		defer p.mu.Unlock()
		if p.model != nil {
			p.model.Close()
			p.model = nil
		}
	}
}

// load loads the newest checkpoint. The first call opens the validation images.
func (p *Preview) load() (run.Checkpoint, error) {
	if p.model == nil {
		set, err := open(p.run.Config)
		if err != nil {
			return run.Checkpoint{}, err
		}
		shown := *set
		shown.Images = nil
		for _, image := range set.Images {
			if len(image.Instances) > 0 && len(shown.Images) < shownImages {
				shown.Images = append(shown.Images, image)
			}
		}
		if len(shown.Images) == 0 {
			return run.Checkpoint{}, fmt.Errorf("%w: %s: no image has an object", viz.ErrNothing, set.Name)
		}
		p.shown = &shown
		if p.model, err = infer.New(p.backend, p.store, p.run.Config, 0); err != nil {
			return run.Checkpoint{}, err
		}
	}
	return p.run.Load(p.store)
}

// open opens the inlier set.
func open(c config.Config) (*data.Dataset, error) {
	if c.Data.Val == "" {
		return nil, fmt.Errorf("%w: the run's configuration names no inlier set (data.val)", viz.ErrNothing)
	}
	set, err := data.Open(c.Data.Val, data.Options{DatasetDir: c.Data.DatasetDir})
	if err != nil {
		return nil, err
	}
	return set.WithClasses(c.Model.Classes)
}

// openSets opens the inlier set and the outlier sets. An outlier set that cannot be opened is an
// error once; later calls of Energies do without it.
func (p *Preview) openSets() error {
	c := p.run.Config
	inlier, err := open(c)
	if err != nil {
		return err
	}
	p.sets = []*data.Dataset{inlier}
	var faults []error
	for _, spec := range c.Data.OOD {
		set, err := data.Open(spec, data.Options{DatasetDir: c.Data.DatasetDir})
		if err != nil {
			faults = append(faults, err)
			continue
		}
		p.sets = append(p.sets, set)
	}
	return errors.Join(faults...)
}
