package eval

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// ScoreNames are the outlier scores that a detector of this project computes itself, in the order
// of tables. Other scores follow in alphabetical order.
var ScoreNames = []string{"energy", "msp", "weighted_energy", "logistic", "nll"}

// OutlierScore returns an outlier score of a detection by name, higher for more inlier, and false
// if the detection does not have it. The [ScoreNames] are:
//
//   - energy: logsumexp of the K inlier logits, unweighted (FFS, VOS at test time);
//   - msp: the largest softmax probability over the K inlier logits;
//   - weighted_energy, logistic: as stored, the training energy and the inlier probability of the
//     logistic layer;
//   - nll: -NLL of the box feature under the flow.
//
// A stored score takes precedence over one computed from the logits.
func (d *Detection) OutlierScore(name string) (score float64, ok bool) {
	if score, ok = d.Scores[name]; ok {
		return score, true
	}
	if len(d.Logits) < 2 {
		return 0, false
	}
	inlier := d.Logits[:len(d.Logits)-1]
	switch name {
	case "energy":
		return floats.LogSumExp(inlier), true
	case "msp":
		return math.Exp(slices.Max(inlier) - floats.LogSumExp(inlier)), true
	}
	return 0, false
}

// scoreNames returns the names of all scores that detections may have, in the order of tables.
func scoreNames(detections []Detection) []string {
	further := map[string]bool{}
	for i := range detections {
		for name := range detections[i].Scores {
			further[name] = true
		}
	}
	return orderedScores(further)
}

// SortScores sorts names of scores in the order of tables.
func SortScores(names []string) {
	place := func(name string) int {
		if i := slices.Index(ScoreNames, name); i >= 0 {
			return i
		}
		return len(ScoreNames)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a, b)) })
}

// orderedScores returns ScoreNames followed by the further names in alphabetical order.
func orderedScores(further map[string]bool) []string {
	names := slices.AppendSeq(slices.Clone(ScoreNames), maps.Keys(further))
	SortScores(names)
	return slices.Compact(names)
}

// ProposalProbability returns the largest inlier probability of the detection's proposal, by
// softmax over all K+1 logits, or the detection's own score if it has no logits.
func (d *Detection) ProposalProbability() float64 {
	if len(d.Logits) < 2 {
		return d.Score
	}
	inlier := d.Logits[:len(d.Logits)-1]
	return math.Exp(slices.Max(inlier) - floats.LogSumExp(d.Logits))
}
