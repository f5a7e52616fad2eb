// Package explorer makes an interactive page of synthetic outliers among real box features: one block of HTML that holds its data, its
// script and its pictures, and needs neither a network nor a running kernel. It works in a notebook's output, in the page exported from it, and as a file of
// its own.
//
// The page has three views: draws of several methods, of which the reader selects the least likely, in a plane of two principal components; the way
// between two objects through latent space, with the energy along it; and the energy over planes through three mean features. Everything that a
// network computes is computed beforehand, on a grid of temperatures and seeds, and packed into 16 bits a number; selecting, projecting and drawing is
// left to the page, which takes milliseconds.
//
// Programs that drive the page (tests) find its parts by attributes, inside .viz-explorer. Controls have data-set: in section.draws method, temperature,
// seed, drawn, selected, share, x and y; in section.path from, to and position; in section.surface corners. What they change has data-show: scatter
// (the plot of the first view), summary, groups (its table), chosen, crops, tip, way, profile, surface. Sliders of temperatures and seeds count from 0. The
// attribute data-redraw of .viz-explorer holds the milliseconds that the last redrawing took.
package explorer
