package boxes

// The two ways of the suppression, of which a backend has one.
func SuppressInOrder(boxes, valid *Node, iouThreshold float64) *Node {
	return suppressInOrder(boxes, valid, roundDown(iouThreshold))
}

func SuppressAtOnce(boxes, valid *Node, iouThreshold float64) *Node {
	return suppressAtOnce(boxes, valid, roundDown(iouThreshold))
}
