package eval

import (
	"math"
	"testing"

	"ffslab/ffs/internal/testkit"
)

// exp(l / 2) is 1 and 3 for the logits 0 and log 9.
func TestAtTemperatureByHand(t *testing.T) {
	d := Detection{Score: 0.5, Logits: []float64{0, math.Log(9), 5}, Scores: map[string]float64{"energy": 1, "weighted_energy": 1, "logistic": 1, "nll": -7, "msp": 1}}
	layer := &EnergyLayer{Weights: []float64{2, -1}, Slope: 1, Intercept: math.Log(2)}
	got, err := AtTemperature([]Detection{d}, 2, layer)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"energy": 2 * math.Log(4), "msp": 0.75, "weighted_energy": 2 * math.Log(2), "logistic": 8. / 9, "nll": -7,
	} {
		score, ok := got[0].OutlierScore(name)
		if !ok {
			t.Fatalf("no %s", name)
		}
		testkit.Close(t, name, score, want, 1e-15)
	}
	if d.Scores["energy"] != 1 || d.Logits[1] != math.Log(9) {
		t.Error("the argument has changed")
	}

	got, err = AtTemperature([]Detection{d}, 2, nil)
	if scores := got[0].Scores; err != nil || len(scores) != 2 || scores["nll"] != -7 {
		t.Errorf("without a layer: error %v, %+v", err, got)
	}
	dead, err := AtTemperature([]Detection{d}, 2, &EnergyLayer{Weights: []float64{0, -1}})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "weighted energy without a positive weight", dead[0].Scores["weighted_energy"], math.Log(9)-2*126*math.Ln2, 1e-15)
	for _, one := range []float64{0, 1} {
		if same, err := AtTemperature([]Detection{d}, one, nil); err != nil || same[0].Scores["weighted_energy"] != 1 {
			t.Errorf("temperature %g: error %v, or the scores have changed", one, err)
		}
	}
}

func TestAtTemperatureRefuses(t *testing.T) {
	for _, test := range []struct {
		logits      []float64
		temperature float64
		want        string
	}{
		{[]float64{1, 2, 3}, -1, "temperature -1 is not possible: it must be above 0"},
		{[]float64{1, 2, 3}, math.NaN(), "temperature NaN is not possible: it must be above 0"},
		{nil, 2, "detection 0: it has no logits, which a temperature other than 1 needs"},
		{[]float64{1, 2}, 2, "detection 0: 2 logits, want 3: one for each weight of the energy and one for the background"},
	} {
		_, err := AtTemperature([]Detection{{Logits: test.logits}}, test.temperature, &EnergyLayer{Weights: []float64{1, 1}})
		if err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}
