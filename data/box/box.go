// Package box has the two forms in which the field writes a box down, and the one way between them. Both are in pixels of the picture, in
// continuous coordinates: the width is x1 - x0, without + 1.
package box

// Corners is x0, y0, x1, y1: the upper left and the lower right corner, as networks and PASCAL VOC have them.
type Corners [4]float64

// COCO is x, y, width, height, (x, y) being the upper left corner: "bbox" of COCO's annotations and results.
type COCO [4]float64

// COCO returns the same box as corner and size.
func (b Corners) COCO() COCO { return COCO{b[0], b[1], b[2] - b[0], b[3] - b[1]} }

// Area returns width times height; it is negative if exactly one of them is.
func (b Corners) Area() float64 { return (b[2] - b[0]) * (b[3] - b[1]) }

// Corners returns the same box as two corners.
func (b COCO) Corners() Corners { return Corners{b[0], b[1], b[0] + b[2], b[1] + b[3]} }

// Area returns width times height; it is negative if exactly one of them is.
func (b COCO) Area() float64 { return b[2] * b[3] }
