package eval

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// ScoreNames are the names of the outlier scores that a detector of this project
// gives itself, in the order of tables. All others follow them by the alphabet.
var ScoreNames = []string{"energy", "msp", "weighted_energy", "logistic", "nll"}

// OutlierScore returns an outlier score of a detection by its name, oriented so that
// higher means more inlier, and false where the detection does not carry it. Those of
// [ScoreNames] are:
//
//   - energy: logsumexp of the K inlier logits, unweighted (FFS, VOS at test time);
//   - msp: the largest softmax probability over the K inlier logits alone;
//   - weighted_energy, logistic: as stored, the training energy and the
//     logistic layer's inlier probability;
//   - nll: -NLL of the box feature under the flow.
//
// A stored score comes before one computed from the logits.
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
		return logSumExp(inlier), true
	case "msp":
		return math.Exp(slices.Max(inlier) - logSumExp(inlier)), true
	}
	return 0, false
}

// scoreNames are the names of all scores that detections may carry, in the order
// of tables.
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

// orderedScores are ScoreNames and then the further ones.
func orderedScores(further map[string]bool) []string {
	names := slices.Clone(ScoreNames)
	for _, name := range slices.Sorted(maps.Keys(further)) {
		if !slices.Contains(ScoreNames, name) {
			names = append(names, name)
		}
	}
	return names
}

// ProposalProbability is the largest inlier probability of the detection's
// proposal, by softmax over all K+1 logits; without logits its own score.
func (d *Detection) ProposalProbability() float64 {
	if len(d.Logits) < 2 {
		return d.Score
	}
	inlier := d.Logits[:len(d.Logits)-1]
	return math.Exp(slices.Max(inlier) - logSumExp(d.Logits))
}

func logSumExp(logits []float64) float64 {
	largest := slices.Max(logits)
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp(l - largest)
	}
	return largest + math.Log(sum)
}
