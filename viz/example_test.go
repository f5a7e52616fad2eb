package viz_test

import (
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"slices"
	"strings"

	"ffslab/viz"

	"gonum.org/v1/gonum/stat/distuv"
)

// firstLines returns the first n lines of a figure's CSV.
func firstLines(f *viz.Figure, n int) string {
	data, err := f.CSV()
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(data), "\n")
	return strings.Join(lines[:min(n, len(lines))], "")
}

func ExampleCurves() {
	fig, err := viz.Curves{
		Title:  "Training on digits, seed 0",
		YLabel: "loss (nats)",
		Series: []viz.Series{
			{Name: "total", X: []float64{0, 20, 40}, Y: []float64{3, 1.5, 1.1}},
			{Name: "energy", X: []float64{20, 40}, Y: []float64{0.69, 0.31}},
		},
		Smooth: 0.5,
		LogY:   true,
		Marks:  []viz.Mark{{At: 20, Label: "outliers start"}},
	}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 3))
	// Output:
	// series,x,y,smooth
	// total,0,3,3
	// total,20,1.5,2
}

func ExampleHistogram() {
	fig, err := viz.Histogram{
		XLabel: "energy score (nats)",
		Groups: []viz.Group{
			{Name: "inlier", Values: []float64{5.2, 6.1, 6.4, 7.9}, Color: viz.InlierColor},
			{Name: "unknown", Values: []float64{2.2, 3.0, 5.1}, Color: viz.UnknownColor},
		},
		Bins:  3,
		Range: [2]float64{2, 8},
		Marks: []viz.Mark{{At: 5.2, Label: "threshold"}},
	}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 4))
	// Output:
	// group,low,high,count,fraction
	// inlier,2,4,0,0
	// inlier,4,6,1,0.25
	// inlier,6,8,3,0.75
}

func ExampleROC() {
	// Inliers have the scores 6, 5, 4 and 2, unknown objects 3 and 1.
	energy := viz.ROCCurve{
		Name: "energy", FPR: []float64{0, 0, 0, 0, 0.5, 0.5, 1}, TPR: []float64{0, 0.25, 0.5, 0.75, 0.75, 1, 1}, AUROC: 0.875, FPR95: 0.5,
	}
	fig, err := viz.ROC{Title: "digits:val against digits:ood-near", Curves: []viz.ROCCurve{energy}}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 3))
	// Output:
	// score,fpr,tpr
	// energy,0,0
	// energy,0,0.25
}

func ExamplePrecisionRecall() {
	// Inliers have the scores 6, 5, 4 and 2, unknown objects 3 and 1.
	energy := viz.PRCurve{Name: "energy", Recall: []float64{0.25, 0.5, 0.75, 0.75, 1, 1}, Precision: []float64{1, 1, 1, 0.75, 0.8, 4. / 6}, AUPR: 0.95}
	fig, err := viz.PrecisionRecall{Curves: []viz.PRCurve{energy}}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 2))
	// Output:
	// score,recall,precision
	// energy,0.25,1
}

func ExampleReliability() {
	diagram := viz.Reliability{Bins: []viz.ReliabilityBin{
		{Low: 0, High: 0.5, Count: 30, Confidence: 0.2, Precision: 0.1},
		{Low: 0.5, High: 1, Count: 10, Confidence: 0.8, Precision: 0.9},
	}}
	fig, err := diagram.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("ECE %.2f\n", diagram.ECE())
	fmt.Print(firstLines(fig, 2))
	// Output:
	// ECE 0.10
	// low,high,count,confidence,precision
	// 0,0.5,30,0.2,0.1
}

func ExampleConfusion() {
	fig, err := viz.Confusion{
		RowLabel: "unknown class (objects)", ColumnLabel: "taken for",
		Rows: []string{"zebra"}, Columns: []string{"horse", "dog"}, Counts: [][]int{{6, 1}}, Missed: []int{3},
	}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 4))
	// Output:
	// row,column,count,share
	// zebra,horse,6,0.6
	// zebra,dog,1,0.1
	// zebra,missed,3,0.3
}

