package viz_test

import (
	"fmt"
	"math"

	"ffslab/viz"

	"gonum.org/v1/gonum/stat/distuv"
)

// Any model's density over the plane, here a ring, beside what was drawn from another.
func ExampleDensity() {
	ring := func(at [][]float64) ([]float64, error) {
		logP := make([]float64, len(at))
		for i, p := range at {
			r := math.Hypot(p[0], p[1])
			logP[i] = -8 * (r - 2) * (r - 2)
		}
		return logP, nil
	}
	density, err := viz.NewDensity("flow", [2]float64{-4, 4}, [2]float64{-4, 4}, 81, ring)
	if err != nil {
		fmt.Println(err)
		return
	}
	fig, err := viz.Scatter{
		Groups:    []viz.Points{{Name: "draws", X: []float64{0, 1.5}, Y: []float64{2, -1.5}, Color: viz.SyntheticColor}},
		Densities: []viz.Density{density},
		Equal:     true,
	}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 2))
	// Output:
	// group,x,y
	// draws,0,2
}

// Squared norms of latents with the density that they should have.
func ExampleDistribution() {
	fig, err := viz.Histogram{
		XLabel:   "|z|²",
		Groups:   []viz.Group{{Name: "inlier", Values: []float64{1, 2, 3, 7}}},
		Expected: []viz.Distribution{{Name: "χ²(4)", CDF: distuv.ChiSquared{K: 4}.CDF, Color: viz.Black}},
		Bins:     2,
		Range:    [2]float64{0, 8},
	}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 3))
	// Output:
	// group,low,high,count,fraction
	// inlier,0,4,3,0.75
	// inlier,4,8,1,0.25
}

// Coordinates in the principal components of inliers, of which there may be more than a figure
// shows.
func ExampleProjection_Apply() {
	space, err := viz.PCA([][]float64{{2, 0, 0, 0}, {-2, 0, 0, 0}, {0, 1, 0, 0}, {0, -1, 0, 0}, {0, 0, 0.5, 0}, {0, 0, -0.5, 0}}, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, err := space.Apply([][]float64{{3, 2, 1, 9}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f\n", rows[0])
	// Output: [3.0 2.0 1.0]
}
