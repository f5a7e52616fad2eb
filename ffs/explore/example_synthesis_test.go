package explore_test

import (
	"fmt"
	"os"
	"path/filepath"

	"ffslab/ffs/explore"
	"ffslab/viz"
	"ffslab/viz/explorer"
	"ffslab/viz/notebook"
)

// Check that the latents of real features are normally distributed, as sampling assumes.
func ExampleSession_Latents() {
	latents := explore.Must(zoo().Latents())
	for _, row := range latents.Table().Rows {
		fmt.Println(row[0])
	}
	fmt.Println("as many draws:", len(latents.Inliers) == len(latents.Drawn))
	for _, figure := range []*viz.Figure{explore.Must(latents.Figure()), explore.Must(latents.LikelihoodFigure())} {
		fmt.Println(subject(figure))
	}
	// Output:
	// held-out inliers
	// digits2:ood-far?n=8
	// draws from N(0, I)
	// as many draws: true
	// Quantiles of the latents z of 48 held-out inliers
	// Negative log-likelihood under the flow of the box features of held-out inliers
}

// Synthetic outliers among real objects.
func ExampleSession_Synthesis() {
	view := explore.Must(zoo().Synthesis())
	for _, figure := range []*viz.Figure{
		explore.Must(view.ClassFigure()),
		explore.Must(view.Figure(1)), // at temperature 1
		explore.Must(view.EnergyFigure()),
		explore.Must(view.SurfaceFigure()),
		explore.Must(view.NearestFigure(2, 3)),
		explore.Must(view.GaussiansAgainstFlow()),
	} {
		fmt.Println(subject(figure))
	}
	for _, row := range explore.Must(view.EnergyTable()).Rows {
		fmt.Println(row[0])
	}
	// Output:
	// Box features of held-out inliers in their first two principal components
	// Box features in the first two principal components of the inliers
	// Energies
	// Energy of features in the plane of the first two principal components through the inliers' mean
	// For each of the 2 least likely of 200 draws of the method flow at temperature 1
	// Synthetic outliers of the class-conditional Gaussians and of the flow
	// inliers
	// digits2:ood-far?n=8
	// samples of flow
	// synthetic outliers
}

// The paper's first figure in the plane: a Gaussian's outliers lie among the inliers of curved
// classes more often than a flow's do.
func ExampleSession_NewToy() {
	toy := explore.Must(zoo().NewToy())
	fmt.Println(len(toy.Classes), "classes,", len(toy.FlowOutliers), "outliers of each model")
	figure := explore.Must(toy.Figure())
	fmt.Println(subject(figure))
	table := toy.Table()
	among := func(row int) (percent float64) {
		_, err := fmt.Sscanf(table.Rows[row][2], "%f", &percent)
		explore.Check(err)
		return percent
	}
	fmt.Println("among the inliers:", table.Rows[0][0], "above", table.Rows[1][0], among(0) > among(1))
	// Output:
	// 3 classes, 90 outliers of each model
	// Three classes in the plane
	// among the inliers: Gaussians above flow true
}

// Build the interactive page, with a score that is fitted on the training set. As on CI, nobody
// watches, so ShowLive does not wait for a reader.
func ExampleSession_Explorer() {
	session := zoo()
	page := quietly(func() *explorer.Page { return explore.Must(session.Explorer("knn")) })
	for _, group := range page.Groups[len(page.Groups)-2:] {
		fmt.Println(group.Name, "unknown:", group.Unknown)
	}
	for _, method := range page.Draws.Methods {
		fmt.Println(method.Name)
	}
	os.Setenv(notebook.Headless, "1") // else ShowLive serves the page until its reader ends it
	defer os.Unsetenv(notebook.Headless)
	session.ShowLive("live", page)
	session.ShowExplorer("explorer", page)
	for _, file := range explore.Must(filepath.Glob(filepath.Join(session.Out, "figures", "*.html"))) {
		fmt.Println(filepath.Base(file))
	}
	// Output:
	// 5 unknown: false
	// digits2:ood-far?n=8 unknown: true
	// flow
	// flow-langevin
	// gaussian
	// explorer.html
	// live.html
}
