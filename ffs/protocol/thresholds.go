package protocol

import (
	"cmp"

	"ffslab/ffs/eval"
)

// Thresholds decide what becomes of a detection: whether it counts, and whether it is called unknown. "ffs eval" records both.
type Thresholds struct {
	// Score is the least probability that a detection must have.
	Score float64
	// Energy, if not nil, is what a detection's energy must reach; those under it are unknown objects.
	Energy *float64
	// By is the outlier score that Energy is a threshold of; empty stands for the energy.
	By string
}

// Unknown says whether the detection is an unknown object, and false where that cannot be told.
func (t Thresholds) Unknown(d eval.Detection) bool {
	value, ok := d.OutlierScore(cmp.Or(t.By, "energy"))
	return ok && t.Energy != nil && value < *t.Energy
}
