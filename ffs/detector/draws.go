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

// Draws are the random numbers of one training step.
type Draws struct {
	// Anchors [batch, anchors] and Proposals [batch, proposals] are uniform in [0, 1): they order what is sampled.
	Anchors, Proposals *Node
	// Synthesis is the standard normal noise that the synthesiser asks for.
	Synthesis []*Node
}

// draws makes the step's random numbers from keys [batch + 1, 3] uint64.
func (d *Detector) draws(keys *Node, anchors, proposals int) Draws {
	batch := keys.Shape().Dim(0) - 1
	state := func(row int) *Node {
		return graph.Reshape(graph.Slice(keys, graph.AxisElem(row)), compute.RNGStateShape.Dimensions...)
	}
	var forAnchors, forProposals []*Node
	for image := range batch {
		next, a := graph.RandomUniform(state(image), shapes.Make(dtypes.Float32, 1, anchors))
		_, p := graph.RandomUniform(next, shapes.Make(dtypes.Float32, 1, proposals))
		forAnchors, forProposals = append(forAnchors, a), append(forProposals, p)
	}
	draws := Draws{Anchors: graph.Concatenate(forAnchors, 0), Proposals: graph.Concatenate(forProposals, 0)}
	next := state(batch)
	for _, shape := range d.outlier.Noise() {
		var noise *Node
		next, noise = graph.RandomNormal(next, shape)
		draws.Synthesis = append(draws.Synthesis, graph.StopGradient(noise))
	}
	return draws
}
