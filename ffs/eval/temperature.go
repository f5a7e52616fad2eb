package eval

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// EnergyLayer holds the learned weights of the energy, and the logistic layer on it, of a detector
// that was trained with synthetic outliers.
type EnergyLayer struct {
	Weights          []float64 // of the K inlier classes; negative ones count as 0
	Slope, Intercept float64   // the inlier probability is 1 / (1 + exp(-(Slope * energy + Intercept)))
}

// AtTemperature returns the detections with their outlier scores at temperature T (Liang et al.,
// ODIN, ICLR 2018; Liu et al., NeurIPS 2020, for the energy), computed from the logits l of the K
// inlier classes:
//
//   - energy: T * log sum_k exp(l_k / T);
//   - msp: the largest softmax probability of l / T;
//   - weighted_energy: T * log sum_k max(w_k, 0) exp(l_k / T), and logistic, the logistic layer on
//     it, by the given layer; left out without one;
//   - all others, such as the nll of the flow: unchanged.
//
// The returned logits are divided by T; scores and boxes are unchanged, and so is the argument. For
// T = 1, or 0, which means 1, it returns the argument itself. It is an error if T is negative or
// not finite, or if a detection has no logits, or not one for each weight and the background; the
// error names the index of the detection.
func AtTemperature(detections []Detection, t float64, layer *EnergyLayer) ([]Detection, error) {
	if !isFinite(t) || t < 0 {
		return nil, fmt.Errorf("temperature %g is not possible: it must be above 0", t)
	}
	if t == 0 || t == 1 {
		return detections, nil
	}
	out := make([]Detection, len(detections))
	for i, d := range detections {
		if err := d.temper(t, layer); err != nil {
			return nil, fmt.Errorf("detection %d: %w", i, err)
		}
		out[i] = d
	}
	return out, nil
}

// temper changes d, but nothing that d points to.
func (d *Detection) temper(t float64, layer *EnergyLayer) error {
	if len(d.Logits) < 2 {
		return errors.New("it has no logits, which a temperature other than 1 needs")
	}
	inlier := d.Logits[:len(d.Logits)-1]
	if layer != nil && len(layer.Weights) != len(inlier) {
		return fmt.Errorf("%d logits, want %d: one for each weight of the energy and one for the background", len(d.Logits), len(layer.Weights)+1)
	}
	logits := make([]float64, len(d.Logits))
	for k, l := range d.Logits {
		logits[k] = l / t
	}
	d.Logits = logits
	scores := make(map[string]float64, len(d.Scores)+1)
	maps.Copy(scores, d.Scores)
	for _, name := range []string{"msp", "weighted_energy", "logistic"} {
		delete(scores, name)
	}
	scores["energy"] = t * floats.LogSumExp(logits[:len(inlier)])
	if layer != nil {
		weighted := t * layer.weighted(logits[:len(inlier)])
		scores["weighted_energy"] = weighted
		scores["logistic"] = 1 / (1 + math.Exp(-(layer.Slope*weighted + layer.Intercept)))
	}
	d.Scores = scores
	return nil
}

// energyFloor is Floor of package energy: how far below the largest logit an energy can fall if no
// weight is positive.
const energyFloor = -126 * math.Ln2

func (e *EnergyLayer) weighted(logits []float64) float64 {
	largest := slices.Max(logits)
	sum := 0.0
	for k, l := range logits {
		sum += max(e.Weights[k], 0) * math.Exp(l-largest)
	}
	return largest + max(math.Log(sum), energyFloor)
}