// The energy of two classes with unit Gaussians, log sum exp, and where it falls under a threshold.
func ExampleSurface() {
	surface, err := viz.NewSurface([2]float64{-4, 4}, [2]float64{-2, 2}, 41, func(at [][]float64) ([]float64, error) {
		energy := make([]float64, len(at))
		for i, p := range at {
			for _, mean := range []float64{-2, 2} {
				energy[i] += math.Exp(-((p[0]-mean)*(p[0]-mean) + p[1]*p[1]) / 2)
			}
			energy[i] = math.Log(energy[i])
		}
		return energy, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	surface.ZLabel, surface.Marks = "energy (nats)", []viz.Mark{{At: -1, Label: "threshold"}}
	fig, err := surface.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 1))
	// Output: group,x,y,z
}

// t-SNE maps all rows at once; the groups are cut out of the map afterwards.
func ExampleTSNE() {
	inliers := [][]float64{{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 1, 0}}
	outliers := [][]float64{{9, 9, 9}, {9, 8, 9}, {8, 9, 9}}
	embedding, err := viz.TSNE(slices.Concat(inliers, outliers), viz.TSNEOptions{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	inlier, err := embedding.Points("inlier", 0, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	synthetic, err := embedding.Points("synthetic", 4, 7)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = viz.Scatter{XLabel: "t-SNE 1", YLabel: "t-SNE 2", Groups: []viz.Points{inlier, synthetic}, Equal: true}.Figure()
	fmt.Println(len(inlier.X), len(synthetic.X), embedding.Perplexity, err)
	// Output: 4 3 2 <nil>
}

// Squared norms of 16-dimensional latents against the chi-square distribution that they should
// have.
func ExampleQQ() {
	fig, err := viz.QQ{
		XLabel:    "quantile of χ²(16)",
		YLabel:    "quantile of |z|²",
		Groups:    []viz.Group{{Name: "inlier", Values: []float64{12, 15.5, 19}}},
		Reference: distuv.ChiSquared{K: 16},
	}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 1))
	// Output: group,probability,expected,sample
}

func ExampleLatents() {
	fig, err := viz.Latents{Groups: []viz.Latent{{Name: "inlier", Z: [][]float64{{0.3, -1.1}, {-0.2, 0.9}}}}}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 1))
	// Output: panel,group,probability,expected,sample
}

// The principal components are fitted to inliers; synthetic outliers are then shown in the same
// plane.
func ExampleScatter() {
	inliers := [][]float64{{1, 0, 0}, {-1, 0, 0}, {0, 0.5, 0}, {0, -0.5, 0}}
	outliers := [][]float64{{2, 2, 9}}
	components, err := viz.PCA(inliers, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	var groups []viz.Points
	for _, set := range []struct {
		name  string
		rows  [][]float64
		color viz.Color
	}{{"inlier", inliers, viz.InlierColor}, {"synthetic", outliers, viz.SyntheticColor}} {
		g, err := components.Points(set.name, set.rows)
		if err != nil {
			fmt.Println(err)
			return
		}
		g.Color = set.color
		groups = append(groups, g)
	}
	_, err = viz.Scatter{
		XLabel: components.Label(0), YLabel: components.Label(1), Groups: groups, Equal: true,
		Gaussians: []viz.Gaussian{{Name: "50, 90, 99 %", Cov: [2][2]float64{{0.5, 0}, {0, 0.125}}, Color: viz.Grey}},
	}.Figure()
	fmt.Println(components.Label(0), err)
	fmt.Printf("%.0f %.0f\n", groups[1].X, groups[1].Y)
	// Output:
	// PC 1 (80 % of variance) <nil>
	// [2] [2]
}

func ExampleBars() {
	fig, err := viz.Bars{
		Title: "FPR95, lower is better", YLabel: "FPR95 (%)", Categories: []string{"near", "far"}, Decimals: 1,
		Groups: []viz.BarGroup{
			{Name: "none", Values: []float64{67.0, 77.1}},
			{Name: "flow", Values: []float64{65.3, 74.8}, Errors: []float64{2.1, 2.6}},
		},
	}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 2))
	// Output:
	// category,group,value,error
	// near,none,67,0
}

