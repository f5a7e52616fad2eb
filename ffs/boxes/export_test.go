package boxes

import "github.com/gomlx/gomlx/core/graph"

// The two ways of the suppression, of which a backend has one.
func SuppressInOrder(boxes, valid *graph.Node, iouThreshold float64) *graph.Node {
	return suppressInOrder(boxes, valid, roundDown(iouThreshold))
}

func SuppressAtOnce(boxes, valid *graph.Node, iouThreshold float64) *graph.Node {
	return suppressAtOnce(boxes, valid, roundDown(iouThreshold))
}
