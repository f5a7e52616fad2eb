package detector

import (
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Keys returns the states [batch + 1, 3] of the random generators of one training step, row-major: one for each image, by its place in the step,
// and a last one for the step. They depend on nothing else, so that neither the number of devices nor an interruption changes a draw.
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

// imageKeys and stepKey are the two kinds of rows of keys [batch + 1, 3].
func imageKeys(keys *Node) *Node { return graph.Slice(keys, graph.AxisRange(0, keys.Shape().Dim(0)-1)) }

func stepKey(keys *Node) *Node {
	return graph.Reshape(graph.Slice(keys, graph.AxisElem(keys.Shape().Dim(0)-1)), compute.RNGStateShape.Dimensions...)
}

// order draws from the images' keys [batch, 3] what orders the anchors and the proposals that are sampled, [batch, anchors] and
// [batch, proposals], uniform in [0, 1).
func order(keys *Node, anchors, proposals int) (forAnchors, forProposals *Node) {
	var a, p []*Node
	for image := range keys.Shape().Dim(0) {
		state := graph.Reshape(graph.Slice(keys, graph.AxisElem(image)), compute.RNGStateShape.Dimensions...)
		next, one := graph.RandomUniform(state, shapes.Make(dtypes.Float32, 1, anchors))
		_, other := graph.RandomUniform(next, shapes.Make(dtypes.Float32, 1, proposals))
		a, p = append(a, one), append(p, other)
	}
	return graph.Concatenate(a, 0), graph.Concatenate(p, 0)
}

// noise draws from the step's key [3] the standard normal numbers that the synthesiser asks for.
func (d *Detector) noise(key *Node) []*Node {
	var out []*Node
	for _, shape := range d.outlier.Noise() {
		var noise *Node
		key, noise = graph.RandomNormal(key, shape)
		out = append(out, graph.StopGradient(noise))
	}
	return out
}