func ExampleBoxPlot() {
	fig, err := viz.BoxPlot{YLabel: "AUROC (%)", Groups: []viz.Group{{Name: "flow", Values: []float64{84.8, 85.2, 85.1}}}}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 1))
	// Output: group,n,mean,p05,p25,median,p75,p95
}

func ExampleIntervals() {
	fig, err := viz.Intervals{XLabel: "AUROC (%)", Rows: []string{"knn", "energy"}, Series: []viz.IntervalSeries{
		{Name: "near", Values: []float64{79.1, 65.2}, Low: []float64{76.3, 61.8}, High: []float64{82.0, 68.5}},
	}}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(fig, 2))
	// Output:
	// row,series,value,low,high
	// knn,near,79.1,76.3,82
}

func ExampleDetections() {
	scene := image.NewRGBA(image.Rect(0, 0, 192, 192))
	fig, err := viz.Detections(scene, []viz.Box{
		{XYXY: [4]float64{20, 30, 60, 90}, Label: "3", Score: 0.93},
		{XYXY: [4]float64{100, 80, 150, 140}, Label: "5", Score: 0.61, Style: viz.Unknown},
		{XYXY: [4]float64{21, 29, 61, 92}, Label: "3", Style: viz.Truth},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fig.Image().Bounds().Size()) // enlarged three times
	fmt.Print(firstLines(fig, 2))
	// Output:
	// (576,576)
	// label,style,score,x1,y1,x2,y2
	// 3,inlier,0.93,20,30,60,90
}

func ExampleFigure_Save() {
	fig, err := viz.Curves{Series: []viz.Series{{Name: "loss", X: []float64{0, 1}, Y: []float64{2, 1}}}}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "figures")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := fig.Save(dir, "loss"); err != nil {
		fmt.Println(err)
		return
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range files {
		fmt.Println(f.Name())
	}
	// Output:
	// loss.csv
	// loss.png
	// loss.svg
}

func ExampleContactSheet() {
	photo := image.NewGray(image.Rect(0, 0, 160, 120))
	sheet, err := viz.ContactSheet([]image.Image{photo, photo, photo}, []string{"a", "b", "c"}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(sheet, 3))
	// Output:
	// image,caption,width,height
	// 0,a,160,120
	// 1,b,160,120
}

func ExamplePanels() {
	_, err := viz.Panels("the runs have logged no step yet")
	fmt.Println(err, errors.Is(err, viz.ErrNothing))
	// Output: nothing to show: the runs have logged no step yet true
}

func ExampleGrid() {
	left, err := viz.Bars{Title: "AP50", Categories: []string{"none", "flow"}, Groups: []viz.BarGroup{{Name: "seed 0", Values: []float64{71, 72}}}}.Figure()
	if err != nil {
		fmt.Println(err)
		return
	}
	both, err := viz.Grid(2, left, left)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(firstLines(both, 2))
	// Output:
	// panel,category,group,value,error
	// AP50,none,seed 0,71,0
}

// The plane of the inliers' features, in which anything else can be shown.
func ExamplePCA() {
	plane, err := viz.PCA([][]float64{{0, 0, 1}, {2, 0, 1}, {0, 1, 1}, {2, 1, 1}}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	points, err := plane.Points("unknown", [][]float64{{1, 0.5, 1}, {3, 0.5, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s: %.1f\n", plane.Label(0), points.X)
	// Output: PC 1 (80 % of variance): [0.0 2.0]
}
