package boxes

// The two ways of the suppression, of which a backend has one. classes may be nil.
func SuppressInOrder(boxes, valid, classes *Node, iouThreshold float64) *Node {
	return suppressInOrder(boxes, valid, classes, roundDown(iouThreshold))
}

func SuppressAtOnce(boxes, valid, classes *Node, iouThreshold float64) *Node {
	return suppressAtOnce(boxes, valid, classes, roundDown(iouThreshold))
}
