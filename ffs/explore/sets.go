package explore

import (
	"fmt"
	"math"

	"ffslab/data"
	"ffslab/ffs/config"
)

// How many pictures of a set a session looks at that does not train: enough to see what a detector does,
// in a minute; and a quick session.
const (
	zooImages   = 150
	quickImages = 40
)

// Config returns the configuration of the runs, with the session's data sets: the given run's, or that of the flow run that notebook 02 trains.
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

// chooseData replaces the data sets by those that the session was given.
func (s *Session) chooseData(d *config.Data) {
	if s.options.Inlier != "" {
		d.Val = s.options.Inlier
	}
	if len(s.options.Outliers) > 0 {
		d.OOD = s.options.Outliers
	}
}

// TrainingSet returns the training set with the model's classes. A run whose configuration names
// none, such as an imported one, has nothing to show ([viz.ErrNothing]).
func (s *Session) TrainingSet() (*data.Dataset, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	if c.Data.Train == "" {
		return nil, nothing("the run's configuration names no training set (data.train)")
	}
	return openTraining(c)
}

// InlierSet returns the inlier set that the run is measured on, with the model's classes: pictures that it was not trained on.
func (s *Session) InlierSet() (*data.Dataset, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	if c.Data.Val == "" {
		return nil, fmt.Errorf("no inlier set: neither the run's configuration (data.val) nor the session names one")
	}
	set, err := openClasses(c, c.Data.Val)
	return s.few(set), err
}

// OutlierSets returns the sets of unknown objects, none if neither the run nor the session names any.
func (s *Session) OutlierSets() ([]*data.Dataset, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	sets := make([]*data.Dataset, len(c.Data.OOD))
	for i, spec := range c.Data.OOD {
		set, err := data.Open(spec, data.Options{DatasetDir: c.Data.DatasetDir})
		if err != nil {
			return nil, err
		}
		sets[i] = s.few(set)
	}
	return sets, nil
}

// Sets returns the training set, if there is one, the inlier set and the outlier sets.
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

// measuredSets returns the inlier set and then the outlier sets.
func (s *Session) measuredSets() ([]*data.Dataset, error) {
	inlier, err := s.InlierSet()
	if err != nil {
		return nil, err
	}
	outliers, err := s.OutlierSets()
	return append([]*data.Dataset{inlier}, outliers...), err
}

func openClasses(c config.Config, spec string) (*data.Dataset, error) {
	set, err := data.Open(spec, data.Options{DatasetDir: c.Data.DatasetDir})
	if err != nil {
		return nil, err
	}
	return set.WithClasses(c.Model.Classes)
}

// openTraining opens the training set as the training reads it.
func openTraining(c config.Config) (*data.Dataset, error) {
	set, err := data.Open(c.Data.Train, data.Options{DatasetDir: c.Data.DatasetDir})
	if err != nil {
		return nil, err
	}
	return set.ForTraining(c.Model.Classes, c.Train.Unknown)
}

// few returns the set, or the beginning of it in a quick session or one that looks at the zoo.
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
