package protocol

import (
	"cmp"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/run"
)

func (o Options) subject(identity infer.Identity) (*eval.Subject, error) {
	digest, err := o.Model.Config.Digest()
	if err != nil {
		return nil, err
	}
	s := &eval.Subject{
		Run: o.RunName, Step: o.Model.Step, Steps: o.Model.Config.Train.MaxIter, Weights: identity.Parameters, Config: digest, Commit: run.Commit(),
		Inlier: Describe(o.Inlier), Outliers: []eval.Set{},
	}
	for _, set := range o.Outliers {
		s.Outliers = append(s.Outliers, Describe(set))
	}
	return s, nil
}

// Describe returns the set as reports list it.
func Describe(set *data.Dataset) eval.Set {
	return eval.Set{Name: set.Name, Label: set.Label(), Spec: cmp.Or(set.Spec, set.Name), Images: len(set.Images)}
}
