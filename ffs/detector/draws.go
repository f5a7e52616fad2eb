package detector

import (
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Keys returns the random states [batch + 1, 3] of a training step, row by row: one for each image,
// by its place in the step, and a last one for the step. They are a function of the arguments, so
// that neither the number of devices nor an interruption changes a draw.
func Keys(seed int64, step, batch int) []uint64 {
	width := compute.RNGStateShape.Size()
	keys := make([]uint64, 0, (batch+1)*width)
	for image := range batch + 1 {
		if image == batch {
			image = -1 // the step's own stream stays the same whatever the batch
		}
		stream := rand.New(rand.NewPCG(uint64(seed), uint64(step)<<20^uint64(uint32(image+1))))
		for range width {
			keys = append(keys, stream.Uint64())
		}
	}
	return keys
}

// imageKeys returns the states of the images, [batch, 3], from keys [batch + 1, 3].
func imageKeys(keys *graph.Node) *graph.Node {
	return graph.Slice(keys, graph.AxisRange(0, keys.Shape().Dim(0)-1))
}

// stepKey returns the state of the step, [3], from keys [batch + 1, 3].
func stepKey(keys *graph.Node) *graph.Node {
	return graph.Reshape(graph.Slice(keys, graph.AxisElem(keys.Shape().Dim(0)-1)), compute.RNGStateShape.Dimensions...)
}

// samplingNoise draws, from the images' keys [batch, 3], the numbers in [0, 1) that order anchors
// and proposals for sampling: [batch, anchors] and [batch, proposals].
func samplingNoise(keys *graph.Node, anchors, proposals int) (forAnchors, forProposals *graph.Node) {
	var a, p []*graph.Node
	for image := range keys.Shape().Dim(0) {
		state := graph.Reshape(graph.Slice(keys, graph.AxisElem(image)), compute.RNGStateShape.Dimensions...)
		next, one := graph.RandomUniform(state, shapes.Make(dtypes.Float32, 1, anchors))
		_, other := graph.RandomUniform(next, shapes.Make(dtypes.Float32, 1, proposals))
		a, p = append(a, one), append(p, other)
	}
	return graph.Concatenate(a, 0), graph.Concatenate(p, 0)
}

// noise draws, from the step's key [3], the standard normal numbers that the synthesiser asks for.
func (d *Detector) noise(key *graph.Node) []*graph.Node {
	var out []*graph.Node
	for _, shape := range d.outlier.Noise() {
		var noise *graph.Node
		key, noise = graph.RandomNormal(key, shape)
		out = append(out, graph.StopGradient(noise))
	}
	return out
}
