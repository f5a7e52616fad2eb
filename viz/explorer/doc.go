// Package explorer makes an interactive page of synthetic outliers among real box features: one
// block of HTML that holds its data, its script, its pictures and the library that draws
// (Plotly.js), and needs neither a network nor a running kernel. It works in a notebook's output,
// in the page exported from it, and as a file of its own.
//
// The page shows draws of several methods, of which the reader keeps the least likely, among real
// objects in a plane of any two numbers that points have: principal components, t-SNE, energies,
// scores. It links that plane with histograms whose thresholds are dragged, the image of the chosen
// object, and crops of what is selected, which can be taken away as CSV, JSON or Go. Two further
// views show the way between two objects through latent space, and the energy over planes through
// three mean features. What a network computes is computed beforehand, on a grid of temperatures
// and seeds; with a process behind the page ([Page.Serve]) it is computed anew for any of them.
//
// Programs that drive the page (tests) find its parts by attributes inside .viz-explorer: controls
// by data-set, buttons by data-do, the legend's switches by data-switch and what they switch by
// data-series, the list's boxes by data-tick, and what changes by data-show. The figure itself says
// in data-state how often it has drawn, in data-busy that it draws now, in data-redraw how many
// milliseconds the last drawing took, and in data-opened how many the page took to open.
package explorer
