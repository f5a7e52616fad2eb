// Package box has the two common forms of a box and converts between them. Both are in pixels of
// the image, in continuous coordinates: the width is x1 - x0, without + 1.
package box

// Corners is x0, y0, x1, y1: the upper left and the lower right corner, as in networks and PASCAL
// VOC.
type Corners [4]float64

// COCO is x, y, width, height, where (x, y) is the upper left corner: "bbox" in COCO's annotations
// and results.
type COCO [4]float64

// COCO returns the box as corner and size.
func (b Corners) COCO() COCO { return COCO{b[0], b[1], b[2] - b[0], b[3] - b[1]} }

// Area returns width times height, which is negative if exactly one of them is.
func (b Corners) Area() float64 { return (b[2] - b[0]) * (b[3] - b[1]) }

// Corners returns the box as two corners.
func (b COCO) Corners() Corners { return Corners{b[0], b[1], b[0] + b[2], b[1] + b[3]} }

// Area returns width times height, which is negative if exactly one of them is.
func (b COCO) Area() float64 { return b[2] * b[3] }
