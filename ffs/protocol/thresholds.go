package protocol

import "ffslab/ffs/eval"

// Thresholds decide what becomes of a detection: whether it counts, and whether it is called unknown. "ffs eval" records both.
type Thresholds struct {
	// Score is the least probability that a detection must have.
	Score float64
	// Energy, if not nil, is what a detection's energy must reach; those under it are unknown objects.
	Energy *float64
}

// Unknown says whether the detection is an unknown object, and false where that cannot be told.
func (t Thresholds) Unknown(d eval.Detection) bool {
	energy, ok := d.OutlierScore("energy")
	return ok && t.Energy != nil && energy < *t.Energy
}
