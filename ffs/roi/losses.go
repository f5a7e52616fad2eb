package roi

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Losses returns the losses of the heads for logits [batch*R, K+1] and deltas [batch*R, 4*K] of the
// sampled proposals, as sums: cls is the cross-entropy of all valid proposals, box the L1 distance
// between the deltas of the foreground for its own class and those that lead to the ground truth.
// Divide both by count, the number of all valid proposals (detectron2's FastRCNNOutputLayers).
func (c Config) Losses(logits, deltas *graph.Node, s Sampled) (cls, box, count *graph.Node) {
	n := logits.Shape().Dim(0)
	valid := graph.ConvertDType(graph.Reshape(s.Valid, n), dtypes.Float32)
	classes, foreground := graph.Reshape(s.Classes, n), graph.Reshape(s.Foreground, n)
	cls = graph.ReduceAllSum(graph.Mul(c.CrossEntropy(logits, classes), graph.StopGradient(valid)))

	// Rows without a target use one box as source and target, whose delta is 0.
	safe := graph.BroadcastToDims(graph.Const(logits.Graph(), [][]float32{{0, 0, 1, 1}}), n, 4)
	at := func(b *graph.Node) *graph.Node { return graph.Where(foreground, graph.Reshape(b, n, 4), safe) }
	target := graph.StopGradient(coder.Encode(at(s.Boxes), at(s.GTBoxes)))
	own := graph.Where(foreground, classes, graph.Const(logits.Graph(), int32(c.Classes)))
	own = graph.StopGradient(graph.OneHot(own, c.Classes, dtypes.Float32)) // [n, K], all zero but for foreground
	predicted := graph.ReduceSum(graph.Mul(graph.Reshape(deltas, n, c.Classes, 4), graph.InsertAxes(own, -1)), 1)
	box = graph.ReduceAllSum(graph.Abs(graph.Sub(predicted, target)))
	return cls, box, graph.StopGradient(graph.ReduceAllSum(valid))
}

// CrossEntropy is that of logits [n, K+1] and classes [n] int32, K for background: [n].
func (c Config) CrossEntropy(logits, classes *graph.Node) *graph.Node {
	truth := graph.StopGradient(graph.OneHot(classes, c.Classes+1, dtypes.Float32))
	return graph.Neg(graph.ReduceSum(graph.Mul(graph.LogSoftmax(logits), truth), -1))
}
