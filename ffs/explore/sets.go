package explore

import (
	"fmt"
	"math"
	"sync"

	"ffslab/data"
	"ffslab/ffs/config"
)

// Largest numbers of images of a set: zooImages if the session explores the zoo, quickImages if it
// is quick.
const (
	zooImages   = 150
	quickImages = 40
)

// Config returns the configuration of the first run with the session's data sets. If notebook 02
// trains the runs, it is that of the run flow.
func (s *Session) Config() (config.Config, error) {
	if !s.Given() && len(s.options.Trained) == 0 {
		return s.configure(methods[0])
	}
	runs, err := s.Runs()
	if err != nil {
		return config.Config{}, err
	}
	c := runs[0].Config
	s.chooseData(&c.Data)
	return c, nil
}

// chooseData replaces data sets by the session's.
func (s *Session) chooseData(d *config.Data) {
	if s.options.Inlier != "" {
		d.Val = s.options.Inlier
	}
	if len(s.options.Outliers) > 0 {
		d.OOD = s.options.Outliers
	}
}

// TrainingSet returns the training set with the model's classes. If the run names none, as imported
// runs may, the error wraps [viz.ErrNothing].
func (s *Session) TrainingSet() (*data.Dataset, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	if c.Data.Train == "" {
		return nil, nothing("the run's configuration names no training set (data.train)")
	}
	return s.openTraining(c)
}

// InlierSet returns the inlier set, images on which the run is measured and was not trained, with
// the model's classes.
func (s *Session) InlierSet() (*data.Dataset, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	if c.Data.Val == "" {
		return nil, fmt.Errorf("no inlier set: the run names none (data.val); name one with --id")
	}
	set, err := s.opened.open(c.Data.Val, c.Data.DatasetDir)
	if err != nil {
		return nil, err
	}
	set, err = set.WithClasses(c.Model.Classes)
	return s.few(set), err
}

// OutlierSets returns the sets of unknown objects that the session or the run names.
func (s *Session) OutlierSets() ([]*data.Dataset, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	sets := make([]*data.Dataset, len(c.Data.OOD))
	for i, spec := range c.Data.OOD {
		set, err := s.opened.open(spec, c.Data.DatasetDir)
		if err != nil {
			return nil, err
		}
		sets[i] = s.few(set)
	}
	return sets, nil
}

// Sets returns the training set, if the run names one, the inlier set and the outlier sets.
func (s *Session) Sets() ([]*data.Dataset, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	var sets []*data.Dataset
	if c.Data.Train != "" {
		set, err := s.TrainingSet()
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	measured, err := s.measuredSets()
	return append(sets, measured...), err
}

// measuredSets returns the inlier set followed by the outlier sets.
func (s *Session) measuredSets() ([]*data.Dataset, error) {
	inlier, err := s.InlierSet()
	if err != nil {
		return nil, err
	}
	outliers, err := s.OutlierSets()
	return append([]*data.Dataset{inlier}, outliers...), err
}

// openTraining opens the training set as training reads it.
func (s *Session) openTraining(c config.Config) (*data.Dataset, error) {
	set, err := s.opened.open(c.Data.Train, c.Data.DatasetDir)
	if err != nil {
		return nil, err
	}
	return set.ForTraining(c.Model.Classes, c.Train.Unknown)
}

// opened holds the data sets that a session has opened: a cell asks for them often.
type opened struct {
	mu   sync.Mutex
	sets map[[2]string]*data.Dataset
}

func (o *opened) open(spec, datasetDir string) (*data.Dataset, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := [2]string{spec, datasetDir}
	if set := o.sets[key]; set != nil {
		return set, nil
	}
	set, err := data.Open(spec, data.Options{DatasetDir: datasetDir})
	if err == nil {
		o.sets[key] = set
	}
	return set, err
}

// few returns the set, or its first images if the session is quick or explores the zoo.
func (s *Session) few(set *data.Dataset) *data.Dataset {
	most := math.MaxInt
	switch {
	case s.Quick:
		most = quickImages
	case len(s.options.Trained) > 0:
		most = zooImages
	}
	if set == nil || len(set.Images) <= most {
		return set
	}
	part := *set
	part.Images = set.Images[:most]
	return &part
}
