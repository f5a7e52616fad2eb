package rpn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Losses returns sums over the batch: cls is the binary cross-entropy of the sampled anchors
// (labels [batch, A] int32, -1 for not sampled), loc the L1 distance between the deltas of the
// positive anchors and those that lead to their ground truth (matched [batch, A, 4]). Divide both
// by count, BatchPerImage times the number of images, however many anchors were sampled.
func (c Config) Losses(out *Output, labels, matched *graph.Node) (cls, loc, count *graph.Node) {
	g, zero := labels.Graph(), graph.Const(labels.Graph(), float32(0))
	labels, matched = graph.StopGradient(labels), graph.StopGradient(matched)
	positive := graph.Equal(labels, graph.Const(g, int32(1)))
	sampled := graph.GreaterOrEqual(labels, graph.Const(g, int32(0)))

	label := graph.ConvertDType(positive, dtypes.Float32)
	entropy := graph.Sub(graph.Softplus(out.Logits), graph.Mul(out.Logits, label))
	cls = graph.ReduceAllSum(graph.Where(sampled, entropy, zero))

	// The targets of other anchors may be infinite (a padded ground truth has no area): mask them.
	target := coder.Encode(graph.InsertAxes(out.Anchors, 0), matched)
	target = graph.StopGradient(graph.Where(positive, target, zero))
	difference := graph.Where(positive, graph.Sub(out.Deltas, target), zero)
	loc = graph.ReduceAllSum(graph.Abs(difference))
	return cls, loc, graph.Const(g, float32(c.BatchPerImage*labels.Shape().Dim(0)))
}
