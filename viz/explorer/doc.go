// Package explorer makes an interactive page of synthetic outliers among real box features: one block of HTML that holds its data, its
// script and its pictures, and needs neither a network nor a running kernel. It works in a notebook's output, in the page exported from it, and as a file of
// its own.
//
// The page has three views: draws of several methods, of which the reader selects the least likely, in a plane of two principal components; the way
// between two objects through latent space, with the energy along it; and the energy over planes through three mean features. Everything that a
// network computes is computed beforehand, on a grid of temperatures and seeds, and packed into 16 bits a number; selecting, projecting and drawing is
// left to the page, which takes milliseconds.
//
// Programs that drive the page (tests) find its controls by their names: inside figure.ffs-explorer, section.draws has
// input[name=temperature|drawn|selected|share], select[name=x|y], button[name=method|seed] with data-value or none, table.summary and
// .nearest; section.path has select[name=from|to] and input[name=t]; section.surface has select[name=corners]. After every redrawing the
// figure's data-redraws counts one more and data-redraw-ms holds the milliseconds that it took.
package explorer
