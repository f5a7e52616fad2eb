package roi

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/boxes"
)

// Sampled holds the proposals that train the heads, R = BatchPerImage rows for each image,
// foreground first. It has no gradient.
type Sampled struct {
	Boxes      *graph.Node // [batch, R, 4]
	Classes    *graph.Node // [batch, R] int32; K is background
	GTBoxes    *graph.Node // [batch, R, 4]: the ground truth that each proposal overlaps most; undefined for background
	Valid      *graph.Node // [batch, R] booleans; false in the rows of an image with fewer than R candidates
	Foreground *graph.Node // [batch, R] booleans
}

// Sample draws from the proposals [batch, P, 4], of which valid [batch, P] are real, and from the
// ground truth: gtBoxes [batch, M, 4], gtClasses [batch, M] int32 and gtValid [batch, M]. A
// candidate whose IoU with a ground truth is at least 0.5 is foreground. Foreground and background
// are each drawn in descending order of noise [batch, P+M], uniform in [0, 1); background fills the
// rest of the batch (detectron2's StandardROIHeads). A candidate that is not foreground and whose
// IoU with a box of gtIgnored [batch, M] is at least 0.5 is not drawn; nil means no such box.
func (c Config) Sample(proposals, valid, gtBoxes, gtClasses, gtValid, gtIgnored, noise *graph.Node) Sampled {
	g, batch := proposals.Graph(), proposals.Shape().Dim(0)
	candidates := graph.StopGradient(graph.Concatenate([]*graph.Node{proposals, gtBoxes}, 1))
	isReal := graph.StopGradient(graph.Concatenate([]*graph.Node{valid, gtValid}, 1))
	noise.AssertDims(batch, candidates.Shape().Dim(1))
	matcher := boxes.Matcher{Low: matchIoU, High: matchIoU}
	matches := matcher.Match(gtBoxes, gtValid, candidates, isReal)
	if gtIgnored != nil {
		matches = matcher.Ignore(matches, gtBoxes, gtIgnored, candidates, isReal)
	}

	size := c.BatchPerImage
	labelled := func(label int32) *graph.Node { return graph.Equal(matches.Labels, graph.Const(g, label)) }
	foreground, positives := draw(labelled(1), noise, int(float64(size)*c.PositiveFraction))
	background, negatives := draw(labelled(0), noise, size)

	// Rows hold the foreground, then the background.
	row := graph.Iota(g, shapes.Make(dtypes.Int32, batch, size), 1)
	isForeground := graph.LessThan(row, positives)
	inBackground := graph.AddScalar(graph.Sub(row, positives), foreground.Shape().Dim(1))
	drawn := graph.Concatenate([]*graph.Node{foreground, background}, 1)
	position := graph.MinScalar(graph.Where(isForeground, row, inBackground), drawn.Shape().Dim(1)-1)
	index := graph.StopGradient(boxes.Take(drawn, position))

	match := boxes.Take(matches.Index, index)
	classes := boxes.Take(gtClasses, match)
	classes = graph.Where(isForeground, classes, graph.Const(g, int32(c.Classes)))
	return Sampled{
		Boxes:      boxes.Take(candidates, index),
		Classes:    graph.StopGradient(classes),
		GTBoxes:    graph.StopGradient(boxes.Take(gtBoxes, match)),
		Valid:      graph.StopGradient(graph.LessThan(row, graph.Add(positives, negatives))),
		Foreground: graph.StopGradient(isForeground),
	}
}

// draw orders the masked candidates [batch, n] of each image by descending noise. It returns the
// first rows, at least one and at most limit, and how many of them count, [batch, 1] int32.
func draw(mask, noise *graph.Node, limit int) (rows, count *graph.Node) {
	none := graph.Const(noise.Graph(), float32(-1)) // below every noise
	key := graph.Where(mask, graph.StopGradient(noise), none)
	_, rows = graph.TopK(key, min(max(limit, 1), mask.Shape().Dim(1)), 1)
	count = graph.ReduceAndKeep(graph.ConvertDType(mask, dtypes.Int32), graph.ReduceSum, 1)
	return rows, graph.MinScalar(count, limit)
}
