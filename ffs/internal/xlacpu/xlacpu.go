// Package xlacpu holds operations in the forms that XLA's CPU backend runs fastest: convolutions
// and ROIAlign. Each returns, up to rounding, what its definition does, forward and backward; the
// measurements stand in ffs/bench/LOG.md. Values are float32.
package xlacpu

import "github.com/gomlx/gomlx/core/graph"

// Wanted reports whether the graph runs on a CPU, where this package's forms are the faster ones.
// GoMLX's own backend counts as one. It lacks DynamicSlice, which these forms need, and says so at
// once; in the forms for GPUs a small image would take it minutes.
func Wanted(g *graph.Graph) bool {
	xla, ok := g.Backend().(interface{ IsCPU() bool })
	return !ok || xla.IsCPU()
}
