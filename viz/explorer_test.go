package viz

import (
	"image"
	"math"
	"strings"
	"testing"
)

// tinyExplorer has two real objects, three draws at two temperatures, and a way.
func tinyExplorer() *Explorer {
	cloud := func(x float64) Cloud {
		return Cloud{Points: [][]float64{{x, 0}, {x + 1, 1}, {x + 2, 4}}, NLL: []float64{1, 3, 2}, Energy: []float64{5, 4, 3}, Near: [][]int{{0, 1}, {1}, {}}}
	}
	real := Cloud{Points: [][]float64{{0, 0}, {1, 1}}, NLL: []float64{1, 2}, Energy: []float64{6, 8}, Labels: []string{"cat", "</script><b>"}}
	return &Explorer{
		Axes: []string{"PC 1", "PC 2"}, Real: []RealCloud{{"inliers", InlierColor, real}}, Inliers: map[string][]float64{"flow": {1, 2}},
		Draws: []Draw{{Method: "flow", Temperature: 0.5, Seed: 1, Cloud: cloud(0)}, {Method: "flow", Temperature: 1, Seed: 1, Cloud: cloud(5)}},
		Crops: []Thumbnail{{"cat", image.NewGray(image.Rect(0, 0, 4, 4))}, {"dog", image.NewGray(image.Rect(0, 0, 4, 4))}},
		Paths: []Path{{"cat to dog", 0, 1, cloud(0)}},
	}
}

func TestExplorerPageNeedsNothingElse(t *testing.T) {
	page, err := tinyExplorer().HTML("here")
	if err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"http://", "https://", "src=\"/", "</script><b>"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page holds %q", foreign)
		}
	}
	if n := strings.Count(page, "</script>"); n != 1 {
		t.Errorf("%d ends of a script, want 1", n)
	}
}

func TestExplorerRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*Explorer){
		"at least two axes":                 func(e *Explorer) { e.Axes = e.Axes[:1] },
		"inliers: there is no point":        func(e *Explorer) { e.Real[0].Points = nil },
		"flow: 3 points, 2 NLL":             func(e *Explorer) { e.Draws[0].NLL = e.Draws[0].NLL[:2] },
		"flow: point 1 has 3 coordinates":   func(e *Explorer) { e.Draws[0].Points[1] = []float64{1, 2, 3} },
		"flow: point 2 has a number that":   func(e *Explorer) { e.Draws[0].Energy[2] = math.NaN() },
		"flow: point 0 resembles crop 9":    func(e *Explorer) { e.Draws[0].Near[0][0] = 9 },
		"flow: no NLL of inliers is given":  func(e *Explorer) { e.Inliers = nil },
		"cat to dog: there is no point":     func(e *Explorer) { e.Paths[0].Points = nil },
		"0 draws: give at least two axes, ": func(e *Explorer) { e.Draws = nil },
	} {
		e := tinyExplorer()
		spoil(e)
		if _, err := e.HTML("here"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestHundredths(t *testing.T) {
	q := hundredths([]float64{4, 1, 3, 2})
	if len(q) != 101 || q[0] != 1 || q[50] != 2 || q[100] != 4 {
		t.Errorf("%d quantiles, %v, %v, %v; want 101, 1, 2, 4", len(q), q[0], q[50], q[100])
	}
}
