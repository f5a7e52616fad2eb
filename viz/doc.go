// Package viz makes the figures of ffslab: training curves, score histograms, ROC and
// precision-recall curves, checks of the flow's latent space, feature scatters in principal
// components or by t-SNE, energy surfaces, reliability diagrams, confusion tables, bar and box
// plots, and images with detections.
//
// A figure is a value. A small struct holds plain data and the few options of its kind; its Figure
// method checks them and returns a [Figure], which can be turned into SVG, PNG or CSV, saved, or
// shown in the cell of a notebook (package notebook):
//
//	fig, err := viz.Histogram{
//		XLabel: "energy score (nats)",
//		Groups: []viz.Group{{Name: "inlier", Values: id}, {Name: "unknown", Values: ood}},
//	}.Figure()
//	if err != nil {
//		return err
//	}
//	return fig.Save("figures", "energy") // energy.svg, energy.png, energy.csv
//
// All figures share one look, made for a column of 8.5 cm: sans-serif type of 7 and 8 points, the
// colour-blind-safe palette of Okabe and Ito, a light grid, and a legend above the axes where it
// cannot hide data. The same figure gives the same bytes every time; nothing is fetched, and no
// font has to be installed.
//
// The package knows nothing of models or data sets: it takes slices and images.
package viz
